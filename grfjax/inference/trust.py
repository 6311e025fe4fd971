"""How far an estimate can be trusted, from how far the networks it is made of differ.

`walker` is the mean of two networks, each of a clip moved one way and the other. On pictures like
those that they learned from, the four agree; where they do not know what they see, each errs in its
own way. docs/hand_held.md has how often an estimate was right, by how far they differed, in videos
made worse of subjects held out.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

SMOOTHING_S = 0.15  # sigma of the smoothing over time
HALF_BW = 0.12  # spread at which the trust is a half
SLOPE = 4.0  # power of the spread over that
MIN_TRUST = 0.5  # less of it, and the estimate is withheld


def trust(time_s: np.ndarray, spread: np.ndarray) -> np.ndarray:
  """Returns how far the vertical force can be trusted: an order, not a probability.

  Both legs of a frame have the same trust, as what goes wrong most is that they are exchanged.

  Args:
    time_s: (K,) of a walk's estimates.
    spread: (K, legs) standard deviation of the estimates whose mean the vertical force is, BW.

  Returns:
    (K,) from 0 to 1; a half where the spread is `HALF_BW`.
  """
  variance = (spread**2).mean(1)
  sigma = SMOOTHING_S / float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
  smooth = (
    np.sqrt(ndimage.gaussian_filter1d(variance, sigma, mode='nearest')) if sigma else variance**0.5
  )
  return 1 / (1 + (smooth / HALF_BW) ** SLOPE)
