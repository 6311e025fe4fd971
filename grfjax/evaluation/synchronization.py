"""Where a video lies on the clock of the force plates, read off the forces estimated in it.

Nothing is known of the start but what the curves show. Every start at which the video shows a part
of each step on the plates is tried. At each, the estimated vertical force of both legs is compared
with that of the plates, averaged over a frame's window, as far as the plates decide it
(`force_labels.label_legs`): frames in which they know nothing are no evidence, for or against. The
start that the estimate supports most is read again in three ways, by the vertical curves, the
forward curves and the times of contact, whose median is proposed and whose spread is its
uncertainty.

Walking repeats itself: where another start fits as well, the proposal is refused, unless other
trials say where in the picture the plates are. docs/synchronization.md has how often that was
right.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import math

import numpy as np

from grfjax import conventions
from grfjax.data import force_labels, plate_contacts
from grfjax.gait import foot_contacts, force_curves

# The video is taken to show this much of every contact on the plates. Without an assumption of
# this kind a start could never be told from those a stride earlier and later, of which the video
# shows a part too.
SEEN = 0.25

# Less than this of the time on plates is too little to propose a start by: in videos cut off in the
# middle of the plates, other steps fitted as well.
ENOUGH = 0.7

# A start fits where the curves differ by less than this share of what they would by chance: right
# starts gave 0.02 to 0.12, and 0.1 s beside one gives 0.3 and more.
FITS = 0.3

# Two starts nearer than this are one: half of a quick child's step.
APART_S = 0.2

# What the forces of somebody else mostly exceed, and the right ones never did, of people whom the
# network had not learned from.
MAX_MISFIT_PCT_BW = 9.0
MAX_CONTACT_SPREAD_S = 0.016
USUAL_MISFIT_PCT_BW = 6.5  # 95 of 100 right starts have less

# A start beside the best is no rival where its misfit is so many times the most.
_NO_RIVAL = 1.5

# A given start is doubted where it is further from the one that is found; right ones were within
# 10 ms.
DISAGREE_S = 0.025

# How far the three readings err together: their spread does not show it.
COMMON_ERROR_S = 0.003

_MIN_LOADED_S = 0.2  # of a leg on the floor, so that there is something to place
_COARSE_S, _FINE_S = 0.01, 0.001
_REFINED_S = 0.04  # the fine search goes so far to both sides
_PARABOLA = 5  # samples to both sides of the least one
# Where the cost turns from the square of the difference to its amount, by axis (vertical, forward):
# some of an edge's height, so that what the estimate gets wrong as a whole does not pull.
_HUBER_BW = (0.1, 0.03)
_CHANCE_SAMPLES = 500
_SAME_CONTACT_S = 0.1

# A walker who is further from the plates than he goes in this time is at another step: a stride
# takes 0.8 s and more, and where in the picture the right steps were varied by 0.1 s.
_SAME_PLACE_S = 0.2
_TELLING, _AGREEING = 3, 2 / 3  # trials that tell where the plates are, and how many must agree


@dataclasses.dataclass(frozen=True)
class Candidate:
  """A start that the estimate may have.

  Attributes:
    video_start_s: the force clock at the video's first frame.
    uncertainty_s: the start is within this of it about nineteen times in twenty, if this candidate
      is the right one; NaN where the curves do not tell.
    misfit_pct_bw: mean absolute difference of the vertical force, over frames in which a foot is on
      a plate and has an estimate; NaN where there is none.
    contact_spread_s: standard deviation of the differences between the times of contact and
      toe-off in the estimate and on the plates; NaN with fewer than two.
    place_px: where the walker is in the picture, horizontally, midway through the contacts on
      plates; NaN where the walker is not followed then.
  """

  video_start_s: float
  uncertainty_s: float
  misfit_pct_bw: float
  contact_spread_s: float
  place_px: float


@dataclasses.dataclass(frozen=True)
class Proposal:
  """What the estimate says about the start of a video.

  Attributes:
    candidates: the starts that fit, the best supported first; where none does, the best alone, as
      far as it is worth drawing.
    runner_up_s: the next best start, fitting or not; NaN where only one was possible.
    runner_up_misfit_pct_bw: its misfit.
    speed_px_s: how fast the walker crosses the picture; NaN where the walker is not followed.
    problem: '' where the first candidate is proposed, otherwise the code of what stands against
      it, such as 'sync.ambiguous'.
    sentence: the result in words, without the trial's name.
  """

  candidates: tuple[Candidate, ...]
  runner_up_s: float
  runner_up_misfit_pct_bw: float
  speed_px_s: float
  problem: str
  sentence: str

  @property
  def best(self) -> Candidate:
    """The best supported start; all of it NaN where there is none."""
    return self.candidates[0] if self.candidates else Candidate(*[math.nan] * 5)

  @property
  def unusual(self) -> bool:
    """Whether the start is proposed, but fits worse than 95 of 100 right ones."""
    return not self.problem and self.misfit_pct_bw > USUAL_MISFIT_PCT_BW

  @property
  def video_start_s(self) -> float:
    """The force clock at the video's first frame; to be used only where there is no problem."""
    return self.best.video_start_s

  @property
  def uncertainty_s(self) -> float:
    """The uncertainty of `video_start_s`."""
    return self.best.uncertainty_s

  @property
  def misfit_pct_bw(self) -> float:
    """The misfit at `video_start_s`."""
    return self.best.misfit_pct_bw


def find_start(
  estimate: force_curves.ForceCurves,
  leg_force: collections.abc.Mapping[str, np.ndarray],
  time_s: np.ndarray,
  body_weight_n: float,
  threshold_n: float = conventions.CONTACT_N,
) -> Proposal:
  """Proposes when a video began, by the clock of its force plates.

  Args:
    estimate: of the video's N frames, made without these forces.
    leg_force: leg -> (M, 3) newtons in plate axes, for the legs that have plates.
    time_s: (M,) force clock, seconds.
    body_weight_n: newtons.
    threshold_n: vertical force over which a plate counts as stepped on, newtons.
  """
  plates = _PlateCurves.sample(leg_force, time_s, body_weight_n, threshold_n)
  if not plates.contacts:
    return _refused(
      'sync.no_contact',
      f'nobody stands on a plate: no vertical force stays over {threshold_n:g} N for 0.1 s',
    )
  video = _Video(estimate)
  if (loaded_s := video.loaded_s(list(leg_force))) < _MIN_LOADED_S:
    return _refused(
      'sync.no_estimate',
      f'the estimate shows a foot that has a plate on the floor for {loaded_s:.2f} s; expected '
      f'{_MIN_LOADED_S:g} s and more',
    )
  starts = plates.possible_starts(*video.followed_s)
  if not len(starts):
    low, high = video.followed_s
    return _refused(
      'sync.not_shown',
      f'the walker is followed for {high - low:.2f} s, too short to show a part of each of the '
      f'{len(plates.contacts)} contacts on the plates, which last from '
      f'{plates.contacts[0].start_s:.2f} to {max(c.end_s for c in plates.contacts):.2f} s',
    )
  return _Search(video, plates, starts).propose()


def settle_by_place(
  proposals: collections.abc.Mapping[str, Proposal],
  known_px: collections.abc.Iterable[float] = (),
) -> dict[str, Proposal]:
  """Decides ambiguous trials, and checks clear ones, by where in the picture the plates are.

  The camera must have stood still over all these trials, and their walkers have stepped on the same
  plates. Where these are is the median over `known_px` and the trials that are clear; it takes
  three of them, of which two thirds agree. Of several candidates, the one at which the walker is
  there is chosen; a trial that is clear, but with the walker elsewhere, is refused.

  Args:
    proposals: trial -> what its curves say.
    known_px: `place_px` of trials whose start is known otherwise.

  Returns:
    trial -> proposal, in the same order.
  """
  known = [x for x in known_px if math.isfinite(x)]
  clear = [p.best.place_px for p in proposals.values() if not p.problem]
  places = np.array(known + [x for x in clear if math.isfinite(x)])
  speeds = [p.speed_px_s for p in proposals.values() if math.isfinite(p.speed_px_s)]
  if len(places) < _TELLING or not speeds:
    return dict(proposals)
  plates_px = float(np.median(places))
  agree = np.abs(places - plates_px) <= _SAME_PLACE_S * float(np.median(speeds))
  if agree.mean() < _AGREEING:
    return dict(proposals)
  return {name: _settle(proposal, plates_px) for name, proposal in proposals.items()}


def disagreement(proposal: Proposal, given_s: float, given_uncertainty_s: float) -> str:
  """Returns in words how a start that is given differs from the proposal; '' if it does not.

  Args:
    proposal: what the curves say.
    given_s: the force clock at the video's first frame, as trials.csv has it.
    given_uncertainty_s: half a frame interval where it was placed by `contact_frame`, else 0.

  Returns:
    A sentence where they differ by more than their uncertainties and 25 ms; '' also where the
    proposal has a problem.
  """
  difference = proposal.video_start_s - given_s
  allowed = max(DISAGREE_S, proposal.uncertainty_s + given_uncertainty_s)
  if proposal.problem or abs(difference) <= allowed:
    return ''
  return (
    f'the start in trials.csv places the video at {given_s:.3f} s of the force clock, '
    f'{abs(difference):.3f} s {"earlier" if difference > 0 else "later"} than its estimated '
    f'forces do ({proposal.video_start_s:.3f} s, within {1000 * proposal.uncertainty_s:.0f} ms)'
  )


def place_px(
  estimate: force_curves.ForceCurves,
  leg_force: collections.abc.Mapping[str, np.ndarray],
  time_s: np.ndarray,
  video_start_s: float,
  threshold_n: float = conventions.CONTACT_N,
) -> float:
  """Returns where the walker is midway through the contacts of a trial whose start is known.

  Args:
    estimate: of the video.
    leg_force: leg -> (M, 3) newtons in plate axes.
    time_s: (M,) force clock, seconds.
    video_start_s: the force clock at the video's first frame.
    threshold_n: newtons.

  Returns:
    The horizontal position in the picture, pixels; NaN where nobody is followed then.
  """
  contacts = _contacts(leg_force, time_s, threshold_n)
  return _Video(estimate).place_px(_middle_s(contacts) - video_start_s) if contacts else math.nan


def _refused(problem: str, sentence: str) -> Proposal:
  return Proposal((), math.nan, math.nan, math.nan, problem, sentence)


def _contacts(
  leg_force: collections.abc.Mapping[str, np.ndarray], time_s: np.ndarray, threshold_n: float
) -> list[foot_contacts.Contact]:
  """Returns the contacts of all legs in order."""
  found = [plate_contacts.find_contacts(time_s, f[:, 2], threshold_n) for f in leg_force.values()]
  return sorted((c for contacts in found for c in contacts), key=lambda c: c.start_s)


def _middle_s(contacts: list[foot_contacts.Contact]) -> float:
  return float(np.mean([(c.start_s + c.end_s) / 2 for c in contacts]))


def _settle(proposal: Proposal, plates_px: float) -> Proposal:
  """Returns a proposal that knows where in the picture the plates are."""
  if proposal.problem not in ('', 'sync.ambiguous'):
    return proposal
  places = np.array([c.place_px for c in proposal.candidates])
  if not np.isfinite(places).all():
    return proposal
  near = np.abs(places - plates_px) <= _SAME_PLACE_S * proposal.speed_px_s
  if not proposal.problem and not near[0]:
    return dataclasses.replace(
      proposal,
      problem='sync.other_place',
      sentence=f'at {proposal.video_start_s:.3f} s, the start that fits, the walker steps on the '
      f'plates at {places[0]:.0f} px of the picture, but in the other trials at {plates_px:.0f} '
      'px: does the video show other steps than these, or did the camera move?',
    )
  if not proposal.problem or near.sum() != 1:
    return proposal
  chosen = proposal.candidates[int(np.argmax(near))]
  others = tuple(c for c in proposal.candidates if c is not chosen)
  problem, sentence = _judge(chosen)
  if not problem:
    sentence += (
      f'; of {len(places)} starts that fit, it is the one at which the walker is where the plates '
      'are in the other trials'
    )
  return dataclasses.replace(
    proposal,
    candidates=(chosen, *others),
    runner_up_s=others[0].video_start_s,
    runner_up_misfit_pct_bw=others[0].misfit_pct_bw,
    problem=problem,
    sentence=sentence,
  )


def _judge(candidate: Candidate) -> tuple[str, str]:
  """Returns the problem of a start that has no rival, or '', and a sentence."""
  misfit, spread = candidate.misfit_pct_bw, candidate.contact_spread_s
  if not math.isfinite(candidate.uncertainty_s):
    return 'sync.misfit', (
      'the estimate fits the plates at no start at which the video shows a part of every contact: '
      'does it show fewer, or are the forces those of another trial?'
    )
  missed = f'the estimate misses the plates by {misfit:.1f} % of body weight'
  if misfit > MAX_MISFIT_PCT_BW or spread > MAX_CONTACT_SPREAD_S:
    return 'sync.misfit', (
      f'at the best start, {candidate.video_start_s:.3f} s, {missed}, and its times of contact '
      f'disagree by {1000 * spread:.0f} ms: are the forces those of another trial, or is the walk '
      'unlike those that the network knows?'
    )
  sentence = (
    f'the video begins at {candidate.video_start_s:.3f} s of the force clock, within '
    f'{1000 * candidate.uncertainty_s:.0f} ms; there {missed}'
  )
  if misfit > USUAL_MISFIT_PCT_BW:
    sentence += (
      f', which is unusual (95 of 100 right starts: less than {USUAL_MISFIT_PCT_BW:g}): look at '
      'the curves, and whether the forces are those of this trial'
    )
  return '', sentence


@dataclasses.dataclass(frozen=True)
class _PlateCurves:
  """The plates' forces at every millisecond, as a frame would have them for a label.

  Attributes:
    start_s: the force clock at the first sample.
    force: (M, 2, 3) body weights, leg (left, right) x (vertical, forward, to the walker's left);
      NaN where the plates do not decide it.
    vertical: (M, 2) body weights, what the plates of each leg read, whether it decides the force or
      not; NaN for a leg without.
    contacts: on the plates, of both legs, in order.
    loaded_bw: vertical force over which a foot is on a plate.
  """

  start_s: float
  force: np.ndarray
  vertical: np.ndarray
  contacts: list[foot_contacts.Contact]
  loaded_bw: float

  @classmethod
  def sample(
    cls,
    leg_force: collections.abc.Mapping[str, np.ndarray],
    time_s: np.ndarray,
    body_weight_n: float,
    threshold_n: float,
  ) -> _PlateCurves:
    """Averages and labels; the arguments are those of `find_start`."""
    count = int((time_s[-1] - time_s[0]) / _FINE_S + 1e-6) + 1
    at_s = time_s[0] + np.arange(count) * _FINE_S
    newtons, known, _ = force_labels.label_legs(leg_force, time_s, at_s, body_weight_n, threshold_n)
    force = conventions.plates_to_walker(newtons) / body_weight_n
    force[~known] = np.nan
    vertical = np.full((count, 2), np.nan)
    for leg, newtons_of_leg in leg_force.items():
      mean, _ = plate_contacts.window_means(time_s, newtons_of_leg[:, 2], at_s)
      vertical[:, conventions.LEGS.index(leg)] = mean / body_weight_n
    contacts = _contacts(leg_force, time_s, threshold_n)
    return cls(float(time_s[0]), force, vertical, contacts, threshold_n / body_weight_n)

  def at(self, time_s: np.ndarray, axes: int = 3) -> np.ndarray:
    """Returns the forces (K, 2, axes) at (K,) times of the force clock, NaN where not known."""
    return self._interpolate(self.force[..., :axes], time_s)

  def contacts_at(self, time_s: np.ndarray) -> list[foot_contacts.MeasuredContact]:
    """Returns the contacts as they would be found at frames, at (K,) times of the force clock.

    So both that are compared have the frames' error of straight lines from one to the next.
    """
    return foot_contacts.find_contacts(time_s, self._interpolate(self.vertical[..., None], time_s))

  def _interpolate(self, values: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Returns values (M, ...) at (K,) times of the force clock, NaN outside of the recording."""
    position = (time_s - self.start_s) / _FINE_S
    inside = (position >= 0) & (position <= len(values) - 1)
    before = np.clip(position.astype(int), 0, len(values) - 2)
    share = (position - before)[:, None, None]
    found = (1 - share) * values[before] + share * values[before + 1]
    found[~inside] = np.nan
    return found

  def possible_starts(self, first_s: float, last_s: float) -> np.ndarray:
    """Returns the starts (K,) at which a part of every contact is shown.

    Args:
      first_s: on the video's clock, when the walker is first followed.
      last_s: when last.
    """
    parts = [SEEN * (c.end_s - c.start_s) for c in self.contacts]
    if last_s - first_s < max(parts):
      return np.empty(0)
    both = list(zip(self.contacts, parts, strict=True))
    low = max(c.start_s + part for c, part in both) - last_s
    high = min(c.end_s - part for c, part in both) - first_s
    return np.arange(low, high, _COARSE_S)


class _Video:
  """What the estimate of a video says, and where it says nothing."""

  def __init__(self, estimate: force_curves.ForceCurves):
    """Looks where the walker is followed and where there is an estimate."""
    self.time_s = estimate.time_s
    self.force = estimate.force
    self.contacts = foot_contacts.find_contacts(estimate.time_s, estimate.force)
    self._centre_px = estimate.box[:, 0] + estimate.box[:, 2] / 2
    estimated = estimate.has_estimate
    followed = np.flatnonzero(np.isfinite(self._centre_px) | estimated.any(axis=1))
    self._span = slice(followed[0], followed[-1] + 1) if len(followed) else slice(0, 0)
    # A leg that the network does not know at all is not hidden: it could never be seen.
    self.hidden = np.zeros_like(estimated)
    self.hidden[self._span] = ~estimated[self._span] & estimated.any(axis=0)

  @property
  def followed_s(self) -> tuple[float, float]:
    """When the walker is first and last followed."""
    times = self.time_s[self._span]
    return float(times[0]), float(times[-1])

  def loaded_s(self, legs: list[str]) -> float:
    """Returns for how long contacts of these legs are seen, seconds."""
    return sum(c.end_s - c.start_s for c in self.contacts if c.leg in legs)

  @property
  def speed_px_s(self) -> float:
    """How fast the walker crosses the picture; NaN where not followed."""
    speed = np.abs(np.gradient(self._centre_px, self.time_s))
    return float(np.median(speed[np.isfinite(speed)])) if np.isfinite(speed).any() else math.nan

  def place_px(self, time_s: float) -> float:
    """Returns where the walker is in the picture at a time; NaN where not followed."""
    seen = np.flatnonzero(np.isfinite(self._centre_px))
    if not len(seen):
      return math.nan
    return float(
      np.interp(time_s, self.time_s[seen], self._centre_px[seen], left=math.nan, right=math.nan)
    )


@dataclasses.dataclass(frozen=True)
class _Search:
  """The search for the start of a video among those that are possible.

  Attributes:
    video: the estimate.
    plates: the plates' forces.
    starts: (K,) possible starts, a hundredth of a second apart.
  """

  video: _Video
  plates: _PlateCurves
  starts: np.ndarray

  def propose(self) -> Proposal:
    """Finds the start and its rivals, and judges."""
    chance = self._chance_cost()
    share, support = np.empty(len(self.starts)), np.empty(len(self.starts))
    for k, start in enumerate(self.starts):
      costs, hidden = self._costs(start)
      # What is hidden may fit: a start cannot be excluded by frames without an estimate.
      share[k] = costs.sum() / chance / max(len(costs) + hidden, 1)
      support[k] = len(costs) - costs.sum() / chance
    picked = self._pick(share, support)
    best, *others = self.starts[picked or [int(np.argmax(support))]].tolist()
    found = [self._candidate(start) for start in (best, *others)]
    # One without any misfit is hidden, and may be the right one.
    rivals = [c for c in found[1:] if not c.misfit_pct_bw > _NO_RIVAL * MAX_MISFIT_PCT_BW]
    candidates = (found[0], *rivals)
    beside = np.flatnonzero(np.abs(self.starts - best) > APART_S)
    runner_up = float(self.starts[beside[np.argmin(share[beside])]]) if len(beside) else math.nan
    if len(candidates) > 1:
      runner_up = candidates[1].video_start_s
    problem, sentence = self._verdict(candidates)
    return Proposal(
      candidates,
      runner_up,
      self._misfit(runner_up),
      self.video.speed_px_s,
      problem,
      sentence,
    )

  def _pick(self, share: np.ndarray, support: np.ndarray) -> list[int]:
    """Returns the starts that fit, the best supported first: indices into `starts`."""
    padded = np.pad(share, 1, constant_values=np.inf)
    fits = (share <= FITS) & (share <= padded[:-2]) & (share <= padded[2:])
    picked: list[int] = []
    for k in sorted(np.flatnonzero(fits).tolist(), key=lambda k: -support[k]):
      if all(abs(self.starts[k] - self.starts[other]) > APART_S for other in picked):
        picked.append(k)
    return picked

  def _verdict(self, candidates: tuple[Candidate, ...]) -> tuple[str, str]:
    best = candidates[0]
    if self._legs_exchanged(best.video_start_s):
      return 'sync.legs_exchanged', (
        f'at the best start, {best.video_start_s:.3f} s, the plates push sideways against the '
        'estimate: are left and right exchanged in plates, or does y not point to the left?'
      )
    if len(candidates) == 1:
      problem, sentence = _judge(best)
      if not problem and (shown := self._share_shown(best.video_start_s)) < ENOUGH:
        return 'sync.not_shown', (
          f'at the best start, {best.video_start_s:.3f} s, there is an estimate for {shown:.0%} of '
          f'the time that feet are on plates; expected {ENOUGH:.0%} and more'
        )
      return problem, sentence
    listed = ', '.join(f'{c.video_start_s:.3f} s ({c.misfit_pct_bw:.1f} %)' for c in candidates)
    return 'sync.ambiguous', (
      f'{len(candidates)} starts fit, with misfits in % of body weight: {listed}; the video shows '
      'more steps than the plates, or hides some'
    )

  def _costs(self, start: float) -> tuple[np.ndarray, int]:
    """Returns the cost of each known and estimated vertical force, and how many are hidden."""
    true = self.plates.at(self.video.time_s + start, 1)[..., 0]
    costs = _cost(self.video.force[..., 0] - true, 0)
    hidden = int((self.video.hidden & np.isfinite(true)).sum())
    return costs[np.isfinite(costs)], hidden

  def _chance_cost(self) -> float:
    """Returns the mean cost if the curves had nothing to do with each other."""
    estimated, true = (
      v[np.isfinite(v)] for v in (self.video.force[..., 0], self.plates.force[..., 0])
    )
    estimated, true = (v[:: max(1, len(v) // _CHANCE_SAMPLES)] for v in (estimated, true))
    return float(_cost(estimated[:, None] - true, 0).mean())

  def _candidate(self, coarse: float) -> Candidate:
    """Reads a start in three ways, and describes it.

    Args:
      coarse: the start, to a hundredth of a second.
    """
    readings = [r for r in self._curve_readings(coarse) if math.isfinite(r)]
    vertical = bool(readings)
    start = float(np.median(readings)) if vertical else coarse
    differences = self._contact_differences(start)
    if len(differences):
      readings.append(start + float(differences.mean()))
    start = float(np.median(readings)) if vertical else coarse
    uncertainty = 2 * math.hypot(COMMON_ERROR_S, float(np.std(readings))) if vertical else math.nan
    return Candidate(
      start,
      uncertainty,
      self._misfit(start),
      float(differences.std()) if len(differences) > 1 else math.nan,
      self.video.place_px(_middle_s(self.plates.contacts) - start),
    )

  def _curve_readings(self, coarse: float) -> list[float]:
    """Returns the starts that suit the vertical and the forward force best; NaN: no least cost."""
    shifts = np.arange(-_REFINED_S, _REFINED_S + _FINE_S / 2, _FINE_S)
    true = np.stack([self.plates.at(self.video.time_s + coarse + s) for s in shifts])
    readings = []
    for axis in range(min(self.video.force.shape[2], len(_HUBER_BW))):
      costs = _cost(self.video.force[..., axis] - true[..., axis], axis).reshape(len(shifts), -1)
      known = np.isfinite(costs).sum(1)
      if not known.all():
        readings.append(math.nan)
        continue
      mean = np.nansum(costs, 1) / known
      least = int(np.argmin(mean))
      near = slice(max(least - _PARABOLA, 0), least + _PARABOLA + 1)
      if near.start == 0 or near.stop > len(shifts):
        readings.append(math.nan)
        continue
      square, linear, _ = np.polyfit(shifts[near], mean[near], 2)
      readings.append(coarse - linear / (2 * square) if square > 0 else math.nan)
    return readings

  def _contact_differences(self, start: float) -> np.ndarray:
    """Returns by how much contacts and toe-offs are later on the plates: (n,) seconds."""
    differences = []
    for true in self.plates.contacts_at(self.video.time_s + start):
      same = [c for c in self.video.contacts if c.leg == true.leg]
      for event in ('contact_s', 'toe_off_s'):
        nearest = min(
          (true.measures[event] - c.measures[event] - start for c in same),
          key=lambda d: abs(d) if math.isfinite(d) else math.inf,
          default=math.nan,
        )
        if abs(nearest) <= _SAME_CONTACT_S:
          differences.append(nearest)
    return np.array(differences)

  def _on_plates(self, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns estimated and true forces (n, axes) while a foot is on a plate, body weights."""
    true = self.plates.at(self.video.time_s + start)
    on = (true[..., 0] > self.plates.loaded_bw) & np.isfinite(self.video.force[..., 0])
    return self.video.force[on], true[on][:, : self.video.force.shape[2]]

  def _share_shown(self, start: float) -> float:
    """Returns for how much of the time on plates there is an estimate; of legs that have any."""
    legs = np.isfinite(self.video.force[..., 0]).any(axis=0)
    loaded_s = _FINE_S * float((self.plates.force[:, legs, 0] > self.plates.loaded_bw).sum())
    frame_s = float(np.median(np.diff(self.video.time_s)))
    return len(self._on_plates(start)[0]) * frame_s / loaded_s

  def _misfit(self, start: float) -> float:
    if not math.isfinite(start):
      return math.nan
    estimated, true = self._on_plates(start)
    return 100 * float(np.abs(estimated - true)[:, 0].mean()) if len(true) else math.nan

  def _legs_exchanged(self, start: float) -> bool:
    """Whether the plates push the feet to the other side than the estimate has it.

    The floor pushes each foot inwards (`plate_checks.legs_look_swapped`).
    """
    estimated, true = self._on_plates(start)
    return true.shape[1] == 3 and float((estimated[:, 2] * true[:, 2]).sum()) < 0


def _cost(difference: np.ndarray, axis: int) -> np.ndarray:
  """Returns the pseudo-Huber cost of differences in body weights; NaN stays NaN."""
  scale = _HUBER_BW[axis]
  return np.sqrt(scale**2 + difference**2) - scale
