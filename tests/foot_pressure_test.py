"""Where the floor presses under a synthetic walker's feet."""

import numpy as np
import pytest

from grfjax import conventions
from grfjax.synth import body, foot_pressure, walks


@pytest.fixture(scope='module', params=['normal', 'crouch', 'limp'])
def walk(request):
  rng = np.random.default_rng(5)
  return walks.draw_walk(walks.draw_subject(rng, request.param), rng, 6)


def along_and_outwards(walk, contact, points):
  """Returns points (K, 2) from the heel of a footfall that stands flat, in foot lengths."""
  side = conventions.LEGS[contact.leg]
  time_s = contact.start_s + 0.35 * (contact.end_s - contact.start_s)
  joints = body.joints_at(walk, np.array([time_s]))[0]
  heel, toe = (joints[body.INDEX[f'{side}_{name}'], :2] for name in ('heel', 'toe'))
  ahead = (toe - heel) / np.linalg.norm(toe - heel)
  left = np.array([-ahead[1], ahead[0]])
  from_heel = (points - toe) / walk.subject.foot_m
  return 1 + from_heel @ ahead, from_heel @ left * (1 if contact.leg == 0 else -1)


def whole(walk):
  return [c for c in walk.contacts if c.start_s >= 0 and c.end_s <= walk.time_s[-1]]


def test_the_floor_presses_only_where_there_is_force(walk):
  pressure = foot_pressure.centre_of_pressure(walk)
  np.testing.assert_array_equal(np.isfinite(pressure).all(-1), walk.force[..., 2] > 0)


def test_pressure_rolls_under_the_sole_from_heel_to_toes(walk):
  pressure = foot_pressure.centre_of_pressure(walk)
  for contact in whole(walk):
    inside = (walk.time_s > contact.start_s) & (walk.time_s < contact.end_s)
    along, outwards = along_and_outwards(walk, contact, pressure[inside, contact.leg])
    assert along.min() > 0
    assert along.max() < 1
    assert np.abs(outwards).max() < 0.1
    assert along[-20:].mean() > 0.7
    if walk.subject.style == 'normal':
      assert along[:20].mean() < 0.25
      assert np.diff(along).min() > -0.01  # it never runs back


def test_the_sole_stands_where_its_heel_lands(walk):
  soles = foot_pressure.sole_middles(walk)
  for contact, sole in zip(walk.contacts, soles, strict=True):
    if np.isfinite(sole).all():
      along, outwards = along_and_outwards(walk, contact, sole)
      assert along == pytest.approx(0.5)
      assert outwards == pytest.approx(0, abs=1e-9)
      half = walk.subject.foot_m / 2
      assert sole[0] - contact.heel_x_m == pytest.approx(half, abs=0.25 * half)
