"""Finds samples of force plates that no foot can have made: spikes and dropouts.

A foot's force has no steps. In walking it rises by up to 0.3 body weights a millisecond (measured
here; a barefoot runner's heel has about 0.5 on average, Lieberman et al., Nature 463, 2010), and a
heel strike's transient takes 10 ms and more with its return; it passes through the threshold of a
contact with 0.05 body weights a millisecond as it lands, and 0.02 as it leaves. What jumps and
comes back sooner was made by the cable, the amplifier or the file. Defects so small that they
change a label by less than about 0.03 body weights are let through.

The limits refuse none of 27 force files of real walks and of walks in the manner of reports, nor of
54 synthetic walks of all styles, as they are and as laboratories export them: at 500, 250, 200 and
100 Hz, with and without a filter, rounded to 0.1 to 5 N, with thresholds of 5 to 50 N, with a dead
band of 10 N on each axis, and with noise of 1 to 5 N.
"""

from __future__ import annotations

import numpy as np

from grfjax import conventions, mask_runs
from grfjax.io import force_files

_AXES = 'xyz'
_NEIGHBOURHOOD_S = 0.005  # steps are compared with those so close before and after

# A spike leaves and comes back within this time, counted from the last good sample to the next;
# a heel strike's transient takes 10 to 30 ms. Slower plates cannot show the difference.
_SPIKE_S = 0.006
# It is over 3 times as large as the steps around it (1.2 at most in the walks).
_SPIKE_RATIO = 3.0
# Smaller ones change a label by less than 0.03 BW. Forces with a threshold jump by up to 50 N.
_SPIKE_BW, _SPIKE_N, _SPIKE_HORIZONTAL_N = 0.08, 60.0, 30.0
# A pulse may last longer where both its edges are steps and its top is level, or where nobody can
# be so heavy for so short a time: landing from a jump takes 50 ms and more.
_PULSE_S, _PULSE_RATIO, _PULSE_BW, _PULSE_N = 0.025, 4.0, 0.15, 80.0
_HUGE_BW = 2.5
_PULSE_MAX_INTERVAL_S = 0.002

# The load that a foot takes off in one or two samples as it leaves (0.02 BW a millisecond at most
# in the walks), and the rate that it never exceeds.
_FALL_BW, _FALL_N, _FALL_BW_PER_S = 0.1, 80.0, 60.0
# The load that comes in one sample, out of nothing, with steps 4 times smaller behind it (0.05 BW
# at most in the walks, with steps as large behind it).
_RISE_BW, _RISE_N, _RISE_BW_PER_S, _RISE_RATIO = 0.2, 100.0, 200.0, 4.0

# A loaded plate's signal trembles. So long it is never steady before it jumps.
_HELD_S, _HELD_SAMPLES, _STEADY_BW = 0.005, 4, 2e-5
_HELD_JUMP_BW, _HELD_JUMP_N, _HELD_JUMP_BW_PER_S = 0.02, 12.0, 10.0
# A smaller jump counts where it is 10 times as large as the steps beyond it.
_LONE_JUMP_BW, _LONE_JUMP_N, _LONE_RATIO = 0.01, 5.0, 10.0
# Rounding, or a dead band about 0, makes values stand still and then jump by one level.
_LEVELS = 4.0
_LOADED_BW = 0.1


def check_spikes(plate_forces: force_files.PlateForces, body_weight_n: float) -> None:
  """Checks that no sample leaves the course of the others and comes back at once.

  Args:
    plate_forces: of all plates.
    body_weight_n: newtons.

  Raises:
    ForceError: an axis of a plate does (force.spike; force.dropout where it reads nothing
      meanwhile); the message names plate, axis and time.
  """
  interval_s = float(np.median(np.diff(plate_forces.time_s)))
  for number, force in enumerate(plate_forces.force.swapaxes(0, 1), 1):
    for axis in (2, 0, 1):
      _check_spikes(number, axis, plate_forces.time_s, force[:, axis], interval_s, body_weight_n)


def check_dropouts(plate_forces: force_files.PlateForces, body_weight_n: float) -> None:
  """Checks that no samples are missing and filled with nothing, or with the value before them.

  Args:
    plate_forces: of all plates, without spikes, in newtons for sure.
    body_weight_n: newtons.

  Raises:
    ForceError: a plate's load goes or comes within a sample or two, or an axis stands still under
      a foot and then goes on elsewhere (force.dropout); the message names plate and times.
  """
  interval_s = float(np.median(np.diff(plate_forces.time_s)))
  for number, force in enumerate(plate_forces.force.swapaxes(0, 1), 1):
    _check_edges(number, plate_forces.time_s, force[:, 2], interval_s, body_weight_n)
    _check_held(number, plate_forces.time_s, force, interval_s, body_weight_n)


def _check_spikes(
  number: int, axis: int, time_s: np.ndarray, values: np.ndarray, interval_s: float, weight: float
) -> None:
  """Raises ForceError where an axis leaves its course for a few milliseconds."""
  least = max(_SPIKE_BW * weight, _SPIKE_N if axis == 2 else _SPIKE_HORIZONTAL_N)
  least_pulse = max(_PULSE_BW * weight, _PULSE_N)
  around = max(3, round(_NEIGHBOURHOOD_S / interval_s))
  # Blocks that begin or end with a step as large.
  edges = np.flatnonzero(np.abs(np.diff(values)) >= least)
  course = _without_lone_samples(values, least)
  worst, start, length = 0.0, 0, 0
  for samples in range(1, int(_PULSE_S / interval_s + 1e-6)):
    first = np.union1d(edges + 1, edges + 1 - samples)
    first = first[(first >= 0) & (first + samples <= len(values))]
    if not len(first) or len(values) < samples + around + 2:
      continue
    excursion, outside, inside = _excursions(values, course, first, samples, around)
    if (samples + 1) * interval_s <= _SPIKE_S + 1e-6:
      found = (excursion >= least) & (excursion > _SPIKE_RATIO * outside)
    else:
      found = (excursion >= _HUGE_BW * weight) & (excursion > _SPIKE_RATIO * outside)
      if interval_s <= _PULSE_MAX_INTERVAL_S + 1e-6:
        largest = np.maximum(outside, inside)
        found |= (excursion >= least_pulse) & (excursion > _PULSE_RATIO * largest)
    if found.any() and excursion[found].max() > worst:
      i = int(np.where(found, excursion, 0).argmax())
      worst, start, length = float(excursion[i]), int(first[i]), samples
  if not worst:
    return
  block = values[start : start + length]
  where = f'plate {number} reads f{_AXES[axis]} = {block[np.abs(block).argmax()]:.4g} N '
  lasts_ms = 1000 * length * interval_s
  if (np.abs(block) < conventions.CONTACT_N).all() and lasts_ms >= 1000 * _HELD_S - 1e-3:
    raise _dropout(
      f'{where}for {lasts_ms:.3g} ms at {time_s[start]:.3f} s, {worst:.4g} N from what it reads '
      'before and after'
    )
  raise force_files.ForceError(
    f'{where}at {time_s[start]:.3f} s, a spike of {worst:.4g} N that lasts {lasts_ms:.3g} ms: no '
    'foot pushes like that, but a cable or a damaged sample does; mend it where it was recorded, '
    'or leave the trial out',
    code='force.spike',
  )


def _without_lone_samples(values: np.ndarray, least: float) -> np.ndarray:
  """Returns values (N,) in which samples beyond both neighbours by `least` are between them."""
  low = np.minimum(values[:-2], values[2:])
  high = np.maximum(values[:-2], values[2:])
  lone = (values[1:-1] > high + least) | (values[1:-1] < low - least)
  course = values.copy()
  course[1:-1][lone] = (low + high)[lone] / 2
  return course


def _excursions(
  values: np.ndarray, course: np.ndarray, first: np.ndarray, samples: int, around: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns how far blocks of samples lie over, or under, both their neighbours.

  Args:
    values: (N,).
    course: (N,) the same without lone samples, so that spikes do not hide each other.
    first: (K,) first sample of each block.
    samples: of a block.
    around: steps before and after a block to compare with.

  Returns:
    Three (K,): the least distance of a block's samples from its neighbours, 0 where some are not
    beyond both; the largest step between samples before or after the block; within the block.
  """
  margin = around + 1
  places = first[:, None] + np.arange(samples + 2 * margin)
  block, calm = (np.pad(v, margin, mode='edge')[places] for v in (values, course))
  inside, before, after = block[:, margin:-margin], block[:, around], block[:, -margin]
  # At an end of the recording, the one neighbour that there is.
  before, after = (
    np.where(first == 0, after, before),
    np.where(first + samples == len(values), before, after),
  )
  over = inside.min(1) - np.maximum(before, after)
  under = np.minimum(before, after) - inside.max(1)
  excursion = np.maximum(np.maximum(over, under), 0)
  steps = np.abs(np.diff(calm))
  outside = np.maximum(steps[:, :around].max(1), steps[:, -around:].max(1))
  return excursion, outside, np.abs(np.diff(inside)).max(1, initial=0)


def _check_edges(
  number: int, time_s: np.ndarray, fz: np.ndarray, interval_s: float, weight: float
) -> None:
  """Raises ForceError where a load goes at once, or comes at once and then stays."""
  on = fz >= conventions.CONTACT_N
  for samples in (1, 2):
    least = max(_FALL_BW * weight, _FALL_N, _FALL_BW_PER_S * weight * samples * interval_s)
    falls = np.flatnonzero(on[:-samples] & ~on[samples:] & (fz[:-samples] - fz[samples:] >= least))
    if len(falls):
      last = int(falls[0])
      back = np.flatnonzero(on[last + samples :])
      until = f' to {time_s[last + samples + back[0]]:.3f} s' if len(back) else ' s'
      raise _dropout(
        f'plate {number} falls from {fz[last]:.4g} to {fz[last + samples]:.4g} N within '
        f'{1000 * samples * interval_s:.3g} ms and reads nothing from {time_s[last + samples]:.3f}'
        f'{until}'
      )
  least = max(_RISE_BW * weight, _RISE_N, _RISE_BW_PER_S * weight * interval_s)
  around = max(3, round(_NEIGHBOURHOOD_S / interval_s))
  for i in np.flatnonzero(~on[:-1] & on[1:] & (np.diff(fz) >= least)):
    steps = np.abs(np.diff(fz[i + 1 : i + 2 + around]))
    if fz[i + 1] - fz[i] > _RISE_RATIO * steps.max(initial=0):
      raise _dropout(
        f'plate {number} reads nothing until {time_s[i]:.3f} s and {fz[i + 1]:.4g} N a sample later'
      )


def _check_held(
  number: int, time_s: np.ndarray, force: np.ndarray, interval_s: float, weight: float
) -> None:
  """Raises ForceError where an axis stands still under a foot, and jumps before or after."""
  fz = force[:, 2]
  for axis in range(3):
    # Saturation at the top has a check of its own.
    usable = (np.abs(fz) >= conventions.CONTACT_N) & (fz < fz.max())
    if axis != 2:
      usable = fz >= max(conventions.CONTACT_N, _LOADED_BW * weight)
    values = force[:, axis]
    steady = np.abs(np.diff(values)) <= _STEADY_BW * weight
    for first, last in mask_runs.runs_of_true(steady & usable[:-1] & usable[1:]):
      sign = _sign_of_a_held_value(values, usable, first, last, interval_s, weight)
      if sign:
        raise _dropout(
          f'plate {number} reads f{_AXES[axis]} = {values[first]:.4g} N without a change from '
          f'{time_s[first]:.3f} to {time_s[last]:.3f} s under a foot, and {sign}'
        )


def _sign_of_a_held_value(
  values: np.ndarray, usable: np.ndarray, first: int, last: int, interval_s: float, weight: float
) -> str:
  """Returns what shows that an axis was held and not merely steady for a while; '' if nothing.

  Args:
    values: (N,) newtons.
    usable: (N,) bool, under a foot.
    first: of the steady samples.
    last: of the steady samples.
    interval_s: between samples.
    weight: body weight, newtons.
  """
  least_count, count = max(_HELD_SAMPLES, round(_HELD_S / interval_s)), last - first + 1
  if count < least_count:
    return ''
  around = max(3, round(_NEIGHBOURHOOD_S / interval_s))
  rate = _HELD_JUMP_BW_PER_S * weight * interval_s
  least = max(_HELD_JUMP_BW * weight, _HELD_JUMP_N, rate)
  least_lone = max(_LONE_JUMP_BW * weight, _LONE_JUMP_N, rate)
  level = _LEVELS * _next_level(values, values[first])
  steps = np.abs(np.diff(values))
  before, after = steps[max(first - 1 - around, 0) : first], steps[last : last + 1 + around]
  for beyond, neighbour, side in (
    (before[::-1], first - 1, 'before'),
    (after, last + 1, 'after'),
  ):
    if not 0 <= neighbour < len(values) or not usable[neighbour]:
      continue
    jump, others = beyond[0], beyond[1:]
    lone = jump >= least_lone and jump > _LONE_RATIO * others.max(initial=0)
    if jump >= level and (jump >= least or lone):
      return f'jumps by {jump:.4g} N {side}'
  beside = np.concatenate([before, after])
  trembles = float(np.median(beside)) if len(beside) else 0.0
  if count >= 2 * least_count and not steps[first:last].any() and trembles >= level > 0:
    return f'trembles by {trembles:.4g} N before and after'
  return ''


def _next_level(values: np.ndarray, level: float) -> float:
  """Returns how far the nearest other value is, 0 without another."""
  distance = np.abs(values - level)
  return float(distance[distance > 1e-6].min(initial=np.inf)) if np.ptp(values) else 0.0


def _dropout(message: str) -> force_files.ForceError:
  return force_files.ForceError(
    f'{message}; no foot does that, so samples are missing (did an amplifier or a network drop '
    'them?): mend it where it was recorded, or leave the trial out',
    code='force.dropout',
  )
