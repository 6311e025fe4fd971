"""Draws body sizes and segment masses of adults and children, whom the forces then carry.

Sources:
  de Leva P (1996). Adjustments to Zatsiorsky-Seluyanov's segment inertia parameters. J Biomech
    29(9):1223-1230, table 4: masses and centres of mass, women and men.
  Jensen RK (1986). Body segment mass, radius and radius of gyration proportions of children.
    J Biomech 19(5):359-368: the head's share of a boy's mass by age, 4 to 15 years.
  Drillis R, Contini R (1966), in Winter DA, Biomechanics and Motor Control of Human Movement,
    fig. 4.1: segment lengths as fractions of height.
  CDC growth charts (Kuczmarski RJ et al. 2002): median height and BMI of children by age.
  NCD-RisC (2016) and common survey values: height of adults, 1.62 (0.065) and 1.755 (0.07) m.
"""

import numpy as np

from grfjax.synth import body

ADULT_AGE = 20.0

# de Leva table 4: fractions of body mass, and centres of mass from the first joint, by sex.
# Head and trunk: endpoints vertex - cervicale and mid-shoulder - mid-hip; arm segments from the
# proximal joint (the hand, given to the third metacarpal, is rescaled to the fingertip below);
# foot from heel to toe tip.
MASS = {
  'female': {
    'head': 0.0668,
    'trunk': 0.4257,
    'upper_arm': 0.0255,
    'forearm': 0.0138,
    'hand': 0.0056,
    'thigh': 0.1478,
    'shank': 0.0481,
    'foot': 0.0129,
  },
  'male': {
    'head': 0.0694,
    'trunk': 0.4346,
    'upper_arm': 0.0271,
    'forearm': 0.0162,
    'hand': 0.0061,
    'thigh': 0.1416,
    'shank': 0.0433,
    'foot': 0.0137,
  },
}
COM = {
  'female': {
    'head': 0.4841,
    'trunk': 0.3782,
    'upper_arm': 0.5754,
    'forearm': 0.4559,
    'hand': 0.7474,
    'thigh': 0.3612,
    'shank': 0.4416,
    'foot': 0.4014,
  },
  'male': {
    'head': 0.5002,
    'trunk': 0.4310,
    'upper_arm': 0.5772,
    'forearm': 0.4574,
    'hand': 0.7900,
    'thigh': 0.4095,
    'shank': 0.4459,
    'foot': 0.4415,
  },
}
# de Leva table 2, millimetres: wrist to third metacarpal / to fingertip; vertex to cervicale.
HAND_TO_FINGERTIP = {'female': 78.0 / 170.1, 'male': 86.2 / 187.9}
HEAD_TO_CERVICALE = {'female': 243.7 / 1735.0, 'male': 242.9 / 1741.0}  # of height

# Drillis & Contini, fractions of height. Joint centres lie inside the breadths that they give:
# shoulder joints 0.82 of the biacromial breadth, hip joints 0.52 of the breadth over the hips.
SHOULDER_HEIGHT, UPPER_ARM, FOREARM, HAND = 0.818, 0.186, 0.146, 0.108
SHOULDER_WIDTH, HIP_WIDTH = 0.259 * 0.82, 0.191 * 0.52
KNEE_HEIGHT, ANKLE_HEIGHT, HIP_HEIGHT, FOOT = 0.285, 0.039, 0.530, 0.152
SHOE_M = 0.018  # sole under the malleolus, on top of the bare foot's height

# CDC medians, both sexes together within 1 cm and 0.3 kg/m2 until 12 years.
CHILD_AGE = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0)
CHILD_HEIGHT = (1.09, 1.155, 1.22, 1.28, 1.335, 1.385, 1.44, 1.50, 1.56, 1.62, 1.66)
CHILD_BMI = (15.3, 15.3, 15.5, 15.8, 16.3, 16.7, 17.3, 17.9, 18.5, 19.2, 19.8)
# Hip height of a child, as a fraction of an adult's: legs are short until about 12 years.
CHILD_LEG = (0.93, 0.945, 0.96, 0.97, 0.98, 0.985, 0.99, 1.0, 1.0, 1.0, 1.0)


def draw_body(rng: np.random.Generator, child: bool) -> dict:
  """Draws the fields of `body.Subject` that describe the body; returns them by name."""
  sex = 'female' if rng.random() < 0.5 else 'male'
  if child:
    age = rng.uniform(5.5, 15)
    height = float(np.interp(age, CHILD_AGE, CHILD_HEIGHT)) * (1 + 0.045 * _normal(rng))
    bmi = float(np.interp(age, CHILD_AGE, CHILD_BMI)) * np.exp(0.14 * _normal(rng) + 0.03)
    leg = float(np.interp(age, CHILD_AGE, CHILD_LEG))
  else:
    age = rng.uniform(18, 80)
    mean, spread = (1.62, 0.065) if sex == 'female' else (1.755, 0.07)
    height = mean + spread * _normal(rng)
    bmi = 24.0 * np.exp(0.14 * _normal(rng))
    leg = 1.0
  hip = HIP_HEIGHT * leg * (1 + 0.015 * _normal(rng)) * height
  knee = KNEE_HEIGHT / HIP_HEIGHT * hip * (1 + 0.015 * _normal(rng))
  ankle = ANKLE_HEIGHT * height + SHOE_M
  shoulder = SHOULDER_HEIGHT * height * (1 - 0.12 * (1 - leg))
  arm = 1 + 0.02 * _normal(rng)
  lengths = {
    'head_m': height - shoulder,
    'trunk_m': shoulder - hip,
    'shoulder_width_m': SHOULDER_WIDTH * height * (1 + 0.04 * _normal(rng)),
    'upper_arm_m': UPPER_ARM * height * arm,
    'forearm_m': FOREARM * height * arm,
    'hand_m': HAND * height * arm,
    'hip_width_m': HIP_WIDTH * height * (1 + 0.04 * _normal(rng)),
    'thigh_m': hip - knee,
    'shank_m': knee - ankle + SHOE_M,
    'ankle_height_m': ankle,
    'foot_m': FOOT * height * (1 + 0.03 * _normal(rng)) * (1.05 if child else 1.0) + 0.018,
  }
  lengths = {name: float(value) for name, value in lengths.items()}
  mass, com = segment_parameters(sex, min(age, ADULT_AGE), lengths['head_m'] / height)
  return {
    'height_m': float(height),
    'mass_kg': float(bmi * height**2),
    'sex': sex,
    'age_group': 'child' if child else 'adult',
    'age_years': float(age),
    'segment_mass': mass,
    'segment_com': com,
    **lengths,
  }


def segment_parameters(
  sex: str,
  age_years: float,
  head_fraction: float,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
  """Returns mass fractions and centres of mass, as fractions, for each of `body.SEGMENTS`.

  Args:
    sex: 'female' or 'male'.
    age_years: age; a child's head is heavier (Jensen 1986), everything else lighter in proportion.
    head_fraction: length of the head segment over height. The segment runs from the vertex to
      mid-shoulder, de Leva's only to the cervicale, so that its centre of mass is rescaled.
  """
  mass, com = dict(MASS[sex]), dict(COM[sex])
  head = max(mass['head'], 0.2376 - 0.0114 * age_years)
  rest = (1 - head) / (2 * sum(mass.values()) - mass['head'] * 2 - mass['trunk'])
  mass = {name: value * rest for name, value in mass.items()} | {'head': head}
  com['hand'] *= HAND_TO_FINGERTIP[sex]
  com['head'] *= HEAD_TO_CERVICALE[sex] / head_fraction
  names = [name.removeprefix('left_').removeprefix('right_') for name, _, _ in body.SEGMENTS]
  return tuple(mass[n] for n in names), tuple(com[n] for n in names)


def _normal(rng: np.random.Generator) -> float:
  """Draws a standard normal number, clipped at two standard deviations to keep bodies possible."""
  return float(np.clip(rng.standard_normal(), -2, 2))
