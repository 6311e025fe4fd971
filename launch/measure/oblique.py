"""Measures how far off speed, steps and centres of pressure are in walks at an angle to the camera.

    python launch/measure/oblique.py --out=DIR [--subjects=10] [--degrees=0,10,20,30]

Draws synthetic walkers whose camera is turned about the middle of the force plates, estimates them
with the network that comes along, and prints a table.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import statistics
from typing import Any

import numpy as np
from absl import app, flags

from grfjax.inference import trained_run
from grfjax.io import run_folder
from grfjax.report import predicting, text_table
from grfjax.synth import camera as camera_lib
from grfjax.synth import recording_set, room, trial

_OUT = flags.DEFINE_string('out', None, 'Folder to make.', required=True)
_SUBJECTS = flags.DEFINE_integer('subjects', 10, 'How many people walk at each angle.')
_DEGREES = flags.DEFINE_list('degrees', ['0', '10', '20', '30'], 'Angles of the walk.')
_SEED = flags.DEFINE_integer('seed', 900, 'Seed of the walkers.')


def turned(camera: camera_lib.Camera, degrees: float) -> camera_lib.Camera:
  """Returns a camera that is turned about the middle of the plates, to the left from above."""
  cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
  turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
  return dataclasses.replace(camera, position=turn @ camera.position, axes=camera.axes @ turn.T)


def write_set(root: pathlib.Path, degrees: float) -> None:
  """Writes a recording set whose cameras are turned."""
  rooms: Any = room.Room
  straight = rooms.camera

  @functools.wraps(straight)
  def camera(self: room.Room, *arguments: Any) -> camera_lib.Camera:
    return turned(straight(self, *arguments), degrees)

  settings = trial.Settings(subjects=_SUBJECTS.value, trials=1, seed=_SEED.value)
  rooms.camera = camera
  try:
    recording_set.write_set(root, settings, workers=1)
  finally:
    rooms.camera = straight


def errors(root: pathlib.Path, predictions: pathlib.Path) -> tuple[float | None, ...]:
  """Returns mean absolute errors: speed, step length, centre of pressure forward, to the side.

  Each is None where no walk has it.
  """
  speeds = json.loads((root / recording_set.SETTINGS_FILE).read_text())['walking_speed_mps']
  off: tuple[list[float], ...] = ([], [], [], [])
  for name, speed_mps in speeds.items():
    path = predictions / f'{name}.json'
    if not path.exists():
      continue  # nobody could be followed
    content = json.loads(path.read_text(encoding='utf-8'))
    speed = content['summary']['walking_speed_mps']['mean']
    pressure = content['errors'].get('pressure') or {}
    found = (
      None if speed is None else abs(speed - speed_mps),
      content['errors']['contacts'].get('step_length_cm', {}).get('mae'),
      pressure.get('mae_forward_cm'),
      pressure.get('mae_side_cm'),
    )
    for values, value in zip(off, found, strict=True):
      values += [] if value is None else [value]
  return tuple(statistics.fmean(values) if values else None for values in off)


def main(argv: list[str]) -> None:
  """Measures at each angle."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  out = pathlib.Path(_OUT.value)
  run = trained_run.load(run_folder.RunFolder.find('everyone'))
  rows = []
  for degrees in _DEGREES.value:
    root, predictions = out / f'{degrees}_degrees', out / f'{degrees}_degrees_estimated'
    root.parent.mkdir(parents=True, exist_ok=True)
    write_set(root, float(degrees))
    predicting.predict_set(run, root, predictions, None)
    rows.append((degrees, *errors(root, predictions)))
  table = text_table.Table(
    name='oblique',
    title='Walks at an angle',
    caption=f'Mean absolute errors of {_SUBJECTS.value} synthetic walks at each angle.',
    columns=('degrees', 'speed, m/s', 'step length, cm', 'pressure forward, cm', 'to the side, cm'),
    formats=('', '.3f', '.1f', '.1f', '.1f'),
    rows=tuple(rows),
  )
  print(table.text())


if __name__ == '__main__':
  app.run(main)
