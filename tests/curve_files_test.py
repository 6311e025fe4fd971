"""The file of force curves: what it holds, and that it is read back."""

import dataclasses
import math

import numpy as np
import pytest
import report_making

from grfjax.gait import curve_files, foot_places, force_curves


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
