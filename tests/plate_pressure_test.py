"""Tests of the centre of pressure in force files: read, turned with the forces, and checked."""

import pathlib

import numpy as np
import pytest
from plates import LABS, two_steps, write_c3d

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.io import force_files

LEGS = ('left', 'right')
MOTION = pathlib.Path(__file__).parents[2] / 'shared/motion'
REAL_GAIT = pathlib.Path(__file__).parents[2] / 'shared/realgait'
RATE = 200


@pytest.fixture(scope='module')
def steps():
  """(time_s, (N, 2, 3) newtons, (N, 2, 2) metres): heel to toe, the right foot 0.6 m on."""
  time_s, force = two_steps(RATE)
  place = np.full((len(time_s), 2, 2), np.nan)
  for plate, (ahead, left) in enumerate([(2.0, 0.1), (2.6, 0.0)]):
    on = force[:, plate, 2] > conventions.CONTACT_N
    share = np.linspace(0, 1, on.sum())
    place[on, plate] = np.stack([ahead + 0.2 * share, left + 0.02 * np.sin(3 * share)], -1)
  return time_s, force, place


def write_csv(path, time_s, force, place, names=None, scale=1.0, units='', lines=lambda rows: rows):
  plates = range(1, force.shape[1] + 1)
  if names is None:
    names = [f'p{axis}_{p}{units}' for p in plates for axis in 'xy']
  rows = [['time_s', *(f'f{axis}_{p}' for p in plates for axis in 'xyz'), *names]]
  for t, f, p in zip(time_s, force, place, strict=True):
    cells = ['' if np.isnan(v) else f'{scale * v:.5f}' for v in p.ravel()]
    rows.append([f'{t:.4f}', *(f'{v:.3f}' for v in f.ravel()), *cells])
  path.write_text('\n'.join(','.join(row) for row in lines(rows)) + '\n')
  return path


def write_mot(path, time_s, force, place, prefix='ground_force_{}_'):
  """OpenSim's axes: x forward, y up, z to the right."""
  labels, columns = ['time'], [time_s]
  for plate in range(force.shape[1]):
    name = prefix.format(plate + 1)
    labels += [f'{name}{q}{axis}' for q in 'vp' for axis in 'xyz']
    x, y, z = force[:, plate].T
    forward, left = place[:, plate].T
    columns += [x, z, -y, forward, np.zeros_like(x), -left]
  table = np.stack(columns, 1)
  head = f'f\nversion=1\nnRows={len(table)}\nnColumns={len(labels)}\ninDegrees=yes\nendheader\n'
  rows = ['\t'.join(f'{v:.6f}' for v in row) for row in table]
  path.write_text(head + '\t'.join(labels) + '\n' + '\n'.join(rows) + '\n')
  return path


def check(got: force_files.PlateForces, place: np.ndarray, atol: float = 1e-4) -> None:
  assert got.pressure is not None
  assert not got.pressure_doubt
  np.testing.assert_allclose(got.pressure, place, atol=atol)


class TestRead:
  @pytest.mark.parametrize(
    ('units', 'scale'), [('', 1.0), (' (mm)', 1e3), (' [m]', 1.0), (' [cm]', 1e2)]
  )
  def test_own_columns_in_metres_or_in_the_unit_that_they_name(self, tmp_path, steps, units, scale):
    path = write_csv(tmp_path / 'f.csv', *steps, units=units, scale=scale)
    check(force_files.read(path, LEGS), steps[2])

  def test_the_unit_may_stand_in_a_row_below(self, tmp_path, steps):
    def with_units(rows):
      return [rows[0], ['s', *['N'] * 6, *['mm'] * 4], *rows[1:]]

    path = write_csv(tmp_path / 'f.csv', *steps, scale=1e3, lines=with_units)
    check(force_files.read(path, LEGS), steps[2])

  def test_columns_may_be_of_one_plate(self, tmp_path, steps):
    time_s, force, place = steps
    path = write_csv(tmp_path / 'f.csv', time_s, force, place[:, 1:], ['px_2', 'py_2'])
    check(force_files.read(path, LEGS), np.stack([place[:, 0] * np.nan, place[:, 1]], 1))

  def test_without_columns_there_is_none(self, tmp_path, steps):
    time_s, force, place = steps
    path = write_csv(tmp_path / 'f.csv', time_s, force, place[:, :0], [])
    assert force_files.read(path, LEGS).pressure is None

  @pytest.mark.parametrize(
    ('names', 'code'),
    [
      (['px_1', 'py_1', 'px_2', 'qy_2'], 'table.missing_column'),
      (['px_1', 'py_1', 'px_2', 'px_2'], 'table.missing_column'),
      (['px_1', 'py_1', 'px_3', 'py_3'], 'force.plate_numbers'),
      (['px_1', 'py_1', 'px_2 (ft)', 'py_2 (ft)'], 'force.unit'),
    ],
  )
  def test_columns_that_do_not_belong_together(self, tmp_path, steps, names, code):
    with pytest.raises(force_files.ForceError) as caught:
      force_files.read(write_csv(tmp_path / 'f.csv', *steps, names), LEGS)
    assert caught.value.code == code

  def test_metres_under_a_header_of_millimetres_are_refused(self, tmp_path, steps):
    path = write_csv(tmp_path / 'f.csv', *steps, units=' (mm)')
    with pytest.raises(force_files.ForceError, match='metres where the file says mil') as caught:
      force_files.read(path, LEGS)
    assert (caught.value.code, caught.value.column) == ('force.pressure', 'px_1')

  @pytest.mark.parametrize('cell', ['inf', '-Infinity'])
  def test_an_infinite_number_is_refused_under_a_foot_and_unknown_elsewhere(
    self, tmp_path, steps, cell
  ):
    place = steps[2]
    row = int(np.flatnonzero(np.isfinite(place[:, 1, 0]))[20])

    def with_infinite(*numbers):
      def change(rows):
        for number in numbers:
          rows[number + 1][9] = cell
        return rows

      return write_csv(tmp_path / 'f.csv', *steps, lines=change)

    check(force_files.read(with_infinite(0, 1), LEGS), place)  # plate 2 is empty there
    with pytest.raises(force_files.ForceError) as caught:
      force_files.read(with_infinite(0, row), LEGS)
    assert (caught.value.code, caught.value.line, caught.value.column) == (
      'table.not_finite', row + 2, 'px_2',
    )  # fmt: skip

  def test_it_is_turned_with_the_forces(self, tmp_path, steps):
    """A file whose x is the walker's left and whose y is backward."""
    time_s, force, place = steps
    force = force * [1, -1, 1]  # inwards, as the floor pushes
    turned = np.stack([force[..., 1], -force[..., 0], force[..., 2]], -1)
    path = write_csv(
      tmp_path / 'f.csv', time_s, turned, np.stack([place[..., 1], -place[..., 0]], -1)
    )
    got = force_files.read(path, LEGS)
    np.testing.assert_allclose(got.force, force, atol=1e-3)
    check(got, place)

  def test_and_mirrored_back(self, tmp_path, steps):
    """X and y exchanged, the floor pushing the feet inwards as it does."""
    time_s, force, place = steps
    inwards = force * [1, -1, 1]
    path = write_csv(tmp_path / 'f.csv', time_s, inwards[..., [1, 0, 2]], place[..., ::-1])
    got = force_files.read(path, LEGS)
    np.testing.assert_allclose(got.force, inwards, atol=1e-3)
    check(got, place)

  @pytest.mark.parametrize('prefix', ['ground_force_{}_', '{}_ground_force_'])
  def test_opensim(self, tmp_path, steps, prefix):
    check(force_files.read(write_mot(tmp_path / 'f.mot', *steps, prefix), LEGS), steps[2])

  @pytest.mark.parametrize('filling', [0.0, 0.5])
  def test_what_a_program_has_filled_in_says_nothing(self, tmp_path, steps, filling):
    time_s, force, place = steps
    got = force_files.read(write_mot(tmp_path / 'f.mot', time_s, force, place * 0 + filling), LEGS)
    assert (got.pressure, got.pressure_doubt) == (None, '')

  @pytest.mark.parametrize('sign', [1, -1])
  @pytest.mark.parametrize('lab', LABS)
  @pytest.mark.parametrize('kind', [1, 2, 4])
  def test_c3d_from_its_moments_in_any_laboratorys_axes(self, tmp_path, kind, lab, sign):
    time_s, force = two_steps(1000)
    path = write_c3d(
      tmp_path / 'f.c3d', time_s, force, kind, LABS[lab], sign, travel=0.2,
      change=lambda c: _apart(c, LABS[lab]),
    )  # fmt: skip
    got = force_files.read(path, LEGS)
    assert got.pressure is not None
    for plate in range(2):
      on = np.flatnonzero(force[:, plate, 2] > 100)
      want = 0.6 * plate + 0.2 * np.linspace(-0.5, 0.5, (force[:, plate, 2] > 0).sum())
      whole = np.flatnonzero(force[:, plate, 2] > 0)
      want = np.interp(on, whole, want)
      np.testing.assert_allclose(got.pressure[on, plate, 0], want, atol=1e-3)
      np.testing.assert_allclose(got.pressure[on, plate, 1], 0, atol=1e-3)

  @pytest.mark.parametrize('plates', [(0,), (0, 1)])
  def test_c3d_without_moments_says_nothing(self, tmp_path, plates):
    """By the height of the surface alone it would move about the plate's middle."""
    time_s, force = two_steps(1000)

    def change(c):
      _apart(c, LABS['along x'])
      c['parameters']['FORCE_PLATFORM']['ORIGIN']['value'] = np.array([[0, 0, -40.0]] * 2).T
      for plate in plates:
        c['data']['analogs'][0, 6 * plate + 3 : 6 * plate + 6] = 0

    path = write_c3d(tmp_path / 'f.c3d', time_s, force, travel=0.2, change=change)
    got = force_files.read(path, LEGS)
    assert got.pressure_doubt == ''
    known = [] if got.pressure is None else np.isfinite(got.pressure).all(-1).any(0).tolist()
    assert known == ([] if len(plates) == 2 else [False, True])

  @pytest.mark.skipif(not MOTION.is_dir(), reason=f'no folder {MOTION}')
  @pytest.mark.parametrize('walk', ['HC002D06', 'HC036A10', 'HC044A15'])
  def test_c3d_of_real_walks_as_another_program_has_them(self, walk):
    got = force_files.read(MOTION / f'{walk}.c3d')
    true = np.genfromtxt(REAL_GAIT / 'cop' / f'{walk}.csv', delimiter=',', names=True)
    force = np.genfromtxt(REAL_GAIT / 'forces' / f'{walk}.csv', delimiter=',', names=True)
    own = sorted(np.argmax(f > 20) for f in got.force[:, :, 2].T)
    order = np.argsort([np.argmax(f > 20) for f in got.force[:, :, 2].T])
    theirs = np.argsort([np.argmax(force[f'fz_{p}'] > 20) for p in (1, 2)])
    rise_s = [force['time_s'][np.argmax(force[f'fz_{p + 1}'] > 20)] for p in theirs]
    at = true['time_s'] + got.time_s[own[0]] - rise_s[0]  # which begins elsewhere
    sample = np.clip(np.searchsorted(got.time_s, at - 1e-6), 0, len(got.time_s) - 1)
    apart = [
      got.pressure[sample, mine] - np.stack([true[f'p{axis}_{p + 1}'] for axis in 'xy'], -1)
      for mine, p in zip(order, theirs, strict=True)
    ]
    apart = np.concatenate([a[np.isfinite(a).all(-1)] for a in apart])
    assert len(apart) > 150
    assert np.abs(apart - np.median(apart, 0)).max() < 5e-4


def _apart(c, lab):
  """The second plate 0.6 m on along the walk, as `write_c3d` puts it."""
  corners = c['parameters']['FORCE_PLATFORM']['CORNERS']['value']
  forward = lab.T @ (corners[:, :, 1] - corners[:, :, 0])
  np.testing.assert_allclose(forward.mean(1), [600, 0, 0], atol=1e-6)


BAD = {
  'millimetres': (lambda place: 1e3 * place, 'millimetres'),
  'backwards': (lambda place: place * [-1, 1], 'backwards'),
  'x and y exchanged': (lambda place: place[..., ::-1], 'to the side'),
  'each plate from its own middle': (
    lambda place: place - np.nanmean(place, 0, keepdims=True), 'middle of their own'),
  'feet too far apart': (
    lambda place: place + np.array([[0.0, 0], [4, 0]]), 'further than a step'),
  'feet too far aside': (
    lambda place: place + np.array([[0.0, 0], [0, 2]]), 'further than a step'),
  'a jump': (
    lambda place: place + 0.2 * (np.arange(len(place)) == 130)[:, None, None], 'jumps'),
  'all over the plate': (
    lambda place: place + 0.4 * np.sin(np.arange(len(place)) / 20)[:, None, None],
    'under one foot'),
}  # fmt: skip


class TestCheck:
  @pytest.mark.parametrize('what', BAD)
  def test_own_columns_that_cannot_be_true_are_refused(self, tmp_path, steps, what):
    time_s, force, place = steps
    change, words = BAD[what]
    path = write_csv(tmp_path / 'f.csv', time_s, force, change(place))
    with pytest.raises(force_files.ForceError, match=words) as caught:
      force_files.read(path, LEGS)
    assert (caught.value.code, caught.value.file) == ('force.pressure', str(path))
    assert caught.value.column in ('px_1', 'px_2')

  @pytest.mark.parametrize('what', BAD)
  def test_what_only_comes_along_is_left_out_and_doubted(self, tmp_path, steps, what):
    time_s, force, place = steps
    change, words = BAD[what]
    got = force_files.read(write_mot(tmp_path / 'f.mot', time_s, force, change(place)), LEGS)
    assert got.pressure is None
    assert words in got.pressure_doubt
    np.testing.assert_allclose(got.force, force, atol=1e-3)

  def test_it_is_unknown_where_a_plate_carries_nothing(self, tmp_path, steps):
    time_s, force, place = steps
    filled = np.where(np.isnan(place), [1.0, 2.0], place)
    got = force_files.read(write_csv(tmp_path / 'f.csv', time_s, force, filled), LEGS)
    on = force[..., 2] > conventions.CONTACT_N
    np.testing.assert_array_equal(np.isfinite(got.pressure).all(-1), on)

  def test_what_small_forces_have_made_of_it_is_unknown(self, tmp_path, steps):
    time_s, force, place = steps
    place = place.copy()
    first = np.flatnonzero(force[:, 0, 2] > conventions.CONTACT_N)[0]
    place[first, 0] += 1.5
    got = force_files.read(write_csv(tmp_path / 'f.csv', time_s, force, place), LEGS)
    assert np.isnan(got.pressure[first, 0]).all()
    np.testing.assert_allclose(got.pressure[first + 1 :], place[first + 1 :], atol=1e-4)

  def test_someone_may_walk_over_the_plates_twice(self, tmp_path, steps):
    _, force, place = steps
    forces = np.concatenate([force, np.zeros(force.shape), force])
    places = np.concatenate([place, np.full(place.shape, np.nan), place])
    path = write_csv(tmp_path / 'f.csv', np.arange(len(forces)) / RATE, forces, places)
    check(force_files.read(path, LEGS), places)

  def test_someone_who_stands_first_may_stand_anywhere(self, tmp_path, steps):
    """Two plates side by side, both feet down at once."""
    time_s, force, place = steps
    standing = np.stack([force[:, 0], force[:, 0] * [1, -1, 1]], 1)
    beside = np.stack([place[:, 0], place[:, 0] - [0.03, 0.3]], 1)
    check(force_files.read(write_csv(tmp_path / 'f.csv', time_s, standing, beside), LEGS), beside)


def test_a_foot_on_two_plates_presses_where_both_together_do(steps):
  time_s, force, place = steps
  both = np.stack([force[:, 0], force[:, 0] * 0.5], 1)
  near = np.stack([place[:, 0], place[:, 0] + [0.3, 0]], 1)
  plates = force_files.PlateForces(time_s, both, ('left', 'left'), pressure=near)
  got = plate_contacts.leg_pressures(plates, plates.legs)
  assert list(got) == ['left']
  firm = both[:, 1, 2] > conventions.CONTACT_N  # on both
  np.testing.assert_allclose(got['left'][firm], place[firm, 0] + [0.1, 0])
  air = both[:, 0, 2] <= conventions.CONTACT_N
  assert np.isnan(got['left'][air]).all()


def test_means_are_of_the_force_and_unknown_where_most_of_it_has_no_place():
  time_s = np.arange(0, 1, 0.001)
  force = np.zeros((len(time_s), 3))
  force[:, 2] = np.where(time_s < 0.5, 100.0, 300.0)
  place = np.stack([np.where(time_s < 0.5, 0.0, 0.4), np.zeros_like(time_s)], -1)
  place[time_s > 0.8] = np.nan
  mean = plate_contacts.mean_pressures(
    {'right': force}, {'right': place}, time_s, np.array([0.2, 0.4995, 0.7, 0.799, 0.9])
  )
  assert np.isnan(mean[:, 0]).all()
  # At the step three quarters of the force press at 0.4.
  np.testing.assert_allclose(mean[[0, 1, 2], 1, 0], [0, 0.3, 0.4], atol=1e-3)
  np.testing.assert_allclose(mean[3, 1, 0], 0.4, atol=1e-3)
  assert np.isnan(mean[4, 1]).all()
