"""Medians are NumPy's, to the last bit."""

import numpy as np
import pytest

from grfjax.tracking import medians


@pytest.mark.parametrize('shape', [(1,), (2,), (3, 5), (40, 45), (601,)])
@pytest.mark.parametrize('kind', [np.float32, np.float64])
def test_median(shape, kind):
  values = np.random.default_rng(3).normal(0, 9, shape).astype(kind)
  before = values.copy()
  assert medians.median(values) == float(np.median(values))
  np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize('count', [1, 2, 5, 32])
def test_median_picture(count):
  rng = np.random.default_rng(4)
  pictures = [rng.normal(100, 40, (13, 7)).astype(np.float32) for _ in range(count)]
  found = medians.median_picture(pictures)
  assert found.dtype == np.float32
  np.testing.assert_array_equal(found, np.median(pictures, 0))
