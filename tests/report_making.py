"""Makes runs, folds and predictions for tests of the report."""

import json
import pathlib

import numpy as np

from grfjax import conventions
from grfjax.data import force_intervals
from grfjax.evaluation import error_sums, evaluation_result
from grfjax.gait import foot_contacts, foot_places, force_curves
from grfjax.io import atomic
from grfjax.report import walk_prediction

STANCE = 36  # frames


def made_up_run(
  folder: pathlib.Path, subject: str, *, seed: int = 0, legs: int = 2, axes: int = 3
) -> evaluation_result.EvaluationResult:
  """Writes estimates.npz, metrics.jsonl and eval.json as a run has them; returns the last."""
  rng = np.random.default_rng(seed)
  place = (np.arange(STANCE) + 0.5) / STANCE
  hump = 1.1 * np.sin(np.pi * place) ** 0.4 - 0.25 * np.exp(-(((place - 0.5) / 0.15) ** 2))
  brake = -0.2 * np.sin(2 * np.pi * place)
  trials, length = 6, 150
  force = np.zeros((trials, length, 2, 3), np.float32)
  known = np.ones((trials, length, 2), bool)
  contact = np.zeros((trials, length, 2), bool)
  for t in range(trials):
    for leg in range(2):
      for at in (10 + 30 * leg + t, 78 + 30 * leg + t):
        here = slice(at, at + STANCE)
        force[t, here, leg, 0] = hump * rng.normal(1, 0.05)
        force[t, here, leg, 1] = brake
        force[t, here, leg, 2] = 0.05 * hump
        contact[t, here, leg] = True
    known[t, -10:] = False
  contact &= known
  force *= known[..., None]
  noise = rng.normal(0, 0.05, (trials, length, 2, 3)).cumsum(1) * 0.2
  estimate = (force + noise + rng.normal(0, 0.02))[..., :legs, :axes].astype(np.float32)
  flat = {
    'trial': np.repeat([f'walk{t}' for t in range(trials)], length),
    'frame': np.tile(np.arange(length), trials),
    'time_s': np.tile(np.arange(length) / 60, trials).astype(np.float32),
    'estimate': estimate.reshape(-1, legs, axes),
    'interval': (estimate[..., None] + [-0.1, 0.1]).reshape(-1, legs, axes, 2),
    'force': force[:, :, :legs].reshape(-1, legs, 3),
    'known': known[:, :, :legs].reshape(-1, legs),
    'contact': contact[:, :, :legs].reshape(-1, legs),
  }
  with atomic.atomic_file(folder / 'estimates.npz') as temporary:
    np.savez_compressed(temporary, **flat)
  lines = [
    {'step': s, 'loss': 2 / s**0.5, 'mae_pct_bw': 30 / s**0.3, 'step_ms': 500.0, 'data_wait': 0.1}
    | ({'inner_mae_pct_bw': 35 / s**0.25} if s % 250 == 0 else {})
    for s in range(50, 1501, 50)
  ]
  atomic.write_text(folder / 'metrics.jsonl', ''.join(json.dumps(line) + '\n' for line in lines))
  pairs = flat['estimate'][..., 0], flat['force'][..., 0], flat['contact']
  result = error_sums.sum_errors(*pairs).result()
  counts = rng.dirichlet(np.ones(len(force_intervals.INTERVALS)))
  value = {
    'subjects': {subject: result | {'mae_newton': result['mae_pct_bw'] * 6}},
    'training_subjects': ['B', 'C', 'D'],
    'model': {'name': 'walker', 'width': 64},
    'dataset': 'walker',
    'legs': legs,
    'parameters': 123456,
    'step': 1500,
    'damaged': [],
    'voxels': {'training': 900, 'held_out': 300},
    'frames': {
      'stance': int(flat['contact'].sum()),
      'air': int((flat['known'] & ~flat['contact']).sum()),
    },
    'intervals': {k: s.result() for k, s in error_sums.sum_errors_by_interval(*pairs).items()},
    'training_intervals': [
      {'interval': n, 'labels': round(1e4 * p), 'share': p, 'share_drawn': 1 / 17}
      for n, p in zip(force_intervals.INTERVALS, counts.tolist(), strict=True)
    ],
    'other_axes': {
      name: error_sums.sum_errors(
        flat['estimate'][..., k], flat['force'][..., k], flat['contact']
      ).result()
      for k, name in ((1, 'forward'), (2, 'near side'))
      if k < axes
    },
    'prediction_interval': {'share': 0.9}
    | {
      name: {'covered': 0.91, 'mean_width_pct_bw': 20.0}
      for name in ('vertical', 'forward', 'near side')[:axes]
    },
    'air_mean_abs_pct_bw': 1.5,
    'baselines': {
      'constant': result | {'mae_pct_bw': 22.0, 'r': None},
      'mean_curve': result | {'mae_pct_bw': 5.5},
    },
  }
  atomic.write_json(folder / 'eval.json', value)
  return evaluation_result.read(folder / 'eval.json')


def changed(
  evaluation: evaluation_result.EvaluationResult, **parts
) -> evaluation_result.EvaluationResult:
  """Returns an evaluation with other parts, checked as those of an eval.json are."""
  return evaluation_result.EvaluationResult.model_validate({**evaluation.to_json(), **parts})


def small_folds() -> dict[str, evaluation_result.EvaluationResult]:
  """Two folds with numbers that are easy to average."""

  def fold(subject, mae, r, curve, share):
    result = {
      'mae_pct_bw': mae, 'rmse_pct_bw': mae + 1, 'bias_pct_bw': mae - 5, 'r': r, 'n': 100,
      'mae_newton': 6 * mae,
    }  # fmt: skip
    nothing = error_sums.ErrorSums().result()
    intervals = {name: nothing for name in force_intervals.INTERVALS}
    n = {4.0: 300, 8.0: 100}[mae]
    intervals['0.81-0.90'] = {
      'mae_pct_bw': mae,
      'rmse_pct_bw': mae,
      'bias_pct_bw': -mae,
      'r': None,
      'n': n,
    }
    shares = [0.0] * 17
    shares[9], shares[1] = share, 1 - share
    value = {
      'subjects': {subject: result},
      'training_subjects': ['A' if subject == 'B' else 'B'],
      'model': {'name': 'cnn3d'},
      'dataset': 'mochizuki',
      'legs': 1,
      'parameters': 10,
      'step': 7,
      'voxels': {'training': 800, 'held_out': 200},
      'frames': {'stance': 100, 'air': 0},
      'intervals': intervals,
      'training_intervals': [
        {'interval': name, 'labels': 1, 'share': s, 'share_drawn': 1 / 17}
        for name, s in zip(force_intervals.INTERVALS, shares, strict=True)
      ],
      'other_axes': {},
      'air_mean_abs_pct_bw': None,
      'baselines': {'constant': {**result, 'mae_pct_bw': 20.0, 'r': None}}
      | ({'mean_curve': {**result, 'mae_pct_bw': curve}} if curve else {}),
    }
    return evaluation_result.EvaluationResult.model_validate(value)

  return {'A': fold('A', 4.0, 0.9, 6.0, 0.75), 'B': fold('B', 8.0, None, None, 0.5)}


def is_png(path: pathlib.Path) -> bool:
  return path.read_bytes()[:8] == b'\x89PNG\r\n\x1a\n' and path.stat().st_size > 5000


def made_up_folds(
  runs: pathlib.Path, *subjects: str, **how
) -> dict[str, evaluation_result.EvaluationResult]:
  """Makes the runs of a round; returns its folds."""
  return {
    subject: made_up_run(runs / subject, subject, seed=seed, **how)
    for seed, subject in enumerate(subjects)
  }


RUN = {
  'model': 'walker (width 32)',
  'step': 7,
  'trained_on_subjects': 3,
  'mae_pct_bw': {'B, held out': 5.6},
  'interval_share': 0.9,
}


HOSTILE = '<script>alert(1)<script> & "$x" \'y\' #?%'  # no file's name has a slash


def make_curves(force, rate=60, camera='left', band=0.0):
  """Curves of (N, 2, axes); with an interval of +-band where it is not 0."""
  force = np.asarray(force, float)
  interval = force[..., None] + ([-band, band] if band else [])
  return force_curves.ForceCurves(
    np.arange(len(force)) / rate, force, interval, camera, False, *nowhere(len(force))
  )


def nowhere(count):
  """Box and direction of who is not followed."""
  return np.full((count, 4), np.nan), np.zeros(count, int)


def walk(steps=6, axes=3, stance=0.6, step=0.5, peak=1.05):
  """Both legs in turn, one walk of 60 frames a second."""
  time_s = np.arange(round(60 * (0.4 + step * steps))) / 60
  force = np.zeros((len(time_s), 2, axes))
  for k in range(steps):
    u = (time_s - 0.2 - k * step) / stance
    on = (u > 0) & (u < 1)
    force[on, k % 2, 0] = peak * (1.1 * np.sin(np.pi * u) + 0.3 * np.sin(3 * np.pi * u))[on]
    if axes == 3:
      force[on, k % 2, 1] = -0.2 * np.sin(2 * np.pi * u[on])
  return force


def make_prediction(estimate, name='walk', mass=60.0, **how):
  return walk_prediction.Prediction(name, f'{name}.mp4', '', estimate, mass, RUN, **how)


def curves_of_plates(trial, reference):
  """The plates' forces as an estimate, 0 where nobody knows."""
  time_s = np.arange(len(reference.force)) / 60
  force = np.nan_to_num(reference.force)
  no_interval = force[..., None][..., :0]
  return force_curves.ForceCurves(
    time_s, force, no_interval, trial.camera, False, *nowhere(len(force))
  )


def make_feet(force, contacts_bh=0.4, width_bh=0.07, height_px=200.0, floor_px=300.0):
  """Feet of curves of `walk`: soles one step apart, pressure from heel to toes, going right."""
  time_s = np.arange(len(force)) / 60
  pressure, sole = (np.full((len(force), 2, 2), np.nan) for _ in range(2))
  for k, contact in enumerate(foot_contacts.find_contacts(time_s, force)):
    leg = conventions.LEGS.index(contact.leg)
    during = (time_s >= contact.start_s) & (time_s <= contact.end_s)
    u = np.linspace(0, 1, during.sum())
    place = np.array([0.2 + contacts_bh * k, width_bh / 2 * (1 if leg == 0 else -1)])
    sole[during, leg] = place
    pressure[during, leg] = place + np.stack([0.12 * (u - 0.5), 0.01 * np.sin(3 * u)], -1)
  picture = np.stack(
    [height_px * pressure[..., 0], floor_px - height_px / 8 * pressure[..., 1]], -1
  )
  return foot_places.FootPlaces(pressure, sole, picture)
