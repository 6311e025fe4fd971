"""Force labels of both legs, and where the force plates decide them."""

from __future__ import annotations

import collections.abc

import numpy as np
import scipy.ndimage

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.gait import foot_contacts

# When the other foot is in the air for sure, though no plate measured it leaving or landing.
# Opposite toe-off comes at 12 % and opposite contact at 50 % of the gait cycle, near the two peaks
# of vertical force (Perry & Burnfield, Gait Analysis, 2010). Double support takes 12 to 16 % of
# stance in brisk walking and over 25 % in slow walking, while a swing keeps lasting about 0.4 s.
# So: between the peaks, outside the double support that the plates show elsewhere in the trial
# (with an allowance; a wider guess where they show none), and no further from the middle of
# stance than half a swing, less where there are no peaks.
_SWING_MARGIN, _SWING_MARGIN_UNMEASURED = 0.25, 0.3  # of stance, at either end
_DOUBLE_SUPPORT_ALLOWANCE = 1.25
_HALF_SWING_PEAKED_S, _HALF_SWING_FLAT_S = 0.17, 0.15
_STANCE_RANGE_S = (0.25, 1.5)  # a shorter contact is no step, a longer one may be standing
_PEAK_MARGIN_S = 0.02
_VALLEY_BW = 0.1  # two clear peaks rise this far above the valley between them
_SMOOTHING_S = 0.02  # sigma; takes the heel strike's spike (10 to 30 ms) off

# The leg that alone carries the body: at least this much all the time, in body weights. In a fast
# walk's valley it falls to about 0.6; a curve without a valley is near 1 in single support.
_CARRIES_PEAKED_BW = 0.5
_CARRIES_FLAT_BW = 0.8
_Span = tuple[float, float]  # seconds: start, end


def label_legs(
  leg_force: collections.abc.Mapping[str, np.ndarray],
  time_s: np.ndarray,
  label_times_s: np.ndarray,
  body_weight_n: float,
  threshold_n: float = conventions.CONTACT_N,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the forces of both legs at given times, and whether the plates decide them.

  A leg's force is known while its plate carries it and for one averaging window (1/60 s) past each
  crossing of the threshold, for the foot is in the air on the far side of a crossing;
  and is 0 while the foot is in the air for sure. It is in the air where the other leg alone must
  carry the body, which is read from the other leg's whole contacts: from the leg's own toe-off
  (else the other's first peak) to its own next contact (else the other's second peak). A window
  that reaches beyond what is known is unknown. A foot only partly on its plate cannot be told.

  Args:
    leg_force: leg -> (N, 3) newtons, for the legs that have plates.
    time_s: (N,) force clock.
    label_times_s: (K,) times wanted, on the same clock.
    body_weight_n: newtons.
    threshold_n: newtons.

  Returns:
    force (K, 2, 3) float64, legs (left, right), axes (x, y, z), newtons, 0 where unknown;
    known (K, 2) bool; contact (K, 2) bool, known and more than `threshold_n`.
  """
  label_times_s = np.asarray(label_times_s, np.float64)
  force = np.zeros((len(label_times_s), 2, 3))
  known = np.zeros((len(label_times_s), 2), bool)
  contacts = {
    leg: plate_contacts.find_contacts(time_s, f[:, 2], threshold_n) for leg, f in leg_force.items()
  }
  low = label_times_s - plate_contacts.WINDOW_S / 2
  high = label_times_s + plate_contacts.WINDOW_S / 2
  for i, leg in enumerate(conventions.LEGS):
    own, other = contacts.get(leg, []), conventions.LEGS[1 - i]
    loaded = [_with_windows(c) for c in own]
    swings: list[_Span] = []
    if other in leg_force:
      swings = _swings(own, contacts[other], time_s, leg_force[other][:, 2], body_weight_n)
    for start, end in _merged([*swings, *loaded]):
      known[:, i] |= (low >= start - 1e-9) & (high <= end + 1e-9)
    if leg in leg_force:
      touches = np.zeros(len(label_times_s), bool)  # the window reaches into a contact
      for start, end in loaded:
        touches |= (high > start) & (low < end)
      mean, inside = plate_contacts.window_means(time_s, leg_force[leg], label_times_s)
      # A scuff too short for a contact is not air.
      known[:, i] &= inside & (touches | (mean[:, 2] <= threshold_n))
      measured = known[:, i] & touches
      force[measured, i] = mean[measured]
  return force, known, known & (force[:, :, 2] > threshold_n)


def _with_windows(contact: foot_contacts.Contact) -> _Span:
  """Returns a contact's span with an averaging window at each end that the recording shows.

  What the plate reads just outside the threshold still belongs to the contact.
  """
  return (
    contact.start_s - contact.whole_start * plate_contacts.WINDOW_S,
    contact.end_s + contact.whole_end * plate_contacts.WINDOW_S,
  )


def _swings(
  own: list[foot_contacts.Contact],
  others: list[foot_contacts.Contact],
  time_s: np.ndarray,
  other_fz: np.ndarray,
  body_weight_n: float,
) -> list[_Span]:
  """Returns spans in which a foot is surely in the air, from the other leg's whole contacts.

  Args:
    own: contacts of the foot.
    others: contacts of the other foot.
    time_s: (N,) force clock.
    other_fz: (N,) vertical force of the other foot, newtons.
    body_weight_n: newtons.
  """
  fz = scipy.ndimage.gaussian_filter1d(
    other_fz, _SMOOTHING_S / float(np.median(np.diff(time_s))), mode='nearest'
  )
  double_support = _DOUBLE_SUPPORT_ALLOWANCE * _longest_double_support(own, others)
  spans = []
  for stance in others:
    if not stance.is_whole:
      continue
    if not _STANCE_RANGE_S[0] <= stance.end_s - stance.start_s <= _STANCE_RANGE_S[1]:
      continue
    peaks = _two_peaks(time_s, fz, stance, body_weight_n)
    start, end = _guess_swing(stance, peaks, double_support)
    # Where the foot's own plate measured it leaving and landing, that is better.
    middle = (stance.start_s + stance.end_s) / 2
    off = [c.end_s for c in own if c.whole_end and stance.start_s < c.end_s < middle]
    on = [c.start_s for c in own if c.whole_start and middle < c.start_s < stance.end_s]
    start, end = off[-1] if off else start, on[0] if on else end
    if start >= end or any(c.start_s < end and c.end_s > start for c in own):
      continue
    carried = fz[(time_s >= start) & (time_s <= end)]
    least_bw = _CARRIES_PEAKED_BW if peaks or (off and on) else _CARRIES_FLAT_BW
    if len(carried) and carried.min() >= least_bw * body_weight_n:
      spans.append((start, end))
  return spans


def _guess_swing(
  stance: foot_contacts.Contact, peaks: _Span | None, double_support: float
) -> _Span:
  """Returns when a foot is surely in the air, by the stance of the other alone.

  Args:
    stance: a whole contact of the other foot.
    peaks: from `_two_peaks`.
    double_support: seconds, with the allowance; 0: not measured.
  """
  duration = stance.end_s - stance.start_s
  middle = (stance.start_s + stance.end_s) / 2
  if double_support:
    margin = max(_SWING_MARGIN * duration, double_support + _PEAK_MARGIN_S)
  else:
    margin = _SWING_MARGIN_UNMEASURED * duration
  half = min(duration / 2 - margin, _HALF_SWING_PEAKED_S if peaks else _HALF_SWING_FLAT_S)
  start, end = middle - half, middle + half
  return (max(start, peaks[0]), min(end, peaks[1])) if peaks else (start, end)


def _longest_double_support(
  own: list[foot_contacts.Contact], others: list[foot_contacts.Contact]
) -> float:
  """Returns the longest time, in seconds, for which both legs load plates; 0 if none is whole."""
  longest = 0.0
  for a in own:
    for b in others:
      later, earlier = max(a, b, key=lambda c: c.start_s), min(a, b, key=lambda c: c.end_s)
      if later.whole_start and earlier.whole_end and later is not earlier:
        longest = max(longest, earlier.end_s - later.start_s)
  return longest


def _two_peaks(
  time_s: np.ndarray, fz: np.ndarray, stance: foot_contacts.Contact, body_weight_n: float
) -> _Span | None:
  """Returns the times, a margin inside, of the two clear peaks of a vertical force, or None."""
  during = (time_s >= stance.start_s) & (time_s <= stance.end_s)
  t, f = time_s[during], fz[during]
  from scipy import signal  # here, as it takes a quarter of a command's start to import

  peaks, _ = signal.find_peaks(f, prominence=_VALLEY_BW * body_weight_n)
  if len(peaks) != 2:
    return None
  first, second = t[peaks]
  middle = (stance.start_s + stance.end_s) / 2
  if not first < middle < second:
    return None
  return first + _PEAK_MARGIN_S, second - _PEAK_MARGIN_S


def _merged(spans: list[_Span]) -> list[_Span]:
  """Joins spans that overlap or touch; in order."""
  merged: list[_Span] = []
  for start, end in sorted(spans):
    if merged and start <= merged[-1][1]:
      merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
    else:
      merged.append((start, end))
  return merged
