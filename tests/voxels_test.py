"""Tests of grfjax.data.voxels: every frame once, and the edge of the recording."""

import dataclasses

import numpy as np
import pytest

from grfjax.data import (
  clip_config,
  trial_labels,
  voxels,
  walker_views,
)

WALKER, MOCHIZUKI = clip_config.clip_config('walker'), clip_config.clip_config('mochizuki')


@pytest.mark.parametrize('count', [2, 15, 31, 32, 33, 63, 64, 65, 96, 97, 200])
@pytest.mark.parametrize('cfg', [WALKER, MOCHIZUKI], ids=lambda c: c.name)
def test_every_frame_is_once_an_own_frame(cfg, count):
  cfg = dataclasses.replace(cfg, rows=2, columns=2)
  view = walker_views.WalkerViews(
    np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones(cfg.shape[1:], np.uint8),
    7 + np.arange(count) / 60,
    np.arange(count, dtype=np.int32) + 100,
    None,
    0,
    np.full((count, 4), np.nan),
    np.ones(count, bool),
  )
  records = list(voxels.cut_voxels(view, None, cfg))
  own = np.concatenate([r['frame'][cfg.own] for r in records])
  np.testing.assert_array_equal(own[own >= 0], np.arange(count) + 100)
  for record in records:
    inside = record['frame'] >= 0
    assert inside.any()
    # Each picture is its frame's; beyond the edge the edge's.
    at = np.clip(record['frame'] - 100, 0, None)
    np.testing.assert_array_equal(record['voxel'][inside, 0, 0, 0], at[inside])
    first, last = record['voxel'][inside][[0, -1], 0, 0, 0]
    assert set(record['voxel'][~inside, 0, 0, 0]) <= {first, last}
    assert record['time_s'][inside] == pytest.approx(7 + at[inside] / 60, abs=1e-5)
    assert np.diff(record['time_s']) == pytest.approx(1 / 60, abs=1e-5)  # through the edge as well


def test_nothing_is_known_beyond_the_edge():
  count, cfg = 10, dataclasses.replace(WALKER, rows=2, columns=2, frames=8, hop=4)
  view = walker_views.WalkerViews(
    np.zeros((count, 2, 2, 2), np.uint8), np.arange(count) / 60, np.arange(count, dtype=np.int32),
    None, 1, np.full((count, 4), np.nan), np.ones(count, bool),
  )  # fmt: skip
  yes = np.ones((count, 2), bool)
  there = np.ones((count, 2, 2), np.float32)
  force = np.ones((count, 2, 3), np.float32)
  label = trial_labels.TrialLabels(force, yes, yes, there, yes, there, yes, there, yes)
  records = list(voxels.cut_voxels(view, label, cfg))
  assert [r['frame'].tolist() for r in records] == [
    [-1, -1, 0, 1, 2, 3, 4, 5],
    [2, 3, 4, 5, 6, 7, 8, 9],
    [6, 7, 8, 9, -1, -1, -1, -1],
  ]
  for record in records:
    inside = record['frame'] >= 0
    for key in ('known', 'contact', 'pressure_known', 'sole_known', 'stand_known'):
      np.testing.assert_array_equal(record[key], np.stack([inside, inside], 1))
    np.testing.assert_array_equal(record['force'][:, 1, 2], inside)
    for key in ('pressure', 'sole', 'stand'):
      assert (record[key] == inside[:, None, None]).all()
