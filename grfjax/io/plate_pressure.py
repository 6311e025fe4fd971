"""Centres of pressure as a file holds them: which of them can be a foot's on the floor."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from grfjax import conventions, mask_runs

# Under a small force the centre of pressure is a quotient of noise; where a foot stands firmly it
# is exact to millimetres.
_FIRM = 0.2  # of the plate's largest vertical force
_STILL_M = 1e-3  # a foot's centre of pressure moves by centimetres; what moves less holds nothing
_THOUSANDTH_M = 5e-5, 4.5e-4  # by which metres move that are taken for millimetres
_FOOT_M = 0.45  # longer than any foot in its shoe
_UNIT_M = 5.0  # a foot of 0.1 to 0.3 m in another unit: 10 to 30 cm, 100 to 300 mm
_JUMP_M, _JUMP_MPS = 0.06, 5.0  # between two samples: noise, and what a foot can do meanwhile
_BACKWARD_M, _SIDEWAYS_M = 0.03, 0.08  # from heel to toe; forward it goes 0.1 to 0.25 m
_AHEAD_M = 0.1  # by which a later foot stands before an earlier one at least, on another plate
_RUNNING_MPS, _STEP_M = 4.0, 0.5  # how fast feet get along at most
_ASIDE_M = 1.0  # between two feet, across the walk
_PAUSE_S = 1.0  # from one foot's leaving to another's landing: who pauses longer may have turned
_MIN_CONTACT_S, _SAME_CONTACT_S = 0.1, 0.05


@dataclasses.dataclass(frozen=True)
class Fault:
  """Why a centre of pressure cannot be true.

  Attributes:
    plate: counted from 1.
    text: a sentence about what was found and what was expected.
  """

  plate: int
  text: str


@dataclasses.dataclass(frozen=True)
class _Contact:
  """What a plate says of one contact.

  Attributes:
    plate: counted from 0.
    span_s: from when to when, seconds.
    index: (K,) the samples in which the foot stands firmly and the place is known.
    place: (K, 2) metres, the centre of pressure there.
  """

  plate: int
  span_s: tuple[float, float]
  index: np.ndarray
  place: np.ndarray

  @property
  def middle(self) -> np.ndarray:
    return np.median(self.place, 0)

  @property
  def where(self) -> str:
    start, end = self.span_s
    return f'plate {self.plate + 1}, {start:.3f} to {end:.3f} s'


def settle(
  time_s: np.ndarray, force: np.ndarray, pressure: np.ndarray
) -> tuple[np.ndarray | None, Fault | None]:
  """Returns the centres of pressure that can be used, and what is wrong with those that cannot.

  They are known while a plate carries more than `conventions.CONTACT_N`, and there only within a
  foot's length of where the foot stands firmly. A plate whose centre of pressure stands still, as
  where a program has written zeros, says nothing of it, which is no fault.

  Args:
    time_s: (N,) seconds.
    force: (N, P, 3) newtons in plate axes.
    pressure: (N, P, 2) metres, forward and to the walker's left, with NaN where there is none.

  Returns:
    (N, P, 2) metres with NaN where it is not known, or None where no plate knows it or there is a
    fault; the first fault, or None.
  """
  fz = force[:, :, 2]
  usable = np.isfinite(pressure).all(-1) & (fz > conventions.CONTACT_N)
  known = np.where(usable[..., None], pressure, np.nan)
  contacts: list[_Contact] = []
  for plate in range(fz.shape[1]):
    found = list(_contacts(time_s, fz[:, plate], known[:, plate], plate))
    moves = [np.ptp(contact.place, axis=0).max() for contact in found]
    if moves and _THOUSANDTH_M[0] < np.median(moves) < _THOUSANDTH_M[1]:
      return None, Fault(
        plate + 1,
        f'the centre of pressure moves {1000 * np.median(moves):.2g} mm under a foot; expected '
        '100 mm and more, or the same place all the time where nobody knows it: are the values in '
        'metres where the file says millimetres?',
      )
    if max(moves, default=0.0) < _STILL_M:
      known[:, plate] = np.nan
    else:
      contacts += found
  fault = _find_fault(time_s, contacts)
  if fault is not None or not contacts:
    return None, fault
  for contact in contacts:
    start, end = np.searchsorted(time_s, contact.span_s)
    apart = np.abs(known[start : end + 1, contact.plate] - contact.middle).max(-1)
    known[start : end + 1, contact.plate][apart > _FOOT_M] = np.nan
  return known, None


def _contacts(
  time_s: np.ndarray, fz: np.ndarray, place: np.ndarray, plate: int
) -> Iterator[_Contact]:
  """Yields the contacts of a plate in which its centre of pressure is known."""
  firm = fz > max(_FIRM * fz.max(), conventions.CONTACT_N)
  runs: list[tuple[int, int]] = []
  for start, end in mask_runs.runs_of_true(fz > conventions.CONTACT_N):
    if runs and time_s[start] - time_s[runs[-1][1] - 1] < _SAME_CONTACT_S:
      start = runs.pop()[0]
    runs.append((start, end))
  for start, end in runs:
    index = start + np.flatnonzero(firm[start:end] & np.isfinite(place[start:end, 0]))
    span_s = float(time_s[start]), float(time_s[end - 1])
    if len(index) > 2 and span_s[1] - span_s[0] >= _MIN_CONTACT_S:
      yield _Contact(plate, span_s, index, place[index])


def _find_fault(time_s: np.ndarray, contacts: list[_Contact]) -> Fault | None:
  """Returns the first thing that no foot can have done, or None."""
  for contact in contacts:
    text = _leaves_the_foot(contact) or _jumps(time_s, contact)
    if text:
      return Fault(contact.plate + 1, text)
  travels = [_travel(contact) for contact in contacts]
  if travels:
    forward, left = np.mean(travels, 0)
    number = contacts[0].plate + 1
    if forward < -_BACKWARD_M:
      return Fault(
        number,
        f'the centre of pressure goes {-forward:.2f} m backwards under a foot on average; expected '
        'from heel to toe, along the walk as the forces show it',
      )
    if abs(left) > max(_SIDEWAYS_M, 2 * abs(forward)):
      return Fault(
        number,
        f'the centre of pressure goes {abs(left):.2f} m to the side under a foot on average, and '
        f'{forward:.2f} m forward; expected the axes of the forces',
      )
  ordered = sorted(contacts, key=lambda contact: contact.span_s)
  faults = (_apart(first, second) for first, second in itertools.pairwise(ordered))
  return next((fault for fault in faults if fault is not None), None)


def _leaves_the_foot(contact: _Contact) -> str:
  low, high = np.percentile(contact.place, (5, 95), axis=0)
  most = float((high - low).max())
  if most <= _FOOT_M:
    return ''
  hint = ': is it in millimetres or centimetres?' if most > _UNIT_M else ''
  return (
    f'the centre of pressure moves {most:.3g} m under one foot ({contact.where}); expected up to '
    f'{_FOOT_M:g} m{hint}'
  )


def _jumps(time_s: np.ndarray, contact: _Contact) -> str:
  step_s = np.diff(time_s[contact.index])
  steps = np.abs(np.diff(contact.place, axis=0)).max(-1)
  far = np.flatnonzero(steps > _JUMP_M + _JUMP_MPS * step_s)
  if not len(far):
    return ''
  at = time_s[contact.index[far[0] + 1]]
  return (
    f'the centre of pressure jumps {steps[far[0]]:.2f} m at {at:.4f} s on plate '
    f'{contact.plate + 1}, which no foot does'
  )


def _travel(contact: _Contact) -> np.ndarray:
  """Returns how far the centre of pressure goes from 20 to 80 % of a contact, (2,) metres."""
  margin = len(contact.index) // 5
  return contact.place[len(contact.index) - 1 - margin] - contact.place[margin]


def _apart(first: _Contact, second: _Contact) -> Fault | None:
  """Returns what is wrong with how far two feet, one after the other, stand apart."""
  if second.span_s[0] - first.span_s[1] > _PAUSE_S:
    return None
  forward, left = second.middle - first.middle
  later_s = second.span_s[0] - first.span_s[0]
  both = f'{first.where}; {second.where}'
  if abs(forward) > _STEP_M + _RUNNING_MPS * later_s or abs(left) > _ASIDE_M:
    return Fault(
      second.plate + 1,
      f'two feet stand {forward:.3g} m along the walk and {abs(left):.3g} m across it apart '
      f'({both}), further than a step; expected metres, in axes that all plates share',
    )
  # Feet that stand beside each other at the same time do not walk.
  walks = later_s > 0.5 * (first.span_s[1] - first.span_s[0])
  if first.plate != second.plate and walks and forward < _AHEAD_M:
    return Fault(
      second.plate + 1,
      f'the later of two feet stands {forward:.2f} m before the earlier one ({both}); expected at '
      f'least {_AHEAD_M:g} m along the walk: do the plates count from a middle of their own?',
    )
  return None
