"""Which leg carries a walker: legs take turns, and steps last about equally long.

A network may take one leg for the other in a step, before furniture of the trousers' colour or
where a shadow joins the feet, and two networks do not do so in the same steps. What they say of a
whole walk is put together here: where one contradicts what all of them and the legs' turns tell, it
counts for nothing.

The walk is a hidden semi-Markov chain (Yu SZ 2010, Artificial Intelligence 174: 215-243) of steps,
in each of which one leg carries more than the other. The legs alternate; a step's duration is
log-normal about that of the walk, which is not known either.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from scipy import ndimage, special

# Chosen with the walks in view whose contacts docs/hand_held.md counts by eye, which therefore are
# no measure of them.
RATE_HZ = 30.0  # at which the chain is followed; steps take 0.3 s and more
# Seconds that a step of a walk may last about: from a child's run to a slow walk with a cane.
STEP_S = np.geomspace(0.3, 1.1, 14)
SPREAD = 0.15  # standard deviation of a step's duration, logarithm: a limp has 0.1
LONGEST = 2.0  # durations of a step, that any step lasts
EVIDENCE_HZ = 12.0  # log likelihood a second of a leg that all estimates agree on
CROSSING = 1.0  # log likelihood of a step's end where all estimates have both legs carry alike
NEARBY_S = 0.06  # sigma of the time over which an estimate is compared with the legs' turns
# How much more misfit than the best estimate has, up to which an estimate counts whole, and from
# which on not at all.
SMALL_MISFIT, LARGE_MISFIT = 0.15, 0.5


class Combined(NamedTuple):
  """What several estimates of a walk come to.

  Attributes:
    force: (N, 2, axes) their mean, near and far leg, BW.
    spread: (N, 2) standard deviation of the vertical force, BW: of the estimates that count, and
      of what would change if the legs were exchanged.
  """

  force: np.ndarray
  spread: np.ndarray


def combine(time_s: np.ndarray, members: np.ndarray) -> Combined:
  """Puts estimates together of which some exchange the legs in some steps.

  Args:
    time_s: (N,) evenly spaced.
    members: (E, N, 2, axes) estimates of the near and the far leg, BW.
  """
  lead = members[:, :, 0, 0] - members[:, :, 1, 0]
  near = near_leads(time_s, lead)
  misfit = _misfit(time_s, lead, near)
  best = misfit.min(0)
  # Only an estimate that shows the turns itself can tell that another one is wrong.
  worse = (misfit - best) * np.clip(1 - best / LARGE_MISFIT, 0, 1)
  weight = np.clip((LARGE_MISFIT - worse) / (LARGE_MISFIT - SMALL_MISFIT), 0, 1)
  share = weight / weight.sum(0)
  force = np.einsum('en,enla->nla', share, members)
  variance = np.einsum('en,enl->nl', share, (members[..., 0] - force[..., 0]) ** 2)
  # All may contradict the turns, or the turns be doubtful: then the legs may be exchanged.
  exchanged = np.maximum(_doubt(near), np.clip((best - LARGE_MISFIT) / 4, 0, 1))
  apart = force[:, 0, 0] - force[:, 1, 0]
  variance += (exchanged * apart**2)[:, None]
  return Combined(force, np.sqrt(variance))


def _misfit(time_s: np.ndarray, lead: np.ndarray, near: np.ndarray) -> np.ndarray:
  """Returns (E, N), how far each estimate is from the legs' turns: 4 with the legs exchanged."""
  misfit = (np.clip(lead, -1, 1) - (2 * near - 1)) ** 2
  if len(time_s) < 2:
    return misfit
  sigma = NEARBY_S / float(np.median(np.diff(time_s)))
  return ndimage.gaussian_filter1d(misfit, sigma, axis=1, mode='nearest')


def _doubt(near: np.ndarray) -> np.ndarray:
  """Returns (N,), in each step the probability that it is the other leg's, where it is least."""
  doubt = np.minimum(near, 1 - near)
  ends = [0, *(np.flatnonzero(np.diff(near > 0.5)) + 1).tolist(), len(near)]
  for start, stop in itertools.pairwise(ends):
    doubt[start:stop] = doubt[start:stop].min()
  return doubt


def near_leads(time_s: np.ndarray, lead: np.ndarray) -> np.ndarray:
  """Returns (N,), how probable it is that the near leg carries more than the far one.

  Args:
    time_s: (N,) evenly spaced.
    lead: (E, N) what the near leg carries more than the far one by each estimate, BW.
  """
  if len(time_s) < 2:
    return (lead.mean(0) > 0).astype(float)
  every = max(1, round(1 / (RATE_HZ * float(np.median(np.diff(time_s))))))
  seconds = every * float(np.median(np.diff(time_s)))
  clipped = np.clip(lead[:, ::every], -1, 1)
  evidence = EVIDENCE_HZ * seconds * clipped.mean(0)
  crossing = CROSSING * (1 - 2 * np.abs(clipped).mean(0))
  near = _posterior(evidence, crossing, seconds)
  return np.interp(time_s, time_s[::every], near)


def _posterior(evidence: np.ndarray, crossing: np.ndarray, seconds: float) -> np.ndarray:
  """Returns (N,) the probability that the near leg carries more.

  Args:
    evidence: (N,) log likelihood of the near leg, less that of the far leg, halved.
    crossing: (N,) log likelihood that a step begins at a frame.
    seconds: of a frame.
  """
  count = len(evidence)
  whole, cut = _duration_tables(min(count, int(LONGEST * STEP_S[-1] / seconds)), seconds)
  frames = np.arange(1, whole.shape[1] + 1)
  forward = _forward(evidence, crossing, whole, cut)
  backward = _forward(evidence[::-1], np.roll(crossing[::-1], 1), whole, cut)[::-1] - np.log(0.5)
  total = np.logaddexp(*np.moveaxis(forward[-1], -1, 0))  # (S,)
  sums = np.concatenate([[0.0], np.cumsum(evidence)])
  sign = np.array([1.0, -1.0])
  near = np.zeros(count)
  likely = special.softmax(total)
  for start in range(count):
    stops = start + frames[: count - start]
    before = np.full((len(STEP_S), 1, 2), np.log(0.5))
    if start:
      before = forward[start][:, None, ::-1] + crossing[start]
    after = np.where((stops < count)[:, None], np.moveaxis(backward[stops], 1, 0)[..., ::-1], 0.0)
    after = after + np.where(stops < count, crossing[np.minimum(stops, count - 1)], 0.0)[:, None]
    duration = np.where(
      (start == 0) | (stops == count), cut[:, : len(stops)], whole[:, : len(stops)]
    )
    log = before + after + duration[..., None]
    log = log + sign * (sums[stops] - sums[start])[:, None] - total[:, None, None]
    chance = np.einsum('s,slz->lz', likely, np.exp(log))
    # A step until `stop` is on at each of its frames.
    lasting = np.cumsum(chance[::-1], 0)[::-1]
    near[start : start + len(stops)] += lasting[:, 0]
  return np.clip(near, 0, 1)


def _duration_tables(longest: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
  """Returns log probabilities (S, L) of a step's duration of 1 to L frames, for each usual one.

  Args:
    longest: L.
    seconds: of a frame.

  Returns:
    Those of a step that is seen whole; and of one that begins or ends beyond what is seen, which
    lasts at least so long.
  """
  frames = np.arange(1, longest + 1)
  away = np.log(frames * seconds / STEP_S[:, None]) / SPREAD
  whole = -0.5 * away**2 - np.log(frames * SPREAD)
  return whole, special.log_ndtr(-away) - np.log(STEP_S / seconds)[:, None]


def _forward(
  evidence: np.ndarray, crossing: np.ndarray, whole: np.ndarray, cut: np.ndarray
) -> np.ndarray:
  """Returns (N + 1, S, 2): log likelihood of the frames before one at which a step ends.

  Args:
    evidence: (N,).
    crossing: (N,) log likelihood of a step's end before a frame.
    whole: (S, L) log probability of a step's duration, for each usual duration.
    cut: (S, L) the same of a step of which not all is seen.

  The last axis is of a step of the near, and of the far leg.
  """
  count, usual, longest = len(evidence), *whole.shape
  sums = np.concatenate([[0.0], np.cumsum(evidence)])
  sign = np.array([1.0, -1.0])
  result = np.full((count + 1, usual, 2), -np.inf)
  for stop in range(1, count + 1):
    starts = stop - np.arange(1, min(stop, longest) + 1)
    before = np.moveaxis(result[starts], 0, 1)[..., ::-1] + crossing[starts][:, None]
    before[:, starts == 0] = np.log(0.5)
    duration = np.where(
      (starts == 0) | (stop == count), cut[:, : len(starts)], whole[:, : len(starts)]
    )
    log = before + duration[..., None] + sign * (sums[stop] - sums[starts])[:, None]
    result[stop] = special.logsumexp(log, axis=1)
  return result
