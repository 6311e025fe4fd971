"""Damaged files cause only documented errors: the short form of launch/faults/fuzz.py."""

import pathlib
import signal
import subprocess
import sys

import hypothesis
import pytest
from hypothesis import strategies

import file_edits
import file_readers
import fuzz

FAULTS = pathlib.Path(__file__).parents[1] / 'launch/faults'
SIZES = (1, 2, 4, 16, 64, 600)
EDITS = strategies.lists(
  strategies.builds(
    file_edits.Edit,
    kind=strategies.sampled_from(file_edits.KINDS),
    where=strategies.floats(0, 1),
    token=strategies.sampled_from(file_edits.TOKENS) | strategies.binary(max_size=8),
    size=strategies.sampled_from(SIZES),
  ),
  min_size=1,
  max_size=8,
)
# How many files; a C3D takes a process each, and a data set is read whole.
EXAMPLES = {
  'subjects': 200, 'trials': 200, 'csv': 150, 'table': 150, 'nexus': 150,
  'qualisys': 150, 'mapped': 200, 'mot': 150, 'c3d': 40, 'prediction': 200, 'log': 100,
  'evaluation': 250, 'estimates': 150, 'run': 160, 'overrides': 60, 'data set': 60,
}  # fmt: skip


@pytest.mark.parametrize('name', EXAMPLES)
def test_only_documented_errors(name, tmp_path):
  reader = file_readers.READERS[name]
  seeds = [(path, path.read_bytes()) for path in reader.seeds(tmp_path)]
  for path, good in seeds:
    assert fuzz.feed(reader, path, good, []) == 'read'
  outcomes = set()

  @hypothesis.settings(
    derandomize=True, database=None, deadline=None, max_examples=EXAMPLES[name],
    suppress_health_check=list(hypothesis.HealthCheck),
  )  # fmt: skip
  @hypothesis.given(strategies.sampled_from(range(len(seeds))), EDITS)
  def check(number, edits):
    path, good = seeds[number]
    outcome = fuzz.feed(reader, path, good, edits)
    assert outcome in ('read', 'refused')
    outcomes.add(outcome)

  check()
  assert outcomes == {'read', 'refused'}


def test_videos_in_a_process_of_their_own():
  """A decoder in C may crash, hang, or ask for all memory."""
  result = fuzz.run('video', 60, most=120)
  assert not result.bad
  assert result.counts.total() == 120
  assert min(result.counts['read'], result.counts['refused']) > 20
  assert result.memory < 2**30


def _bad(path):
  """Fails in a way that depends on the first byte."""
  kind = path.read_bytes()[:1]
  if kind == b'k':
    raise KeyError('x')
  if kind == b'e':
    raise ValueError('')
  if kind == b'o':
    raise ValueError('refused')


@pytest.mark.parametrize(
  ('first', 'outcome'),
  [
    (b'k', 'KeyError at fuzz_test.py:'),
    (b'e', 'an error without a message'),
    (b'o', 'refused'),
    (b'x', 'read'),
  ],
)
def test_outcome_of_a_file(tmp_path, first, outcome):
  path = tmp_path / 'file'
  edit = file_edits.Edit('put', 0.0, first, 1)
  reader = file_readers.Reader(lambda folder: [path], _bad, (ValueError,))
  assert fuzz.feed(reader, path, b'good', [edit]).startswith(outcome)
  assert path.read_bytes() == b'good'


ALONE = """
import os, pathlib, signal, sys, time
sys.path.insert(0, {faults!r})
import file_readers, fuzz

def seeds(folder):
  (folder / 'file').write_bytes(b'good')
  return [folder / 'file']

class Report:
  def send(self, message):
    pathlib.Path({folder!r}, 'report').write_text(message[1])

fuzz.SECONDS, fuzz.BATCH = 1, 1
file_readers.READERS['bad'] = file_readers.Reader(seeds, lambda path: {read}, (ValueError,))
fuzz._batch('bad', {folder!r}, 0, Report())
"""


@pytest.mark.parametrize(
  ('read', 'status', 'report_begins'),
  [
    ('os.kill(os.getpid(), signal.SIGKILL)', -signal.SIGKILL, ''),
    ('time.sleep(60)', -signal.SIGALRM, ''),
    ('bytearray(fuzz.MEMORY)', 0, 'MemoryError'),
  ],
)
def test_a_process_of_its_own_contains_it(tmp_path, read, status, report_begins):
  code = ALONE.format(faults=str(FAULTS), folder=str(tmp_path), read=read)
  assert subprocess.run([sys.executable, '-c', code], check=False).returncode == status
  report = tmp_path / 'report'
  assert (report.read_text() if report.exists() else '').startswith(report_begins)
