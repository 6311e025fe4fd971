"""The shell scripts that a user starts."""

import pathlib
import re

LAUNCH = pathlib.Path(__file__).parents[1] / 'launch'


def assigned(path):
  """Names of the variables that a shell script assigns."""
  return set(re.findall(r'(?:^|[ ;(])([a-z_]+)=', path.read_text(encoding='utf-8'), re.M))


def test_making_the_environment_changes_no_variable_of_the_scripts_that_ask_for_it():
  own = assigned(LAUNCH / 'environment.sh') - {'environment', 'packages', 'optional'}
  sourcing = [p for p in LAUNCH.glob('*.sh') if 'environment.sh"' in p.read_text(encoding='utf-8')]
  assert len(sourcing) >= 6
  for script in sourcing:
    assert not own & assigned(script), script.name


def test_the_demo_writes_where_the_readme_says():
  readme = (LAUNCH.parent / 'README.md').read_text(encoding='utf-8')
  demo = (LAUNCH / 'demo.sh').read_text(encoding='utf-8')
  (out,) = re.findall(r'^out="demo/\$size"$', demo, re.M)
  size = re.search(r'^size=(\w+)$', demo, re.M)[1]
  assert f'`{out[5:-1].replace("$size", size)}/runs/report/index.html`' in readme
