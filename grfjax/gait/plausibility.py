"""Whether force curves can be right: what was seen, and what physics and walking allow. Pure."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from grfjax import conventions
from grfjax.gait import foot_contacts, force_curves, summaries

# What walking does not exceed: peaks of fast walking reach some 1.5 BW, running begins at 2.
PEAK_BW = 1.6

STANCE_S = (0.4, 1.5)  # from very fast walking to where it may be standing

CADENCE = (40.0, 200.0)  # steps a minute: from very slow walking to beyond the fastest

# Over a stride the body ends as high and as fast upwards as it began, so the mean of both legs'
# vertical force is its weight (Newton's second law), but for a small change of gait from stride to
# stride. Further off than this, the estimate of at least one leg is wrong by as much.
TOTAL_BW = 0.1


@dataclasses.dataclass(frozen=True)
class Quality:
  """What a reader should know before the numbers.

  Attributes:
    frames: of the video.
    without_estimate: leg -> frames.
    walks: stretches with an estimate.
    contacts: found.
    cut_off: contacts of which an end was not seen, or runs into the next contact.
    strides: whole ones of which both legs' force is estimated throughout.
    mean_total_bw: mean vertical force of both legs together over these, which physics says is 1;
      None without any.
    flags: sentences about what is missing or implausible.
  """

  frames: int
  without_estimate: dict[str, int]
  walks: int
  contacts: int
  cut_off: int
  strides: int
  mean_total_bw: float | None
  flags: tuple[str, ...]


def check_plausibility(
  estimate: force_curves.ForceCurves, found: list[foot_contacts.Contact]
) -> Quality:
  """Looks at the curves of a video and the contacts found in them."""
  seen, walks = estimate.seen, estimate.walks()
  missing = dict(zip(conventions.LEGS, (~seen).sum(0).tolist(), strict=True))
  cut_off = sum(not (c.whole_start and c.whole_end) for c in found)
  totals = stride_totals(estimate, found)
  mean = float(totals.mean()) if totals.size else None
  flags = [f'{said[0].upper()}{said[1:]}.' for said in estimate.lost]
  neither = int((~seen.any(1)).sum())
  if neither:
    flags.append(
      f'{neither} of {len(seen)} frames have no estimate: nobody could be followed there.'
    )
  for i, leg in enumerate(conventions.LEGS):
    if not seen[:, i].any():
      why = 'the network knows the near leg alone' if estimate.near_only else 'it was never seen'
      flags.append(f'There is no estimate of the {leg} leg ({why}).')
    elif missing[leg] > neither:
      flags.append(f'The {leg} leg has no estimate in {missing[leg] - neither} frames of the walk.')
  if len(walks) > 1:
    flags.append(
      f'There are {len(walks)} walks across the picture; the numbers are of all together.'
    )
  if cut_off:
    flags.append(
      f'{cut_off} of {len(found)} contacts are not seen whole; only whole ones are measured.'
    )
  for leg in conventions.LEGS:
    if any(_runs_on(estimate, c) for c in found if c.leg == leg):
      flags.append(
        f'The force of the {leg} leg does not fall to 0 between two contacts: there the curves are '
        'not those of walking.'
      )
  if len(found) == cut_off:
    flags.append('No whole contact was seen, so that no stance could be measured.')
  for leg in (c.leg for c, after in itertools.pairwise(found) if _in_a_row(estimate, c, after)):
    flags.append(
      f'The {leg} foot touches down twice in a row: a step of the other foot was missed, or the '
      'legs were taken for each other.'
    )
  for i, leg in enumerate(conventions.LEGS):
    if (peak := np.nanmax(estimate.force[:, i, 0], initial=0)) > PEAK_BW:
      flags.append(
        f'The vertical force of the {leg} leg reaches {peak:.2f} BW; walking does not exceed '
        f'{PEAK_BW:g} BW.'
      )
  for c in found:
    stance_s = c.measures['stance_s']
    if stance_s < STANCE_S[0] or stance_s > STANCE_S[1]:
      flags.append(
        f'The contact of the {c.leg} foot at {c.start_s:.2f} s lasts {stance_s:.2f} s; in walking '
        f'it takes {STANCE_S[0]:g} to {STANCE_S[1]:g} s. It may be none, and it is in the means.'
      )
  cadence = summaries.summarize(found)['cadence_steps_per_min']['mean']
  if cadence < CADENCE[0] or cadence > CADENCE[1]:
    flags.append(
      f'The cadence of {cadence:.0f} steps a minute is outside {CADENCE[0]:g} to {CADENCE[1]:g}.'
    )
  if mean is not None and abs(mean - 1) > TOTAL_BW:
    flags.append(
      f'Over whole strides both legs together carry {mean:.2f} BW on average; it must be 1, so the '
      'curves are wrong by about as much.'
    )
  return Quality(len(seen), missing, len(walks), len(found), cut_off, totals.size, mean,
                 tuple(dict.fromkeys(flags)))  # fmt: skip


def stride_totals(
  estimate: force_curves.ForceCurves, found: list[foot_contacts.Contact]
) -> np.ndarray:
  """Mean vertical force of both legs together over each whole stride, (strides,) BW."""
  total = estimate.force[:, :, 0].sum(1)
  means = []
  for c in found:
    start_s, lasts_s = c.measures['contact_s'], c.measures['stride_s']
    inside = (estimate.time_s > start_s) & (estimate.time_s < start_s + lasts_s)
    t = np.concatenate([[start_s], estimate.time_s[inside], [start_s + lasts_s]])
    mean = np.trapezoid(np.interp(t, estimate.time_s, total), t) / lasts_s
    if np.isfinite(mean):
      means.append(float(mean))
  return np.array(means)


def _in_a_row(
  estimate: force_curves.ForceCurves, one: foot_contacts.Contact, after: foot_contacts.Contact
) -> bool:
  """Whether a foot touches down again without the other, in one walk where both are seen."""
  between = (estimate.time_s >= one.start_s) & (estimate.time_s <= after.start_s)
  return one.leg == after.leg and bool(estimate.seen[between].all())


def _runs_on(estimate: force_curves.ForceCurves, contact: foot_contacts.Contact) -> bool:
  """Whether a contact has an end that was not seen though the leg is estimated beyond it."""
  seen = estimate.seen[:, conventions.LEGS.index(contact.leg)]
  before = np.searchsorted(estimate.time_s, contact.start_s, 'left') - 1
  after = np.searchsorted(estimate.time_s, contact.end_s, 'right')
  return bool(
    (not contact.whole_start and before >= 0 and seen[before])
    or (not contact.whole_end and after < len(seen) and seen[after])
  )
