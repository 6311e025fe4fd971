"""Tests of grfjax.data.subject_lists."""

import pathlib

import pytest

from grfjax.data import subject_lists
from grfjax.io import recordings


def test_a_long_list_of_subjects_is_shortened():
  names = [f'S{k}' for k in range(1, 22)]
  assert subject_lists.listed_subjects(names[:20]) == ', '.join(names[:20])
  assert subject_lists.listed_subjects(names) == '21 subjects (S1 ... S21)'


def test_names_that_tfds_cannot_take():
  manifest = pathlib.Path('set/subjects.csv')
  for name in ('A', 'S01', 'anna_lena', 'train', 'allen'):
    subject_lists.check_split_name(name, manifest)
  for name in ('all', 'ALL', '1', 'Müller', 'train[0]', 'A+B', 'a b', '', '_A', 'A\n'):
    with pytest.raises(recordings.RecordingError, match='cannot name a TFDS split') as caught:
      subject_lists.check_split_name(name, manifest)
    assert (caught.value.code, caught.value.file) == ('recording.bad_name', str(manifest))
    assert repr(name) in str(caught.value)
