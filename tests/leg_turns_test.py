"""Legs take turns: what contradicts that in a walk counts for nothing, and is not trusted."""

import itertools

import numpy as np
import pytest

from grfjax.inference import leg_turns, trust

TIME_S = np.arange(240) / 60


def walk(time_s: np.ndarray, ends: list[float]) -> np.ndarray:
  """Returns forces (N, 2, 3) of steps that end at those times; the near leg has the first."""
  lead = np.ones(len(time_s))
  for end in ends:
    lead *= -np.tanh((time_s - end) / 0.04)
  force = np.zeros((len(time_s), 2, 3))
  force[:, 0, 0], force[:, 1, 0] = (1 + lead) / 2, (1 - lead) / 2
  force[..., 1] = 0.1 * force[..., 0]
  return force


def exchanged(force: np.ndarray, time_s: np.ndarray, start: float, stop: float) -> np.ndarray:
  result = force.copy()
  inside = (time_s >= start) & (time_s < stop)
  result[inside] = force[inside][:, ::-1]
  return result


STEPS = [0.5, 1.1, 1.7, 2.3, 2.9, 3.5]


def test_estimates_that_agree_are_averaged():
  members = np.stack([walk(TIME_S, STEPS) * gain for gain in (0.97, 1.0, 1.02, 1.01)])
  combined = leg_turns.combine(TIME_S, members)
  np.testing.assert_allclose(combined.force, members.mean(0), atol=1e-12)
  np.testing.assert_allclose(combined.spread[20:-20], members[:, 20:-20, :, 0].std(0), atol=0.03)


@pytest.mark.parametrize('steps', [STEPS, [0.6, 1.1, 1.9, 2.4, 3.2, 3.7]], ids=['even', 'limp'])
def test_legs_exchanged_by_half_of_the_estimates_are_told(steps):
  true = walk(TIME_S, steps)
  wrong = exchanged(true, TIME_S, steps[2], steps[3])
  combined = leg_turns.combine(TIME_S, np.stack([true, true, wrong, wrong]))
  assert np.abs(true[..., 0] - np.mean([true, wrong], 0)[..., 0]).max() > 0.4  # their mean is off
  np.testing.assert_allclose(combined.force, true, atol=0.02)
  middle = (steps[0] < TIME_S) & (steps[-1] > TIME_S)
  assert trust.trust(TIME_S, combined.spread)[middle].min() > 0.9


def test_what_all_estimates_have_wrong_is_not_trusted():
  true = walk(TIME_S, STEPS)
  wrong = exchanged(true, TIME_S, STEPS[2], STEPS[3])
  told = trust.trust(TIME_S, leg_turns.combine(TIME_S, np.stack([wrong] * 4)).spread)
  assert told[(TIME_S > 1.85) & (TIME_S < 2.15)].max() < trust.MIN_TRUST
  assert told[TIME_S > 3.0].min() > 0.9


def test_half_against_half_without_turns_that_tell_is_not_trusted():
  time_s = TIME_S[:40]  # within one step
  near = walk(time_s, [])
  combined = leg_turns.combine(time_s, np.stack([near, near, near[:, ::-1], near[:, ::-1]]))
  assert trust.trust(time_s, combined.spread).max() < trust.MIN_TRUST


def test_estimates_that_tell_nothing_do_not_outvote_others():
  """Two say that both legs carry alike, two have the legs exchanged: nothing is to be trusted."""
  true = walk(TIME_S, STEPS)
  wrong, blank = exchanged(true, TIME_S, STEPS[2], STEPS[3]), true.copy()
  blank[(STEPS[2] <= TIME_S) & (STEPS[3] > TIME_S), :, 0] = 0.3
  told = trust.trust(
    TIME_S, leg_turns.combine(TIME_S, np.stack([wrong, wrong, blank, blank])).spread
  )
  assert told[(TIME_S > 1.85) & (TIME_S < 2.15)].max() < trust.MIN_TRUST


def test_who_stands_on_both_legs_is_on_neither():
  force = np.full((4, 240, 2, 3), 0.5)
  near = leg_turns.near_leads(TIME_S, force[:, :, 0, 0] - force[:, :, 1, 0])
  np.testing.assert_allclose(near, 0.5, atol=1e-6)
  assert trust.trust(TIME_S, leg_turns.combine(TIME_S, force).spread).min() > 0.95


def test_the_legs_exchanged_in_all_of_a_walk_come_out_exchanged():
  lead = walk(TIME_S, STEPS)[None, :, 0, 0] - walk(TIME_S, STEPS)[None, :, 1, 0]
  near, far = leg_turns.near_leads(TIME_S, lead), leg_turns.near_leads(TIME_S, -lead)
  np.testing.assert_allclose(near, 1 - far, atol=1e-6)


def test_a_single_picture():
  combined = leg_turns.combine(np.zeros(1), np.ones((4, 1, 2, 3)))
  np.testing.assert_array_equal(combined.force, np.ones((1, 2, 3)))


def every_way(evidence, crossing, whole, cut):
  """Returns the probability of the near leg by going through all ways to cut frames into steps."""
  count, longest = len(evidence), whole.shape[1]
  near, total = np.zeros(count), 0.0
  for usual in range(len(whole)):
    for number in range(count):
      for inner in itertools.combinations(range(1, count), number):
        ends = [0, *inner, count]
        lengths = np.diff(ends)
        if lengths.max() > longest:
          continue
        for first in (1, -1):
          log, sign, is_near = np.log(0.5), first, np.zeros(count)
          for start, stop in itertools.pairwise(ends):
            table = cut if start == 0 or stop == count else whole
            log += table[usual, stop - start - 1] + sign * evidence[start:stop].sum()
            log += crossing[start] if start else 0.0
            is_near[start:stop] = sign > 0
            sign = -sign
          near += np.exp(log) * is_near
          total += np.exp(log)
  return near / total


def test_the_probability_is_that_of_all_ways_to_step(monkeypatch):
  rng = np.random.default_rng(0)
  evidence, crossing = rng.normal(size=7), rng.normal(size=7)
  monkeypatch.setattr(leg_turns, 'STEP_S', np.array([0.2, 0.35]))
  monkeypatch.setattr(leg_turns, 'SPREAD', 0.6)
  tables = leg_turns._duration_tables(5, 0.1)
  monkeypatch.setattr(leg_turns, '_duration_tables', lambda longest, seconds: tables)
  got = leg_turns._posterior(evidence, crossing, 0.1)
  np.testing.assert_allclose(got, every_way(evidence, crossing, *tables), atol=1e-9)
