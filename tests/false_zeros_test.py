"""`known` never calls floor contact off the plates a zero: counted where the truth is known."""

import csv

import numpy as np
import pytest

from grfjax import conventions
from grfjax.data import force_labels, plate_contacts
from grfjax.io import force_files, recordings
from grfjax.synth import gait_styles, recording_set
from grfjax.synth import trial as synth_trial


def _truth(path):
  with path.open() as f:
    names = next(csv.reader([f.readline()]))
  table = np.genfromtxt(path, delimiter=',', skip_header=1)  # NaN where no foot stands
  legs = [[names.index(f'{leg}_f{a}_N') for a in 'xyz'] for leg in conventions.LEGS]
  return table[:, 0], table[:, legs]  # (N,), (N, 2, 3) newtons


@pytest.fixture(scope='module')
def walks(tmp_path_factory):
  """Forces alone, of people of every style; the videos are as small and short as they come."""
  root = tmp_path_factory.mktemp('walks')
  for number, style in enumerate(gait_styles.STYLES):
    settings = synth_trial.Settings(
      subjects=4, trials=1, seed=100 + number, style=style, width=64, height=36, fps=5
    )
    recording_set.write_set(root / style, settings, workers=1)
  return root


@pytest.mark.slow
def test_no_false_zero_on_synthetic_walkers(walks):
  zeros = false = covered = contacts = 0
  for style in gait_styles.STYLES:
    for trial in recordings.load(walks / style):
      time_s, truth = _truth(walks / style / 'truth' / f'{trial.name}.csv')
      plates = force_files.read(trial.force, trial.plates)
      at_s = np.arange(plates.time_s[0], plates.time_s[-1], 1 / 60)
      weight = trial.subject.body_mass_kg * conventions.G
      force, known, contact = force_labels.label_legs(
        plate_contacts.leg_forces(plates, trial.plates), plates.time_s, at_s, weight
      )
      true, inside = plate_contacts.window_means(time_s, truth[..., 2], at_s)
      known &= inside[:, None]
      zero = known & (force[..., 2] == 0)
      zeros += int(zero.sum())
      false += int((zero & (true > conventions.CONTACT_N)).sum())
      # And what the plates did see is labelled with the truth, within their noise.
      on = known & contact & (force[..., 2] > 0)
      np.testing.assert_allclose(force[on][:, 2], true[on], atol=12)
      covered += int(on.sum())
      contacts += len(trial.plates)
  assert false == 0
  assert zeros > 5 * contacts  # the rule finds swings, it does not just keep silent
  assert covered > 15 * contacts
