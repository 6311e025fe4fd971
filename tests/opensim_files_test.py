"""Files for OpenSim: every cell, walks that are cut, feet that do not jump, and names."""

import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import report_making

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.gait import opensim_files
from grfjax.io import force_files

MOT = """\
walk one_grf
version=1
nRows=4
nColumns=19
inDegrees=yes
endheader
"""
WEIGHT = 10.0 * conventions.G
LABELS = [
  'time',
  *(f'ground_force_{n}_{p}{axis}' for n in (1, 2) for p in 'vp' for axis in 'xyz'),
  *(f'ground_torque_{n}_{axis}' for n in (1, 2) for axis in 'xyz'),
]


def table(text):
  """Label -> column of a file."""
  labels, *rows = text.splitlines()[6:]
  values = np.array([row.split('\t') for row in rows], float)
  return dict(zip(labels.split('\t'), values.T, strict=True))


def columns(text, kind):
  """(N, 2, 3) of right and left; kind is 'v' or 'p'."""
  found = table(text)
  return np.stack(
    [[found[f'ground_force_{n}_{kind}{axis}'] for axis in 'xyz'] for n in (1, 2)]
  ).transpose(2, 0, 1)


def on_the_floor(count, forward=0.5, left=0.1):
  """(N, 2, 2) metres: both feet stand, left and right of the line."""
  place = np.full((count, 2, 2), forward)
  place[:, :, 1] = [left, -left]
  return place


def test_every_cell():
  force = np.full((6, 2, 3), np.nan)
  force[1:5] = 0.0
  force[1] = [[0.5, 0.1, 0.02], [1.0, -0.1, -0.04]]
  force[5, 0] = 1.0  # one leg alone is no row
  curves = report_making.make_curves(force, rate=10)
  pressure = on_the_floor(6)
  pressure[4, 0] = np.nan  # the left foot is in the air
  (text,) = opensim_files.to_mot(curves, 10.0, 'walk\none', pressure)
  assert text.startswith(MOT)
  labels, first, *_, last = (line.split('\t') for line in text.splitlines()[6:])
  assert labels == LABELS
  right = [f'{v * WEIGHT:.3f}' for v in (-0.1, 1.0, 0.04)]  # forward, up, to the right
  left = [f'{v * WEIGHT:.3f}' for v in (0.1, 0.5, -0.02)]
  places = ['0.50000', '0.00000', '0.10000'], ['0.50000', '0.00000', '-0.10000']
  nothing = ['0.000'] * 3
  assert first == ['0.100000', *right, *places[0], *left, *places[1], *nothing, *nothing]
  assert last == ['0.400000', *nothing, *places[0], *nothing, *places[1], *nothing, *nothing]
  (text,) = opensim_files.to_mot(curves, 10.0, 'walk')  # without pressure
  first = text.splitlines()[7].split('\t')
  zeros = ['0.00000'] * 3
  assert first == ['0.100000', *right, *zeros, *left, *zeros, *nothing, *nothing]


def test_they_go_through_our_own_reader(tmp_path):
  estimate = report_making.make_curves(report_making.walk())
  path = tmp_path / 'walk_grf.mot'
  (text,) = opensim_files.to_mot(estimate, 60.0, 'walk')
  path.write_text(text)
  plates = force_files.read(path, ('left', 'right'))
  np.testing.assert_allclose(plates.time_s, estimate.time_s, atol=1e-6)
  legs = plate_contacts.leg_forces(plates, ('right', 'left'))
  for k, leg in enumerate(conventions.LEGS):
    newtons = estimate.force[:, k][:, [1, 2, 0]] * 60 * conventions.G
    np.testing.assert_allclose(legs[leg], newtons, atol=1e-3)


@pytest.mark.parametrize(
  'force', [report_making.walk(axes=1), np.where([[[1], [0]]], report_making.walk(), np.nan)]
)
def test_none_of_half_a_force(force):
  assert opensim_files.to_mot(report_making.make_curves(force), 60.0, 'walk') == []


def test_short_holes_are_lines_and_long_ones_and_turns_end_a_walk():
  force = np.ones((120, 2, 3)) * np.linspace(0.5, 1, 120)[:, None, None]
  holey = force.copy()
  holey[20:24, 1] = np.nan  # 5 intervals of 1/60 s from side to side
  holey[60:66, 0] = np.nan  # 7
  holey[100] = np.nan
  holey[111:] = np.nan
  curves = report_making.make_curves(holey)
  direction = np.repeat([1, -1], [101, 19])
  texts = opensim_files.to_mot(dataclasses.replace(curves, direction=direction), 10.0, 'walk')
  assert [text.split('\n', 1)[0] for text in texts] == ['walk_grf', 'walk_walk2_grf']
  # The last ten frames last 0.15 s, too short for a file.
  for text, (first, last) in zip(texts, ((0, 60), (66, 100)), strict=True):
    np.testing.assert_allclose(table(text)['time'], np.arange(first, last) / 60, atol=1e-6)
    expected = force[first:last, 0, 0] * WEIGHT
    np.testing.assert_allclose(columns(text, 'v')[:, 0, 1], expected, atol=1e-3)


def test_rows_are_even_where_frames_are_not():
  force = np.zeros((61, 2, 3))
  time_s = np.arange(61) / 60
  time_s[30] += 0.006
  force[:, :, 0] = 0.5 + 0.3 * time_s[:, None]
  curves = dataclasses.replace(report_making.make_curves(force), time_s=time_s)
  (text,) = opensim_files.to_mot(curves, 10.0, 'walk', on_the_floor(61))
  even = table(text)['time']
  np.testing.assert_allclose(np.diff(even), 1 / 60, atol=1.1e-6)
  np.testing.assert_allclose(columns(text, 'v')[:, 0, 1], (0.5 + 0.3 * even) * WEIGHT, atol=1e-3)


def test_the_pressure_waits_while_a_foot_lands_and_moves_only_in_the_air():
  force = np.zeros((60, 2, 3))
  force[:, 0, 0] = 1.0  # the left foot stands throughout
  force[10:30, 1] = [0.8, 0.1, 0.02]
  force[:10, 1, 0], force[30:, 1, 0] = 0.03, 0.04  # noise in the air
  force[30, 1, 0] = 0.2  # it still carries, but its place is not known
  pressure = on_the_floor(60)
  pressure[:, 1] = np.nan
  pressure[12:30, 1, 0], pressure[12:30, 1, 1] = np.linspace(1.0, 1.2, 18), -0.1
  force[50:, 1, 0] = 0.6
  pressure[50:, 1] = [2.5, -0.12]
  (text,) = opensim_files.to_mot(report_making.make_curves(force), 10.0, 'walk', pressure)
  newtons, points = columns(text, 'v')[:, 0], columns(text, 'p')[:, 0]
  assert not newtons[:10].any()
  assert not newtons[31:50].any()
  np.testing.assert_allclose(newtons[[10, 30], 1], np.array([0.8, 0.2]) * WEIGHT, atol=1e-3)
  assert not points[:, 1].any()
  np.testing.assert_allclose(points[:12, [0, 2]], [[1.0, 0.1]] * 12)
  np.testing.assert_allclose(points[12:30, 0], np.linspace(1.0, 1.2, 18), atol=1e-5)
  np.testing.assert_allclose(points[[30, 31], 0], 1.2)  # as long as it carries, and until the next
  np.testing.assert_allclose(points[[49, 50, 59]][:, [0, 2]], [[2.5, 0.12]] * 3)
  np.testing.assert_allclose(np.diff(points[31:50, 0]), 1.3 / 18, atol=2e-5)


def test_a_foot_that_carries_without_a_place_is_no_row():
  force = np.ones((60, 2, 3))
  pressure = on_the_floor(60)
  pressure[20:40, 0] = np.nan
  texts = opensim_files.to_mot(report_making.make_curves(force), 10.0, 'walk', pressure)
  assert [len(table(text)['time']) for text in texts] == [20, 20]
  assert len(opensim_files.to_mot(report_making.make_curves(force), 10.0, 'walk')) == 1


def test_external_loads_refer_to_the_file_and_to_its_columns():
  loads = ET.fromstring(opensim_files.external_loads('a & b <2>_grf.mot').encode())
  assert loads.find('ExternalLoads').get('name') == 'a & b <2>_grf'
  assert loads.find('.//datafile').text == 'a & b <2>_grf.mot'
  forces = loads.findall('.//ExternalForce')
  assert [force.find('applied_to_body').text for force in forces] == ['calcn_r', 'calcn_l']
  for number, force in enumerate(forces, 1):
    assert {force.find(f'{what}_expressed_in_body').text for what in ('force', 'point')} == {
      'ground'
    }
    for what, part in (('force', 'v'), ('point', 'p')):
      assert force.find(f'{what}_identifier').text == f'ground_force_{number}_{part}'
    assert force.find('torque_identifier').text == f'ground_torque_{number}_'
  assert all(
    f'{force.find(f"{what}_identifier").text}{axis}' in LABELS
    for force in forces for what in ('force', 'point', 'torque') for axis in 'xyz'
  )  # fmt: skip


def test_names_of_files():
  files = opensim_files.make_files(['a', 'b'], 'walk')
  assert list(files) == [
    'walk_grf.mot', 'walk_ExternalLoads.xml', 'walk_walk2_grf.mot', 'walk_walk2_ExternalLoads.xml',
  ]  # fmt: skip
  assert '<datafile>walk_walk2_grf.mot<' in files['walk_walk2_ExternalLoads.xml']
  files = opensim_files.make_files(['a'], 'mine', 'mine.mot')
  assert list(files) == ['mine.mot', 'mine_ExternalLoads.xml']
  assert '<datafile>mine.mot<' in files['mine_ExternalLoads.xml']
