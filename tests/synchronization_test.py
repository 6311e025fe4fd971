"""Starts of videos found from estimated forces: curves by formula, whose starts are known."""

import dataclasses
import pathlib

import gait_curves
import numpy as np
import pytest

from grfjax.data import plate_contacts, trial_forces
from grfjax.evaluation import synchronization
from grfjax.gait import force_curves
from grfjax.inference import trained_run, video_estimate
from grfjax.io import recordings, run_folder, video_file
from grfjax.report import synchronization_figure

REALGAIT = pathlib.Path(__file__).parents[1] / '../shared/realgait'
WEIGHT = 600.0
STRIDE = 1.0
SPEED_PX_S, PLATES_AT_PX = 200.0, 320.0


def make_walk(step=STRIDE / 2, stance=0.6, steps=6, lasts=4.0):
  """Forces of both legs (N, 2, 3) in body weights at 1 kHz, left first; feet pushed inwards."""
  contacts = gait_curves.alternate(steps, first=0.3, step=step, stance=stance)
  time_s, force = gait_curves.walk(contacts, lasts=lasts)
  force[:, :, 2] = force[:, :, 0] * [-0.04, 0.04]
  return time_s, force


def make_plates(walk, contacts=(2, 3), clock_s=0.0, step=STRIDE / 2, stance=0.6):
  """What plates measure: leg -> (N, 3) newtons in plate axes, and the force clock (N,)."""
  time_s, force = walk
  legs = {}
  for k in contacts:
    start = 0.3 + k * step
    on = (time_s >= start - 1e-9) & (time_s <= start + stance + 1e-9)
    newtons = WEIGHT * force[:, k % 2][:, [1, 2, 0]] * on[:, None]
    leg = ('left', 'right')[k % 2]
    legs[leg] = legs.get(leg, 0) + newtons
  return legs, time_s + clock_s


def make_estimate(walk, first_s, last_s, fps=60.0, axes=3, plates_s=None):
  """A perfect estimate of a video that runs from first_s to last_s of the walk.

  Of the walker's place it is known that he is on the plates, at 320 px, at plates_s of the walk.
  """
  at_s = np.arange(first_s, last_s, 1 / fps)
  force, _ = plate_contacts.window_means(*walk, at_s)
  box = np.full((len(at_s), 4), 100.0)
  middle = PLATES_AT_PX + SPEED_PX_S * (at_s - (1.85 if plates_s is None else plates_s))
  box[:, 0] = middle - 50
  return force_curves.ForceCurves(
    time_s=at_s - first_s,
    force=force[:, :, :axes],
    interval=np.empty((len(at_s), 2, axes, 0)),
    camera='left',
    near_only=False,
    box=box,
    direction=np.ones(len(at_s), int),
  )


def change(estimate, **kwargs):
  return dataclasses.replace(estimate, **kwargs)


def find(estimate, plates):
  return synchronization.find_start(estimate, *plates, WEIGHT)


# As in a laboratory: the end of a step on the floor, two on plates, the begin of another.
FIRST_S, LAST_S = 1.05, 2.75


@pytest.mark.parametrize('fps', [25.0, 30.0, 50.0, 59.94, 119.88])
@pytest.mark.parametrize('clock_s', [-7.3, 0.0, 2.71828])
def test_perfect_curves_give_the_start_to_a_millisecond(fps, clock_s):
  walk = make_walk()
  proposal = find(make_estimate(walk, FIRST_S, LAST_S, fps), make_plates(walk, clock_s=clock_s))
  assert proposal.problem == ''
  assert proposal.video_start_s == pytest.approx(FIRST_S + clock_s, abs=1e-3)
  assert proposal.uncertainty_s == pytest.approx(2 * synchronization.COMMON_ERROR_S, abs=1e-3)
  assert proposal.misfit_pct_bw < 0.2
  assert proposal.best.contact_spread_s < 0.003
  assert proposal.best.place_px == pytest.approx(PLATES_AT_PX, abs=SPEED_PX_S * 1e-3)
  assert f'{proposal.video_start_s:.3f} s' in proposal.sentence


def test_the_vertical_force_alone_will_do():
  walk = make_walk()
  proposal = find(make_estimate(walk, FIRST_S, LAST_S, axes=1), make_plates(walk))
  assert proposal.problem == ''
  assert proposal.video_start_s == pytest.approx(FIRST_S, abs=1e-3)


def test_readings_that_disagree_make_the_start_uncertain():
  walk = make_walk()
  estimate, late = (make_estimate(walk, s, s + 1.69) for s in (FIRST_S, FIRST_S - 0.02))
  estimate.force[:, :, 1] = late.force[:, :, 1]  # the forward force is 20 ms late
  proposal = find(estimate, make_plates(walk))
  assert proposal.problem == ''
  assert proposal.video_start_s == pytest.approx(FIRST_S, abs=1e-3)  # the median of three
  spread = np.std([0, 0, 0.02])
  assert proposal.uncertainty_s == pytest.approx(2 * np.hypot(spread, 0.003), abs=1e-3)


def test_a_video_of_more_steps_than_the_plates_is_ambiguous():
  walk = make_walk()
  proposal = find(make_estimate(walk, 0.1, 3.7), make_plates(walk))
  assert proposal.problem == 'sync.ambiguous'
  starts = sorted(c.video_start_s for c in proposal.candidates)
  assert starts == pytest.approx([0.1 - STRIDE, 0.1, 0.1 + STRIDE], abs=2e-3)
  assert proposal.runner_up_s == proposal.candidates[1].video_start_s
  assert proposal.runner_up_misfit_pct_bw < 1
  assert all(f'{s:.3f} s' in proposal.sentence for s in starts)


def test_one_plate_and_the_same_foot_seen_twice_is_ambiguous():
  walk = make_walk()
  proposal = find(make_estimate(walk, 1.05, 3.2), make_plates(walk, contacts=[2]))
  assert proposal.problem == 'sync.ambiguous'


def test_one_plate_is_enough_where_the_foot_is_seen_once():
  walk = make_walk()
  proposal = find(make_estimate(walk, 1.1, 2.15), make_plates(walk, contacts=[2]))
  assert proposal.problem == ''
  assert proposal.video_start_s == pytest.approx(1.1, abs=1e-3)


def test_what_is_hidden_may_be_the_right_step():
  """Else the stride that is estimated is taken for the one that is not."""
  walk = make_walk()
  estimate = make_estimate(walk, 1.05, 3.7)
  plates = make_plates(walk, contacts=[4, 5], stance=0.6)
  estimate.force[(estimate.time_s > 1.2) & (estimate.time_s < 2.3)] = np.nan  # contacts 4 and 5
  proposal = find(estimate, plates)
  assert proposal.problem == 'sync.ambiguous'
  assert min(abs(c.video_start_s - 1.05) for c in proposal.candidates) < 0.1


def test_a_few_hidden_frames_do_no_harm():
  walk = make_walk()
  estimate = make_estimate(walk, FIRST_S, LAST_S)
  estimate.force[(estimate.time_s > 0.5) & (estimate.time_s < 0.65)] = np.nan
  proposal = find(estimate, make_plates(walk))
  assert proposal.problem == ''
  assert proposal.video_start_s == pytest.approx(FIRST_S, abs=1e-3)


def test_exchanged_legs_are_seen_in_the_sideways_force():
  walk = make_walk()
  legs, time_s = make_plates(walk)
  exchanged = {'left': legs['right'], 'right': legs['left']}
  proposal = find(make_estimate(walk, FIRST_S, LAST_S), (exchanged, time_s))
  assert proposal.problem == 'sync.legs_exchanged'


def test_forces_of_another_walk_are_refused():
  walk = make_walk()
  slower = make_walk(step=0.6, stance=0.75)
  plates = make_plates(slower, step=0.6, stance=0.75)
  proposal = find(make_estimate(walk, FIRST_S, LAST_S), plates)
  assert proposal.problem == 'sync.misfit'
  assert len(proposal.candidates) == 1  # to be drawn


def test_forces_of_a_heavier_step_are_refused():
  walk = make_walk()
  legs, time_s = make_plates(walk)
  heavier = {leg: 1.15 * newtons for leg, newtons in legs.items()}
  proposal = find(make_estimate(walk, FIRST_S, LAST_S), (heavier, time_s))
  assert proposal.problem == 'sync.misfit'
  assert proposal.video_start_s == pytest.approx(FIRST_S, abs=2e-3)
  assert proposal.misfit_pct_bw == pytest.approx(15 * 0.764, abs=0.5)  # its mean is 2.4 / pi BW


def test_a_misfit_that_is_unusual_is_said():
  walk = make_walk()
  estimate, (legs, time_s) = make_estimate(walk, FIRST_S, LAST_S), make_plates(walk)
  usual, unusual = (
    find(estimate, ({leg: factor * newtons for leg, newtons in legs.items()}, time_s))
    for factor in (1.05, 1.1)
  )
  assert [usual.problem, unusual.problem] == ['', '']
  assert [usual.unusual, unusual.unusual] == [False, True]
  assert 'unusual' in unusual.sentence
  assert 'unusual' not in usual.sentence


def test_nobody_on_the_plates():
  walk = make_walk()
  legs, time_s = make_plates(walk)
  empty = {leg: 0 * newtons for leg, newtons in legs.items()}
  proposal = find(make_estimate(walk, FIRST_S, LAST_S), (empty, time_s))
  assert proposal.problem == 'sync.no_contact'
  assert proposal.candidates == ()
  assert np.isnan([proposal.video_start_s, proposal.uncertainty_s, proposal.runner_up_s]).all()


@pytest.mark.parametrize('legs', [[0, 1], [0]])
def test_no_estimate_of_a_leg_with_a_plate(legs):
  walk = make_walk()
  estimate = make_estimate(walk, FIRST_S, LAST_S)
  estimate.force[:, legs] = np.nan
  assert find(estimate, make_plates(walk, contacts=[2])).problem == 'sync.no_estimate'


def test_a_video_too_short_for_the_contacts():
  walk = make_walk()
  proposal = find(make_estimate(walk, 1.3, 2.4), make_plates(walk, contacts=[1, 2, 3, 4]))
  assert proposal.problem == 'sync.not_shown'


@pytest.mark.parametrize(('last_s', 'problem'), [(1.99, 'sync.not_shown'), (2.15, '')])
def test_a_video_that_ends_on_the_plates(last_s, problem):
  """Of 1.2 s on plates, 0.77 and 0.93 s are seen over the threshold."""
  walk = make_walk()
  proposal = find(make_estimate(walk, FIRST_S, last_s), make_plates(walk))
  assert proposal.problem == problem
  assert proposal.video_start_s == pytest.approx(FIRST_S, abs=2e-3)
  if problem:
    assert 'for 64% of the time' in proposal.sentence


def _trials(places_px, clear=True):
  """Proposals of clear or ambiguous trials whose walkers are at these places on the plates."""
  walk, proposals = make_walk(), {}
  for k, place in enumerate(places_px):
    span = (FIRST_S, LAST_S) if clear else (0.1, 3.7)
    plates_s = 1.85 - (place - PLATES_AT_PX) / SPEED_PX_S
    estimate = make_estimate(walk, *span, plates_s=plates_s)
    proposals[f'{clear}{k}'] = find(estimate, make_plates(walk))
  return proposals


def test_other_trials_tell_where_the_plates_are():
  proposals = _trials([310, 320, 330]) | _trials([325], clear=False)
  settled = synchronization.settle_by_place(proposals)
  assert list(settled) == list(proposals)
  assert settled['False0'].problem == ''
  assert settled['False0'].video_start_s == pytest.approx(0.1, abs=1e-3)
  assert len(settled['False0'].candidates) == 3
  assert 'in the other trials' in settled['False0'].sentence
  assert {k: v for k, v in settled.items() if k != 'False0'} == _trials([310, 320, 330])


def test_trials_known_otherwise_tell_it_too():
  proposals = _trials([325], clear=False)
  settled = synchronization.settle_by_place(proposals, [315, 320, np.nan, 330])
  assert settled['False0'].video_start_s == pytest.approx(0.1, abs=1e-3)
  assert settled['False0'].problem == ''


@pytest.mark.parametrize('known', [[], [320, 320], [120, 320, 520, 720], [230, 235, 225]])
def test_no_place_is_taken_from_too_few_or_contradicting_trials_or_from_between(known):
  """The last is half a stride from two candidates."""
  proposals = _trials([330], clear=False)
  assert synchronization.settle_by_place(proposals, known) == proposals


def test_a_clear_trial_elsewhere_in_the_picture_is_refused():
  proposals = _trials([310, 320, 330, 520])
  settled = synchronization.settle_by_place(proposals)
  assert [p.problem for p in settled.values()] == ['', '', '', 'sync.other_place']


def test_place_of_a_trial_whose_start_is_known():
  walk = make_walk()
  estimate, plates = make_estimate(walk, FIRST_S, LAST_S), make_plates(walk, clock_s=5.0)
  assert synchronization.place_px(estimate, *plates, FIRST_S + 5.0) == pytest.approx(PLATES_AT_PX)
  assert np.isnan(synchronization.place_px(estimate, *plates, 25.0))


def test_a_given_start_is_compared():
  walk = make_walk()
  proposal = find(make_estimate(walk, FIRST_S, LAST_S), make_plates(walk))
  assert synchronization.disagreement(proposal, FIRST_S + 0.02, 0.0) == ''
  assert 'later' in synchronization.disagreement(proposal, FIRST_S + 0.03, 0.0)
  assert 'earlier' in synchronization.disagreement(proposal, FIRST_S - 1.0, 0.0)
  assert synchronization.disagreement(proposal, FIRST_S + 0.03, 0.03) == ''
  ambiguous = find(make_estimate(walk, 0.1, 3.7), make_plates(walk))
  assert synchronization.disagreement(ambiguous, 0.1 + STRIDE / 2, 0.0) == ''


@pytest.mark.parametrize('case', ['clear', 'ambiguous', 'nobody'])
def test_figure_of_whatever_there_is(tmp_path, case):
  walk = make_walk()
  estimate = make_estimate(walk, *((0.1, 3.7) if case == 'ambiguous' else (FIRST_S, LAST_S)))
  legs, time_s = make_plates(walk, contacts=[2])
  if case == 'nobody':
    legs = {leg: 0 * newtons for leg, newtons in legs.items()}
  proposal = find(estimate, (legs, time_s))
  path = synchronization_figure.draw_synchronization(
    tmp_path / 'a.png', 'a$b$c', estimate, legs, time_s, WEIGHT, proposal
  )
  assert path.read_bytes()[:8] == b'\x89PNG\r\n\x1a\n'


@pytest.mark.slow
def test_real_walks_with_their_start_hidden():
  """Two walks, seen from both sides; launch/measure/synchronization.py measures all."""
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  run = trained_run.load(run_folder.RunFolder.find('everyone'))
  trials = [t for t in recordings.load(REALGAIT) if t.name[:5] in ('HC036', 'HC040')]
  for trial in trials[::5]:
    estimate = video_estimate.estimate_video(run, trial.video)
    plates = trial_forces.read_trial_forces(trial, video_file.probe(trial.video).time_s)
    proposal = synchronization.find_start(
      estimate, plates.leg_force, plates.time_s, plates.body_weight_n
    )
    assert proposal.problem == '', trial.name
    assert proposal.video_start_s == pytest.approx(trial.video_start_s, abs=0.01), trial.name
    assert proposal.misfit_pct_bw < synchronization.USUAL_MISFIT_PCT_BW
