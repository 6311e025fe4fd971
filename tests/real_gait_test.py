"""Gait measures of real forces against another way to compute them."""

import csv
import pathlib

import numpy as np
import pytest
import scipy.integrate
import scipy.signal

from grfjax.gait import (
  contact_comparison,
  foot_contacts,
  gait_measures,
)

REALGAIT = pathlib.Path(__file__).parents[1] / '../shared/realgait'
G = 9.80665


def real_walks():
  """One force file a subject: name, time, (N, 2, 3) newtons in the file's axes, weight."""
  with (REALGAIT / 'subjects.csv').open(newline='') as f:
    mass = {row['subject']: float(row['body_mass_kg']) for row in csv.DictReader(f)}
  with (REALGAIT / 'trials.csv').open(newline='') as f:
    trials = {row['force']: row for row in csv.DictReader(f)}
  for path, row in trials.items():
    table = np.genfromtxt(REALGAIT / path, delimiter=',', names=True)
    newtons = np.zeros((len(table), 2, 3))
    for plate, leg in enumerate(row['plates'].split(';'), 1):
      for axis, letter in enumerate('xyz'):
        newtons[:, ['left', 'right'].index(leg), axis] = table[f'f{letter}_{plate}']
    yield row['subject'], table['time_s'], newtons, mass[row['subject']] * G


def test_real_forces_against_scipy():
  """Eight children, 16 stances; the other way rounds to whole samples of 1 ms."""
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  stances = 0
  for subject, time_s, newtons, weight in real_walks():
    force = newtons[:, :, [2, 0, 1]] / weight
    found = foot_contacts.find_contacts(time_s, force, threshold_bw=20 / weight)
    started = {}
    for leg, name in enumerate(['left', 'right']):
      fz, fx = newtons[:, leg, 2] / weight, newtons[:, leg, 0] / weight
      on = np.flatnonzero(newtons[:, leg, 2] > 20)
      on = max(np.split(on, np.flatnonzero(np.diff(on) > 1) + 1), key=len)
      (contact,) = [c for c in found if c.leg == name]
      m, of = contact.measures, f'{subject} {name}'
      started[name] = time_s[on[0]]
      assert 0 <= time_s[on[0]] - m['contact_s'] <= 1e-3, of
      assert 0 <= m['toe_off_s'] - time_s[on[-1]] <= 1e-3, of
      assert m['stance_s'] == pytest.approx(len(on) / 1000, abs=1e-3), of
      assert m['vertical_impulse_bw_s'] == pytest.approx(
        scipy.integrate.trapezoid(fz[on], time_s[on]), abs=2e-4
      ), of
      for sign, impulse in ((-1, 'braking_impulse_bw_s'), (1, 'propulsion_impulse_bw_s')):
        part = np.where(sign * fx[on] > 0, fx[on], 0)
        want = scipy.integrate.trapezoid(part, time_s[on])
        assert m[impulse] == pytest.approx(want, abs=5e-5), of
      curve = fz[on]
      tops, _ = scipy.signal.find_peaks(curve, prominence=gait_measures.VALLEY_BW)
      early, late = tops[tops < len(on) / 2], tops[tops >= len(on) / 2]
      first, second = (half[np.argmax(curve[half])] for half in (early, late))
      assert m['first_peak_bw'] == pytest.approx(curve[first], rel=1e-12), of
      assert m['second_peak_bw'] == pytest.approx(curve[second], rel=1e-12), of
      assert m['valley_bw'] == pytest.approx(curve[first:second].min(), rel=1e-12), of
      assert m['first_peak_pct_stance'] == pytest.approx(100 * first / len(on), abs=0.3), of
      assert m['second_peak_pct_stance'] == pytest.approx(100 * second / len(on), abs=0.3), of
      rise = curve[: first + 1]
      low = np.flatnonzero(rise < 0.2 * curve[first])[-1]
      high = np.flatnonzero(rise < 0.9 * curve[first])[-1]
      slope = 0.7 * curve[first] / ((high - low) / 1000)
      assert m['loading_rate_bw_per_s'] == pytest.approx(slope, rel=1.5 / (high - low)), of
      stances += 1
    last = max(started, key=started.get)
    (step_s,) = [c.measures['step_s'] for c in found if c.leg == last]
    assert step_s == pytest.approx(abs(started['left'] - started['right']), abs=1e-3)
  assert stances == 16


def test_the_rule_for_estimates_is_near_20_newtons_on_real_forces():
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  for subject, time_s, newtons, weight in real_walks():
    force = newtons[:, :, [2, 0, 1]] / weight
    pairs = zip(
      foot_contacts.find_contacts(time_s, force),
      foot_contacts.find_contacts(time_s, force, 20 / weight),
      strict=True,
    )
    for ours, plates in pairs:
      assert abs(ours.start_s - plates.start_s) < 0.002, subject
      assert abs(ours.end_s - plates.end_s) < 0.012, subject


def test_real_forces_at_60_frames():
  """What frames alone cost, of true forces averaged over 1/60 s."""
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  total = contact_comparison.ContactComparison()
  for _, time_s, newtons, weight in real_walks():
    force = newtons[:, :, [2, 0, 1]] / weight
    count = len(time_s) * 60 // 1000 - 1
    mean = np.stack([force[round(k * 1000 / 60) :][:17].mean(0) for k in range(count)])
    at_s = time_s[0] + np.arange(count) / 60 + 0.008
    known = np.ones((count, 2), bool)
    true = foot_contacts.find_contacts(time_s, force, 20 / weight)
    total = total.merge(
      contact_comparison.compare_contacts(
        foot_contacts.find_contacts(at_s, mean), true, at_s, known
      )
    )
  result = total.result()
  assert (result['matched'], result['missed'], result['invented']) == (16, 0, 0)
  assert result['contact_ms']['bias'] == pytest.approx(-8, abs=1)  # the average begins early
  assert result['contact_ms']['mae'] < 9
  assert result['toe_off_ms']['mae'] < 4
  for name in ('first_peak_pct_bw', 'valley_pct_bw', 'second_peak_pct_bw'):
    assert result[name]['mae'] < 1
    assert result[name]['undefined'] == 0
