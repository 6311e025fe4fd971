"""The result for one video in sentences, for its page and for the terminal."""

from __future__ import annotations

from grfjax import conventions
from grfjax.gait import gait_measures
from grfjax.report import (
  contact_text,
  page_parts,
  text_table,
  walk_highlights,
  walk_prediction,
)

BODY_WEIGHT = 'Forces are in body weights (BW): 1 BW is what the person weighs, standing still.'


def in_short(prediction: walk_prediction.Prediction) -> str:
  """Returns the result for a terminal: a line for each sentence, then what to know about it."""
  flags = prediction.content['quality']['flags']
  return '\n'.join([*result_sentences(prediction), *(f'Note: {flag}' for flag in flags)])


def result_sentences(prediction: walk_prediction.Prediction) -> list[str]:
  """Returns the result in a few sentences: cadence, then each leg, then both legs together."""
  short = walk_highlights.highlights(prediction.content)
  first = f"The camera stood at the walker's {short.camera}."
  if short.cadence.value is not None:
    steps = _count(short.cadence.count, 'step')
    first += f' Cadence: {short.cadence.value:.0f} steps a minute, of {steps}.'
  near_only = prediction.estimate.near_only
  sentences = [
    first,
    *_describe_speed(short, prediction.content),
    *(_describe_leg(short, leg, near_only) for leg in conventions.LEGS),
  ]
  compared = [
    f'{walk_highlights.label(name).lower()} {text_table.format_value(index, "+.0f")} %'
    for name, index in short.asymmetry_pct.items()
  ]
  if compared:
    sentences.append(
      f'Left against right (0 is equal, positive is left larger): {", ".join(compared)}.'
    )
  if short.total_bw is not None:
    sentences.append(
      f'Check: over {_count(short.strides, "whole stride")} both legs together carry '
      f'{short.total_bw:.2f} BW on average; physics says 1.'
    )
  return sentences


def _describe_speed(
  short: walk_highlights.Highlights, content: walk_prediction.Content
) -> list[str]:
  """Returns the walking speed, and how fast people of that age walk, in sentences."""
  if short.speed_bh.value is None:
    return []
  steps = _count(short.speed_bh.count, 'step')
  in_heights = f'{short.speed_bh.value:.2f} body heights a second'
  if short.speed.value is None:
    return [f'Walking speed: {in_heights}, of {steps}; in metres only if the height is given.']
  by = 'body height' if content['scale_m_per_px'] is None else 'scale'
  sentences = [
    f'Walking speed: {short.speed.value:.2f} m/s, by the {by} given ({in_heights}), of {steps}.'
  ]
  if published := content['published_speed']:
    sentences.append(
      f'Healthy people aged {published["from_years"]} to {published["to_years"]} walk at '
      f'{published["women_mps"]:.2f} m/s (women) or {published["men_mps"]:.2f} m/s (men) on '
      f'average ({published["source"]}).'
    )
  sentences += [
    f'Of people aged {r["from_years"]} and over it is {r["mean"]:.2f} m/s on average, with a '
    f'standard deviation of {r["sd"]:.2f} m/s ({r["people"]} people; {r["source"]}).'
    for r in content['published_ranges']
    if r['measure'] == 'walking_speed_mps'
  ]
  return sentences


def _describe_leg(short: walk_highlights.Highlights, leg: str, near_only: bool) -> str:
  """Returns a leg's stance time, peaks and step length in a sentence, or why there are none."""
  name = f'{leg.capitalize()} leg'
  if not short.has_estimate[leg]:
    reason = ' (the network knows the near leg alone)' if near_only else ''
    return f'{name}: no estimate{reason}.'
  stance = short.legs[leg]['stance_s']
  peaks = {name: short.legs[leg][name] for name in ('first_peak_bw', 'second_peak_bw')}
  if not stance.count:
    return f'{name}: no whole stance was seen.'
  parts = [f'stance {stance.value:.2f} s, of {_count(stance.count, "whole contact")}']
  for measure, peak in peaks.items():
    if peak.value is not None:
      newtons = '' if peak.newtons is None else f' = {peak.newtons:.0f} N'
      parts.append(f'{gait_measures.MEASURES[measure].label.lower()} {peak.value:.2f} BW{newtons}')
  if len(parts) == 1:
    parts.append('without two peaks')
  for measure in walk_highlights.STEP_LENGTHS:
    if measure in short.measures and (step := short.legs[leg][measure]).value is not None:
      unit = gait_measures.MEASURES[measure].unit
      parts.append(f'step length {step.value:.2f} {unit}, of {_count(step.count, "step")}')
  return f'{name}: {"; ".join(parts)}.'


def _count(n: int, noun: str) -> str:
  return f'{n} {noun}' + ('' if n == 1 else 's')


def describe_recording(content: walk_prediction.Content) -> str:
  """Returns who was filmed in which video."""
  text = f'Video: {content["video"]}.'
  if content['speed'] != 1:
    text += f' A second of it is {content["speed"]:.4g} real seconds.'
  if content['subject']:
    text += f' Subject: {content["subject"]}.'
  if content['body_mass_kg'] is not None:
    text += f' Body mass: {content["body_mass_kg"]:g} kg.'
  if content['height_m'] is not None:
    text += f' Body height: {content["height_m"]:g} m.'
  if content['age_years'] is not None:
    text += f' Age: {content["age_years"]:g} years.'
  if content['scale_m_per_px'] is not None:
    text += f' Scale: {content["scale_m_per_px"]:g} m a pixel.'
  return text


def describe_errors(content: walk_prediction.Content) -> list[str]:
  """Returns the errors against the force plates in sentences; none without plates."""
  if not content['errors']:
    return []
  vertical, contacts = content['errors']['vertical'], content['errors']['contacts']
  if not vertical['n']:
    return ['No frame has both an estimate and a foot on a plate.']
  sentences = [
    f'Over {vertical["n"]} frames with a foot on a plate the vertical force is '
    f'{vertical["mae_pct_bw"]:.1f} % BW off on average (bias {vertical["bias_pct_bw"]:+.1f} % BW, '
    f'r {text_table.format_value(vertical["r"], ".2f")}).',
    f'Of {contacts["true"]} contacts on the plates {contacts["matched"]} were found, '
    f'{contacts["missed"]} missed; {contacts["invented"]} were invented.',
  ]
  if errors := contact_text.list_errors(contacts):
    sentences.append(f'Mean absolute errors: {errors}.')
  if pressure := content['errors']['pressure']:
    sentences.append(
      f'The centre of pressure is {pressure["mae_forward_cm"]:.1f} cm off along the walk and '
      f'{pressure["mae_side_cm"]:.1f} cm to the side on average, but for where its origin lies.'
    )
  return sentences


def describe_origin(content: walk_prediction.Content) -> list[str]:
  """Returns how the estimate was made, and how far it can be trusted."""
  run = content['run']
  people = run['trained_on_subjects']
  model = f'A network ({run["model"]}; step {run["step"]}'
  if people is not None:
    model += f'; it has learned from {people} people, drawn ones and those of networks that it '
    model += 'began from counted in'
  model += ')'
  sentences = [
    f'{model} estimated the force between foot and ground at every frame of the video, without '
    f"force plates. The camera stood at the walker's {content['camera']}. Made with grfjax "
    f'{content["grfjax"]}.'
  ]
  if what := run.get('what'):  # results of earlier versions do not have it
    sentences.append(f'About this network: {what}.')
  followed = run.get('training_followed')
  if followed is not None and followed < 1:
    share = f'{followed:.0%}' if followed else 'nothing'
    sentences.append(
      f'Of its own training {share} was taken: the network that training began with, or a mixture '
      'with it, erred less on people left out.'
    )
  if run['mae_pct_bw']:
    errors = '; '.join(f'{who}: {value:.1f}' for who, value in run['mae_pct_bw'].items())
    kind = (
      'The error'
      if run.get('what')
      else 'Whether these are people before a camera or rendered ones depends on the recordings; '
      'the error'
    )
    sentences.append(
      f'Mean absolute error of its vertical force in stance, % BW: {errors}. {kind} holds for '
      'people, cameras and rooms like those.'
    )
  else:
    sentences.append('Its error on people whom it has not seen was not measured.')
  share = run['interval_share']
  sentences.append(
    f'The interval holds the true force in {share:.0%} of stance frames of people left out of '
    'training.'
    if share
    else 'Its intervals are not calibrated, so none are given.'
  )
  return [*sentences, page_parts.NOT_MEDICAL]
