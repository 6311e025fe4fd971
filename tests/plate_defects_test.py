"""Tests of grfjax.data.plate_defects: samples that no foot has made, and feet that look like it."""

import pathlib
import re

import numpy as np
import pytest
from plates import BW, stance, two_steps

from grfjax import conventions
from grfjax.data import plate_checks, plate_defects
from grfjax.io import force_files

SHARED = pathlib.Path(__file__).parents[1] / '../shared'
MASS_KG = BW / conventions.G


def walk(rate=1000, noise_n=0.0):
  t, force = two_steps(rate)
  return t, force + np.random.default_rng(0).normal(0, noise_n, force.shape)


def check(t, force, weight=BW):
  plates = force_files.PlateForces(t, force)
  plate_defects.check_spikes(plates, weight)
  plate_defects.check_dropouts(plates, weight)


def refused(t, force, code, *says):
  with pytest.raises(force_files.ForceError) as caught:
    plate_checks.check_plausible(force_files.PlateForces(t, force), MASS_KG)
  assert caught.value.code == code, str(caught.value)
  for text in says:
    assert text in str(caught.value)


def filtered(force, cut_off_hz, rate):
  kernel = np.exp(-0.5 * (np.arange(-50, 51) / rate * 2 * np.pi * cut_off_hz) ** 2)
  return np.apply_along_axis(np.convolve, 0, force, kernel / kernel.sum(), 'same')


# --- spikes


@pytest.mark.parametrize('noise_n', [0, 1.5])
@pytest.mark.parametrize('at_s', [0.0, 0.2, 0.45, 0.7, 0.9, 1.999])  # empty and loaded, both ends
@pytest.mark.parametrize('samples', [1, 2, 4])
@pytest.mark.parametrize(
  ('axis', 'newtons'), [(2, 4000), (2, 600), (2, -600), (2, 120), (0, 90), (0, -500), (1, 90)]
)
def test_a_spike(noise_n, at_s, samples, axis, newtons):
  t, force = walk(noise_n=noise_n)
  first = min(round(at_s * 1000), len(t) - samples)
  force[first : first + samples, 0, axis] += newtons
  says = f'plate 1 reads f{"xyz"[axis]} = ', f' N at {t[first]:.3f} s, a spike of '
  refused(t, force, 'force.spike', *says, f'lasts {samples} ms')


def test_a_spike_with_flanks_and_a_long_one_with_a_level_top():
  t, force = walk(noise_n=1)
  flanks = force.copy()
  flanks[700:705, 1, 2] += [150, 400, 600, 400, 150]
  refused(t, flanks, 'force.spike', 'plate 2 reads fz')
  force[700:712, 0, 2] += 500
  refused(t, force, 'force.spike', 'at 0.700 s, a spike of ', 'lasts 12 ms')


@pytest.mark.parametrize('places', [(700, 702), (700, 703), (700, 706), (700, 704, 708, 712)])
@pytest.mark.parametrize(('axis', 'newtons'), [(2, 500), (2, 4000), (2, -300), (0, 400), (1, 400)])
def test_spikes_near_each_other_do_not_hide_each_other(places, axis, newtons):
  t, force = walk(noise_n=1)
  force[list(places), 0, axis] += newtons
  refused(t, force, 'force.spike', 'plate 1', 'a spike of ')


@pytest.mark.parametrize('rate', [500, 1000, 2000])
def test_a_spike_at_each_rate(rate):
  t, force = walk(rate)
  force[round(0.7 * rate), 0, 2] += 300
  refused(t, force, 'force.spike', 'at 0.700 s')


def test_a_spike_on_a_slow_plate_is_seen_where_it_is_huge():
  t, force = walk(100)
  force[70, 0, 2] += 3300
  refused(t, force, 'force.spike', 'at 0.700 s, a spike of 3')


@pytest.mark.parametrize('rate', [100, 200, 500, 1000, 2000])
@pytest.mark.parametrize('width_s', [0.01, 0.015, 0.03])
@pytest.mark.parametrize('shape', ['half sine', 'bell'])
@pytest.mark.parametrize('body_weights', [0.3, 1, 2])
def test_the_transient_of_a_heel_strike_is_none(rate, width_s, shape, body_weights):
  t, force = walk(rate)
  for start in 0.41 + np.arange(5) / 5 / rate:
    u = (t - start) / width_s
    bump = np.where((u > 0) & (u < 1), np.sin(np.pi * u), 0)
    if shape == 'bell':
      bump = np.exp(-(((u - 0.5) / 0.25) ** 2))
    struck = force.copy()
    struck[:, 0] += BW * body_weights * bump[:, None] * [-0.3, 0.1, 1]
    check(t, struck)


def test_reported_spike():
  if not SHARED.exists():
    pytest.skip('../shared is not here')
  plates = force_files.read(SHARED / 'reports/spike.csv', ('left', 'right'))
  with pytest.raises(force_files.ForceError, match=r'plate 1 reads fz = 4000 N at 1\.738 s') as e:
    plate_checks.check_plausible(plates, 38)
  assert e.value.code == 'force.spike'


# --- dropouts


@pytest.mark.parametrize('noise_n', [0, 1.5])
@pytest.mark.parametrize('lasts', [5, 20, 60, 200])
@pytest.mark.parametrize('at', [0.03, 0.3, 0.5, 0.75])  # of the stance, 0.4 to 1.02 s
@pytest.mark.parametrize('axes', [[0, 1, 2], [2]])
@pytest.mark.parametrize('filled', ['zeros', 'noise', 'offset'])
def test_a_load_that_is_gone_for_a_while(noise_n, lasts, at, axes, filled):
  t, force = walk(noise_n=noise_n)
  first = round(1000 * (0.4 + 0.62 * at))
  fill = {'zeros': 0, 'offset': -12.5, 'noise': np.random.default_rng(1).normal(0, 2, (lasts, 1))}
  force[first : first + lasts, 0, axes] = fill[filled]
  refused(t, force, 'force.dropout', 'plate 1 ', f'{t[first]:.3f}')


@pytest.mark.parametrize('first', [380, 395, 405, 940, 970, 985])
def test_a_dropout_over_the_beginning_or_the_end_of_a_stance(first):
  t, force = walk(noise_n=1)
  force[first : first + 60, 0] = 0
  refused(t, force, 'force.dropout', 'plate 1 ')


@pytest.mark.parametrize('lasts', [20, 60, 200])
@pytest.mark.parametrize('axis', [0, 2])
def test_a_value_that_is_held(lasts, axis):
  t, force = walk()
  force[600 : 600 + lasts, 0, axis] = force[600, 0, axis]
  says = f'plate 1 reads f{"xyz"[axis]} = ', f'from 0.600 to {t[599 + lasts]:.3f} s under a foot'
  refused(t, force, 'force.dropout', *says)


@pytest.mark.parametrize('axis', [0, 1])
@pytest.mark.parametrize('noise_n', [0, 1])
def test_one_axis_that_reads_zero(axis, noise_n):
  t, force = walk(noise_n=noise_n)
  force[550:610, 1, axis] = force[800:860, 0, axis] = 0  # plate 2 is empty at 0.55 s
  refused(t, force, 'force.dropout', f'plate 1 reads f{"xyz"[axis]} = 0 N', '0.800 to 0.859 s')


def test_a_held_value_that_goes_on_where_it_was_shows_by_its_stillness():
  t, force = walk(noise_n=1)
  force[640:680, 0, 1] = 28.0
  refused(t, force, 'force.dropout', 'plate 1 reads fy = 28 N without a change from 0.640 to 0.679')


@pytest.mark.parametrize('rate', [100, 200, 500])
def test_a_dropout_at_slower_rates(rate):
  t, force = walk(rate)
  force[round(0.75 * rate) : round(0.81 * rate), 0] = 0
  refused(t, force, 'force.dropout', 'plate 1 falls from ', 'from 0.750 to 0.810 s')


# --- what feet and laboratories do


def test_what_feet_do_passes():
  t = np.arange(4000) / 1000
  feet = {
    'steps on one plate': sum(stance(t, s, 0.6) for s in (0.3, 1.4, 2.5)),
    'steps 40 ms apart': stance(t, 0.3, 0.6) + stance(t, 0.94, 0.6),
    'heel and toe apart': stance(t, 0.3, 0.3) + stance(t, 0.61, 0.4),
    'scuff before a step': stance(t, 0.3, 0.02) * 0.1 + stance(t, 0.5, 0.6),
    'running': stance(t, 0.3, 0.22, 'flat', 0.5) * 2.4 + stance(t, 1.0, 0.22, 'flat', 0.5) * 2.4,
    'a recording that begins and ends in a step': stance(t, -0.3, 0.6) + stance(t, 3.7, 0.6),
    'standing': np.full((4000, 3), [1.0, 2.0, BW]),
  }
  for name, force in feet.items():
    for rate in (1, 2, 5, 10):
      for noise in (0, 2):
        shaken = force + np.random.default_rng(0).normal(0, noise, force.shape)
        try:
          check(t[::rate], shaken[::rate, None])
        except force_files.ForceError as error:
          pytest.fail(f'{name}, {1000 / rate:g} Hz, noise {noise}: {error}')


def exports(t, force):
  """Yields the same forces as laboratories export them."""
  rate = round(1 / (t[1] - t[0]))
  for newtons in (0.01, 0.1, 1, 5):
    yield f'rounded to {newtons} N', t, np.round(force / newtons) * newtons
  for threshold in (5, 10, 20, 30, 50):
    cut = force.copy()
    cut[force[:, :, 2] < threshold] = 0
    for every in (1, 5, 10):
      yield f'threshold {threshold} N, every {every}', t[::every], cut[::every]
  yield 'dead band', t, np.where(np.abs(force) < 10, 0, force)
  for every in (2, 4, 5, 10):
    yield f'every {every}', t[::every], force[::every]
    yield f'every {every}, filtered', t[::every], filtered(force, 0.3 * rate / every, rate)[::every]
  for noise in (1, 5):
    yield f'noise {noise} N', t, force + np.random.default_rng(0).normal(0, noise, force.shape)
  yield 'filtered', t, filtered(force, 20, rate)
  saturated = np.minimum(force, 0.9 * force[:, :, 2].max(0)[:, None])
  yield 'saturated', t, saturated  # has a code of its own


def test_exports_pass():
  t, force = two_steps()
  for name, time_s, exported in exports(t, force):
    try:
      check(time_s, exported)
    except force_files.ForceError as error:
      pytest.fail(f'{name}: {error}')


def test_a_saturated_plate_keeps_its_own_code():
  t, force = two_steps()
  refused(t, np.minimum(force, 600), 'force.saturated')


def real_walks(pattern):
  """Yields the name, the forces and about the body weight of each real walk."""
  if not SHARED.exists():
    pytest.skip('../shared is not here')
  paths = sorted(SHARED.glob(pattern))
  assert len(paths) == 8
  for path in paths:
    plates = force_files.read(path)
    yield path.name, plates, 0.9 * float(np.sort(plates.force[:, :, 2].sum(1))[-200:].mean())


def test_real_walks_pass():
  for _, plates, weight in real_walks('motion/*.c3d'):
    check(plates.time_s, plates.force, weight)


@pytest.mark.slow
def test_exports_of_real_walks_pass():
  for walk_name, plates, weight in real_walks('realgait/forces/*.csv'):
    for name, time_s, exported in exports(plates.time_s, plates.force):
      try:
        check(time_s, exported, weight)
      except force_files.ForceError as error:
        pytest.fail(f'{walk_name}, {name}: {error}')


# --- order of the checks


def test_forces_in_another_unit_are_not_called_defects():
  t, force = two_steps()
  for factor in (1e-3, 9.81, 1000):
    refused(t, force * factor, 'force.implausible_weight')


def test_plates_that_hold_the_same_curve():
  t, force = two_steps()
  empty = np.zeros_like(force[:, :1])
  twice = np.concatenate([force[:, :1], empty, force[:, :1], empty], 1)
  refused(t, twice * [1, 1, 0.6], 'force.same_curves', 'plates 1 and 3 read the same')
  fine = force_files.PlateForces(t, np.concatenate([force, empty, empty], 1))
  plate_checks.check_plausible(fine, MASS_KG)


def test_messages_are_one_sentence_with_a_remedy():
  t, force = walk()
  force[750:810, 0] = 0
  with pytest.raises(force_files.ForceError) as caught:
    check(t, force)
  assert re.search(r'within 1 ms and reads nothing from 0\.750 to 0\.810 s', str(caught.value))
  assert 'leave the trial out' in str(caught.value)
