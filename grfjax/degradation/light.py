"""Lamps, exposure and the noise of light, in linear light.

Pictures hold light through a curve (sRGB, IEC 61966-2-1); lamps, exposures and photons know
nothing of it, so that they are reckoned before it.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from grfjax.degradation import damage as damage_lib

_LEVELS = 4096  # of light, from which a picture's gray values are looked up
_SPARE = 64  # rows and columns by which a field of noise is larger than a picture


def to_light(value: np.ndarray) -> np.ndarray:
  """Returns the light, 0 to 1, of values of a picture, 0 to 1."""
  return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _to_value(light: np.ndarray) -> np.ndarray:
  """Inverts `to_light`."""
  return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


_LIGHT = to_light(np.arange(256) / 255).astype(np.float32)
_VALUE = np.rint(255 * _to_value(np.arange(_LEVELS) / (_LEVELS - 1))).astype(np.uint8)


def gains(damage: damage_lib.Damage, time_s: np.ndarray) -> np.ndarray:
  """Returns factors of red, green and blue over time, without flicker: (N, 3)."""
  begin = time_s[0] + damage.exposure_from * (time_s[-1] - time_s[0])
  along = np.clip((time_s - begin) / max(damage.exposure_s, 1e-9), 0, 1)
  along = along * along * (3 - 2 * along)
  changed = 2.0**damage.exposure_stops * np.array([damage.red, 1.0, damage.blue])
  return changed ** along[:, None]


def flicker(damage: damage_lib.Damage, time_s: np.ndarray, rows: int, phase: float) -> np.ndarray:
  """Returns factors of light of each row of each frame: (N, rows)."""
  turns = damage.flicker_hz * time_s[:, None] + damage.flicker_bands * np.arange(rows) / rows
  return 1 + damage.flicker * np.sin(2 * np.pi * turns + phase)


def light_of(frame: np.ndarray, gain: np.ndarray, row_gain: np.ndarray) -> np.ndarray:
  """Returns the light that comes from each pixel, (H, W, 3) float32.

  Args:
    frame: (H, W, 3) uint8.
    gain: (3,) factors of the colours.
    row_gain: (H,) factors of the rows.
  """
  table = np.ascontiguousarray((_LIGHT[:, None] * gain).astype(np.float32)[None])
  light: Any = cv2.LUT(frame, table)
  light *= row_gain.astype(np.float32)[:, None, None]
  return light


class SensorNoise:
  """The noise of a sensor that catches few photons.

  Photons come by chance (Poisson, here by a normal distribution of the same variance, the mean
  number of electrons) and reading a pixel adds noise of its own: the model of Foi et al., IEEE
  Transactions on Image Processing 17(10), 2008.
  """

  def __init__(self, damage: damage_lib.Damage, rows: int, columns: int, rng: np.random.Generator):
    """Draws a field, larger than a picture, from which each picture's noise is cut.

    Args:
      damage: how many electrons white is, and the noise of reading.
      rows: of the picture.
      columns: of the picture.
      rng: draws the field, and where it is cut.
    """
    self._per_light = 1 / damage.electrons
    self._reading = (damage.read_electrons / damage.electrons) ** 2
    self._rng = rng
    shape = (rows + _SPARE, columns + _SPARE, 3)
    self._field = rng.standard_normal(shape, np.float32)

  def add(self, light: np.ndarray) -> None:
    """Adds noise to light, (rows, columns, 3) float32, white is 1, in its place."""
    rows, columns = light.shape[:2]
    top, left = self._rng.integers(0, _SPARE + 1, 2)
    deviation: Any = cv2.sqrt(light * self._per_light + np.float32(self._reading))
    deviation *= self._field[top : top + rows, left : left + columns]
    light += deviation


def picture_of(light: np.ndarray, damage: damage_lib.Damage) -> np.ndarray:
  """Returns the picture, (H, W, 3) uint8, of light, less bright and under a veil."""
  scale = damage.brightness * (1 - damage.veil) * (_LEVELS - 1)
  level = light * np.float32(scale) + np.float32(damage.veil * (_LEVELS - 1) + 0.5)
  return _VALUE[np.clip(level, 0, _LEVELS - 1).astype(np.intp)]
