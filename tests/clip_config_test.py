"""Tests of grfjax.data.clip_config: the configurations and their names."""

import dataclasses

import pytest

from grfjax import errors
from grfjax.data import (
  clip_config,
)

MOCHIZUKI = clip_config.clip_config('mochizuki')


def test_a_configuration_at_another_rate():
  slow = clip_config.clip_config('mochizuki_20fps')
  assert slow == dataclasses.replace(MOCHIZUKI, name='mochizuki_20fps', fps=20)
  assert clip_config.clip_config('mochizuki') == MOCHIZUKI


def test_a_configuration_with_other_frames_and_pixels():
  changed = clip_config.clip_config('mochizuki_9frames_96px_30fps')
  assert changed.shape == (9, 96, 96, 1)
  assert changed.fps == 30
  assert clip_config.clip_config('mochizuki_window').shape == (5, 40, 40, 2)


@pytest.mark.parametrize(
  'name',
  [
    'follower',
    '',
    'walker_',
    'walker_fast',
    'walker_0fps',
    'walker_30',
    '_30fps',
    'walker_9frames',
    'walker_40px',
    'mochizuki_0frames',
    'mochizuki_30fps_9frames',
  ],
)
def test_an_unknown_configuration_lists_the_names(name):
  with pytest.raises(
    errors.InputError, match='expected one of mochizuki, mochizuki_window, walker'
  ) as caught:
    clip_config.clip_config(name)
  assert caught.value.code == 'config.unknown_dataset'


def test_the_papers_configuration_is_the_papers():
  assert MOCHIZUKI.shape == (5, 40, 40, 1)
  assert (MOCHIZUKI.fps, MOCHIZUKI.follow) == (60, False)
