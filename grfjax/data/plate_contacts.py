"""Contacts on force plates, and plate forces averaged at the times of video frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from grfjax import conventions, mask_runs
from grfjax.gait import foot_contacts
from grfjax.io import force_files

WINDOW_S = 1 / 60  # a label is the mean over this long, centred on the frame's time

# Two contacts closer than this are one: no swing is so short (0.3 to 0.5 s in walking, 0.2 s and
# more in sprinting). A foot that barely touches does that, and a threshold that a laboratory has
# put on the force; the samples between stay as they were measured. Missing samples do it too, and
# never come here: `plate_defects` refuses them.
SAME_CONTACT_S = 0.05


def find_contacts(
  time_s: np.ndarray,
  fz: np.ndarray,
  threshold_n: float = conventions.CONTACT_N,
  min_duration_s: float = 0.1,
) -> list[foot_contacts.Contact]:
  """Finds where a plate carries a foot.

  Contacts shorter than `min_duration_s` are noise and dropped, unless the recording's edge cut
  them short; two contacts less than `SAME_CONTACT_S` apart are one. A contact that the
  recording cuts off begins or ends at the recording's own first or last time.

  Args:
    time_s: (N,) increasing.
    fz: (N,) vertical force, newtons.
    threshold_n: newtons.
    min_duration_s: seconds.
  """
  contacts: list[foot_contacts.Contact] = []
  for first, stop in mask_runs.runs_of_true(fz > threshold_n):
    last = stop - 1
    whole_start, whole_end = first > 0, stop < len(fz)
    start_s = _crossing_s(time_s, fz, first - 1, threshold_n) if whole_start else float(time_s[0])
    end_s = _crossing_s(time_s, fz, last, threshold_n) if whole_end else float(time_s[-1])
    contact = foot_contacts.Contact(start_s, end_s, whole_start, whole_end)
    if end_s - start_s < min_duration_s and contact.is_whole:
      continue
    if contacts and start_s - contacts[-1].end_s < SAME_CONTACT_S:
      contacts[-1] = dataclasses.replace(contacts[-1], end_s=end_s, whole_end=whole_end)
    else:
      contacts.append(contact)
  return contacts


def _crossing_s(time_s: np.ndarray, fz: np.ndarray, i: int, level: float) -> float:
  """Returns when the line from sample i to i + 1 passes the level.

  In this order of operations, which labels depend on to the last bit; `np.interp` rounds otherwise.
  """
  return float(time_s[i] + (level - fz[i]) / (fz[i + 1] - fz[i]) * (time_s[i + 1] - time_s[i]))


def leg_forces(
  plate_forces: force_files.PlateForces, plates: tuple[str, ...]
) -> dict[str, np.ndarray]:
  """Returns the force of each leg that has a plate; the plates of one leg are added.

  Args:
    plate_forces: forces of P plates.
    plates: the leg on each plate, plate 1 first.

  Returns:
    leg -> (N, 3) newtons.

  Raises:
    ForceError: `plates` does not name P legs.
  """
  count = plate_forces.force.shape[1]
  if len(plates) != count:
    raise force_files.ForceError(
      f'plates names {len(plates)} ({";".join(plates)}), but the force file holds {count}',
      code='force.plate_count',
    )
  return {
    leg: plate_forces.force[:, [p == leg for p in plates]].sum(1) for leg in dict.fromkeys(plates)
  }


def leg_pressures(
  plate_forces: force_files.PlateForces, plates: tuple[str, ...]
) -> dict[str, np.ndarray]:
  """Returns the centre of pressure of each leg that has a plate.

  Under a foot on several plates it is the mean of theirs, weighted by their vertical forces.

  Args:
    plate_forces: forces of P plates.
    plates: the leg on each plate, plate 1 first.

  Returns:
    leg -> (N, 2) metres, forward and to the left, NaN where a plate that carries the foot does not
    know it, and in the air; empty where no plate knows it.
  """
  if plate_forces.pressure is None:
    return {}
  fz = plate_forces.force[:, :, 2]
  weight = np.where(fz > conventions.CONTACT_N, fz, 0.0)[..., None]
  moment = np.where(weight > 0, weight * plate_forces.pressure, 0.0)
  found = {}
  for leg in dict.fromkeys(plates):
    mine = [p == leg for p in plates]
    carried = weight[:, mine].sum(1)
    found[leg] = moment[:, mine].sum(1) / np.where(carried > 0, carried, np.nan)
  return found


def window_means(
  time_s: np.ndarray, values: np.ndarray, centres_s: np.ndarray, window_s: float = WINDOW_S
) -> tuple[np.ndarray, np.ndarray]:
  """Averages over a window around each time, exactly for straight lines between samples.

  Args:
    time_s: (N,) increasing; sampling may be uneven.
    values: (N, ...).
    centres_s: (K,) centres of the windows.
    window_s: length of the window.

  Returns:
    (K, ...) float64 means, NaN where the window leaves the recording; (K,) bool, whether the window
    lies within it.
  """
  time_s, centres_s = np.asarray(time_s, np.float64), np.asarray(centres_s, np.float64)
  flat = np.asarray(values, np.float64).reshape(len(time_s), -1)
  step = np.diff(time_s)[:, None]
  cumulative = np.concatenate(
    [np.zeros((1, flat.shape[1])), np.cumsum((flat[1:] + flat[:-1]) / 2 * step, 0)]
  )

  def integral(t: np.ndarray) -> np.ndarray:
    i = np.clip(np.searchsorted(time_s, t, 'right') - 1, 0, len(time_s) - 2)
    d = (np.clip(t, time_s[0], time_s[-1]) - time_s[i])[:, None]
    return cumulative[i] + d * flat[i] + d * d / 2 * (flat[i + 1] - flat[i]) / step[i]

  low, high = centres_s - window_s / 2, centres_s + window_s / 2
  slack = 1e-9  # seconds; so that rounding does not exclude the first frame
  inside = (low >= time_s[0] - slack) & (high <= time_s[-1] + slack)
  mean = (integral(high) - integral(low)) / window_s
  mean[~inside] = np.nan
  return mean.reshape(len(centres_s), *np.shape(values)[1:]), inside


def mean_pressures(
  leg_force: Mapping[str, np.ndarray],
  leg_pressure: Mapping[str, np.ndarray],
  time_s: np.ndarray,
  centres_s: np.ndarray,
) -> np.ndarray:
  """Averages the legs' centres of pressure over a window around each time.

  The mean is weighted by the vertical force: it is that of the mean force. It is known where most
  of the force in the window has a place.

  Args:
    leg_force: leg -> (N, 3) newtons.
    leg_pressure: leg -> (N, 2) metres, NaN where it is not known; or no legs.
    time_s: (N,) force clock.
    centres_s: (K,) centres of the windows.

  Returns:
    (K, 2, 2) metres, leg (left, right) x (forward, left), NaN where it is not known.
  """
  mean = np.full((len(centres_s), 2, 2), np.nan)
  for leg, place in leg_pressure.items():
    fz = np.maximum(leg_force[leg][:, 2:], 0)
    placed = np.where(np.isfinite(place).all(-1, keepdims=True), fz, 0)
    moment = placed * np.nan_to_num(place)
    sums, _ = window_means(time_s, np.hstack([fz, placed, moment]), centres_s)
    whole, placed, moment = sums[:, :1], sums[:, 1:2], sums[:, 2:]
    known = placed > 0.5 * whole
    mean[:, conventions.LEGS.index(leg)] = moment / np.where(known, placed, np.nan)
  return mean


def find_video_start(
  contact_frame: int,
  frame_times_s: np.ndarray,
  plate_1_force: np.ndarray,
  time_s: np.ndarray,
  threshold_n: float = conventions.CONTACT_N,
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
    ForceError: the video has no such frame, or plate 1 no rise.
  """
  count = len(frame_times_s)
  if not 0 <= contact_frame < count or count < 2:
    raise force_files.ForceError(
      f'contact_frame is {contact_frame}, but the video has {count} frames (counted from 0)',
      code='force.contact_frame',
      frame=contact_frame,
    )
  fz = plate_1_force if plate_1_force.ndim == 1 else plate_1_force[:, 2]
  rises = [c for c in find_contacts(time_s, fz, threshold_n) if c.whole_start]
  # Loaded from sample 0 and shown so from frame 0: any later rise belongs to another step.
  if not rises or (contact_frame == 0 and fz[0] > threshold_n):
    raise force_files.ForceError(
      f'contact_frame is given, but plate 1 has no rise through {threshold_n:g} N to place it at '
      f'(its vertical force goes from {fz.min():.4g} to {fz.max():.4g} N and begins at '
      f'{fz[0]:.4g} N); give video_start_s instead',
      code='force.contact_frame',
      frame=contact_frame,
    )
  after = max(contact_frame, 1)
  half_interval = float(frame_times_s[after] - frame_times_s[after - 1]) / 2
  contact_s = float(frame_times_s[contact_frame] - frame_times_s[0]) - half_interval
  return rises[0].start_s - contact_s, half_interval
