"""Trust falls where the networks contradict each other."""

import numpy as np
import pytest

from grfjax.inference import trust

TIME_S = np.arange(200) / 60


def test_networks_that_agree_are_trusted_and_others_not():
  spread = np.full((200, 2), 0.01)
  spread[100:] = 0.4
  told = trust.trust(TIME_S, spread)
  assert told.shape == (200,)
  assert told[:60].min() > 0.95
  assert told[140:].max() < 0.05
  assert (np.diff(told) <= 1e-12).all()


def test_half():
  assert trust.trust(TIME_S, np.full((200, 2), trust.HALF_BW)) == pytest.approx(0.5)


def test_one_frame_alone():
  assert trust.trust(np.zeros(1), np.zeros((1, 2))) == pytest.approx(1.0)
