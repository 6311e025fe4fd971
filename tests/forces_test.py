"""Tests of grfjax.forces and grfjax.force_files, on made-up curves and files written here."""

import csv
import logging
import pathlib
import re

import numpy as np
import pytest
from plates import LABS, axes, stance, two_steps, write_c3d, write_csv, write_mot

from grfjax.data import plate_contacts
from grfjax.io import force_files, laboratory_axes, recordings

REALGAIT = pathlib.Path(__file__).parents[1] / '../shared/realgait'

# --- contacts


def test_contact_times_are_interpolated():
  t = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
  fz = np.array([0.0, 10.0, 50.0, 100.0, 60.0, 0.0])
  (c,) = plate_contacts.contacts(t, fz)
  assert c.start_s == pytest.approx(0.125)  # 20 is a quarter of the way from 10 to 50
  assert c.end_s == pytest.approx(0.4 + 0.1 * 2 / 3)
  assert (c.whole_start, c.whole_end) == (True, True)


def test_exactly_the_threshold_is_no_contact():
  t = np.arange(1000) / 1000
  assert plate_contacts.contacts(t, np.full(1000, 20.0)) == []
  assert len(plate_contacts.contacts(t, np.full(1000, 20.1))) == 1


def test_contacts_cut_by_the_recording():
  t = np.arange(1000) / 1000 + 5
  fz = np.full(1000, 500.0)
  fz[400:700] = 0
  first, second = plate_contacts.contacts(t, fz)
  assert (first.whole_start, first.whole_end) == (False, True)
  assert first.start_s == 5.0
  assert first.end_s == pytest.approx(5.4, abs=1e-3)
  assert (second.whole_start, second.whole_end) == (True, False)
  assert second.end_s == t[-1]


def test_blips_are_no_contacts_and_dropouts_no_ends():
  t = np.arange(2000) / 1000
  fz = np.where((t > 0.5) & (t < 1.2), 600.0, 0.0)
  fz[(t > 0.1) & (t < 0.19)] = 300
  fz[(t > 0.8) & (t < 0.83)] = 0
  (c,) = plate_contacts.contacts(t, fz)
  assert (c.start_s, c.end_s) == pytest.approx((0.5, 1.2), abs=2e-3)
  assert len(plate_contacts.contacts(t, fz, min_duration_s=0.05)) == 2


def test_several_contacts_on_one_plate():
  t = np.arange(4000) / 1000
  fz = sum(stance(t, s, 0.6)[:, 2] for s in (0.3, 1.4, 2.5))
  assert [c.start_s for c in plate_contacts.contacts(t, fz)] == pytest.approx(
    [0.3, 1.4, 2.5], abs=0.01
  )


def test_threshold_is_a_choice():
  t, force = two_steps()
  low, high = (plate_contacts.contacts(t, force[:, 0, 2], threshold_n=n)[0] for n in (10, 200))
  assert low.start_s < high.start_s < high.end_s < low.end_s


# --- CSV


@pytest.mark.parametrize(('separator', 'newline'), [(',', '\n'), (',', '\r\n'), (';', '\r\n')])
def test_csv(tmp_path, separator, newline):
  t, force = two_steps()
  got = force_files.read(write_csv(tmp_path / 'f.csv', t, force, separator, newline), 2)
  assert got.time_s.dtype == got.force.dtype == np.float64
  np.testing.assert_allclose(got.time_s, t, atol=1e-9)
  np.testing.assert_allclose(got.force, force, atol=6e-4)


def test_csv_with_bom_other_order_more_columns_quotes_and_blank_lines(tmp_path):
  t, force = two_steps(100)

  def shuffle(rows):
    rows = [
      ['note', *r[::-1]] if i == 0 else ['x', *(f'"{v}"' for v in r[::-1])]
      for i, r in enumerate(rows)
    ]
    return [*rows, [], [',' * 7]]

  path = write_csv(tmp_path / 'F.CSV', t, force, change=shuffle)
  path.write_bytes(b'\xef\xbb\xbf' + path.read_bytes())
  np.testing.assert_allclose(force_files.read(path).force, force, atol=6e-4)


def test_csv_that_is_not_turned_forward_is_warned_of(tmp_path, caplog):
  t, force = two_steps()
  with caplog.at_level(logging.WARNING):
    force_files.read(write_csv(tmp_path / 'a.csv', t, force))
    assert not caplog.records
    force_files.read(write_csv(tmp_path / 'b.csv', t, force * [-1, -1, 1]))
  assert 'x must be forward' in caplog.text


def test_realgait_csv_against_the_csv_module():
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  path = REALGAIT / 'forces/HC002D06.csv'
  got = force_files.read(path)
  with path.open(newline='') as f:
    rows = list(csv.DictReader(f))
  for i, row in list(enumerate(rows))[::97]:
    assert got.time_s[i] == float(row['time_s'])
    assert got.force[i, 1].tolist() == [float(row[f'f{a}_2']) for a in 'xyz']


@pytest.mark.parametrize('reader', ['csv', 'mot', 'c3d'])
def test_upside_down_other_number_of_plates_and_no_file(tmp_path, reader):
  write = {'csv': write_csv, 'mot': write_mot, 'c3d': write_c3d}[reader]
  t, force = two_steps()
  path = write(tmp_path / f'f.{reader}', t, force)
  assert force_files.read(path, 2).force.shape[1] == 2
  for count in (1, 3):
    with pytest.raises(
      force_files.ForceError, match=rf'f\.{reader}: holds 2 plates, .* names {count}'
    ):
      force_files.read(path, count)
  write(path, t, force * [1, 1, -1] if reader == 'mot' else force * [[[1, 1, 1], [1, 1, -1]]])
  with pytest.raises(force_files.ForceError, match=r'plate \d reads .* the sign looks flipped'):
    force_files.read(path)
  with pytest.raises(force_files.ForceError, match='no such file'):
    force_files.read(tmp_path / f'none.{reader}')


def test_unknown_kind(tmp_path):
  with pytest.raises(force_files.ForceError, match=r"found '\.txt', expected \.csv, \.mot, \.c3d"):
    force_files.read(tmp_path / 'f.txt')


# --- MOT


@pytest.mark.parametrize(
  'names',
  [
    'ground_force_{}_v',
    ['ground_force_v', '1_ground_force_v'],
    ['1_ground_force_v', '2_ground_force_v'],
    ['2_ground_force_v', '1_ground_force_v'],
  ],
  ids=str,
)
@pytest.mark.parametrize('gap', ['\t', '  '])
def test_mot(tmp_path, names, gap):
  t, force = two_steps()
  shown = force[:, ::-1] if names[0].startswith('2_') else force  # numbers count, not the order
  got = force_files.read(write_mot(tmp_path / 'f.mot', t, shown, names, gap, ['', 'a remark']), 2)
  np.testing.assert_allclose(got.time_s, t, atol=1e-9)
  np.testing.assert_allclose(got.force, force, atol=1e-4)


@pytest.mark.parametrize(
  'turn',
  [np.diag([-1, -1, 1]), np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])],
  ids=['-x', 'sideways'],
)
def test_mot_of_a_walk_the_other_way(tmp_path, turn, caplog):
  t, force = two_steps()
  with caplog.at_level(logging.INFO, logger='absl'):
    got = force_files.read(write_mot(tmp_path / 'f.mot', t, force @ turn.T))
  np.testing.assert_allclose(got.force, force, atol=1e-4)
  assert 'turned about the vertical' in caplog.text


def test_mot_without_a_direction_stays_as_it_is(tmp_path):
  t, force = two_steps()
  got = force_files.read(write_mot(tmp_path / 'f.mot', t, force * [0, 1, 1]))
  np.testing.assert_allclose(got.force, force * [0, 1, 1], atol=1e-4)


# --- C3D


@pytest.mark.parametrize('lab', LABS)
@pytest.mark.parametrize('kind', [1, 2, 3, 4])
def test_c3d(tmp_path, kind, lab):
  t, force = two_steps()
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force, kind, LABS[lab]), 2)
  np.testing.assert_allclose(got.time_s, t, atol=1e-9)
  np.testing.assert_allclose(got.force, force, atol=1e-3)  # C3D holds float32


@pytest.mark.parametrize('lab', ['along -y', 'y up, along x'])
@pytest.mark.parametrize('plate_down', [True, False])
@pytest.mark.parametrize('sign', [1, -1])
def test_c3d_with_action_or_reaction(tmp_path, lab, plate_down, sign):
  t, force = two_steps()
  path = write_c3d(tmp_path / 'f.c3d', t, force, lab=LABS[lab], sign=sign, plate_down=plate_down)
  np.testing.assert_allclose(force_files.read(path).force, force, atol=1e-3)


def test_c3d_cut_out_of_a_recording_keeps_its_clock(tmp_path):
  t, force = two_steps()
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force, first=25))
  np.testing.assert_allclose(got.time_s, t + 0.25, atol=1e-9)


@pytest.mark.parametrize(('unit', 'newtons'), [('N', 1), ('kN', 1000), ('lbf', 4.4482216)])
def test_c3d_units(tmp_path, unit, newtons):
  t, force = two_steps()
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force / newtons * 2, units=[unit, 'Nmm']))
  np.testing.assert_allclose(got.force, force * 2, atol=1e-2)


def test_c3d_units_of_channels(tmp_path):
  t, force = two_steps()

  def change(c):
    c['parameters']['ANALOG']['UNITS']['value'] = ['kN'] * 12

  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force / 1000, change=change))
  np.testing.assert_allclose(got.force, force, atol=1e-3)


def test_c3d_by_the_centre_of_pressure(tmp_path):
  """Without braking and propulsion, heel to toe tells the way."""
  t, force = two_steps()
  force *= [0, 1, 1]
  path = write_c3d(tmp_path / 'f.c3d', t, force, lab=LABS['along -y'], travel=0.2)
  np.testing.assert_allclose(force_files.read(path).force, force, atol=1e-3)
  with pytest.raises(force_files.ForceError, match=r'cannot tell which way the walk goes'):
    force_files.read(write_c3d(path, t, force, travel=0.01))


def test_c3d_where_force_and_pressure_disagree(tmp_path, caplog):
  t, force = two_steps()
  path = write_c3d(tmp_path / 'f.c3d', t, force, travel=-0.2)
  with caplog.at_level(logging.WARNING):
    got = force_files.read(path)
  np.testing.assert_allclose(got.force, force, atol=1e-3)
  assert 'the forces are believed' in caplog.text


def test_c3d_walked_obliquely(tmp_path):
  t, force = two_steps()
  a = np.deg2rad(40)
  lab = axes([np.cos(a), np.sin(a), 0], [0, 0, 1])
  with pytest.raises(force_files.ForceError, match='along one laboratory axis'):
    force_files.read(write_c3d(tmp_path / 'f.c3d', t, force, lab=lab, travel=0.2))


# --- from a file to a frame


@pytest.mark.parametrize('kind', ['csv', 'mot', 'c3d'])
def test_a_pulse_comes_back_at_its_time(tmp_path, kind):
  """File, clock, average: the sharpest thing in the record, to the millisecond."""
  t, force = two_steps()
  force[:, 0, 2] += 300 * np.exp(-(((t - 0.7123) / 0.01) ** 2))
  write = {'csv': write_csv, 'mot': write_mot, 'c3d': write_c3d}[kind]
  got = force_files.read(write(tmp_path / f'f.{kind}', t, force))
  at = np.arange(0.68, 0.745, 5e-4)
  mean, _ = plate_contacts.window_means(got.time_s, got.force[:, 0, 2], at)
  base, _ = plate_contacts.window_means(t, stance(t, 0.4, 0.62)[:, 2], at)
  pulse = mean - base
  assert (pulse * at).sum() / pulse.sum() == pytest.approx(0.7123, abs=5e-4)


def test_rotation_is_a_rotation():
  for axis in (0, 1):
    for sign in (1, -1):
      turn = laboratory_axes.rotation((axis, sign))
      assert np.linalg.det(turn) == pytest.approx(1)
      np.testing.assert_allclose(turn @ (np.eye(3)[axis] * sign), [1, 0, 0])


def test_errors_are_recording_errors():
  assert issubclass(force_files.ForceError, recordings.RecordingError)
  assert re.search('row', force_files.ForceError.__doc__)
