"""docs/error_codes.md lists exactly the codes that there are."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
AREAS = (
  'table', 'recording', 'force', 'c3d', 'video', 'walker', 'data', 'synth', 'degrade', 'config',
  'hosts', 'run', 'checkpoint', 'evaluation', 'prediction', 'gait', 'sync', 'check', 'install',
  'app',
)  # fmt: skip
CODE = re.compile(rf"'((?:{'|'.join(AREAS)})\.[a-z0-9_]+)'")
# The process that reads C3D files gives the code's second part alone.
C3D_REASON = re.compile(r"_UnusableError\(\s*'([a-z0-9_]+)'")


def _codes_raised():
  found = set()
  for path in [*ROOT.glob('grfjax/**/*.py'), *ROOT.glob('datasets/*/*_builder.py')]:
    text = path.read_text(encoding='utf-8')
    found |= {code for code in CODE.findall(text) if not code.endswith(('.json', '.csv'))}
  c3d = (ROOT / 'grfjax/io/c3d_process.py').read_text(encoding='utf-8')
  return found | {f'c3d.{reason}' for reason in C3D_REASON.findall(c3d)}


def test_the_list_of_codes_is_complete_and_has_no_others():
  page = (ROOT / 'docs/error_codes.md').read_text(encoding='utf-8')
  documented = re.findall(r'^\| `([a-z0-9_.]+)` \|', page, re.M)
  assert len(documented) == len(set(documented))
  assert set(documented) == _codes_raised()
