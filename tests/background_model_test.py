"""The background and the noise of a video's frames."""

import making
import numpy as np
import pytest

from grfjax.tracking import background_model


@pytest.mark.parametrize('count', [1, 2, 3, 5, 16, 31, 32, 33])
def test_background_is_the_median(count):
  frames = list(np.random.default_rng(count).integers(0, 256, (count, 6, 8, 3), np.uint8))
  picture, noise = background_model.estimate_background(frames)
  np.testing.assert_array_equal(picture, np.sort(frames, 0)[count // 2])
  assert noise >= 1


def test_noise_of_a_sample():
  rng = np.random.default_rng(0)
  frames = [making.noisy(np.full((90, 90, 3), 120, np.uint8), 5, rng) for _ in range(9)]
  assert background_model.estimate_background(frames)[1] == pytest.approx(5, rel=0.2)
