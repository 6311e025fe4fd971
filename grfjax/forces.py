"""Ground reaction forces: contacts, averages at frame times, and what is known of each leg.

Forces are newtons, the reaction on the body; axes are x forward along the walk, y to the walker's
left, z up. Times are seconds on the force clock. `read` (from `grfjax.force_files`) brings CSV,
C3D and OpenSim MOT files into this form.
"""

import collections.abc
import dataclasses

import numpy as np
import scipy.ndimage
import scipy.signal

from grfjax import force_files, recordings

ForceError = force_files.ForceError
PlateForces = force_files.PlateForces
read = force_files.read

G = 9.80665  # m/s2, standard gravity (ISO 80000-3)
CONTACT_N = force_files.CONTACT_N
WINDOW_S = 1 / 60  # a label is the mean over this long, centred on the frame's time

# Peak of the total vertical force over body weight: standing still gives 1, slow walking 1.0,
# running 2 to 3. Further out the unit or the mass is wrong: a mass in pounds makes 1.1 into 0.5.
PEAK_BW = (0.65, 5.0)
# A foot passes through forces so small in 30 ms. A plate that reads one for longer has its zero
# off, or carries something else.
_LIGHT_N, _LIGHT_BW, _LIGHT_S = 60.0, 0.1, 0.25
# Mean of the vertical force over a contact: by Newton's second law a leg carries half the weight on
# average over a stride, of which a step in walking takes 0.6: 0.8 (0.77 to 0.96 in 218 trials).
# With the mass in pounds it is 0.4.
_STANCE_BW = 0.5
_INWARDS_BW = 0.005  # see look_swapped
_TOP_S, _TOP_ROWS = 0.03, 4  # so long a foot is never at its largest force

# A plate that drops out for less than this holds one contact: no swing is so short (0.3 to 0.5 s
# in walking, 0.2 s and more in sprinting).
_DROPOUT_S = 0.05

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


@dataclasses.dataclass(frozen=True)
class Contact:
  """One foot on the plate: seconds, interpolated at the threshold.

  `whole_start` is False where the recording begins with the foot on the plate, `whole_end` where
  it ends so; the time is then the recording's own first or last.
  """

  start_s: float
  end_s: float
  whole_start: bool
  whole_end: bool


def contacts(
  time_s: np.ndarray,
  fz: np.ndarray,
  threshold_n: float = CONTACT_N,
  min_duration_s: float = 0.1,
) -> list[Contact]:
  """Finds where a plate carries a foot.

  Contacts shorter than `min_duration_s` are noise and dropped, unless the recording's edge cut
  them short; two contacts less than 0.05 s apart are one.

  Args:
    time_s: (N,) increasing.
    fz: (N,) vertical force, newtons.
    threshold_n: newtons.
    min_duration_s: seconds.
  """
  on = np.concatenate([[False], fz > threshold_n, [False]])
  first, last = np.flatnonzero(on[1:] & ~on[:-1]), np.flatnonzero(on[:-1] & ~on[1:]) - 1
  found: list[Contact] = []
  for a, b in zip(first.tolist(), last.tolist(), strict=True):
    whole_start, whole_end = bool(a > 0), bool(b < len(fz) - 1)
    start = _crossing(time_s, fz, a - 1, threshold_n) if whole_start else float(time_s[a])
    end = _crossing(time_s, fz, b, threshold_n) if whole_end else float(time_s[b])
    if end - start < min_duration_s and whole_start and whole_end:
      continue
    if found and start - found[-1].end_s < _DROPOUT_S:
      found[-1] = dataclasses.replace(found[-1], end_s=end, whole_end=whole_end)
    else:
      found.append(Contact(start, end, whole_start, whole_end))
  return found


def _crossing(time_s: np.ndarray, fz: np.ndarray, i: int, level: float) -> float:
  """When the line from sample i to i + 1 passes `level`."""
  return float(time_s[i] + (level - fz[i]) / (fz[i + 1] - fz[i]) * (time_s[i + 1] - time_s[i]))


def leg_forces(plate_forces: PlateForces, plates: tuple[str, ...]) -> dict[str, np.ndarray]:
  """Force of each leg that has a plate: leg -> (N, 3) newtons; plates of one leg add.

  Args:
    plate_forces: of P plates.
    plates: the leg on each plate, plate 1 first.

  Raises:
    ForceError: `plates` does not name P legs.
  """
  count = plate_forces.force.shape[1]
  if len(plates) != count:
    raise ForceError(
      f'plates names {len(plates)} ({";".join(plates)}), but the force file holds {count}'
    )
  return {
    leg: plate_forces.force[:, [p == leg for p in plates]].sum(1) for leg in dict.fromkeys(plates)
  }


def check_plausible(plate_forces: PlateForces, body_mass_kg: float) -> None:
  """Raises where the plates cannot have carried this body, or did not measure it.

  Raises:
    ForceError: the largest total vertical force is below 0.65 or above 5 body weights; a plate's
      zero is off by over 20 N; a plate is held at its largest force, or reads the same throughout.
  """
  weight = body_mass_kg * G
  peak = float(plate_forces.force[:, :, 2].sum(1).max())
  low, high = PEAK_BW
  if not low <= peak / weight <= high:
    if peak < low / 2 * weight:
      hint = (
        'are the forces in kilonewtons or pounds, or already divided by body weight, or did the '
        'walker miss the plates?'
      )
    elif peak < weight:
      hint = 'is the body mass in pounds, did the walker miss the plates, or lean on something?'
    else:
      hint = 'is the body mass in other units than kilograms, or is the force not in newtons?'
    raise ForceError(
      f'the largest vertical force is {peak:.4g} N, {peak / weight:.2g} body weights of '
      f'{body_mass_kg:g} kg; expected {low:g} to {high:g}: {hint}'
    )
  most = max(_contact_means(plate_forces), default=weight)
  if most < _STANCE_BW * weight:
    raise ForceError(
      f'a foot carries {most:.4g} N at most on average over its contact, {most / weight:.2g} body '
      f'weights of {body_mass_kg:g} kg; expected over {_STANCE_BW:g} (walking gives 0.8): is the '
      'body mass in pounds, or did the walker step beside the plates or lean on something?'
    )
  light = max(_LIGHT_N, _LIGHT_BW * weight)
  for number, fz in enumerate(plate_forces.force[:, :, 2].T, 1):
    _check_zero(number, plate_forces.time_s, fz, light)
    _check_top(number, plate_forces.time_s, fz)


def _contact_means(plate_forces: PlateForces) -> list[float]:
  """Mean vertical force of each whole contact that lasts as long as a step does, newtons."""
  found = []
  for fz in plate_forces.force[:, :, 2].T:
    for c in contacts(plate_forces.time_s, fz, min_duration_s=0.3):
      if c.whole_start and c.whole_end:
        on = (plate_forces.time_s >= c.start_s) & (plate_forces.time_s <= c.end_s)
        found.append(float(fz[on].mean()))
  return found


def look_swapped(leg_force: collections.abc.Mapping[str, np.ndarray], body_weight_n: float) -> bool:
  """Whether left and right look taken for each other: the floor pushes a loaded foot inwards.

  So it was on every plate of 238 trials, of real and of synthetic walkers of all styles: by 0.01 BW
  and more on average while the foot carries over half the weight.

  Args:
    leg_force: leg -> (N, 3) newtons.
    body_weight_n: newtons.

  Returns:
    False also where a leg has no plate, or never carries so much.
  """
  inwards = []
  for leg, side in (('left', -1), ('right', 1)):
    force = leg_force.get(leg, np.zeros((0, 3)))
    loaded = force[force[:, 2] > body_weight_n / 2, 1]
    if not len(loaded):
      return False
    inwards.append(side * loaded.mean() / body_weight_n)
  return max(inwards) < -_INWARDS_BW


def _check_zero(number: int, time_s: np.ndarray, fz: np.ndarray, light: float) -> None:
  if fz.max() > CONTACT_N and fz.max() - fz.min() < CONTACT_N:
    raise ForceError(
      f'plate {number} reads {fz.min():.4g} to {fz.max():.4g} N throughout: nobody steps on or off '
      'it; is its zero off, or its cable loose?'
    )
  a, b = _longest((np.abs(fz) > CONTACT_N) & (fz < light))
  if time_s[b] - time_s[a] > _LIGHT_S:
    raise ForceError(
      f'plate {number} reads about {np.median(fz[a : b + 1]):.4g} N from {time_s[a]:.3f} to '
      f'{time_s[b]:.3f} s, too little for a foot and too much for none: is its zero off (expected '
      f'within {CONTACT_N:g} N), or does something else touch it?'
    )


def _check_top(number: int, time_s: np.ndarray, fz: np.ndarray) -> None:
  """Raises where the curve is cut off level; one that is only rounded leaves its top slowly."""
  top = fz.max()
  a, b = _longest(fz == top)
  if top <= CONTACT_N or a == 0 or b == len(fz) - 1:
    return
  levels = np.unique(fz)
  falls = top - max(fz[a - 1], fz[b + 1])
  if (
    b - a + 1 >= _TOP_ROWS
    and time_s[b] - time_s[a] >= _TOP_S
    and falls > 2 * float(np.diff(levels).min())
  ):
    raise ForceError(
      f'plate {number} reads {top:.6g} N, its largest, from {time_s[a]:.3f} to {time_s[b]:.3f} s '
      'without a change: is it saturated (set for too small a range)?'
    )


def _longest(mask: np.ndarray) -> tuple[int, int]:
  """First and last index of the longest run of True; (0, 0) without any."""
  edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
  starts, ends = edges[::2], edges[1::2]
  if not len(starts):
    return 0, 0
  k = int(np.argmax(ends - starts))
  return int(starts[k]), int(ends[k]) - 1


def mean_at(
  time_s: np.ndarray, values: np.ndarray, at_s: np.ndarray, window_s: float = WINDOW_S
) -> tuple[np.ndarray, np.ndarray]:
  """Mean over a window around each time, exact for straight lines between samples.

  Args:
    time_s: (N,) increasing; any sampling, even or not.
    values: (N, ...).
    at_s: (K,) centres of the windows.
    window_s: length of the window.

  Returns:
    (K, ...) float64 means, NaN where the window leaves the record; (K,) bool, whether it does not.
  """
  time_s, at_s = np.asarray(time_s, np.float64), np.asarray(at_s, np.float64)
  flat = np.asarray(values, np.float64).reshape(len(time_s), -1)
  step = np.diff(time_s)[:, None]
  until = np.concatenate(
    [np.zeros((1, flat.shape[1])), np.cumsum((flat[1:] + flat[:-1]) / 2 * step, 0)]
  )

  def integral(t):
    i = np.clip(np.searchsorted(time_s, t, 'right') - 1, 0, len(time_s) - 2)
    d = (np.clip(t, time_s[0], time_s[-1]) - time_s[i])[:, None]
    return until[i] + d * flat[i] + d * d / 2 * (flat[i + 1] - flat[i]) / step[i]

  low, high = at_s - window_s / 2, at_s + window_s / 2
  slack = 1e-9  # seconds; so that rounding does not lose the first frame
  inside = (low >= time_s[0] - slack) & (high <= time_s[-1] + slack)
  mean = (integral(high) - integral(low)) / window_s
  mean[~inside] = np.nan
  return mean.reshape(len(at_s), *np.shape(values)[1:]), inside


def video_start(
  contact_frame: int,
  frame_times_s: np.ndarray,
  plate_1_force: np.ndarray,
  time_s: np.ndarray,
  threshold_n: float = CONTACT_N,
) -> tuple[float, float]:
  """Places a video on the force clock by the first frame that shows the foot on plate 1.

  Plate 1's first rise through the threshold is put midway between that frame and the one before
  it (half the first interval before frame 0, when it is frame 0). Plate 1 need not be the plate
  that is struck first.

  Args:
    contact_frame: 0-based.
    frame_times_s: (F,) times of the video's frames on the video's own clock, F >= 2.
    plate_1_force: (N, 3) newtons, or (N,) its vertical component.
    time_s: (N,) force clock.
    threshold_n: newtons.

  Returns:
    The force clock at frame 0, and the uncertainty (half the frame interval), in seconds.

  Raises:
    ForceError: no such frame, or no rise.
  """
  frames = len(frame_times_s)
  if not 0 <= contact_frame < frames or frames < 2:
    raise ForceError(
      f'contact_frame is {contact_frame}, but the video has {frames} frames (counted from 0)'
    )
  fz = plate_1_force if plate_1_force.ndim == 1 else plate_1_force[:, 2]
  rises = [c for c in contacts(time_s, fz, threshold_n) if c.whole_start]
  # Shown from frame 0 and loaded from sample 0: a later rise is another step's.
  if not rises or (contact_frame == 0 and fz[0] > threshold_n):
    raise ForceError(
      f'contact_frame is given, but plate 1 has no rise through {threshold_n:g} N to place it at '
      f'(its vertical force goes from {fz.min():.4g} to {fz.max():.4g} N and begins at '
      f'{fz[0]:.4g} N); give video_start_s instead'
    )
  after = max(contact_frame, 1)
  half = float(frame_times_s[after] - frame_times_s[after - 1]) / 2
  shown = float(frame_times_s[contact_frame] - frame_times_s[0]) - half
  return rises[0].start_s - shown, half


def labels(
  leg_force: collections.abc.Mapping[str, np.ndarray],
  time_s: np.ndarray,
  at_s: np.ndarray,
  body_weight_n: float,
  threshold_n: float = CONTACT_N,
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
  found = {leg: contacts(time_s, f[:, 2], threshold_n) for leg, f in leg_force.items()}
  low, high = at_s - WINDOW_S / 2, at_s + WINDOW_S / 2
  for i, leg in enumerate(recordings.LEGS):
    own = found.get(leg, [])
    other = recordings.LEGS[1 - i]
    air = (
      []
      if other not in leg_force
      else _air(own, found[other], time_s, leg_force[other][:, 2], body_weight_n)
    )
    on = np.zeros(len(at_s), bool)
    sure = list(air)
    for c in own:
      # What the plate reads just outside the threshold is still this contact's.
      a, b = c.start_s - c.whole_start * WINDOW_S, c.end_s + c.whole_end * WINDOW_S
      on |= (high > a) & (low < b)
      sure.append((a, b))
    for a, b in _merged(sure):
      known[:, i] |= (low >= a - 1e-9) & (high <= b + 1e-9)
    if leg in leg_force:
      mean, inside = mean_at(time_s, leg_force[leg], at_s)
      # A scuff too short for a contact is not air.
      known[:, i] &= inside & (on | (mean[:, 2] <= threshold_n))
      measured = known[:, i] & on
      force[measured, i] = mean[measured]
  return force, known, known & (force[:, :, 2] > threshold_n)


def _air(
  own: list[Contact],
  others: list[Contact],
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


def _double_support(one: list[Contact], two: list[Contact]) -> float:
  """The longest time, in seconds, that both legs share on the plates; 0 if none is seen whole."""
  longest = 0.0
  for a in one:
    for b in two:
      on, off = max(a, b, key=lambda c: c.start_s), min(a, b, key=lambda c: c.end_s)
      if on.whole_start and off.whole_end and on is not off:
        longest = max(longest, off.end_s - on.start_s)
  return longest


def _two_peaks(
  time_s: np.ndarray, fz: np.ndarray, c: Contact, body_weight_n: float
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
