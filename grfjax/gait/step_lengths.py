"""Step lengths, from where the soles stand."""

from __future__ import annotations

import dataclasses

import numpy as np

from grfjax import conventions
from grfjax.gait import contact_thresholds, foot_contacts


def measure(
  contacts: list[foot_contacts.MeasuredContact],
  time_s: np.ndarray,
  sole: np.ndarray,
  has_estimate: np.ndarray,
  *,
  metres: float,
  body_heights: float = 1.0,
) -> list[foot_contacts.MeasuredContact]:
  """Measures how long steps are, as far as both soles are known.

  Args:
    contacts: of both feet in order of `start_s`, of `foot_contacts.find_contacts`.
    time_s: (N,) of the frames.
    sole: (N, 2, 2) leg (left, right) x (forward, left), as in `foot_places.FootPlaces`.
    has_estimate: (N, 2) bool, where a leg has an estimate. Nothing is measured across a gap: what
      is before it and after it may have other axes.
    metres: in a unit of `sole`; NaN where not known.
    body_heights: likewise.

  Returns:
    The contacts with their step lengths.
  """
  places = [contact_mean(contact, time_s, sole) for contact in contacts]
  measured = []
  for k, contact in enumerate(contacts):
    lengths = {}
    if k and _is_step(contacts[k - 1], contact, time_s, has_estimate):
      length = float(places[k][0] - places[k - 1][0])
      lengths = {'step_length_m': length * metres, 'step_length_bh': length * body_heights}
    measured.append(dataclasses.replace(contact, measures=contact.measures | lengths))
  return measured


def contact_places(
  contact: foot_contacts.MeasuredContact, time_s: np.ndarray, places: np.ndarray
) -> np.ndarray:
  """Returns the places of (N, 2, 2), leg x (forward, left), that are known in a contact: (K, 2)."""
  known = places[_during(contact, time_s), conventions.LEGS.index(contact.leg)]
  return known[np.isfinite(known).all(1)]


def _during(contact: foot_contacts.MeasuredContact, time_s: np.ndarray) -> np.ndarray:
  return (time_s >= contact.start_s) & (time_s <= contact.end_s)


def contact_mean(
  contact: foot_contacts.MeasuredContact, time_s: np.ndarray, places: np.ndarray
) -> np.ndarray:
  """Returns the mean (2,) of a contact's places (N, 2, 2); NaN where none is known."""
  known = contact_places(contact, time_s, places)
  return known.mean(0) if len(known) else np.full(2, np.nan)


def soles_of_pressure(
  contacts: list[foot_contacts.MeasuredContact], time_s: np.ndarray, pressure: np.ndarray
) -> np.ndarray:
  """Returns where the soles stand, as far as the centre of pressure alone tells.

  It goes from the heel to the toes, so that the middle between the ends of its way is as far
  from the middle of the sole in one contact as in the next (docs/speed_and_steps.md).

  Args:
    contacts: of both feet.
    time_s: (N,).
    pressure: (N, 2, 2) leg (left, right) x (forward, left), any unit; NaN where not known.

  Returns:
    (N, 2, 2) in the same unit, the same throughout a contact; NaN outside of whole contacts.
  """
  sole = np.full(pressure.shape, np.nan)
  for contact in contacts:
    known = contact_places(contact, time_s, pressure)
    if contact.is_whole and len(known):
      leg = conventions.LEGS.index(contact.leg)
      sole[_during(contact, time_s), leg] = (known.min(0) + known.max(0)) / 2
  return sole


def _is_step(
  previous: foot_contacts.MeasuredContact,
  contact: foot_contacts.MeasuredContact,
  time_s: np.ndarray,
  has_estimate: np.ndarray,
) -> bool:
  """Tells whether nothing lies between two contacts: a step is from one foot to the other.

  In walking a foot is set down before the other one leaves the floor; if it is long after, a
  contact between them was missed. Where a foot of which only the beginning is seen stands is told
  too far back.
  """
  between = (time_s >= previous.start_s) & (time_s <= contact.start_s)
  return bool(
    previous.leg != contact.leg
    and contact.is_whole
    and contact.start_s - previous.end_s < contact_thresholds.MIN_SWING_S
    and has_estimate[between].all()
  )
