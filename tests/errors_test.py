"""Tests of grfjax.errors: codes, places before messages, and the way out of a worker process."""

import concurrent.futures
import copy
import multiprocessing
import pathlib
import pickle

import pytest

from grfjax import errors
from grfjax.io import force_files, recordings


def _attributes(error):
  return error.code, error.file, error.line, error.column, error.frame


def _error(cls=errors.InputError):
  return cls(
    'found 3, expected 4',
    code='area.reason',
    file=pathlib.Path('a.csv'),
    line=7,
    column='x',
    frame=2,
  )


def _fail():
  raise _error(force_files.ForceError)


def test_an_error_carries_its_code_and_place():
  error = _error()
  assert str(error) == 'found 3, expected 4'
  assert _attributes(error) == ('area.reason', 'a.csv', 7, 'x', 2)
  assert isinstance(error, ValueError)


def test_code_and_place_need_not_be_repeated_by_a_wrapper():
  inner = errors.InputError('found 3', code='area.reason', line=7)
  outer = inner.within('a.csv, line 7', file='a.csv')
  assert str(outer) == 'a.csv, line 7: found 3'
  assert _attributes(outer) == ('area.reason', 'a.csv', 7, None, None)
  assert (str(inner), inner.file) == ('found 3', None)  # the wrapped error is left as it was


def test_the_innermost_file_is_kept():
  assert _error().within('trials.csv, line 2', file='trials.csv').file == 'a.csv'


def test_a_wrapper_keeps_the_class():
  error = _error(force_files.ForceError).within('here')
  assert type(error) is force_files.ForceError


def test_an_error_becomes_one_of_another_class():
  error = recordings.RecordingError.from_error(_error())
  assert type(error) is recordings.RecordingError
  assert str(error) == 'found 3, expected 4'
  assert _attributes(error) == _attributes(_error())


@pytest.mark.parametrize(
  'duplicate', [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
def test_copies_keep_everything(duplicate):
  error = _error(force_files.ForceError)
  error.add_note('a note')
  same = duplicate(error)
  assert type(same) is force_files.ForceError
  assert same.args == error.args
  assert same.__dict__ == error.__dict__


def test_an_error_of_a_worker_process_keeps_everything():
  context = multiprocessing.get_context('spawn')
  with (
    concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool,
    pytest.raises(force_files.ForceError, match=r'^found 3, expected 4$') as caught,
  ):
    pool.submit(_fail).result()
  assert _attributes(caught.value) == _attributes(_error())


def test_the_description_ends_with_the_code_in_brackets():
  assert errors.describe(_error()) == 'found 3, expected 4 [area.reason]'
  assert errors.describe(ValueError('found 3')) == 'found 3'
  assert errors.describe(FileNotFoundError(2, 'No such file', 'a')) == (
    "[Errno 2] No such file: 'a'"
  )
