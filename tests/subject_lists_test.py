"""Tests of grfjax.data.subject_lists."""

from grfjax.data import (
  subject_lists,
)


def test_a_long_list_of_subjects_is_shortened():
  names = [f'S{k}' for k in range(1, 22)]
  assert subject_lists.listed_subjects(names[:20]) == ', '.join(names[:20])
  assert subject_lists.listed_subjects(names) == '21 subjects (S1 ... S21)'
