"""A killed build leaves nothing that is taken for a data set: launch/faults/kill_builds.py."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.slow
def test_killed_builds():
  command = [sys.executable, 'launch/faults/kill_builds.py', '--kills=10', '--config=mochizuki']
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr
  assert 'rebuilt: whole, nothing else left' in done.stdout
  counts = {
    outcome: int(n) for n, outcome in (x.split(maxsplit=1) for x in done.stdout.splitlines())
  }
  assert sum(n for outcome, n in counts.items() if ' killed, ' in outcome) >= 3
