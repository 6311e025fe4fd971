"""Measures ankle and knee moments by OpenSim from predictions, of synthetic walkers.

    python -m grfjax.synth --out=RAW ...
    python -m grfjax.predict --workdir=RUN --recordings=RAW --out=PREDICTIONS
    python launch/measure/joint_moments.py --recordings=RAW --predictions=PREDICTIONS --out=DIR

OpenSim (pip install "grfjax[opensim]") runs inverse dynamics with the files that `predict` wrote
and with the walker's true motion, which is drawn again from the set's seed. The truth is by Newton
and Euler from the true forces and centres of pressure (`newton_euler`). Prints a table and writes
it to DIR: the RMS error while the foot stands, in % of the joint's greatest moment in the walk.

A film does not tell where the origin of its centres of pressure is in somebody else's laboratory,
so that the motion is moved by one offset for each walk, the mean difference of estimated and true
centre of pressure while the feet carry.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Iterator

import numpy as np
import tqdm
from absl import app, flags

import newton_euler
import opensim_walker
from grfjax import conventions, errors
from grfjax.gait import opensim_files
from grfjax.io import atomic
from grfjax.report import text_table
from grfjax.synth import foot_pressure, recording_set, trial

JOINTS = ('ankle', 'knee')
CARRIES_N = 100.0  # by which the offset is found: where the pressure of plates, too, is exact
# Which of forces and centres of pressure are the estimated ones.
KINDS = {
  'as written': ('v', 'p'),
  'only forces estimated': ('v',),
  'only pressure estimated': ('p',),
  'nothing estimated': (),
}


@dataclasses.dataclass(frozen=True)
class Truth:
  """A trial's walk as it was.

  Attributes:
    motion: as it was drawn.
    pressure_m: (N, 2, 2) centres of pressure, NaN in the air.
    moments: (side, joint) -> (N,) newton metres.
  """

  motion: trial.Motion
  pressure_m: np.ndarray
  moments: dict[tuple[str, str], np.ndarray]

  def at(self, values: np.ndarray, video_s: np.ndarray) -> np.ndarray:
    """Returns (N, ...) values of the walk at the nearest sample to times of the video."""
    walk_s = self.motion.walk.time_s
    rows = np.round((video_s + self.motion.begin_s - walk_s[0]) / (walk_s[1] - walk_s[0]))
    return values[rows.astype(int)]


@dataclasses.dataclass(frozen=True)
class ForceFile:
  """A .mot file of forces: its header, labels and values (rows, labels)."""

  header: str
  labels: list[str]
  values: np.ndarray

  @classmethod
  def read(cls, path: pathlib.Path) -> ForceFile:
    """Reads what `opensim_files.to_mot` has written."""
    header, _, body = path.read_text().partition('endheader\n')
    labels, *rows = body.splitlines()
    return cls(header, labels.split('\t'), np.array([row.split('\t') for row in rows], float))

  def write(self, path: pathlib.Path) -> None:
    """Writes the file."""
    header = f'{self.header}endheader\n' + '\t'.join(self.labels)
    np.savetxt(path, self.values, '%.6f', '\t', header=header, comments='')

  def columns(self, leg: int, part: str) -> list[int]:
    """Returns where 'v' or 'p' of a leg (left, right) stand: forward, up, to the right."""
    number = 2 - leg
    return [self.labels.index(f'ground_force_{number}_{part}{axis}') for axis in 'xyz']

  @property
  def time_s(self) -> np.ndarray:
    """(rows,) seconds."""
    return self.values[:, 0]


def draw_trials(root: pathlib.Path) -> Iterator[tuple[str, trial.Motion]]:
  """Yields each trial's name and motion, drawn again from the settings of the set."""
  about = json.loads((root / recording_set.SETTINGS_FILE).read_text(encoding='utf-8'))
  settings = trial.Settings(**about['settings'])
  for index, person in enumerate(about['people']):
    draw = about['people_drawn_again'].get(person['subject'], 0)
    for number in range(settings.trials):
      task = trial.Task(root, settings, index, number, draw)
      motion = trial.draw_motion(task)
      if motion is None:
        raise RuntimeError(f'{root}: another version of grfjax.synth has made this set')
      yield trial.trial_name(task), motion


def measure_trial(name: str, motion: trial.Motion, predictions: pathlib.Path) -> list[dict]:
  """Returns the errors of a trial: one row for each kind, walk, leg and joint.

  Raises:
    errors.InputError: there is no file of forces, or it has no centres of pressure.
  """
  walk = motion.walk
  pressure = foot_pressure.centre_of_pressure(walk)
  truth = Truth(motion, pressure, newton_euler.joint_moments(walk, walk.force, pressure))
  rows = []
  number = 1
  while (path := predictions / opensim_files.file_names(name, number)[0]).exists():
    rows += _measure_walk(truth, path)
    number += 1
  if not rows:
    raise errors.InputError(f'{predictions}: no {path.name}', code='prediction.no_opensim_file')
  return rows


def _measure_walk(truth: Truth, path: pathlib.Path) -> list[dict]:
  estimated = ForceFile.read(path)
  if not estimated.values[:, estimated.columns(0, 'p') + estimated.columns(1, 'p')].any():
    raise errors.InputError(
      f'{path}: no centre of pressure, but zeros', code='prediction.no_centre_of_pressure'
    )
  moved_m = _offset(truth, estimated)
  rows = []
  with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    opensim_walker.write_model(folder / 'model.osim', truth.motion.walk.subject)
    opensim_walker.write_motion(
      folder / 'motion.mot', truth.motion.walk, truth.motion.begin_s, moved_m
    )
    for kind, parts in KINDS.items():
      loads = path.with_name(path.name.replace(*opensim_files.SUFFIXES))
      if len(parts) < 2:
        loads = folder / 'mixed.xml'
        _mixed(truth, estimated, parts, moved_m).write(folder / 'mixed.mot')
        atomic.write_text(loads, opensim_files.external_loads('mixed.mot'))
      time_s, found = opensim_walker.inverse_dynamics(
        folder / 'model.osim', folder / 'motion.mot', loads,
        (estimated.time_s[0], estimated.time_s[-1]),
      )  # fmt: skip
      for leg, side in enumerate(conventions.LEGS):
        stands = truth.at(truth.motion.walk.force[:, leg, 2], time_s) > 0
        for joint in JOINTS:
          expected = truth.moments[side, joint]
          off = found[opensim_walker.coordinate(side, joint)] - truth.at(expected, time_s)
          rms = float(np.sqrt(np.mean(off[stands] ** 2)))
          rows.append({
            'file': path.name, 'kind': kind, 'leg': side, 'joint': joint, 'rms_nm': rms,
            'rms_pct_of_peak': 100 * rms / float(abs(expected).max()),
          })  # fmt: skip
  return rows


def _offset(truth: Truth, estimated: ForceFile) -> tuple[float, float]:
  """Returns how far estimated lie in front and to the left of true centres of pressure, metres."""
  off = []
  for leg in range(2):
    forward, _, right = estimated.values[:, estimated.columns(leg, 'p')].T
    true = truth.at(truth.pressure_m[:, leg], estimated.time_s)
    carries = truth.at(truth.motion.walk.force[:, leg, 2], estimated.time_s) > CARRIES_N
    carries &= estimated.values[:, estimated.columns(leg, 'v')[1]] > CARRIES_N
    off.append((np.stack([forward, -right], 1) - true)[carries])
  forward_m, left_m = np.concatenate(off).mean(0)
  return float(forward_m), float(left_m)


def _mixed(
  truth: Truth, estimated: ForceFile, parts: tuple[str, ...], moved_m: tuple[float, float]
) -> ForceFile:
  """Returns the file with true forces and centres of pressure but for the estimated parts."""
  values = estimated.values.copy()
  for leg in range(2):
    force = truth.at(truth.motion.walk.force[:, leg], estimated.time_s)
    pressure = truth.at(truth.pressure_m[:, leg], estimated.time_s) + moved_m
    stands = np.isfinite(pressure).all(1)
    if 'v' not in parts:
      values[:, estimated.columns(leg, 'v')] = conventions.plates_to_opensim(force)
    if 'p' not in parts and stands.any():
      forward, left = (
        np.interp(estimated.time_s, estimated.time_s[stands], column[stands])
        for column in pressure.T
      )
      values[:, estimated.columns(leg, 'p')] = np.stack([forward, 0 * forward, -left], 1)
  return dataclasses.replace(estimated, values=values)


def table(rows: list[dict]) -> text_table.Table:
  """Returns the errors by kind: mean and 95th percentile over walks and legs."""
  columns, cells = ['Forces and centres of pressure'], []
  for joint in JOINTS:
    columns += [f'{joint}, mean', f'{joint}, 95 %']
  for kind in KINDS:
    line: list[str | float] = [kind]
    for joint in JOINTS:
      found = [r['rms_pct_of_peak'] for r in rows if r['kind'] == kind and r['joint'] == joint]
      line += [float(np.mean(found)), float(np.percentile(found, 95))]
    cells.append(tuple(line))
  files = {row['file'] for row in rows}
  return text_table.Table(
    'joint_moments',
    'Joint moments by OpenSim',
    'RMS error of the moment about the side axis while the foot stands, % of the greatest moment '
    f'of the walk; {len(files)} walks, both legs.',
    tuple(columns),
    ('', *['.1f'] * (len(columns) - 1)),
    tuple(cells),
  )


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  flags.DEFINE_string('recordings', None, 'A recording set of grfjax.synth.', required=True)
  flags.DEFINE_string('predictions', None, 'Folder that grfjax.predict wrote.', required=True)
  flags.DEFINE_string('out', None, 'Folder for the result.', required=True)


def main(argv: list[str]) -> None:
  """Measures, prints the table and writes it."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  predictions, out = pathlib.Path(flags.FLAGS.predictions), pathlib.Path(flags.FLAGS.out)
  rows = []
  for name, motion in tqdm.tqdm(draw_trials(pathlib.Path(flags.FLAGS.recordings)), unit='trial'):
    if not (predictions / f'{name}.csv').exists():
      continue  # of another subject
    try:
      rows += measure_trial(name, motion, predictions)
    except errors.InputError as error:
      print(f'{name}: {errors.describe(error)}')
  if not rows:
    raise app.UsageError('there is no trial of this recording set whose prediction can be used')
  made = table(rows)
  print(made.text())
  path = out / 'joint_moments.json'
  atomic.write_json(path, rows)
  print(f'written: {path}')


if __name__ == '__main__':
  define_flags()
  app.run(main)
