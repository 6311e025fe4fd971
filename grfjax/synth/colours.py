"""Colours of clothes and rooms: RGB, 0 to 255, as they appear under neutral light."""

import colorsys

import numpy as np

Colour = tuple[float, float, float]


def from_hsv(h: float, s: float, v: float) -> Colour:
  """Returns the colour of a hue, saturation and value, each 0 to 1."""
  r, g, b = colorsys.hsv_to_rgb(h % 1, s, v)
  return 255 * r, 255 * g, 255 * b


def draw_any(rng: np.random.Generator) -> Colour:
  """Draws a colour of any hue, from gray to garish and from dark to bright."""
  return from_hsv(rng.random(), rng.beta(1.3, 1.3), rng.uniform(0.12, 1))


def draw_near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
  """Draws a colour that is lighter or darker than another, and a little off in each channel.

  Args:
    rng: source of randomness.
    colour: the other colour.
    spread: the difference, in steps of 0 to 255.
  """
  near = np.asarray(colour) * rng.uniform(1 - spread / 100, 1 + spread / 100)
  near = np.clip(near + rng.normal(0, spread / 4, 3), 6, 252)
  return float(near[0]), float(near[1]), float(near[2])


def pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
  """Draws one of the names, with probabilities in proportion to their weights."""
  p = np.array(list(weights.values()))
  return str(rng.choice(list(weights), p=p / p.sum()))
