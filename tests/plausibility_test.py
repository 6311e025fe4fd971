"""Every check of plausibility has its code, and codes stand beside their sentences."""

import dataclasses

import gait_curves
import numpy as np
import pytest
import report_making

from grfjax import conventions
from grfjax.app import texts
from grfjax.gait import (
  foot_contacts,
  force_curves,
  gait_measures,
  plausibility,
  summaries,
  walking_speed,
)
from grfjax.report import walk_prediction


def estimate_of(force, **changes):
  """Curves at 60 frames a second."""
  count = len(force)
  estimate = force_curves.ForceCurves(
    np.arange(count) / 60,
    force,
    force[..., None][..., :0],
    'left',
    False,
    np.full((count, 4), np.nan),
    np.zeros(count, int),
  )
  return dataclasses.replace(estimate, **changes)


def walk(peak=1.05, step=0.5, stance=0.6, count=6):
  """Both legs in turn; two peaks."""
  steps = gait_curves.alternate(count, step=step, stance=stance)
  shape = lambda u: peak * gait_curves.two_peaks(u)
  return gait_curves.walk(steps, shape=shape, rate=60, lasts=0.4 + step * count)[1]


def check(force, **changes):
  estimate = estimate_of(force, **changes)
  return plausibility.check_plausibility(
    estimate, foot_contacts.find_contacts(estimate.time_s, estimate.force)
  )


def without(force, frames, legs=slice(None)):
  """The forces without an estimate in some frames."""
  force = force.copy()
  force[frames, legs] = np.nan
  return force


def without_a_step():
  force = walk()
  force[round(60 * 1.1) : round(60 * 2.0), 0] = 0
  return force


def test_a_sound_walk_has_no_flag():
  quality = check(walk())
  assert quality.flags == quality.flag_codes == ()


STEP_BH, STEP_S = 0.42, 60 / 129


def steps(last_s, count=4):
  """Contacts of steps that are all alike, after which a foot touches down once more."""
  starts_s = [*(0.2 + STEP_S * np.arange(count)), 0.2 + STEP_S * (count - 1) + last_s]
  return [
    foot_contacts.MeasuredContact(
      start_s,
      start_s + 0.6,
      True,
      True,
      conventions.LEGS[k % 2],
      dict.fromkeys(gait_measures.MEASURES, np.nan)
      | {'contact_s': start_s, 'stance_s': 0.6, 'stride_s': np.nan}
      | {'step_s': np.diff(starts_s)[k - 1] if k else np.nan}
      | {'step_length_bh': STEP_BH if 0 < k < count else np.nan},
    )
    for k, start_s in enumerate(starts_s)
  ]


def judged(contacts, times_faster=1.0):
  per_s = times_faster * STEP_BH / STEP_S
  speed = walking_speed.WalkingSpeed(np.nan, per_s, 3)
  quality = plausibility.check_plausibility(estimate_of(walk()), contacts, speed)
  return dict(zip(quality.flag_codes, quality.flags, strict=True))


def test_a_false_contact_is_told_by_speed_and_step_length():
  """The film is not said to be sped up for the sake of a contact that is none."""
  told = judged(steps(0.2, count=3))
  assert summaries.summarize(steps(0.2, count=3))['cadence_steps_per_min']['mean'] > 150
  assert 'is 159 steps a minute' in told['gait.cadence_and_speed']
  assert 'step length 129: a contact is missing or false' in told['gait.cadence_and_speed']
  assert 'gait.playback_speed' not in told
  said = texts.flag('gait.cadence_and_speed', told['gait.cadence_and_speed'], str, 'de')
  assert not said['detail']
  assert 'gait.cadence_and_speed' not in judged(steps(STEP_S))


def test_cadence_and_speed_may_differ_by_their_errors():
  sound = steps(STEP_S)  # 4 steps, the lengths of 3: three standard deviations are 0.146
  for factor in (np.exp(0.14), np.exp(-0.14)):
    assert 'gait.cadence_and_speed' not in judged(sound, factor)
  for factor in (np.exp(0.15), np.exp(-0.15)):
    assert 'gait.cadence_and_speed' in judged(sound, factor)
  few = steps(STEP_S, count=2)  # 2 steps, and the length of one
  assert 'gait.cadence_and_speed' not in judged(few, np.exp(0.15))


def test_a_film_sped_up_changes_times_and_speed_alike():
  fast = [
    dataclasses.replace(c, measures=c.measures | {'step_s': c.measures['step_s'] / 1.5})
    for c in steps(STEP_S)
  ]
  told = judged(fast, times_faster=1.5)
  assert 'gait.cadence_and_speed' not in told
  assert 'may be sped up' in told['gait.playback_speed']


@pytest.mark.parametrize(
  ('force', 'code'),
  [
    (without(walk(), slice(0, 5)), 'gait.frames_without_estimate'),
    (without(walk(), slice(None), 1), 'gait.no_estimate'),
    (without(walk(), slice(0, 5), 1), 'gait.leg_without_estimate'),
    (np.concatenate([walk(), np.full((30, 2, 3), np.nan), walk()]), 'gait.several_walks'),
    (walk()[20:], 'gait.contact_cut_off'),
    (np.maximum(walk(count=4), 0.1), 'gait.no_swing'),
    (walk(count=0), 'gait.no_whole_contact'),
    (without_a_step(), 'gait.same_foot_twice'),
    (walk(peak=1.7), 'gait.peak_too_high'),
    (walk(stance=0.3), 'gait.stance_time'),
    (walk(count=12, stance=0.25, step=0.28), 'gait.cadence'),
    (walk(count=12, stance=0.25, step=0.28), 'gait.playback_speed'),
    (walk(count=8, stance=0.4, step=0.36), 'gait.playback_speed'),
    (walk(count=4, stance=1.2, step=1.3), 'gait.playback_speed'),
    (walk(peak=1.3), 'gait.total_force'),
  ],
)
def test_every_check_has_its_code_and_the_application_knows_its_sentence(force, code):
  quality = check(force)
  assert code in quality.flag_codes
  assert len(quality.flag_codes) == len(quality.flags)
  for pair in zip(quality.flag_codes, quality.flags, strict=True):
    said = texts.flag(*pair, lambda text: text, 'de')
    assert not said['detail'], f'{pair} is said in general words'


def followed(x, missing, way=1):
  """Curves of who is followed at (N,) columns, without an estimate in some frames; NaN: lost."""
  x = np.asarray(x, float)
  force = np.ones((len(x), 2, 3))
  force[missing] = np.nan
  force[np.isnan(x)] = np.nan
  box = np.stack([x - 50, x, x * 0 + 100, x * 0 + 250], -1)
  return estimate_of(force, box=box, direction=np.where(np.isnan(x), 0, way))


def test_a_walk_counts_once_however_much_of_it_is_withheld():
  there = np.linspace(0, 600, 120)
  withheld = np.r_[20:30, 60:80]
  assert followed(there, withheld).count_crossings() == 1
  assert len(followed(there, withheld).walks()) == 3
  lost = there.copy()
  lost[50:80] = np.nan
  assert followed(lost, withheld).count_crossings() == 1
  way = np.repeat([1, -1], 120)
  turn = np.r_[withheld, 115:125]
  assert followed(np.concatenate([there, there[::-1]]), turn, way).count_crossings() == 2
  again = np.concatenate([there, np.full(300, np.nan), there])
  assert followed(again, withheld).count_crossings() == 2


def test_gaps_come_first_and_keep_their_codes():
  gap = force_curves.Gap('walker.camera_moves', 'from 0.0 to 1.0 s the camera moves')
  quality = check(without(walk(), slice(0, 5)), gaps=(gap, gap))
  assert quality.flags[0] == 'From 0.0 to 1.0 s the camera moves.'
  assert quality.flag_codes[:2] == ('walker.camera_moves', 'gait.frames_without_estimate')


def test_flags_are_in_order_of_time_after_those_of_the_whole_video():
  force = walk(stance=0.3, count=3)  # stances that are too short, at 0.2, 0.7 and 1.2 s
  gaps = [
    force_curves.Gap('walker.low_trust', 'from 1.0 to 1.1 s the networks ...', 1.0),
    force_curves.Gap('walker.hidden', 'from 0.0 to 0.1 s something ...', 0.0),
    force_curves.Gap('walker.low_trust', 'from 0.5 to 0.6 s the networks ...', 0.5),
  ]
  estimate = estimate_of(without(force, slice(0, 5)), gaps=tuple(gaps))
  prediction = walk_prediction.Prediction(
    'walk', 'walk.mp4', '', estimate, None, {}, notes=('A note.',)
  )
  quality = prediction.content['quality']
  assert quality['flag_codes'] == [
    'gait.frames_without_estimate', 'gait.total_force', 'gait.no_walking_speed', 'prediction.note',
    'prediction.no_opensim_file',
    'walker.hidden', 'gait.stance_time', 'walker.low_trust', 'gait.stance_time', 'walker.low_trust',
    'gait.stance_time',
  ]  # fmt: skip
  assert [text[5:8] for text in quality['flags'][-6::2]] == ['0.0', '0.5', '1.0']


def test_why_a_walk_is_in_several_files_for_opensim_is_said():
  curves = report_making.make_curves(np.ones((60, 2, 3)))
  pressure = np.full((60, 2, 2), 0.1)
  said = []
  for lost in (slice(0, 0), slice(20, 40)):
    place = pressure.copy()
    place[lost, 0] = np.nan  # a foot that carries, and nobody knows where it stands
    prediction = walk_prediction.Prediction('walk', 'walk.mp4', '', curves, 60.0, {})
    with pytest.MonkeyPatch.context() as patch:
      patch.setattr(walk_prediction.Prediction, 'pressure_m', place)
      flag = prediction._about_opensim()
    said.append(flag and flag.code)
  assert said == [None, 'prediction.split_opensim_file']
  assert not texts.flag(flag.code, flag.text, str, 'de')['detail']


def test_codes_stand_beside_all_sentences_of_the_json():
  prediction = walk_prediction.Prediction(
    'walk', 'walk.mp4', '', estimate_of(walk(peak=1.7)), None, {}, notes=('A note.',)
  )
  quality = prediction.content['quality']
  codes = dict(zip(quality['flags'], quality['flag_codes'], strict=True))
  assert codes['A note.'] == 'prediction.note'
  assert quality['flag_codes'][-1] == 'prediction.no_opensim_file'
  assert 'gait.peak_too_high' in quality['flag_codes']
  assert not texts.flag(quality['flag_codes'][-1], quality['flags'][-1], str, 'de')['detail']


def test_a_walk_without_lengths_says_nothing_of_the_speed_of_another():
  """Of a slow and a fast walk the speed is of both, the lengths of the slow one alone."""
  force = without(np.concatenate([walk(), walk(), walk()]), slice(len(walk()), 2 * len(walk())))
  second_s = 2 * len(walk()) / 60
  slow, fast = steps(STEP_S), steps(STEP_S)
  unknown = {'step_length_bh': np.nan}
  moved = [
    dataclasses.replace(
      c, start_s=c.start_s + second_s, end_s=c.end_s + second_s, measures=c.measures | unknown
    )
    for c in fast
  ]
  speed = walking_speed.WalkingSpeed(np.nan, 1.3 * STEP_BH / STEP_S, 6)

  def codes(contacts):
    return plausibility.check_plausibility(estimate_of(force), contacts, speed).flag_codes

  assert 'gait.cadence_and_speed' in codes(slow)
  assert 'gait.cadence_and_speed' not in codes([*slow, *moved])


def test_a_limp_is_no_contradiction_where_one_leg_gives_times_and_lengths():
  lengths, times = (
    {'step_length_bh': 0.45, 'step_s': np.nan},
    {'step_length_bh': np.nan, 'step_s': 0.45},
  )
  one, other = steps(STEP_S, count=1)
  limp = [
    dataclasses.replace(c, measures=c.measures | own) for c, own in ((one, lengths), (other, times))
  ]
  speed = walking_speed.WalkingSpeed(np.nan, 0.75 / 1.05, 2)
  quality = plausibility.check_plausibility(estimate_of(walk()), limp, speed)
  assert 'gait.cadence_and_speed' not in quality.flag_codes
