"""The result for one video in sentences."""

import dataclasses
import re
import types

import ml_collections
import numpy as np
import report_making

from grfjax.io import run_folder
from grfjax.report import run_description, walk_text


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


def origin(**run):
  prediction = report_making.make_prediction(report_making.make_curves(report_making.walk()))
  prediction = dataclasses.replace(prediction, run=report_making.RUN | run)
  return ' '.join(walk_text.describe_origin(prediction.content))


def test_how_everyone_was_made_does_not_contradict_itself():
  folder = run_folder.RunFolder.find('everyone')
  config = ml_collections.ConfigDict(run_folder.read_json(folder.config))
  run = types.SimpleNamespace(folder=folder, config=config, step=400)
  text = origin(**run_description.describe_run(run))
  assert 'from 4808 people, drawn ones and those of networks that it began from counted in' in text
  assert '4,800 synthetic walkers alone, and trained on with rendered video of eight child' in text
  assert 'eight rendered children, held out' in text
  assert 'depends on the recordings' not in text
  assert 'Of its own training' not in text


def test_a_network_whose_own_training_was_not_taken_says_so():
  assert 'depends on the recordings' in origin()
  assert 'Of its own training nothing was taken' in origin(training_followed=0)
  assert 'Of its own training 50% was taken' in origin(training_followed=0.5)
  assert 'Of its own training' not in origin(training_followed=1.0)
