"""Whether force curves can be right: what was seen, and what physics and walking allow."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from grfjax import conventions
from grfjax.gait import foot_contacts, force_curves, summaries, timed_text, walking_speed

# What walking does not exceed: peaks of fast walking reach some 1.5 BW, running begins at 2.
PEAK_BW = 1.6
STANCE_S = (0.4, 1.5)  # from very fast walking to where it may be standing
CADENCE = (40.0, 200.0)  # steps a minute: from very slow walking to beyond the fastest

# Most walking lies well inside; a film that plays at half or twice its speed is outside.
USUAL_CADENCE = (50.0, 150.0)  # steps a minute

WALKING_MPS = (0.1, 2.6)  # from barely moving to the fastest that people walk without running

# In body heights: race walkers reach some 0.65; a foot may be set down beside the other one, and
# in some gaits behind it, but hardly by a foot's length.
STEP_BH = (-0.15, 0.7)

# Cadence is walking speed over step length. Standard deviations of one step's length and of one
# contact's time (1.25 times mean absolute errors; docs/speed_and_steps.md, docs/accuracy.md), of
# the speed as a share, beyond what a wrong height or scale does to lengths too, and, as a share, of
# one leg's steps from the mean of both legs', limping included. From so many standard deviations of
# their ratio on, the two are not of the same steps.
STEP_SD_BH = 0.02
CONTACT_SD_S = 0.015
SPEED_SD = 0.03
LEG_SD = 0.04
APART_SDS = 3.0

SCALE_OFF = 0.1  # share by which the walker's height by the scale may differ from that given

# Over a stride the body ends as high and as fast upwards as it began, so the mean of both legs'
# vertical force is its weight (Newton's second law), but for a small change of gait from stride to
# stride. Further off than this, the estimate of at least one leg is wrong by as much.
TOTAL_BW = 0.1


class Flag(timed_text.TimedText):
  """Something missing or implausible: its code, 'area.reason', and a sentence."""


def in_order(flags: Iterable[Flag]) -> tuple[Flag, ...]:
  """Returns flags, each once: those about the whole video, then the others by their time."""
  return tuple(
    sorted(dict.fromkeys(flags), key=lambda flag: (flag.start_s is not None, flag.start_s or 0.0))
  )


@dataclasses.dataclass(frozen=True)
class Quality:
  """What a reader should know before the numbers.

  Attributes:
    frames: number of the video's frames.
    without_estimate: leg -> number of frames.
    walks: how often somebody walks across the picture.
    contacts: number of contacts found.
    cut_off: number of contacts of which an end was not seen, or that run into the next contact.
    mean_trust: leg -> mean trust of the frames that are given; None where the network tells none.
    strides: number of whole strides throughout which both legs' force is estimated.
    mean_total_bw: mean vertical force of both legs together over these, which physics says is 1;
      None without any.
    found: what is missing or implausible, in order.
  """

  frames: int
  without_estimate: dict[str, int]
  walks: int
  contacts: int
  cut_off: int
  mean_trust: dict[str, float | None]
  strides: int
  mean_total_bw: float | None
  found: tuple[Flag, ...]

  @property
  def flags(self) -> tuple[str, ...]:
    """Sentences about what is missing or implausible."""
    return tuple(flag.text for flag in self.found)

  @property
  def flag_codes(self) -> tuple[str, ...]:
    """The code of each of them."""
    return tuple(flag.code for flag in self.found)


def check_plausibility(
  estimate: force_curves.ForceCurves,
  contacts: list[foot_contacts.MeasuredContact],
  speed: walking_speed.WalkingSpeed = walking_speed.UNKNOWN,
) -> Quality:
  """Checks the curves of a video and the contacts found in them, and their steps by the speed."""
  totals = stride_totals(estimate, contacts)
  mean_total_bw = float(totals.mean()) if totals.size else None
  found = in_order(
    itertools.chain(
      _check_gaps(estimate),
      _check_frames(estimate),
      _check_legs(estimate),
      _check_walks(estimate),
      _check_cut_off(contacts),
      _check_falls_to_zero(estimate, contacts),
      _check_any_whole(contacts),
      _check_alternation(estimate, contacts),
      _check_peaks(estimate),
      _check_stance_times(contacts),
      _check_cadence(contacts, speed, estimate),
      _check_total_force(mean_total_bw),
    )
  )
  return Quality(
    frames=len(estimate.time_s),
    without_estimate=_count_missing(estimate),
    walks=estimate.count_crossings(),
    contacts=len(contacts),
    cut_off=_count_cut_off(contacts),
    mean_trust=_mean_trust(estimate),
    strides=totals.size,
    mean_total_bw=mean_total_bw,
    found=found,
  )


def _mean_trust(estimate: force_curves.ForceCurves) -> dict[str, float | None]:
  means: dict[str, float | None] = {}
  for leg, name in enumerate(conventions.LEGS):
    given = estimate.has_estimate[:, leg]
    means[name] = None
    if estimate.trust is not None and given.any():
      means[name] = float(estimate.trust[given, leg].mean())
  return means


def stride_totals(
  estimate: force_curves.ForceCurves, contacts: list[foot_contacts.MeasuredContact]
) -> np.ndarray:
  """Returns the mean vertical force of both legs together over each whole stride, (strides,) BW."""
  total = estimate.force[:, :, 0].sum(1)
  means = []
  for c in contacts:
    start_s, stride_s = c.measures['contact_s'], c.measures['stride_s']
    inside = (estimate.time_s > start_s) & (estimate.time_s < start_s + stride_s)
    t = np.concatenate([[start_s], estimate.time_s[inside], [start_s + stride_s]])
    mean = np.trapezoid(np.interp(t, estimate.time_s, total), t) / stride_s
    if np.isfinite(mean):
      means.append(float(mean))
  return np.array(means)


def _count_missing(estimate: force_curves.ForceCurves) -> dict[str, int]:
  """Returns leg -> number of frames without an estimate."""
  return dict(zip(conventions.LEGS, (~estimate.has_estimate).sum(0).tolist(), strict=True))


def _count_cut_off(contacts: list[foot_contacts.MeasuredContact]) -> int:
  return sum(not c.is_whole for c in contacts)


def _check_gaps(estimate: force_curves.ForceCurves) -> Iterator[Flag]:
  for gap in estimate.gaps:
    yield Flag(gap.code, f'{gap.text[0].upper()}{gap.text[1:]}.', gap.start_s)


def _check_frames(estimate: force_curves.ForceCurves) -> Iterator[Flag]:
  missing = int((~estimate.has_estimate.any(1)).sum())
  if missing:
    followed = (
      estimate.trust is not None and (np.isfinite(estimate.trust) & ~estimate.has_estimate).any()
    )
    why = (
      'nobody could be followed there, or it is not to be trusted'
      if followed
      else 'nobody could be followed there'
    )
    yield Flag(
      'gait.frames_without_estimate',
      f'{missing} of {len(estimate.time_s)} frames have no estimate: {why}.',
    )


def _check_legs(estimate: force_curves.ForceCurves) -> Iterator[Flag]:
  missing = _count_missing(estimate)
  missing_both = int((~estimate.has_estimate.any(1)).sum())
  for i, leg in enumerate(conventions.LEGS):
    if not estimate.has_estimate[:, i].any():
      why = 'the network knows the near leg alone' if estimate.near_only else 'it was never seen'
      yield Flag('gait.no_estimate', f'There is no estimate of the {leg} leg ({why}).')
    elif missing[leg] > missing_both:
      yield Flag(
        'gait.leg_without_estimate',
        f'The {leg} leg has no estimate in {missing[leg] - missing_both} frames of the walk.',
      )


def _check_walks(estimate: force_curves.ForceCurves) -> Iterator[Flag]:
  count = estimate.count_crossings()
  if count > 1:
    yield Flag(
      'gait.several_walks',
      f'There are {count} walks across the picture; the numbers are of all together.',
    )


def _check_cut_off(contacts: list[foot_contacts.MeasuredContact]) -> Iterator[Flag]:
  if cut_off := _count_cut_off(contacts):
    yield Flag(
      'gait.contact_cut_off',
      f'{cut_off} of {len(contacts)} contacts are not seen whole; only whole ones are measured.',
    )


def _check_falls_to_zero(
  estimate: force_curves.ForceCurves, contacts: list[foot_contacts.MeasuredContact]
) -> Iterator[Flag]:
  for leg in conventions.LEGS:
    if any(_runs_on(estimate, c) for c in contacts if c.leg == leg):
      yield Flag(
        'gait.no_swing',
        f'The force of the {leg} leg does not fall to 0 between two contacts: there the curves are '
        'not those of walking.',
      )


def _runs_on(estimate: force_curves.ForceCurves, contact: foot_contacts.MeasuredContact) -> bool:
  """Returns whether an end of a contact was not seen though the leg is estimated beyond it."""
  has_estimate = estimate.has_estimate[:, conventions.LEGS.index(contact.leg)]
  before = np.searchsorted(estimate.time_s, contact.start_s, 'left') - 1
  after = np.searchsorted(estimate.time_s, contact.end_s, 'right')
  return bool(
    (not contact.whole_start and before >= 0 and has_estimate[before])
    or (not contact.whole_end and after < len(has_estimate) and has_estimate[after])
  )


def _check_any_whole(contacts: list[foot_contacts.MeasuredContact]) -> Iterator[Flag]:
  if not any(c.is_whole for c in contacts):
    yield Flag(
      'gait.no_whole_contact', 'No whole contact was seen, so that no stance could be measured.'
    )


def _check_alternation(
  estimate: force_curves.ForceCurves, contacts: list[foot_contacts.MeasuredContact]
) -> Iterator[Flag]:
  for contact, following in itertools.pairwise(contacts):
    if contact.leg != following.leg:
      continue
    between = (estimate.time_s >= contact.start_s) & (estimate.time_s <= following.start_s)
    if estimate.has_estimate[between].all():  # one walk, and both feet are estimated
      yield Flag(
        'gait.same_foot_twice',
        f'The {contact.leg} foot touches down twice in a row: a step of the other foot was missed, '
        'or the legs were taken for each other.',
      )


def _check_peaks(estimate: force_curves.ForceCurves) -> Iterator[Flag]:
  for i, leg in enumerate(conventions.LEGS):
    if (peak := np.nanmax(estimate.force[:, i, 0], initial=0)) > PEAK_BW:
      yield Flag(
        'gait.peak_too_high',
        f'The vertical force of the {leg} leg reaches {peak:.2f} BW; walking does not exceed '
        f'{PEAK_BW:g} BW.',
      )


def _check_stance_times(contacts: list[foot_contacts.MeasuredContact]) -> Iterator[Flag]:
  for c in contacts:
    stance_s = c.measures['stance_s']
    if stance_s < STANCE_S[0] or stance_s > STANCE_S[1]:
      yield Flag(
        'gait.stance_time',
        f'The contact of the {c.leg} foot at {c.start_s:.2f} s lasts {stance_s:.2f} s; in walking '
        f'it takes {STANCE_S[0]:g} to {STANCE_S[1]:g} s. It may be none, and it is in the means.',
        c.start_s,
      )


def _check_cadence(
  contacts: list[foot_contacts.MeasuredContact],
  speed: walking_speed.WalkingSpeed,
  estimate: force_curves.ForceCurves,
) -> Iterator[Flag]:
  summary = summaries.summarize(contacts)
  cadence = summary['cadence_steps_per_min']['mean']
  # The speed is that of all walks: lengths of some of them alone would contradict it.
  has_lengths = _each_walk_has_lengths(estimate, contacts)
  by_speed = _cadence_by_speed(summary, speed.bh_per_s if has_lengths else math.nan)
  if by_speed.contradicts:
    yield Flag(
      'gait.cadence_and_speed',
      f'By the times of the contacts the cadence is {cadence:.0f} steps a minute, by walking speed '
      f'and step length {by_speed.cadence:.0f}: a contact is missing or false, and what is '
      'measured from one contact to the next is wrong.',
    )
  if cadence < CADENCE[0] or cadence > CADENCE[1]:
    yield Flag(
      'gait.cadence',
      f'The cadence of {cadence:.0f} steps a minute is outside {CADENCE[0]:g} to {CADENCE[1]:g}.',
    )
  is_usual = USUAL_CADENCE[0] <= by_speed.cadence <= USUAL_CADENCE[1]
  if by_speed.contradicts and is_usual:
    return  # the contacts are wrong, and not the film's speed
  if cadence < USUAL_CADENCE[0] or cadence > USUAL_CADENCE[1]:
    yield Flag(
      'gait.playback_speed',
      f'The cadence of {cadence:.0f} steps a minute is unusual (outside {USUAL_CADENCE[0]:g} to '
      f'{USUAL_CADENCE[1]:g}): the film may be {"slowed down" if cadence < 100 else "sped up"}. If '
      'it is, every time and measure is wrong; give the real seconds in a second of film: '
      '--speed=0.125 of 240 frames a second played at 30, or in the column speed of trials.csv.',
    )


def _each_walk_has_lengths(
  estimate: force_curves.ForceCurves, contacts: list[foot_contacts.MeasuredContact]
) -> bool:
  """Returns whether the length of a step is known in each walk in which steps are timed."""
  for walk in estimate.walks():
    start_s, end_s = estimate.time_s[walk][[0, -1]]
    steps = [c.measures for c in contacts if start_s <= c.start_s <= end_s]
    timed, long = (
      any(np.isfinite(m.get(name, np.nan)) for m in steps) for name in ('step_s', 'step_length_bh')
    )
    if timed and not long:
      return False
  return True


class _CadenceBySpeed(NamedTuple):
  """The cadence that speed and step length make.

  Attributes:
    cadence: steps a minute; NaN where it is not known.
    contradicts: whether the one by the times of contacts cannot be the same.
  """

  cadence: float
  contradicts: bool


def _cadence_by_speed(summary: dict[str, Any], bh_per_s: float) -> _CadenceBySpeed:
  """Compares the times of steps with walking speed over step length.

  Args:
    summary: of all contacts.
    bh_per_s: the speed, body heights a second; NaN where it is not known.
  """
  step_s, lengths = (_over_legs(summary, name) for name in ('step_s', 'step_length_bh'))
  if not (step_s.n and lengths.n and lengths.mean > 0 and bh_per_s > 0):
    return _CadenceBySpeed(math.nan, False)
  if max(step_s.of_one_leg, lengths.of_one_leg) == 1:  # who limps has other steps of the other leg
    return _CadenceBySpeed(60 * bh_per_s / lengths.mean, False)
  sds = (
    math.sqrt(2 / step_s.n) * CONTACT_SD_S / step_s.mean,
    math.sqrt(1 / lengths.n) * STEP_SD_BH / lengths.mean,
    SPEED_SD,
    LEG_SD * step_s.of_one_leg,
    LEG_SD * lengths.of_one_leg,
  )
  apart = abs(math.log(step_s.mean * bh_per_s / lengths.mean))
  return _CadenceBySpeed(60 * bh_per_s / lengths.mean, apart > APART_SDS * math.hypot(*sds))


class _Steps(NamedTuple):
  """A measure of the steps of both legs.

  Attributes:
    mean: over all steps.
    n: number of steps.
    of_one_leg: share by which one leg has more of them, 0 to 1.
  """

  mean: float
  n: int
  of_one_leg: float


def _over_legs(summary: dict[str, Any], measure: str) -> _Steps:
  legs = [summary[leg][measure] for leg in conventions.LEGS if summary[leg][measure]['n']]
  counts = [leg['n'] for leg in legs]
  n = sum(counts)
  if not n:
    return _Steps(math.nan, 0, 0.0)
  mean = sum(leg['n'] * leg['mean'] for leg in legs) / n
  return _Steps(mean, n, (2 * max(counts) - n) / n)


def _check_total_force(mean_total_bw: float | None) -> Iterator[Flag]:
  if mean_total_bw is not None and abs(mean_total_bw - 1) > TOTAL_BW:
    yield Flag(
      'gait.total_force',
      f'Over whole strides both legs together carry {mean_total_bw:.2f} BW on average; it must be '
      '1, so the curves are wrong by about as much.',
    )


def check_speed(speed: walking_speed.WalkingSpeed, given: walking_speed.Given) -> list[Flag]:
  """Tells what is missing or implausible of speed and lengths."""
  flags = []
  if speed.withheld:
    flags.append(
      Flag(
        'gait.no_walking_speed', f'There is no walking speed or stride length: {speed.withheld}.'
      )
    )
  elif given.height_m is None and given.scale_m_per_px is None:
    flags.append(
      Flag(
        'gait.no_body_height',
        'Walking speed, step and stride length are in body heights, not in metres: the body height '
        'is not given.',
      )
    )
  if speed.mps < WALKING_MPS[0] or speed.mps > WALKING_MPS[1]:
    flags.append(
      Flag(
        'gait.walking_speed',
        f'The walking speed of {speed.mps:.2f} m/s is outside {WALKING_MPS[0]:g} to '
        f'{WALKING_MPS[1]:g} m/s: the height or the scale given may be wrong, or the film '
        'is slowed down or sped up.',
      )
    )
  off = given.height_m is not None and (
    abs(speed.scaled_height_m - given.height_m) > SCALE_OFF * given.height_m
  )
  if off:
    flags.append(
      Flag(
        'gait.scale',
        f'By the scale given the walker is {speed.scaled_height_m:.2f} m tall, but the height '
        f'given is {given.height_m:.2f} m; metres are by the scale.',
      )
    )
  return flags


def check_steps(
  contacts: list[foot_contacts.MeasuredContact], feet_are_known: bool
) -> Iterator[Flag]:
  """Tells what is missing or implausible of step lengths.

  Args:
    contacts: of both feet, measured.
    feet_are_known: whether the network tells where the feet stand.
  """
  lengths = [(c, c.measures['step_length_bh']) for c in contacts]
  lengths = [(c, length) for c, length in lengths if math.isfinite(length)]
  if feet_are_known and not lengths:
    yield Flag(
      'gait.no_step_length',
      'There is no step length: of no two contacts, one after the other, it was seen where both '
      'feet stand.',
    )
  for contact, length in lengths:
    if not STEP_BH[0] <= length <= STEP_BH[1]:
      yield Flag(
        'gait.step_length',
        f'The step of the {contact.leg} foot at {contact.start_s:.2f} s is {length:.2f} body '
        f'heights long; in walking it is {STEP_BH[0]:g} to {STEP_BH[1]:g}. The foot may not stand '
        'where it was taken to, and it is in the means.',
        contact.start_s,
      )
