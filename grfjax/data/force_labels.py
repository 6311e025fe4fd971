"""Force labels of both legs, and where the force plates decide them."""

from __future__ import annotations

import collections.abc

import numpy as np
import scipy.ndimage
import scipy.signal

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.gait import foot_contacts

# When the other foot is in the air for sure, though no plate saw it leave or land. Opposite
# toe-off comes at 12 % and opposite contact at 50 % of the gait cycle, near the two peaks of
# vertical force (Perry & Burnfield, Gait Analysis, 2010). Double support takes 12 to 16 % of
# stance in brisk walking and over 25 % in slow walking, while a swing keeps lasting about 0.4 s.
# So: between the peaks, outside the double support that the plates show elsewhere in the trial
# (with an allowance; a wider guess where they show none), and no further from the middle of
# stance than half a swing, less where there are no peaks.
_AIR_OUTER, _AIR_OUTER_UNSEEN = 0.25, 0.3  # of stance

_DOUBLE_SUPPORT_ALLOWANCE = 1.25

_AIR_HALF_PEAKED_S, _AIR_HALF_FLAT_S = 0.17, 0.15

_AIR_STANCE_S = (0.25, 1.5)  # a shorter contact is no step, a longer one may be standing

_PEAK_MARGIN_S = 0.02

_VALLEY_BW = 0.1  # two clear peaks rise this far above the valley between them

_SMOOTH_S = 0.02  # sigma; takes the heel strike's spike (10 to 30 ms) off

# The leg that alone carries the body: at least this much all the time, in body weights. In a fast
# walk's valley it falls to about 0.6; a curve without a valley is near 1 in single support.
_CARRIES_PEAKED_BW = 0.5

_CARRIES_FLAT_BW = 0.8


def leg_labels(
  leg_force: collections.abc.Mapping[str, np.ndarray],
  time_s: np.ndarray,
  at_s: np.ndarray,
  body_weight_n: float,
  threshold_n: float = conventions.CONTACT_N,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Forces of both legs at given times, and whether the plates decide them.

  A leg's force is known while its plate carries it and for one averaging window (1/60 s) past each
  crossing of the threshold, for the foot is in the air on the far side of a crossing;
  and is 0 while the foot is in the air for sure. It is in the air where the other leg alone must
  carry the body, which is read from the other leg's whole contacts: from the leg's own toe-off
  (else the other's first peak) to its own next contact (else the other's second peak). A window
  that reaches beyond what is known is unknown. A foot only partly on its plate cannot be told.

  Args:
    leg_force: leg -> (N, 3) newtons, for the legs that have plates.
    time_s: (N,) force clock.
    at_s: (K,) times wanted, on the same clock.
    body_weight_n: newtons.
    threshold_n: newtons.

  Returns:
    force (K, 2, 3) float64, legs (left, right), axes (x, y, z), newtons, 0 where unknown;
    known (K, 2) bool; contact (K, 2) bool, known and more than `threshold_n`.
  """
  at_s = np.asarray(at_s, np.float64)
  force = np.zeros((len(at_s), 2, 3))
  known = np.zeros((len(at_s), 2), bool)
  found = {
    leg: plate_contacts.find_contacts(time_s, f[:, 2], threshold_n) for leg, f in leg_force.items()
  }
  low, high = at_s - plate_contacts.WINDOW_S / 2, at_s + plate_contacts.WINDOW_S / 2
  for i, leg in enumerate(conventions.LEGS):
    own = found.get(leg, [])
    other = conventions.LEGS[1 - i]
    air = (
      []
      if other not in leg_force
      else _air(own, found[other], time_s, leg_force[other][:, 2], body_weight_n)
    )
    on = np.zeros(len(at_s), bool)
    sure = list(air)
    for c in own:
      # What the plate reads just outside the threshold is still this contact's.
      a, b = (
        c.start_s - c.whole_start * plate_contacts.WINDOW_S,
        c.end_s + c.whole_end * plate_contacts.WINDOW_S,
      )
      on |= (high > a) & (low < b)
      sure.append((a, b))
    for a, b in _merged(sure):
      known[:, i] |= (low >= a - 1e-9) & (high <= b + 1e-9)
    if leg in leg_force:
      mean, inside = plate_contacts.mean_at(time_s, leg_force[leg], at_s)
      # A scuff too short for a contact is not air.
      known[:, i] &= inside & (on | (mean[:, 2] <= threshold_n))
      measured = known[:, i] & on
      force[measured, i] = mean[measured]
  return force, known, known & (force[:, :, 2] > threshold_n)


def _air(
  own: list[foot_contacts.Contact],
  others: list[foot_contacts.Contact],
  time_s: np.ndarray,
  other_fz: np.ndarray,
  body_weight_n: float,
) -> list[tuple[float, float]]:
  """Spans in which a foot is surely in the air, from the other leg's whole contacts."""
  fz = scipy.ndimage.gaussian_filter1d(
    other_fz, _SMOOTH_S / float(np.median(np.diff(time_s))), mode='nearest'
  )
  shared = _DOUBLE_SUPPORT_ALLOWANCE * _double_support(own, others)
  spans = []
  for c in others:
    if not (c.whole_start and c.whole_end):
      continue
    lasts = c.end_s - c.start_s
    if not _AIR_STANCE_S[0] <= lasts <= _AIR_STANCE_S[1]:
      continue
    peaks = _two_peaks(time_s, fz, c, body_weight_n)
    middle = (c.start_s + c.end_s) / 2
    outer = (
      max(_AIR_OUTER * lasts, shared + _PEAK_MARGIN_S) if shared else (_AIR_OUTER_UNSEEN * lasts)
    )
    half = min(lasts / 2 - outer, _AIR_HALF_PEAKED_S if peaks else _AIR_HALF_FLAT_S)
    a, b = middle - half, middle + half
    if peaks:
      a, b = max(a, peaks[0]), min(b, peaks[1])
    # The plates' own word on leaving and landing, where they have it, is better.
    off = [o.end_s for o in own if o.whole_end and c.start_s < o.end_s < middle]
    on = [o.start_s for o in own if o.whole_start and middle < o.start_s < c.end_s]
    a, b = off[-1] if off else a, on[0] if on else b
    if a >= b or any(o.start_s < b and o.end_s > a for o in own):
      continue
    carries = fz[(time_s >= a) & (time_s <= b)]
    least = (_CARRIES_PEAKED_BW if peaks or (off and on) else _CARRIES_FLAT_BW) * body_weight_n
    if len(carries) and carries.min() >= least:
      spans.append((a, b))
  return spans


def _double_support(one: list[foot_contacts.Contact], two: list[foot_contacts.Contact]) -> float:
  """The longest time, in seconds, that both legs share on the plates; 0 if none is seen whole."""
  longest = 0.0
  for a in one:
    for b in two:
      on, off = max(a, b, key=lambda c: c.start_s), min(a, b, key=lambda c: c.end_s)
      if on.whole_start and off.whole_end and on is not off:
        longest = max(longest, off.end_s - on.start_s)
  return longest


def _two_peaks(
  time_s: np.ndarray, fz: np.ndarray, c: foot_contacts.Contact, body_weight_n: float
) -> tuple[float, float] | None:
  """Times, a margin inside, of the peaks of a vertical force with two clear peaks; else None."""
  part = (time_s >= c.start_s) & (time_s <= c.end_s)
  t, f = time_s[part], fz[part]
  peaks, _ = scipy.signal.find_peaks(f, prominence=_VALLEY_BW * body_weight_n)
  if len(peaks) != 2:
    return None
  first, second = t[peaks]
  middle = (c.start_s + c.end_s) / 2
  if not first < middle < second:
    return None
  return first + _PEAK_MARGIN_S, second - _PEAK_MARGIN_S


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
  merged: list[tuple[float, float]] = []
  for a, b in sorted(spans):
    if merged and a <= merged[-1][1]:
      merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
    else:
      merged.append((a, b))
  return merged
