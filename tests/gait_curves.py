"""Makes force curves whose gait measures are known: shared by the tests of gait."""

import math

import numpy as np

from grfjax.gait import foot_contacts

LEFT, RIGHT = 0, 1


def half_sine(u, peak=1.0):
  return peak * np.sin(np.pi * u)


def two_peaks(u):
  """2 s - 1.2 s^3 of s = sin(pi u): peaks where s^2 = 5/9, valley 0.8 at half of stance."""
  return 1.1 * np.sin(np.pi * u) + 0.3 * np.sin(3 * np.pi * u)


PEAK = 4 / 3 * math.sqrt(5 / 9)  # of two_peaks
PEAK_AT = math.asin(math.sqrt(5 / 9)) / math.pi

# Corners of a curve of straight lines: peaks 1.2 and 1.0, valley 0.7, rise 1.2 BW in 0.2 of stance.
CORNERS = ([0, 0.2, 0.45, 0.8, 1], [0, 1.2, 0.7, 1.0, 0])


def lines(u):
  return np.interp(u, *CORNERS)


def walk(steps, *, shape=two_peaks, rate=1000, lasts=3.0, axes=3):
  """Forces of contacts (leg, start, duration); forward is one sine wave, 0.2 high."""
  time_s = np.arange(round(lasts * rate) + 1) / rate
  force = np.zeros((len(time_s), 2, axes))
  for leg, start, duration in steps:
    u = (time_s - start) / duration
    on = (u >= 0) & (u <= 1)
    force[on, leg, 0] += shape(u[on])
    if axes == 3:
      force[on, leg, 1] -= 0.2 * np.sin(2 * np.pi * u[on])
  return time_s, force


def alternate(count=6, first=0.2, step=0.5, stance=0.6):
  return [(k % 2, first + k * step, stance) for k in range(count)]


def only(time_s, force, **kwargs):
  (contact,) = foot_contacts.find_contacts(time_s, force, **kwargs)
  return contact


def trapezoid(time_s, leg=LEFT, axes=1):
  """A contact whose corners are samples: 0.2 BW more with each 0.02 s, up and down again."""
  force = np.zeros((len(time_s), 2, axes))
  force[:, leg, 0] = np.interp(time_s, [0.1, 0.2, 0.7, 0.8], [0, 1, 1, 0])
  return force
