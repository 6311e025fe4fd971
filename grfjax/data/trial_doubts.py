"""What is doubtful in a trial that a build would take, and what is good to know of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from grfjax import conventions
from grfjax.data import (
  clip_config,
  findings,
  force_labels,
  plate_checks,
  plate_contacts,
  trial_forces,
  trial_labels,
  walker_views,
)
from grfjax.gait import foot_contacts, plausibility

PEAK_BW = (0.9, plausibility.PEAK_BW)  # of one leg; slow walking stays at 1
# Mean vertical force of a leg over a whole contact: 0.77 to 0.96 body weights in 218 trials
# (`plate_checks`), with an allowance. A body mass that is wrong by a quarter falls outside.
MEAN_BW = (0.7, 1.05)
# Over a whole stride both legs carry one body weight on average (`plausibility.TOTAL_BW`); plates
# are more exact than estimates.
TOTAL_BW = 0.05
_STEP_S = 0.3  # a contact that lasts as long as a step does

CROSSED_M = 0.06  # feet cross by less, even where they cross in walking
UNCERTAINTY_S = 0.01  # of the video's start; half an interval of 60 frames a second is below it
FRAME_RATE = 50.0  # frames a second; a heel strike is over in 20 to 30 ms
# A foot on the floor in the window: no further from its middle, walker's heights, and near its
# floor line; those of feet beside the walker are doubted.
SOLE_FORWARD, SOLE_UP, SOLE_ASTRAY = 0.6, 0.2, 0.1
SOLE_LOADED = 0.7  # of the frames in which a foot stands, those in which a plate carries it
KNOWN_S = 0.3  # of a leg, seconds: half a stance
WITHHELD = 0.1  # of a walk's frames


def of_view(
  view: walker_views.WalkerViews, cfg: clip_config.ClipConfig, given_speed: float | None = None
) -> list[findings.Finding]:
  """Returns what is doubtful or good to know in a trial's video.

  Args:
    view: of the walk.
    cfg: how voxels are cut.
    given_speed: real seconds in a second of film as trials.csv has it; None where it does not.
  """
  return [*_of_rate(view, given_speed), *_of_walk(view, cfg)]


def _of_rate(
  view: walker_views.WalkerViews, given_speed: float | None
) -> Iterator[findings.Finding]:
  fps = view.video.fps
  if fps < FRAME_RATE:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.frame_rate',
      f'The video has {fps:.3g} frames a second: what is faster than that, such as the rise of the '
      'force at initial contact, is not seen.',
      f'Film at {FRAME_RATE:g} frames a second or more.',
    )
  if view.video.speed != 1 and given_speed is None:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.playback_speed',
      f'The file says that a second of film is {view.video.speed:.3g} real seconds, and its times '
      'are taken so.',
      'See whether the walk takes as long as it did; otherwise give the true value in the column '
      'speed of trials.csv.',
    )


def _of_walk(
  view: walker_views.WalkerViews, cfg: clip_config.ClipConfig
) -> Iterator[findings.Finding]:
  if view.walks > 1:
    yield findings.Finding(
      findings.Level.NOTE,
      'check.several_walks',
      f'The video shows {view.walks} walks across the picture; the one that goes furthest, from '
      f'{view.time_s[0]:.1f} to {view.time_s[-1]:.1f} s, is the trial.',
      'Cut the video if another one is meant.',
    )
  clear = view.clear[view.frame[0] : view.frame[-1] + 1]
  share = 1 - float(clear.mean())
  if share > 0:
    why = '; '.join(map(str, view.gaps))
    yield findings.Finding(
      findings.Level.DOUBT if share > WITHHELD else findings.Level.NOTE,
      'check.withheld',
      f'{(~clear).sum()} of the {len(clear)} frames of the walk do not show the walker clearly, '
      f'and nothing is learned from them{f" ({why})" if why else ""}.',
      'Film one person at a time, whole in the picture, with a camera that stands still.',
    )
  if cfg.follow and (rows := float(np.nanmedian(view.box[:, 3]))) < cfg.rows:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.small_walker',
      f'The window around the walker is {rows:.0f} pixels high, less than the {cfg.rows} that the '
      'network sees.',
      'Film from nearer, or with more pixels.',
    )


def leg_contacts(forces: trial_forces.TrialForces) -> dict[str, list[foot_contacts.Contact]]:
  """Returns the contacts of each leg that has plates, on the force clock."""
  return {
    leg: plate_contacts.find_contacts(forces.time_s, newtons[:, 2], forces.threshold_n)
    for leg, newtons in forces.leg_force.items()
  }


def peaks_bw(forces: trial_forces.TrialForces) -> dict[str, float]:
  """Returns the largest vertical force of each leg, means over 1/60 s, body weights."""
  half_s = plate_contacts.WINDOW_S / 2
  first, last = forces.time_s[[0, -1]] + [half_s, -half_s]
  centres_s = np.arange(first, last, half_s)
  peaks = {}
  for leg, newtons in forces.leg_force.items():
    mean, _ = plate_contacts.window_means(forces.time_s, newtons[:, 2], centres_s)
    peaks[leg] = float(np.nanmax(mean, initial=0.0) / forces.body_weight_n)
  return peaks


def of_forces(forces: trial_forces.TrialForces) -> list[findings.Finding]:
  """Returns what is doubtful or good to know in a trial's forces."""
  return [*_of_reading(forces), *_of_size(forces), *_of_place(forces)]


def _crossed(forces: trial_forces.TrialForces) -> float:
  """Returns how far the left foot stands to the right of the right one, metres; NaN if unknown."""
  left, right = (forces.leg_pressure.get(leg) for leg in conventions.LEGS)
  if left is None or right is None or np.isnan(left).all() or np.isnan(right).all():
    return np.nan
  return float(np.nanmedian(right[:, 1]) - np.nanmedian(left[:, 1]))


def _of_reading(forces: trial_forces.TrialForces) -> Iterator[findings.Finding]:
  if plate_checks.legs_look_swapped(forces.leg_force, forces.body_weight_n):
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.legs_swapped',
      'The floor pushes both feet outwards; walking pushes them inwards.',
      'See whether left and right are swapped in plates, or y points to the right in the file.',
    )
  if forces.pressure_doubt:
    text = forces.pressure_doubt
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.pressure',
      f'{text[:1].upper()}{text[1:]} The centre of pressure is not used.',
      'See whether it is in the unit that the file says, and in axes that all plates share.',
      file=str(forces.trial.force[0]),
    )
  crossed_m = _crossed(forces)
  if crossed_m > CROSSED_M:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.feet_crossed',
      f"The left foot's centre of pressure lies {100 * crossed_m:.0f} cm to the right of the right "
      "foot's.",
      'See whether left and right are swapped in plates, or y of the centre of pressure points to '
      'the right in the file.',
      file=str(forces.trial.force[0]),
    )
  for note in forces.notes:
    text = note.removeprefix(f'{forces.trial.force_name}: ')
    yield findings.Finding(
      findings.Level.NOTE,
      'check.force_note',
      f'Reading the forces: {text}',
      file=str(forces.trial.force[0]),
    )


def _of_size(forces: trial_forces.TrialForces) -> Iterator[findings.Finding]:
  low, high = PEAK_BW
  for leg, peak in peaks_bw(forces).items():
    if not low <= peak <= high:
      yield findings.Finding(
        findings.Level.DOUBT,
        'check.peak_force',
        f'The vertical force of the {leg} leg reaches {peak:.2f} body weights; walking reaches '
        f'{low:g} to {high:g}.',
        'See whether the body mass is right, whether the foot was whole on its plate, and whether '
        'the person walked.',
      )
  low, high = MEAN_BW
  for leg, contacts in leg_contacts(forces).items():
    means = [
      _mean_vertical_n(forces, leg, contact) / forces.body_weight_n
      for contact in contacts
      if contact.is_whole and contact.end_s - contact.start_s > _STEP_S
    ]
    odd = [mean for mean in means if not low <= mean <= high]
    if odd:
      yield findings.Finding(
        findings.Level.DOUBT,
        'check.mean_force',
        f'The {leg} leg carries {odd[0]:.2f} body weights on average over a contact; walking gives '
        f'{low:g} to {high:g}.',
        'See whether the body mass is right, and whether the foot was whole on its plate.',
      )
  totals = _stride_totals_bw(forces)
  if totals and abs(float(np.mean(totals)) - 1) > TOTAL_BW:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.total_force',
      f'Over a whole stride both legs carry {np.mean(totals):.2f} body weights on average; whoever '
      'walks steadily carries 1.',
      'See whether the body mass is right, and whether the plates are calibrated.',
    )


def _mean_vertical_n(
  forces: trial_forces.TrialForces, leg: str, contact: foot_contacts.Contact
) -> float:
  during = (forces.time_s >= contact.start_s) & (forces.time_s <= contact.end_s)
  return float(forces.leg_force[leg][during, 2].mean())


def _stride_totals_bw(forces: trial_forces.TrialForces) -> list[float]:
  """Returns the mean vertical force of both legs over each stride that the plates show whole."""
  totals = []
  for contacts in leg_contacts(forces).values():
    for first, second in itertools.pairwise(contacts):
      if not (first.is_whole and second.whole_start):
        continue
      step_s = plate_contacts.WINDOW_S
      time_s = np.arange(first.start_s + step_s / 2, second.start_s, step_s)
      force, known, _ = force_labels.label_legs(
        forces.leg_force, forces.time_s, time_s, forces.body_weight_n, forces.threshold_n
      )
      if known.all():
        totals.append(float(force[:, :, 2].sum(1).mean() / forces.body_weight_n))
  return totals


def _of_place(forces: trial_forces.TrialForces) -> Iterator[findings.Finding]:
  if forces.uncertainty_s:
    is_coarse = forces.uncertainty_s > UNCERTAINTY_S
    yield findings.Finding(
      findings.Level.DOUBT if is_coarse else findings.Level.NOTE,
      'check.contact_frame',
      f'contact_frame places the video at {forces.video_start_s:.4f} s of the force clock, give or '
      f'take {1e3 * forces.uncertainty_s:.1f} ms.',
      'Give video_start_s from a common trigger, or film at a higher rate.' if is_coarse else '',
    )


def of_labels(
  view: walker_views.WalkerViews,
  forces: trial_forces.TrialForces,
  label: trial_labels.TrialLabels,
) -> list[findings.Finding]:
  """Returns what is doubtful or good to know in what a build would know of a trial."""
  return [*_of_covering(view, forces), *_of_legs(view, forces, label), *_of_soles(forces, label)]


def _of_soles(
  forces: trial_forces.TrialForces, label: trial_labels.TrialLabels
) -> Iterator[findings.Finding]:
  sole = label.sole[label.sole_known]
  if not len(sole):
    return
  astray = (np.abs(sole) > [SOLE_FORWARD, SOLE_UP]).any(-1)
  if astray.mean() > SOLE_ASTRAY:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.feet',
      f'{astray.mean():.0%} of the places of the feet are not under the walker whom the video '
      'shows.',
      'See whether they are in pixels of this video as it was filmed, from its left and upper '
      'edge, and from its first frame.',
      file=str(forces.trial.feet),
    )
  decided = label.sole_known & label.known
  if decided.any() and not label.contact[decided].mean() > SOLE_LOADED:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.feet',
      f'In {1 - label.contact[decided].mean():.0%} of frames in which a foot is said to stand, '
      'the plates have it in the air.',
      "See whether left and right are exchanged, and whether the times are on the video's clock.",
      file=str(forces.trial.feet),
    )


def _of_covering(
  view: walker_views.WalkerViews, forces: trial_forces.TrialForces
) -> Iterator[findings.Finding]:
  start, end = (float(t) - forces.video_start_s for t in forces.time_s[[0, -1]])
  outside = (view.time_s < start) | (view.time_s > end)
  if outside.any():
    yield findings.Finding(
      findings.Level.NOTE,
      'check.force_span',
      f"On the video's clock the forces run from {start:.2f} to {end:.2f} s, but the walk from "
      f'{view.time_s[0]:.2f} to {view.time_s[-1]:.2f} s: for {outside.mean():.0%} of it nothing is '
      'known.',
    )


def _of_legs(
  view: walker_views.WalkerViews,
  forces: trial_forces.TrialForces,
  label: trial_labels.TrialLabels,
) -> Iterator[findings.Finding]:
  names = [conventions.LEGS[i] for i in conventions.near_far_to_legs(forces.trial.camera)]
  start, end = (float(t) + forces.video_start_s for t in view.time_s[[0, -1]])
  contacts = leg_contacts(forces)
  step_s = float(np.median(np.diff(view.time_s)))
  for i, (side, leg) in enumerate(zip(('near', 'far'), names, strict=True)):
    if not label.contact[:, i].any():
      yield findings.Finding(
        findings.Level.DOUBT,
        'check.no_contact',
        f'The {side} ({leg}) leg is never on a plate while the walker is seen'
        f'{"" if leg in forces.leg_force else "; plates does not name it"}.',
        'See whether plates names the leg that stepped on each plate, and whether the video is '
        'placed rightly.',
      )
      continue
    is_whole = [
      c.is_whole and start <= c.start_s and c.end_s <= end for c in contacts[leg]
    ]  # fmt: skip
    if not any(is_whole):
      yield findings.Finding(
        findings.Level.NOTE,
        'check.no_whole_stance',
        f'No stance of the {side} ({leg}) leg is on a plate and in the video from its initial '
        'contact to its toe-off.',
      )
    known_s = float(label.known[:, i].sum()) * step_s
    if known_s < KNOWN_S:
      yield findings.Finding(
        findings.Level.DOUBT,
        'check.few_known_frames',
        f'The force of the {side} ({leg}) leg is known for {known_s:.2f} s of the walk, less than '
        'half a stance.',
        'Let the plates lie in the middle of what the camera sees, and see whether the video is '
        'placed rightly.',
      )
