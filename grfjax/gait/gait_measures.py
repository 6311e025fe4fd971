"""The definitions of the gait measures: peaks, impulses, loading rate, step and stride."""

from __future__ import annotations

from typing import NamedTuple

from grfjax.gait import contact_thresholds

# There are two peaks when the valley is lower than either by this: more than the ripple of an
# estimate at its top, less than the valley of slow walking, which fades with speed.
VALLEY_BW = 0.02

# Loading rate between these shares of the first peak: Woodard, James and Messier, Journal of
# Applied Biomechanics 15 (1999), one of the four methods they compare for walking. It needs neither
# the moment of contact nor that of the rounded top, which frames a sixtieth apart tell worst.
LOADING = (0.2, 0.9)


class Measure(NamedTuple):
  """What people read about a measure.

  Attributes:
    label: its name.
    unit: of its values.
    definition: a sentence.
  """

  label: str
  unit: str
  definition: str


_RULE = (
  f'vertical force above {contact_thresholds.CONTACT_BW:g} BW around a time at which it is above '
  f'{contact_thresholds.LOADED_BW:g} BW; '
  'not given where it was not seen'
)

_METRES = (
  'Metres come from the body height and the height in the picture, or from a scale that was given.'
)

_PEAKED = f'both peaks at least {VALLEY_BW:g} BW above the valley, else none is given'

EVENTS: dict[str, Measure] = {
  'contact_s': Measure('Initial contact', 's', f'When the foot begins to be in contact: {_RULE}.'),
  'toe_off_s': Measure('Toe-off', 's', f'When the foot ceases to be in contact: {_RULE}.'),
}

# Measures of every contact; NaN where undefined. Peaks and valley are F1, F2 and F3 of Perry and
# Burnfield (Gait Analysis, 2010); step, stride and double support are as defined there.
MEASURES: dict[str, Measure] = {
  'stance_s': Measure('Stance time', 's', "From the foot's initial contact to its toe-off."),
  'step_s': Measure(
    'Step time', 's', "From the other foot's initial contact to the next one of this foot."
  ),
  'stride_s': Measure(
    'Stride time', 's', 'From this initial contact to the next one of the same foot.'
  ),
  'step_length_m': Measure(
    'Step length',
    'm',
    'How far this foot is set down in front of the other one: along the walk, from the middle of '
    "the other foot's sole in the contact before to the middle of this sole (Perry and Burnfield "
    f'2010, Whittle 2007; there between the heels, which differs only if the feet do). {_METRES}',
  ),
  'step_length_bh': Measure(
    'Step length in body heights', 'body heights', 'The same, measured in body heights.'
  ),
  'stride_length_m': Measure(
    'Stride length',
    'm',
    'How far the body goes in this stride, which is as far as the foot is carried: its mean speed '
    f'times the stride time. {_METRES}',
  ),
  'stride_length_bh': Measure(
    'Stride length in body heights', 'body heights', 'The same, measured in body heights.'
  ),
  'double_support_pct': Measure(
    'Double support', '% of stride', 'Share of the stride in which both feet are in contact.'
  ),
  'first_peak_bw': Measure(
    'First peak',
    'BW',
    f'Greatest local maximum of vertical force in the first half of stance; {_PEAKED}.',
  ),
  'first_peak_pct_stance': Measure('Time of the first peak', '% of stance', 'When it is reached.'),
  'valley_bw': Measure('Valley', 'BW', 'Least vertical force between first and second peak.'),
  'valley_pct_stance': Measure('Time of the valley', '% of stance', 'When it is reached.'),
  'second_peak_bw': Measure(
    'Second peak',
    'BW',
    f'Greatest local maximum of vertical force in the second half of stance; {_PEAKED}.',
  ),
  'second_peak_pct_stance': Measure(
    'Time of the second peak', '% of stance', 'When it is reached.'
  ),
  'loading_rate_bw_per_s': Measure(
    'Loading rate',
    'BW/s',
    f'Slope of the line through the last rises of vertical force through {LOADING[0]:.0%} and '
    f'{LOADING[1]:.0%} of the first peak before it (Woodard, James and Messier 1999).',
  ),
  'vertical_impulse_bw_s': Measure(
    'Vertical impulse', 'BW s', 'Integral of vertical force over stance.'
  ),
  'braking_impulse_bw_s': Measure(
    'Braking impulse', 'BW s', 'Integral of backward (negative) force over stance; negative.'
  ),
  'propulsion_impulse_bw_s': Measure(
    'Propulsion impulse', 'BW s', 'Integral of forward (positive) force over stance; positive.'
  ),
}

# Measures of a whole walk.
WALK_MEASURES: dict[str, Measure] = {
  'cadence_steps_per_min': Measure('Cadence', 'steps/min', '60 s over the mean of all step times.'),
  'walking_speed_mps': Measure(
    'Walking speed',
    'm/s',
    'How far the body goes over the time that it takes, of all steps seen whole. Metres as in the '
    'stride length.',
  ),
  'walking_speed_bh_per_s': Measure(
    'Walking speed in body heights',
    'body heights/s',
    'The same, measured in body heights.',
  ),
  'symmetry_index_pct': Measure(
    'Symmetry index',
    '%',
    "100 (L - R) / (0.5 (L + R)) of the legs' means (Robinson, Herzog and Nigg 1987): 0 when "
    'equal, positive when the left is larger, regardless of sign.',
  ),
}
