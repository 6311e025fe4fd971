"""The bands' speeds and accelerations, of pictures that move by known amounts."""

import jax.numpy as jnp
import numpy as np
import pytest

from grfjax.models import optical_flow

ROWS, COLUMNS = 24, 36


def _texture(down, right):
  """A smooth picture moved by (down, right) pixels, exactly: (ROWS, COLUMNS)."""
  y, x = np.mgrid[:ROWS, :COLUMNS].astype(float)
  y, x = y - down, x - right
  return (
    0.3 * np.sin(0.5 * y + 0.2 * x) + 0.2 * np.sin(0.3 * x - 0.25 * y + 1) + 0.1 * np.cos(0.7 * x)
  )


def _film(down, right):
  """(1, T, ROWS, COLUMNS)."""
  frames = [_texture(d, r) for d, r in zip(down, right, strict=True)]
  return jnp.asarray(np.stack(frames)[None], jnp.float32)


def test_a_translation_of_hundredths_of_a_pixel_is_found():
  t = np.arange(12)
  down, right = 0.04 * np.sin(t), 0.11 * t
  speed = np.asarray(optical_flow.speeds(_film(down, right), 2))
  assert speed.shape == (1, 12, 2, 1, 2)
  speed = speed[..., 0, :]
  wanted = np.stack([np.diff(down), np.diff(right)], -1)
  np.testing.assert_allclose(speed[0, 1:, 0], wanted, atol=0.004)
  np.testing.assert_allclose(speed[0, 1:, 1], wanted, atol=0.004)
  np.testing.assert_array_equal(speed[0, 0], speed[0, 1])  # before the first nothing is known


def test_bands_move_on_their_own_and_an_empty_one_does_not():
  t = np.arange(6)
  film = np.array(_film(0 * t, 0.2 * t))
  film[:, :, : ROWS // 2] = 0.25
  speed = np.asarray(optical_flow.speeds(jnp.asarray(film), 2))
  inner = np.asarray(optical_flow.speeds(jnp.asarray(film[:, :, : ROWS // 2]), 1))
  np.testing.assert_array_equal(inner, 0)
  np.testing.assert_allclose(speed[0, :, 1, 0, 1], 0.2, atol=0.02)


def test_cells_move_on_their_own_beside_their_whole_band():
  t = np.arange(6)
  film = np.array(_film(0.1 * t, 0 * t))
  film[..., : COLUMNS // 3] = 0.25
  speed = np.asarray(optical_flow.speeds(jnp.asarray(film), 2, 3))
  assert speed.shape == (1, 6, 2, 4, 2)
  np.testing.assert_allclose(speed[0, :, :, 3], [[[0.1, 0]] * 2] * 6, atol=0.01)
  whole = optical_flow.speeds(jnp.asarray(film), 2)[..., 0, :]
  np.testing.assert_allclose(speed[..., 0, :], whole, atol=1e-6)
  still = np.asarray(optical_flow.speeds(jnp.asarray(film[..., : COLUMNS // 3]), 2))
  np.testing.assert_array_equal(still, 0)


def test_contrast_does_not_matter():
  t = np.arange(8)
  film = _film(0.1 * t, 0.05 * t)
  a, b = (np.asarray(optical_flow.speeds(k * film + 0.1, 3)) for k in (1.0, 1.7))
  np.testing.assert_allclose(a, b, atol=0.003)


def test_beyond_the_recordings_edge_the_nearest_speed_stands():
  t = np.clip(np.arange(12) - 3, 0, 5)  # padded as records are: the edge's picture, repeated
  valid = jnp.asarray(((np.arange(12) >= 3) & (np.arange(12) <= 8))[None])
  speed = np.asarray(optical_flow.speeds(_film(0.1 * t, 0 * t), 1, valid=valid))[0, :, 0, 0, 0]
  np.testing.assert_allclose(speed, 0.1, atol=0.01)
  lone = jnp.asarray((np.arange(12) == 5)[None])
  assert np.isfinite(optical_flow.speeds(_film(0.1 * t, 0 * t), 1, valid=lone)).all()


def test_acceleration_of_a_steady_one_and_of_an_oscillation():
  t = np.arange(40)
  steady = np.asarray(optical_flow.accelerations(jnp.asarray(0.3 + 0.02 * t)[None, :, None]))
  np.testing.assert_allclose(steady[0, 5:-5, 0], 0.02, rtol=1e-4)
  # Of a bob of 2 Hz at 60 frames a second the fitted slope keeps 88 %, the fit's own response.
  w, k = 2 * np.pi * 2 / 60, np.arange(1, 6)
  kept = (k * np.sin(w * k)).sum() / (k**2).sum() / w
  assert kept == pytest.approx(0.88, abs=0.01)
  bob = np.asarray(optical_flow.accelerations(jnp.asarray(np.sin(w * t))[None, :, None]))[
    0, 5:-5, 0
  ]
  np.testing.assert_allclose(bob, kept * w * np.cos(w * t[5:-5]), atol=1e-4)


def test_bands_and_cells_must_divide_the_picture():
  for bands, cells in ((7, 1), (6, 5)):
    with pytest.raises(
      ValueError, match=f'24 x 12 pixels cannot be cut into {bands} bands of {cells}'
    ):
      optical_flow.speeds(jnp.zeros((1, 2, 24, 12)), bands, cells)
