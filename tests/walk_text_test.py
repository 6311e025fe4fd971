"""The result for one video in sentences."""

import dataclasses
import re

import numpy as np
import report_making

from grfjax.report import walk_text


def test_words_say_cadence_stance_and_peaks():
  text = '\n'.join(
    walk_text.result_sentences(
      report_making.make_prediction(report_making.make_curves(report_making.walk()))
    )
  )
  assert 'Cadence: 120 steps a minute, of 5 steps.' in text
  for leg in ('Left', 'Right'):
    line = rf'{leg} leg: stance 0.59 s, of 3 whole contacts; first peak 1.04 BW = 61\d N; second '
    assert re.search(line, text)
  assert 'stance time 0 %, first peak 0 %' in text
  assert 'over 4 whole strides both legs together carry 0.95 BW' in text


def test_words_of_one_leg_and_of_none():
  force = np.where([[[1], [0]]], report_making.walk(axes=1), np.nan)
  only = dataclasses.replace(report_making.make_curves(force), near_only=True)
  text = '\n'.join(walk_text.result_sentences(report_making.make_prediction(only, mass=None)))
  assert 'Right leg: no estimate (the network knows the near leg alone).' in text
  assert ' N;' not in text
  assert 'Cadence' not in text
  nothing = walk_text.result_sentences(
    report_making.make_prediction(report_making.make_curves(report_making.walk()[30:40]))
  )
  assert 'Left leg: no whole stance was seen.' in nothing
