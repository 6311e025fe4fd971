"""How people differ in walking: traits of force and motion, their spread, and styles of gait.

`walks` draws every trait for a person, for a walk of that person, and for each footfall.

Dimensionless numbers follow Hof AL (1996), Scaling gait data to body size, Gait Posture 4:222:
speed over sqrt(g l), step length over l, where l is leg length.

Sources of the ranges:
  Perry J, Burnfield J (2010), Gait Analysis, 2nd ed.: stance 62 % of the stride, joint angles.
  Winter DA (1991), The Biomechanics and Motor Control of Human Gait, 2nd ed.: joint angles, force
    peaks 1.0-1.3 BW, valley 0.7-0.9, braking and propulsion 0.15-0.25 BW by cadence.
  Nilsson J, Thorstensson A (1989), Ground reaction forces at different speeds of human walking
    and running, Acta Physiol Scand 136:217: peaks 1.0-1.5 BW between 1.0 and 2.0 m/s.
  Diop M et al. (2005), Int J Sports Med 26:682, and Greer NL, Hamill J, Campbell KR (1989), Hum
    Mov Sci 8:493: children's first peak is higher and their valley lower than adults'.
  Stansfield BW et al. (2001), J Pediatr Orthop 21:395 and 403: children's forces by speed.
  Whittle MW (1999), Generation and attenuation of transient impulsive forces beneath the foot,
    Gait Posture 10:264: heel-strike transient 10-20 ms after contact, 0.3-1.25 BW.
  Owings TM, Grabiner MD (2004), Step width variability, J Biomech 37:935: width 0.08-0.13 m and
    step-to-step variation of it 2 cm, of step length 2-3 %.
  Grieve DW, Gear RJ (1966), Ergonomics 5:379: step length grows with the 0.42th power of speed.
"""

from typing import NamedTuple


class Trait(NamedTuple):
  """One property of a gait: its mean over people, its spreads, and its limits.

  Attributes:
    mean: mean over all people.
    person, side, walk, step: standard deviations between people, between a person's legs (half the
      difference), between walks of one person, and between steps.
    low, high: limits of every value.
  """

  mean: float
  person: float
  side: float
  walk: float
  step: float
  low: float
  high: float


TRAITS = {
  # Time and place.
  'speed': Trait(0.43, 0.055, 0, 0.022, 0, 0.16, 0.62),  # over sqrt(g l)
  'step_length': Trait(1.08, 0.065, 0, 0.015, 0.0, 0.75, 1.3),  # over l speed^0.42
  'step_time': Trait(1, 0, 0.010, 0, 0.012, 0.8, 1.2),  # relative to the walk's mean
  'stance': Trait(0.596, 0.016, 0.004, 0.004, 0.004, 0.55, 0.74),  # fraction of the stride
  'width': Trait(0.095, 0.025, 0, 0.008, 0.012, 0.02, 0.30),  # metres, at 0.9 m of leg
  'ahead': Trait(0.0, 0.006, 0.003, 0.003, 0.004, -0.08, 0.08),  # landing place, over l
  'toe_out': Trait(7, 5, 2.5, 1, 1, -12, 30),  # degrees
  # Vertical force: body weights, fractions of stance.
  'peak1': Trait(1.085, 0.060, 0.025, 0.02, 0.025, 0.80, 1.50),
  'valley': Trait(0.80, 0.050, 0.020, 0.015, 0.02, 0.45, 1.02),
  'peak2': Trait(1.045, 0.055, 0.025, 0.015, 0.02, 0.75, 1.45),
  'peak1_at': Trait(0.215, 0.025, 0.008, 0.006, 0.008, 0.13, 0.32),
  'valley_at': Trait(0.455, 0.022, 0.008, 0.008, 0.010, 0.36, 0.56),
  'peak2_at': Trait(0.773, 0.017, 0.006, 0.005, 0.006, 0.68, 0.86),
  'jump': Trait(
    0.50, 0.13, 0.03, 0.03, 0.05, 0.08, 0.80
  ),  # share of the first peak that the foot takes at once
  'jump_s': Trait(0.019, 0.006, 0.001, 0.001, 0.002, 0.009, 0.050),
  'ring': Trait(0.16, 0.10, 0.03, 0.03, 0.04, 0.0, 0.55),  # heel-strike transient, BW
  'ring_hz': Trait(27, 6, 1, 1, 1.5, 15, 42),
  'ring_decay_s': Trait(0.016, 0.004, 0, 0.001, 0.001, 0.008, 0.028),
  'fall': Trait(
    1.14, 0.10, 0.02, 0.02, 0.02, 0.85, 1.5
  ),  # the greater, the later the force falls off
  'wobble': Trait(0, 0.028, 0.012, 0.008, 0.010, -0.09, 0.09),  # BW, waviness of the plateau
  # Forward force: body weights over step length (in l).
  'brake': Trait(0.265, 0.035, 0.018, 0.012, 0.015, 0.08, 0.42),
  'push': Trait(0.262, 0.030, 0.015, 0.010, 0.012, 0.05, 0.45),
  'brake_at': Trait(0.135, 0.028, 0.012, 0.008, 0.010, 0.05, 0.22),
  'push_at': Trait(0.885, 0.016, 0.005, 0.004, 0.004, 0.82, 0.94),
  'turn_at': Trait(0.535, 0.028, 0.012, 0.008, 0.008, 0.42, 0.65),
  'brake_tail': Trait(0.46, 0.10, 0.03, 0.02, 0.03, 0.15, 0.75),
  'push_head': Trait(0.44, 0.08, 0.03, 0.02, 0.03, 0.15, 0.75),
  'ring_x': Trait(-0.25, 0.35, 0.15, 0.1, 0.15, -1.2, 1.0),  # of the vertical transient
  # Sideways force towards the other leg: body weights.
  'lateral': Trait(0.035, 0.022, 0.010, 0.008, 0.010, 0.0, 0.11),
  'medial1': Trait(0.052, 0.014, 0.006, 0.005, 0.007, 0.015, 0.12),
  'medial_mid': Trait(0.036, 0.010, 0.005, 0.004, 0.005, 0.005, 0.09),
  'medial2': Trait(0.047, 0.014, 0.006, 0.005, 0.006, 0.01, 0.11),
  'medial_end': Trait(0.0, 0.015, 0.006, 0.004, 0.006, -0.04, 0.05),
  # Motion: degrees, fractions of stance or swing.
  'knee_least': Trait(8, 2.5, 0, 0.7, 0, 2.5, 45),  # straightest knee in stance
  'knee_toe_off': Trait(42, 4, 1.2, 1.0, 1.0, 12, 65),
  'knee_swing': Trait(61, 4, 1.5, 1.2, 1.0, 22, 78),
  'knee_landing': Trait(7, 2, 0.7, 0.7, 0.7, 3.5, 45),
  'foot_strike': Trait(19, 4.5, 1.2, 1.2, 1.2, -2, 34),  # toe up at contact
  'foot_flat_at': Trait(0.17, 0.02, 0.005, 0.004, 0.004, 0.08, 0.26),
  'heel_up': Trait(0, 0, 0, 0, 0, 0, 45),  # least heel rise: toe-walking
  'toe_roll': Trait(26, 5, 1.5, 1.5, 1.5, 5, 60),  # toes' pitch at toe-off
  'ankle_swing': Trait(1, 3, 1, 1, 1, -35, 18),  # toe up, in the middle of swing
  'clearance': Trait(0.013, 0.004, 0.002, 0.002, 0.002, 0.006, 0.08),  # metres at 0.9 m of leg
  'circumduction': Trait(0.008, 0.008, 0.003, 0.002, 0.003, -0.01, 0.12),  # metres, as above
  'pelvis_turn': Trait(4.5, 1.6, 0, 0.5, 0, 0.5, 12),
  'pelvis_list': Trait(3.5, 1.2, 0, 0.4, 0, 0, 12),
  'hip_hike': Trait(0, 0, 0, 0, 0, 0, 14),  # of the swinging leg's side
  'trunk_lean': Trait(4, 2.5, 0, 0.8, 0, -4, 35),
  'trunk_nod': Trait(1.2, 0.4, 0, 0.2, 0, 0, 4),
  'trunk_sway': Trait(1.5, 0.8, 0, 0.3, 0, 0, 14),
  'trunk_turn': Trait(4.5, 1.6, 0, 0.6, 0, 0, 12),
  'trunk_shift': Trait(0, 0.6, 0, 0.2, 0, -10, 10),  # constant lean to the left
  'head_tilt': Trait(9, 5, 0, 2, 0, -8, 30),
  'arm_swing': Trait(17, 6, 2.5, 2, 0, 0, 40),
  'arm_rest': Trait(-4, 4, 1.5, 1, 0, -20, 25),
  'arm_out': Trait(8, 3, 1, 0.7, 0, 2, 35),
  'elbow_rest': Trait(20, 8, 3, 2, 0, 4, 95),
  'elbow_swing': Trait(9, 4, 1.5, 1, 0, 0, 25),
  'arm_lag': Trait(0.03, 0.025, 0.01, 0.008, 0, -0.06, 0.12),  # of the stride
}

# Slope of a trait on speed, per unit of dimensionless speed away from 0.43 (0.1 is about 0.3 m/s):
# faster walking has higher peaks, a deeper valley, a shorter stance and a wider swing of everything
# (Winter 1991, Nilsson 1989, Stansfield 2001, Perry 2010).
ON_SPEED = {
  'stance': -0.16,
  'peak1': 0.90,
  'valley': -0.95,
  'peak2': 0.25,
  'jump': 0.3,
  'ring': 0.5,
  'brake': 0.10,
  'push': 0.10,
  'peak1_at': 0.10,
  'knee_swing': 25,
  'knee_toe_off': 15,
  'foot_strike': 35,
  'arm_swing': 55,
  'elbow_rest': 30,
  'elbow_swing': 25,
  'pelvis_turn': 10,
  'trunk_turn': 8,
  'pelvis_list': 8,
  'width': -0.04,
  'clearance': 0.01,
}
# By how much the traits of children differ from those of adults (Diop 2005, Greer 1989).
CHILD = {
  'speed': 0.03,
  'peak1': 0.04,
  'valley': -0.02,
  'ring': 0.05,
  'jump': 0.08,
  'jump_s': -0.005,
  'stance': -0.008,
  'elbow_rest': 5,
  'arm_swing': 3,
}


class Style(NamedTuple):
  """A style of gait.

  Attributes:
    both: trait -> shift of its mean, for both legs.
    affected_leg: trait -> further shift for one leg, which is drawn for each person.
    unsteady: factor on the spread between steps.
    help: what the style is.
  """

  both: dict[str, float]
  affected_leg: dict[str, float]
  unsteady: float = 1.0
  help: str = ''


STYLES = {
  'normal': Style({}, {}, help='healthy gait'),
  'limp': Style(
    {'speed': -0.10, 'step_length': -0.05, 'trunk_sway': 1.5, 'arm_swing': -5, 'trunk_lean': 2},
    {
      'step_time': 0.07,
      'stance': -0.028,
      'peak1': -0.10,
      'peak2': -0.12,
      'valley': 0.05,
      'push': -0.08,
      'brake': -0.03,
      'jump': -0.12,
      'ring': -0.10,
      'knee_swing': -8,
      'foot_strike': -8,
      'knee_landing': 4,
      'ahead': 0.012,
    },
    help='antalgic: one leg is spared, shorter and lighter in stance',
  ),
  'slow': Style(
    {
      'speed': -0.19,
      'step_length': -0.09,
      'stance': 0.022,
      'width': 0.035,
      'peak1': 0.05,
      'valley': -0.04,
      'peak2': -0.01,
      'ring': 0.02,
      'jump': -0.10,
      'push': -0.02,
      'foot_strike': -5,
      'knee_swing': -4,
      'trunk_lean': 6,
      'head_tilt': 6,
      'elbow_rest': 14,
      'arm_swing': -2,
      'knee_least': 3,
      'medial1': 0.008,
      'medial_mid': 0.008,
    },
    {},
    1.4,
    help='slow and cautious, as of the old: short steps, long double support',
  ),
  'toe': Style(
    {
      'speed': -0.03,
      'step_length': -0.04,
      'heel_up': 24,
      'ankle_swing': -14,
      'peak1': 0.05,
      'valley': 0.03,
      'peak2': -0.07,
      'peak1_at': 0.02,
      'jump': -0.15,
      'ring': -0.06,
      'jump_s': 0.012,
      'push': -0.02,
      'knee_least': 4,
      'knee_landing': 6,
      'arm_out': 4,
      'elbow_rest': 15,
    },
    {},
    1.2,
    help='on the toes: the heel never touches the floor',
  ),
  'crouch': Style(
    {
      'speed': -0.09,
      'step_length': -0.08,
      'stance': 0.015,
      'knee_least': 20,
      'knee_landing': 20,
      'knee_toe_off': 8,
      'foot_strike': -10,
      'trunk_lean': 6,
      'peak1': 0.03,
      'valley': 0.05,
      'peak2': -0.08,
      'elbow_rest': 20,
      'arm_out': 6,
      'trunk_sway': 2,
    },
    {},
    1.4,
    help='knees bent all through stance',
  ),
  'stiff': Style(
    {'speed': -0.09, 'step_length': -0.04, 'pelvis_list': 1.5},
    {
      'knee_swing': -26,
      'knee_toe_off': -16,
      'circumduction': 0.06,
      'clearance': -0.006,
      'ankle_swing': 10,
      'hip_hike': 8,
      'foot_strike': -8,
      'step_time': 0.03,
      'stance': -0.012,
      'peak2': -0.06,
      'push': -0.06,
      'arm_swing': -6,
    },
    1.2,
    help='one knee hardly bends; the leg swings round',
  ),
  'unsteady': Style(
    {
      'speed': -0.10,
      'step_length': -0.05,
      'stance': 0.02,
      'width': 0.09,
      'trunk_sway': 3.5,
      'medial1': 0.02,
      'medial_mid': 0.02,
      'medial2': 0.015,
      'arm_out': 9,
      'toe_out': 5,
      'peak2': -0.03,
    },
    {},
    2.2,
    help='ataxic: wide base, irregular steps',
  ),
  'stomp': Style(
    {
      'peak1': 0.10,
      'jump': 0.16,
      'ring': 0.18,
      'jump_s': -0.008,
      'valley': -0.03,
      'peak2': -0.02,
      'foot_strike': -6,
      'foot_flat_at': -0.03,
    },
    {},
    1.2,
    help='lands heavily',
  ),
  'waddle': Style(
    {
      'speed': -0.06,
      'trunk_sway': 7,
      'pelvis_list': 3,
      'width': 0.04,
      'medial1': 0.008,
      'medial_mid': 0.01,
      'arm_out': 5,
      'peak2': -0.04,
    },
    {},
    1.2,
    help='Trendelenburg: the trunk leans over the standing leg',
  ),
}
MIXED = 'mixed'  # half normal, otherwise any other style alike
