"""Tests of grfjax.data.plate_checks: whether plates can have carried a body."""

import pytest
from plates import BW, two_steps

from grfjax import conventions
from grfjax.data import plate_checks
from grfjax.io import force_files


@pytest.mark.parametrize(
  ('scale', 'hint'),
  [(1e-3, 'kilonewtons'), (0.2, 'pounds'), (9.81, 'body mass'), (1000, 'newtons')],
)
def test_implausible_weight(scale, hint):
  t, force = two_steps()
  with pytest.raises(force_files.ForceError, match=hint) as caught:
    plate_checks.check_plausible(force_files.PlateForces(t, force * scale), BW / conventions.G)
  assert caught.value.code == 'force.implausible_weight'


def test_plausible_weight():
  plates = force_files.PlateForces(*two_steps())
  plate_checks.check_plausible(plates, BW / conventions.G)
  with pytest.raises(force_files.ForceError, match=r'of 5 kg; expected 0.65 to 5'):
    plate_checks.check_plausible(plates, 5)
