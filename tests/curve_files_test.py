"""Files of force curves: OpenSim's, and tables read back."""

import dataclasses
import math

import numpy as np
import pytest
import report_making

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.gait import curve_files, foot_places, force_curves
from grfjax.io import force_files

MOT = """\
walk one_grf
version=1
nRows=2
nColumns=19
inDegrees=yes
endheader
"""


def test_mot_to_the_letter():
  force = np.full((4, 2, 3), np.nan)
  force[1] = [[0.5, 0.1, 0.02], [1.0, -0.1, -0.04]]
  force[3] = 0.0
  force[2, 0] = 1.0  # one leg alone is no row
  weight = 10.0 * conventions.G
  text = curve_files.to_mot(report_making.make_curves(force, rate=10), 10.0, 'walk\none_grf')
  assert text.startswith(MOT)
  labels, first, last = (line.split('\t') for line in text.splitlines()[6:])
  assert labels[0] == 'time'
  assert labels[1:13] == [
    f'ground_force_{n}_{p}{axis}' for n in (1, 2) for p in 'vp' for axis in 'xyz'
  ]
  assert labels[13:] == [f'ground_torque_{n}_{axis}' for n in (1, 2) for axis in 'xyz']
  right = [f'{v * weight:.3f}' for v in (-0.1, 1.0, 0.04)]  # forward, up, to the right
  left = [f'{v * weight:.3f}' for v in (0.1, 0.5, -0.02)]
  nothing = ['0.000'] * 3
  assert first == ['0.100000', *right, *nothing, *left, *nothing, *nothing, *nothing]
  assert last == ['0.300000', *['0.000'] * 18]


def test_mot_goes_through_our_own_reader(tmp_path):
  estimate = report_making.make_curves(report_making.walk())
  path = tmp_path / 'walk_grf.mot'
  path.write_text(curve_files.to_mot(estimate, 60.0, 'walk_grf'))
  plates = force_files.read(path, ('left', 'right'))
  np.testing.assert_allclose(plates.time_s, estimate.time_s, atol=1e-6)
  legs = plate_contacts.leg_forces(plates, ('right', 'left'))
  for k, leg in enumerate(conventions.LEGS):
    newtons = estimate.force[:, k][:, [1, 2, 0]] * 60 * conventions.G
    np.testing.assert_allclose(legs[leg], newtons, atol=1e-3)


@pytest.mark.parametrize(
  'force', [report_making.walk(axes=1), np.where([[[1], [0]]], report_making.walk(), np.nan)]
)
def test_no_mot_of_half_a_force(force):
  assert curve_files.to_mot(report_making.make_curves(force), 60.0, 'walk') == ''


@pytest.mark.parametrize('axes', [1, 3])
def test_csv_is_read_back(axes):
  force = np.round(np.random.default_rng(0).normal(size=(5, 2, axes)), curve_files.DECIMALS)
  force[1, 0], force[3] = np.nan, np.nan
  interval = force[..., None] + [-0.1, 0.1]
  time_s = np.arange(5) / 50
  nowhere = np.full((5, 4), np.nan), np.zeros(5, int)
  made = force_curves.ForceCurves(time_s, force, interval, 'left', False, *nowhere)
  got = curve_files.from_csv(curve_files.to_csv(made))
  np.testing.assert_array_equal(got[0], time_s)
  np.testing.assert_array_equal(got[1], force)


@pytest.mark.parametrize(('metres', 'unit'), [(1.7, 'm'), (math.nan, 'bh')])
def test_csv_ends_with_the_centre_of_pressure_of_feet_on_the_floor(metres, unit):
  pressure = np.full((4, 2, 2), np.nan)
  pressure[:2, 0], pressure[1:, 1] = (0.5, 0.05), (0.9, -0.05)
  force = np.ones((4, 2, 1))
  force[3, 1] = np.nan  # withheld
  feet = foot_places.FootPlaces(pressure, pressure, pressure)
  made = dataclasses.replace(report_making.make_curves(force), feet=feet)
  text = curve_files.to_csv(made, metres)
  header, *rows = [line.split(',') for line in text.splitlines()]
  assert header[-4:] == [f'{leg}_cop{k}_{unit}' for leg in ('left', 'right') for k in 'xy']
  scale = 1 if math.isnan(metres) else metres
  left, right = ([f'{scale * x:.4f}' for x in place] for place in ((0.5, 0.05), (0.9, -0.05)))
  empty = ['', '']
  assert [row[-4:] for row in rows] == [left + empty, left + right, empty + right, empty + empty]
  np.testing.assert_array_equal(curve_files.from_csv(text)[1], force)
  assert not any('cop' in name for name in curve_files.columns(report_making.make_curves(force)))


def test_csv_has_the_trust_also_where_the_force_is_withheld():
  force = np.ones((3, 2, 1))
  force[1] = np.nan
  nowhere = np.full((3, 4), np.nan), np.zeros(3, int)
  trust = np.array([[0.9, 0.9], [0.25, 0.25], [np.nan, np.nan]])
  made = force_curves.ForceCurves(
    np.arange(3) / 50, force, force[..., None][..., :0], 'left', False, *nowhere, trust=trust
  )
  header, *rows = [line.split(',') for line in curve_files.to_csv(made).splitlines()]
  assert header == ['time_s', 'left_fz_bw', 'right_fz_bw', 'left_trust', 'right_trust']
  assert [row[1:] for row in rows] == [
    ['1.0000', '1.0000', '0.9000', '0.9000'],
    ['', '', '0.2500', '0.2500'],
    ['1.0000', '1.0000', '', ''],
  ]
  np.testing.assert_array_equal(curve_files.from_csv(curve_files.to_csv(made))[1], force)
