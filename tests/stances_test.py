"""Stances are found in labelled frames as they are."""

import numpy as np
import pytest

from grfjax.gait import stances


def find(contact: str, *, trial: str = '', frame=None):
  """Stances of a leg drawn as text: '#' is contact, anything else is not."""
  n = len(contact)
  found = stances.find_stances(
    np.array(list(trial or 'a' * n)),
    np.arange(n) if frame is None else np.asarray(frame),
    np.array([c == '#' for c in contact]),
  )
  return [(s.index.tolist(), s.whole) for s in found]


def test_a_whole_stance():
  assert find('..###..') == [([2, 3, 4], True)]


def test_two_stances():
  assert find('.##.##.') == [([1, 2], True), ([4, 5], True)]


@pytest.mark.parametrize('contact', ['###..', '..###', '###'])
def test_a_stance_at_an_edge_is_not_whole(contact):
  ((_, whole),) = find(contact)
  assert not whole


def test_trials_part_stances():
  assert find('.####.', trial='aaabbb') == [([1, 2], False), ([3, 4], False)]


def test_a_neighbour_of_another_trial_is_no_end():
  assert find('.##.', trial='abba') == [([1, 2], False)]


def test_a_gap_parts_a_stance():
  assert find('.####.', frame=[0, 1, 2, 8, 9, 10]) == [([1, 2], False), ([3, 4], False)]


def test_one_missing_frame_does_not():
  assert find('.####.', frame=[0, 1, 2, 4, 5, 6]) == [([1, 2, 3, 4], True)]


@pytest.mark.parametrize('step', [1, 2, 4, 16])
def test_any_frame_rate_of_the_video(step):
  """At 60 labels a second a 240 Hz video's frames are 4 apart."""
  assert find('.###.', frame=step * np.arange(5)) == [([1, 2, 3], True)]


def test_a_slow_video_repeats_frames():
  """25 Hz brought to 60: the nearest frame is often the same."""
  frame = np.round(np.arange(8) * 25 / 60).astype(int)
  assert find('..####..', frame=frame) == [([2, 3, 4, 5], True)]


def test_each_trial_has_its_own_rate():
  frame = [*range(0, 20, 4), *range(0, 5)]
  assert find('.###..###.', trial='aaaaabbbbb', frame=frame) == [
    ([1, 2, 3], True), ([6, 7, 8], True)
  ]  # fmt: skip


@pytest.mark.parametrize('contact', ['', '...'])
def test_no_stance(contact):
  assert find(contact) == []


def test_phase_lies_in_the_middle_of_frames():
  stance = stances.Stance(np.arange(7, 11), whole=True)
  np.testing.assert_allclose(stance.phase, [0.125, 0.375, 0.625, 0.875])
