"""README and docs: pages are fresh, examples run, every bundled network has a card."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from grfjax.data import clip_config
from grfjax.io import recordings
from grfjax.models import networks, targets

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / 'docs'
BUNDLED = ROOT / 'grfjax' / 'pretrained'
EXAMPLE = DOCS / 'examples' / 'two_walks'


def _text(name):
  return (DOCS / name).read_text(encoding='utf-8')


def test_the_readme_is_short_its_links_lead_somewhere_and_its_film_is_small():
  text = (ROOT / 'README.md').read_text(encoding='utf-8')
  assert len(text.splitlines()) <= 180
  targets_of_links = re.findall(r'\]\(([^)#]+)\)|src="([^"]+)"', text)
  paths = [ROOT / (link or source) for link, source in targets_of_links]
  assert len(paths) > 20
  assert not [path for path in paths if not path.exists()]
  assert (DOCS / 'pictures' / 'walk.webp').stat().st_size < 3e6


def _cards():
  parts = re.split(r'^## (\w+)\n', _text('models.md'), flags=re.M)[1:]
  return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_bundled_network_has_a_card_and_no_other():
  bundled = {path.parent.name for path in BUNDLED.glob('*/config.json')}
  assert bundled
  assert set(_cards()) == bundled


@pytest.mark.parametrize('name', sorted(_cards()))
def test_a_card_says_what_is_recorded_of_its_network(name):
  card = _cards()[name]
  for word in ('Trained on', 'For whom', 'Gives', 'Errors', 'Must not be used for'):
    assert f'- **{word}**: ' in card
  about = json.loads((BUNDLED / name / 'about.json').read_text(encoding='utf-8'))
  assert f'{about["parameters"]:,}' in card
  errors_said = card.split('**Errors**')[1].split('- **')[0]
  for error in (about.get('mae_pct_bw') or about['mae_pct_bh']).values():
    assert re.search(rf'(?<![\d.]){re.escape(str(error))}(?![\d.]*\d)', errors_said), error


@pytest.mark.slow
def test_options_and_measures_are_fresh():
  pages = [_text(name) for name in ('commands.md', 'measures.md')]
  assert len(re.findall(r'<!-- options: \w+ -->\n\n- `--', pages[0])) >= 7
  assert '| `stance_s` | Stance time | s |' in pages[1]
  subprocess.run([sys.executable, 'launch/docs_reference.py', '--check'], cwd=ROOT, check=True)


def test_the_examples_for_researchers_run(monkeypatch):
  for module, table in (
    (networks, 'MODELS'), (targets, 'TARGETS'), (clip_config, 'CLIP_CONFIGS'),
  ):  # fmt: skip
    monkeypatch.setattr(module, table, dict(getattr(module, table)))
  examples = re.findall(r'^```python\n(.*?)^```', _text('researcher.md'), re.M | re.S)
  assert len(examples) == 3
  for example in examples:
    assert 'assert ' in example
    exec(compile(example, 'researcher.md', 'exec'), {'__name__': 'example'})


def test_the_example_set_can_be_read():
  trials = recordings.load(EXAMPLE)
  assert len(trials) == 2
  assert len({trial.subject for trial in trials}) == 2
  assert sum(path.stat().st_size for path in EXAMPLE.rglob('*') if path.is_file()) < 1e6


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_asks_nothing_of_other_hosts(tmp_path):
  pytest.importorskip('material', reason='mkdocs-material is not installed (extra docs)')
  pytest.importorskip('mkdocstrings_handlers.python', reason='mkdocstrings[python] is missing')
  subprocess.run(
    [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--quiet', '-d', str(tmp_path)],
    cwd=ROOT, check=True, env={**os.environ, 'NO_MKDOCS_2_WARNING': 'true'},
  )  # fmt: skip
  pages = list(tmp_path.rglob('*.html'))
  assert len(pages) > 20
  fetched = re.compile(r'<(?:script|img|link|iframe)\b[^>]*(?:src|href)="?(https?:)?//', re.I)
  for page in pages:
    assert not fetched.search(page.read_text(encoding='utf-8')), page.name
