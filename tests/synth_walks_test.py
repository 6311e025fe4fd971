"""Synthetic motion obeys its forces, and both are human."""

import dataclasses
import functools
import typing

import numpy as np
import pytest

from grfjax import conventions, errors
from grfjax.synth import body, gait_styles, walks

STEPS = 4
EVERY_STYLE = sorted(gait_styles.STYLES)


@functools.cache
def walk_of(style: str, seed: int) -> body.Walk:
  subject = walks.draw_subject(np.random.default_rng((1, seed)), style)
  return walks.draw_walk(subject, np.random.default_rng((2, seed)), STEPS)


@functools.cache
def forces_of_many() -> list[dict[str, float]]:
  """Peaks and times of 100 normal subjects, means over the whole footfalls of a walk."""
  people = []
  for seed in range(100):
    subject = walks.draw_subject(np.random.default_rng((3, seed)))
    drawn = walks.draw_forces(subject, np.random.default_rng((4, seed)), 6)
    footfalls, rows = drawn.footfalls, []
    for leg, start, stance in zip(
      footfalls.leg[1:-2], footfalls.start[1:-2], footfalls.stance[1:-2], strict=True
    ):
      x, _, z = drawn.force[start : start + stance + 1, leg].T
      first, middle, second = np.split(z, [int(0.32 * stance), int(0.62 * stance)])
      first = first[int(0.1 * stance) :]  # the transient of heel strike is not the first peak
      rows.append(
        (first.max(), middle.min(), second.max(), -x.min(), x.max(), stance / 1000, z.max())
      )
    names = ('first', 'valley', 'second', 'braking', 'propulsion', 'stance_s', 'highest')
    measures = dict(zip(names, np.mean(rows, 0).tolist(), strict=True))
    step_s = (footfalls.start[-1] - footfalls.start[1]) / 1000 / (len(footfalls.start) - 2)
    measures['cadence'] = 60 / step_s
    measures['stance'] = measures['stance_s'] / (2 * step_s)
    measures['child'] = float(subject.age_group == 'child')
    people.append(measures)
  return people


def joint(walk: body.Walk, name: str) -> np.ndarray:
  return walk.joints[:, body.INDEX[name]]


def lean(line: np.ndarray) -> np.ndarray:
  """Degrees by which a segment points forward of straight down."""
  return np.degrees(np.arctan2(line[:, 0], -line[:, 2]))


def knee_bend(walk: body.Walk, side: str) -> np.ndarray:
  hip, knee, ankle = (joint(walk, f'{side}_{name}') for name in ('hip', 'knee', 'ankle'))
  return lean(knee - hip) - lean(ankle - knee)


@pytest.mark.parametrize('style', EVERY_STYLE)
@pytest.mark.parametrize('seed', [0, 1])
class TestEveryStyle:
  def test_acceleration_is_the_force(self, style, seed):
    walk = walk_of(style, seed)
    dt = walk.time_s[1] - walk.time_s[0]
    # Segments by hand, not through `body.joint_weights`, which `body_pose` uses.
    subject, com = walk.subject, 0.0
    rows = zip(body.SEGMENTS, subject.segment_mass, subject.segment_com, strict=True)
    for (_, first, second), mass, at in rows:
      com = com + mass * (joint(walk, first) * (1 - at) + joint(walk, second) * at)
    acceleration = np.diff(com, 2, axis=0) / dt**2
    recomputed = acceleration / conventions.G + [0, 0, 1]
    total = walk.force.sum(1)[1:-1] / (subject.mass_kg * conventions.G)
    error = np.sqrt(((recomputed - total) ** 2).mean(0))
    assert error.max() < 0.001  # 3 % asked for; only rounding is left
    np.testing.assert_allclose(com, walk.com, atol=1e-9)

  def test_strides_balance(self, style, seed):
    walk = walk_of(style, seed)
    total = walk.force.sum(1) / (walk.subject.mass_kg * conventions.G)
    starts = [round(c.start_s * 1000) for c in walk.contacts if c.start_s >= 0]
    strides = list(zip(starts[:-2], starts[2:], strict=True))
    assert len(strides) == STEPS - 1
    for begin, end in strides:
      np.testing.assert_allclose(total[begin:end].mean(0), [0, 0, 1], atol=1e-9)

  def test_planted_feet_stay(self, style, seed):
    walk = walk_of(style, seed)
    floored = 0
    for contact in walk.contacts:
      begin, end = max(round(contact.start_s * 1000), 0), round(contact.end_s * 1000) + 1
      for end_of_foot in ('heel', 'toe'):
        place = joint(walk, f'{conventions.LEGS[contact.leg]}_{end_of_foot}')[begin:end]
        planted = place[place[:, 2] < 0.003]
        if len(planted) > 1:
          floored += 1
          assert np.ptp(planted[:, 0]) < 0.01
          assert np.ptp(planted[:, 1]) < 0.01
    assert floored >= STEPS

  def test_feet_stay_above_the_floor(self, style, seed):
    walk = walk_of(style, seed)
    for side in conventions.LEGS:
      for name in ('heel', 'toe', 'ankle', 'knee'):
        assert joint(walk, f'{side}_{name}')[:, 2].min() > -0.01

  def test_knees_bend_forward_only(self, style, seed):
    walk = walk_of(style, seed)
    for side in conventions.LEGS:
      bend = knee_bend(walk, side)
      assert bend.min() > -0.5
      assert 25 < bend.max() < 95

  def test_bones_keep_their_length(self, style, seed):
    walk = walk_of(style, seed)
    subject = walk.subject
    for side in conventions.LEGS:
      for first, second, length in (
        ('hip', 'knee', subject.thigh_m),
        ('knee', 'ankle', subject.shank_m),
        ('shoulder', 'elbow', subject.upper_arm_m),
        ('elbow', 'wrist', subject.forearm_m),
      ):
        span = np.linalg.norm(
          joint(walk, f'{side}_{second}') - joint(walk, f'{side}_{first}'), axis=1
        )
        np.testing.assert_allclose(span, length, atol=0.001)

  def test_no_force_in_the_air(self, style, seed):
    walk = walk_of(style, seed)
    for leg in (0, 1):
      on = np.zeros(len(walk.time_s), bool)
      for c in walk.contacts:
        if c.leg == leg:
          on |= (walk.time_s > c.start_s - 1e-9) & (walk.time_s < c.end_s + 1e-9)
      assert not walk.force[~on, leg].any()
      assert walk.force[on, leg, 2].min() > -1e-9


class TestNormalGait:
  # name: every subject's range, range of the mean over subjects.
  RANGES: typing.ClassVar = {
    # Nilsson & Thorstensson 1989 (1.0 to 1.5 BW at 1.0 to 2.0 m/s); Winter 1991.
    'first': (0.90, 1.55, 1.03, 1.25),
    'second': (0.90, 1.55, 1.03, 1.25),
    # Winter 1991, Stansfield 2001.
    'valley': (0.45, 0.97, 0.65, 0.85),
    'braking': (0.08, 0.32, 0.14, 0.23),
    'propulsion': (0.10, 0.36, 0.15, 0.26),
    # Perry & Burnfield 2010: 62 % at free speed, less when faster.
    'stance': (0.54, 0.67, 0.57, 0.63),
    # Öberg 1993 (adults 98 to 138 steps/min); Sutherland 1988 (7 years: 144, sd 16).
    'cadence': (78, 185, 105, 140),
    'stance_s': (0.38, 0.95, 0.5, 0.72),
  }

  @pytest.mark.parametrize('name', sorted(RANGES))
  def test_published_ranges(self, name):
    low, high, least, most = self.RANGES[name]
    values = np.array([person[name] for person in forces_of_many()])
    assert low < values.min()
    assert values.max() < high
    assert least < values.mean() < most

  def test_children_and_adults(self):
    people = forces_of_many()
    children = [p for p in people if p['child']]
    adults = [p for p in people if not p['child']]
    assert 30 < len(children) < 70
    assert np.mean([p['cadence'] for p in children]) > np.mean([p['cadence'] for p in adults])

  def test_people_differ(self):
    people = forces_of_many()
    for name, spread in (('first', 0.05), ('valley', 0.05), ('second', 0.05), ('stance_s', 0.05)):
      assert np.std([p[name] for p in people]) > spread

  @pytest.mark.parametrize('seed', range(3))
  def test_joint_angles(self, seed):
    """Winter 1991: stance knee 5-25, swing knee about 60, thigh -20 to 30 degrees."""
    walk = walk_of('normal', seed)
    for leg, side in enumerate(conventions.LEGS):
      bend = knee_bend(walk, side)
      thigh = lean(joint(walk, f'{side}_knee') - joint(walk, f'{side}_hip'))
      assert 55 < bend.max() < 80
      assert 15 < thigh.max() < 48
      assert -30 < thigh.min() < -8
      for c in walk.contacts:
        if c.leg == leg and c.start_s >= 0 and c.end_s <= walk.time_s[-1]:
          begin, end = round(c.start_s * 1000), round(c.end_s * 1000)
          single = slice(begin + (end - begin) // 5, begin + (end - begin) * 7 // 10)
          assert bend[begin] < 20
          assert bend[single].max() < 40
          heel, toe = joint(walk, f'{side}_heel'), joint(walk, f'{side}_toe')
          assert toe[begin, 2] > heel[begin, 2] + 0.02  # heel strike
          assert heel[end, 2] > toe[end, 2] + 0.04  # toe-off

  def test_arms_swing_against_the_legs(self):
    walk = walk_of('normal', 0)
    for side in conventions.LEGS:
      arm = lean(joint(walk, f'{side}_elbow') - joint(walk, f'{side}_shoulder'))
      leg = lean(joint(walk, f'{side}_ankle') - joint(walk, f'{side}_hip'))
      assert np.corrcoef(arm, leg)[0, 1] < -0.5

  def test_pelvis_moves_smoothly(self):
    walk = walk_of('normal', 0)
    frames = body.joints_at(walk, np.arange(0, walk.time_s[-1], 1 / 60))[:, body.INDEX['pelvis']]
    speed = np.diff(frames, axis=0) * 60
    assert np.abs(np.diff(speed, axis=0)).max() < 0.4  # m/s from frame to frame


class TestStyles:
  def test_limp_spares_the_affected_leg(self):
    walk = walk_of('limp', 0)
    affected = int(walk.subject.habits['affected_leg'])
    times: dict[int, list[float]] = {0: [], 1: []}
    for c in walk.contacts:
      times[c.leg].append(c.end_s - c.start_s)
    assert np.mean(times[affected]) < np.mean(times[1 - affected]) - 0.02
    push = walk.force[:, :, 2].sum(0)
    assert push[affected] < push[1 - affected]

  def test_toe_walkers_keep_heels_up(self):
    walk = walk_of('toe', 0)
    assert min(joint(walk, f'{side}_heel')[:, 2].min() for side in conventions.LEGS) > 0.02

  def test_crouch_stays_bent(self):
    walk = walk_of('crouch', 0)
    assert min(knee_bend(walk, side).min() for side in conventions.LEGS) > 8

  def test_slow_is_slow(self):
    def speed(walk):
      return walk.com[-1, 0] / walk.time_s[-1]

    assert speed(walk_of('slow', 0)) < 0.85 * speed(walk_of('normal', 0))

  def test_mixed_draws_several(self):
    drawn = {walks.draw_subject(np.random.default_rng(i), 'mixed').style for i in range(40)}
    assert 'normal' in drawn
    assert len(drawn) > 4

  def test_unknown_style_names_the_known(self):
    with pytest.raises(errors.InputError, match='normal') as raised:
      walks.draw_subject(np.random.default_rng(0), 'moonwalk')
    assert raised.value.code == 'synth.unknown_style'


class TestSubjectAndWalk:
  def test_same_seed_same_walk(self):
    first, again = (
      walks.draw_walk(walks.draw_subject(np.random.default_rng(5)), np.random.default_rng(6), STEPS)
      for _ in range(2)
    )
    assert first.subject == again.subject
    np.testing.assert_array_equal(first.joints, again.joints)
    np.testing.assert_array_equal(first.force, again.force)
    other = walks.draw_walk(first.subject, np.random.default_rng(7), STEPS)
    assert other.joints.shape != first.joints.shape or not np.allclose(other.joints, first.joints)

  def test_bodies_are_whole(self):
    for seed in range(50):
      subject = walks.draw_subject(np.random.default_rng(seed))
      assert sum(subject.segment_mass) == pytest.approx(1)
      assert all(0 < com < 1 for com in subject.segment_com)
      standing = subject.leg_m + subject.trunk_m + subject.head_m
      assert standing == pytest.approx(subject.height_m, rel=0.03)
      if subject.age_group == 'child':
        assert 12 < subject.mass_kg < 95
      else:
        assert 35 < subject.mass_kg < 140

  def test_sample_runs_through_the_samples(self):
    walk = walk_of('normal', 0)
    np.testing.assert_allclose(body.joints_at(walk, walk.time_s[5:9]), walk.joints[5:9], atol=1e-12)
    between = body.joints_at(walk, np.array([0.5005]))[0]
    np.testing.assert_allclose(between, (walk.joints[500] + walk.joints[501]) / 2, atol=1e-4)
    with pytest.raises(ValueError, match='lasts'):
      body.joints_at(walk, np.array([walk.time_s[-1] + 0.1]))

  def test_shift_moves_everything(self):
    walk = walk_of('normal', 0)
    moved = body.move_walk(walk, np.array([2.0, 0.5, 0]))
    np.testing.assert_allclose(
      moved.joints - walk.joints,
      np.broadcast_to([2, 0.5, 0], (1, 1, 3)) + 0 * walk.joints,
      atol=1e-12,
    )
    assert moved.contacts[1].heel_x_m == pytest.approx(walk.contacts[1].heel_x_m + 2)
    assert dataclasses.replace(moved, joints=walk.joints).time_s is walk.time_s

  def test_heels_land_where_contacts_say(self):
    walk = walk_of('normal', 0)
    for c in walk.contacts:
      if 0 <= c.start_s <= walk.time_s[-1]:
        heel = joint(walk, f'{conventions.LEGS[c.leg]}_heel')[round(c.start_s * 1000)]
        assert heel[0] == pytest.approx(c.heel_x_m, abs=0.005)

  def test_too_short_a_walk(self):
    with pytest.raises(ValueError, match='two steps'):
      walks.draw_walk(walks.draw_subject(np.random.default_rng(0)), np.random.default_rng(0), 1)

  def test_other_rates(self):
    subject = walks.draw_subject(np.random.default_rng(0))
    walk = walks.draw_walk(subject, np.random.default_rng(0), 2, rate_hz=500)
    assert walk.time_s[1] - walk.time_s[0] == pytest.approx(1 / 500)
