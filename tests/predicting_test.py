"""Predicting a recording set."""

import dataclasses
import json
import types

import report_making

from grfjax.inference import video_estimate
from grfjax.io import recordings
from grfjax.report import predicting, run_description


def test_forces_that_cannot_be_used_are_noted(recordings_dir, tmp_path, monkeypatch):
  trial = recordings.load(recordings_dir)[1]
  late = dataclasses.replace(trial, name='late', video_start_s=99.0)
  monkeypatch.setattr(
    video_estimate,
    'estimate_video',
    lambda *_: report_making.make_curves(report_making.walk(steps=2)[:70]),
  )
  monkeypatch.setattr(run_description, 'describe_run', lambda _: report_making.RUN)
  monkeypatch.setattr(recordings, 'load', lambda *_, **__: [trial, late])
  run = types.SimpleNamespace(damaged=())
  assert predicting.predict_set(run, recordings_dir, tmp_path, None) == []
  told = json.loads((tmp_path / 'late.json').read_text())
  assert told['errors'] is None
  assert any('could not be used' in flag for flag in told['quality']['flags'])
