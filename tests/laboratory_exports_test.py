"""Force files as laboratories export them: the same walk in each kind of file, or its own refusal.

The files are in ../shared/reports; `reference.mot` and `reference.c3d` hold what all of them hold.
"""

import pathlib
import shutil

import numpy as np
import pytest

from grfjax import errors
from grfjax.data import trial_forces
from grfjax.io import force_files, recordings

REPORTS = pathlib.Path(__file__).parents[1] / '../shared/reports'
MASS_KG = 38.0

pytestmark = pytest.mark.skipif(not REPORTS.exists(), reason='../shared is not here')


@pytest.fixture(scope='module')
def reference():
  return force_files.read(REPORTS / 'reference.mot', ('left', 'right'))


def _trial(root, force, plates='left;right'):
  """Returns the trial of a recording set made of one force file."""
  for name in force.split(';'):
    shutil.copy(REPORTS / name, root / name)
  (root / 'walk.mp4').write_bytes(b'')
  (root / 'subjects.csv').write_text(f'subject,body_mass_kg\nA,{MASS_KG}\n')
  (root / 'trials.csv').write_text(
    'subject,trial,video,video_start_s,force,plates,camera\n'
    f'A,A1,walk.mp4,0,"{force}",{plates},left\n'
  )
  return recordings.load(root)[0]


def _read(trial):
  return trial_forces.read_trial_forces(trial, np.arange(120) / 60)


@pytest.mark.parametrize(
  ('name', 'said'),
  [
    ('reference.c3d', ''),
    ('used_is_float.c3d', ''),
    ('nexus_device_export.csv', 'the action on the plates'),
    ('units_row.csv', ''),
    ('tabs.csv', ''),
    ('quoted_decimal_comma.csv', ''),
    ('walks_minus_x.csv', 'turned about the vertical'),
    ('xy_swapped.csv', 'exchanged or mirrored'),
  ],
)
def test_holds_the_forces_of_the_reference(tmp_path, reference, name, said):
  got = _read(_trial(tmp_path, name))
  count = len(got.time_s)  # a C3D holds whole frames, so it may end a few samples sooner
  assert len(reference.time_s) - 10 < count <= len(reference.time_s)
  for plate, leg in enumerate(('left', 'right')):
    np.testing.assert_allclose(got.leg_force[leg], reference.force[:count, plate], atol=0.011)
  assert said in ' '.join(got.notes)


def test_qualisys_files_of_one_plate_each(tmp_path, reference):
  """The second plate's file is not among the reports; it is made from the first one's."""
  text = (REPORTS / 'qualisys_f_1.tsv').read_text()
  lines = text.splitlines()
  start = next(i for i, line in enumerate(lines) if line.startswith('SAMPLE')) + 1
  other = [
    '\t'.join([*line.split('\t')[:2], *(f'{value:.3f}' for value in force)])
    for line, force in zip(lines[start:], reference.force[:, 1], strict=True)
  ]
  (tmp_path / 'f_1.tsv').write_text(text)
  (tmp_path / 'f_2.tsv').write_text('\n'.join([*lines[:start], *other, '']))
  got = force_files.read((tmp_path / 'f_1.tsv', tmp_path / 'f_2.tsv'), ('left', 'right'))
  np.testing.assert_allclose(got.force, reference.force, atol=0.011)


@pytest.mark.parametrize('name', ['labels_R_ground_force.mot', 'labels_calcn.mot'])
def test_labels_name_the_legs(tmp_path, reference, name):
  for plates in ('', 'right;left'):
    got = _read(_trial(tmp_path, name, plates))
    np.testing.assert_allclose(got.leg_force['right'], reference.force[:, 0], atol=1e-6)
    np.testing.assert_allclose(got.leg_force['left'], reference.force[:, 1], atol=1e-6)


@pytest.mark.parametrize(
  ('name', 'code', 'words'),
  [
    ('same_channels.c3d', 'c3d.shared_channels', 'plate'),
    ('spike.csv', 'force.spike', 'plate'),
  ],
)
def test_refused_by_name(tmp_path, name, code, words):
  with pytest.raises(errors.InputError) as caught:
    _read(_trial(tmp_path, name))
  assert caught.value.code == code
  assert words in str(caught.value)
