"""What subjects left out in turn decide: how far to go from the initial network."""

import json

import numpy as np
import pytest
import walker

from grfjax.evaluation import cross_fitting, held_out, held_out_estimates
from grfjax.io import run_folder
from grfjax.training import loop, warm_start, weight_files

SUBJECTS = ('A', 'B', 'C')
LEFT_OUT = {'0': 0.4, '1': 0.4, '2': 0.1}  # the only weight of each round's network: its error


def _estimates(error):
  """Fifty frames in stance, all of them wrong by `error` body weights."""
  force = np.random.default_rng(0).uniform(0.1, 1.2, (50, 2, 3)).astype(np.float32)
  inside = np.ones((50, 2), bool)
  estimate = force + np.float32(error)
  interval = np.stack([estimate - 0.01, estimate + 0.01], -1)
  names = np.full(50, 'T')
  return held_out_estimates.HeldOutEstimates(
    names, np.arange(50), np.arange(50) / 60, estimate, interval, force, inside, inside
  )


class _Dataset:
  def others(self, holdout, inner, people):
    return SUBJECTS


def _cross_fitted(folder, monkeypatch, initial, blend=(0.0, 0.5, 1.0)):
  """Cross-fits a run whose weight is 0.3; returns interval.json and who was left out of what."""
  left_out = {}

  def fit(config, round_folder, dataset):
    name = round_folder.path.name
    left_out[name] = config.inner
    return loop.Trained({'w': np.float32(LEFT_OUT[name])}, 7, False, {})

  monkeypatch.setattr(loop, 'fit', fit)
  monkeypatch.setattr(
    held_out_estimates, 'estimate_subject', lambda *args: _estimates(args[-1]['w'])
  )
  monkeypatch.setattr(warm_start, 'initial_params', lambda *_: ({'w': np.float32(initial)}, []))
  config = walker.get_config()
  config.blend = blend
  config.model_init = '' if initial is None else 'other'
  run = run_folder.RunFolder(folder)
  trained = loop.Trained({'w': np.float32(0.3)}, 7, False, {})
  cross_fitting.cross_fit(config, run, _Dataset(), trained)
  return json.loads(run.intervals.read_text()), left_out


@pytest.mark.parametrize(
  ('initial', 'best', 'weight'),
  [(0.0, 0.0, 0.0), (-0.3, 0.5, 0.0), (-2.0, 1.0, None), (None, 1.0, None)],
)
def test_the_blend_that_errs_least_on_those_left_out_is_taken(
  tmp_path, monkeypatch, initial, best, weight
):
  written, left_out = _cross_fitted(tmp_path, monkeypatch, initial)
  assert left_out == {'0': 'A', '1': 'B', '2': 'C'}
  assert written['blend'] == best
  assert written['left_out'] == [['A'], ['B'], ['C']]
  if weight is None:
    assert not (run_folder.RunFolder(tmp_path).weights).exists()
  else:
    params, step, _ = weight_files.restore_params(tmp_path)
    assert step == 7
    np.testing.assert_allclose(params['w'], weight, atol=1e-6)


def test_the_errors_said_are_means_over_those_left_out(tmp_path, monkeypatch):
  written, _ = _cross_fitted(tmp_path, monkeypatch, initial=0.0)
  assert written['mae_pct_bw'] == pytest.approx({'0': 0, '0.5': 15, '1': 30}, abs=1e-3)
  assert written['stance_frames'] == 3 * 50 * 2


def test_blends_go_from_the_first_network_to_the_second():
  one, two = {'w': np.float32([1, 2])}, {'w': np.float32([3, 6])}
  assert cross_fitting.blended(one, two, 1) is two
  np.testing.assert_array_equal(cross_fitting.blended(one, two, 0)['w'], one['w'])
  np.testing.assert_allclose(cross_fitting.blended(one, two, 0.25)['w'], [1.5, 3])


def test_intervals_are_widened_for_the_blend_that_is_taken(tmp_path, monkeypatch):
  """Half of each error stays: an interval of 0.01 must be widened as that needs, not the whole."""
  (tmp_path / 'half').mkdir()
  (tmp_path / 'whole').mkdir()
  half, _ = _cross_fitted(tmp_path / 'half', monkeypatch, initial=-0.3)
  whole, _ = _cross_fitted(tmp_path / 'whole', monkeypatch, initial=-0.3, blend=(1.0,))
  assert half['widening'][0] < whole['widening'][0]


@pytest.mark.parametrize(
  ('errors', 'taken', 'told'),
  [({'1': 5.0}, 1.0, None), ({'0': 5.0}, 0.0, 0.0), ({'0': 5.0, '1': 4.0}, 1.0, 1.0)],
)
def test_an_evaluation_knows_the_blend_unless_it_is_the_trained_network_anyway(
  tmp_path, errors, taken, told
):
  folder = run_folder.RunFolder(tmp_path)
  folder.intervals.write_text(json.dumps({'blend': taken, 'mae_pct_bw': errors}))
  assert held_out._about_training(folder).get('blend', {}).get('taken') == told
