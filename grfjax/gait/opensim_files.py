"""The files with which OpenSim takes the forces: external forces (.mot) and ExternalLoads (.xml).

A walk has files of its own. Of a video `walk` they are `walk_grf.mot` and
`walk_ExternalLoads.xml`, of its second walk `walk_walk2_grf.mot` and
`walk_walk2_ExternalLoads.xml`, and so on. OpenSim's axes are x forward, y up, z to the right, of
each walk by itself.
"""

from __future__ import annotations

from xml.sax import saxutils

import numpy as np

from grfjax import conventions, mask_runs
from grfjax.gait import contact_thresholds, force_curves

# A step's forces change little over this time, and a line between its ends is still near them.
MAX_HOLE_S = 0.1
MIN_WALK_S = 0.2  # less is not a stance, and too short for the filters of inverse dynamics
SUFFIXES = ('_grf.mot', '_ExternalLoads.xml')

_LEGS = ('right', 'left')  # ground_force_1 and ground_force_2
_BODIES = ('calcn_r', 'calcn_l')  # as the models that come with OpenSim name the feet
_AXES = ('x', 'y', 'z')

_EXTERNAL_FORCE = """\
\t\t\t<ExternalForce name="{leg}">
\t\t\t\t<applied_to_body>{body}</applied_to_body>
\t\t\t\t<force_expressed_in_body>ground</force_expressed_in_body>
\t\t\t\t<point_expressed_in_body>ground</point_expressed_in_body>
\t\t\t\t<force_identifier>ground_force_{number}_v</force_identifier>
\t\t\t\t<point_identifier>ground_force_{number}_p</point_identifier>
\t\t\t\t<torque_identifier>ground_torque_{number}_</torque_identifier>
\t\t\t</ExternalForce>
"""
_EXTERNAL_LOADS = """\
<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="40000">
\t<ExternalLoads name={name}>
\t\t<objects>
{forces}\t\t</objects>
\t\t<groups />
\t\t<datafile>{data_file}</datafile>
\t</ExternalLoads>
</OpenSimDocument>
"""


def walk_name(name: str, number: int) -> str:
  """Returns what the names of a walk's files begin with.

  Args:
    name: of the video's files.
    number: of the walk, from 1.
  """
  return name if number == 1 else f'{name}_walk{number}'


def file_names(name: str, number: int = 1) -> tuple[str, str]:
  """Returns the names of the .mot and the .xml file of a walk; arguments as of `walk_name`."""
  mot, loads = (f'{walk_name(name, number)}{suffix}' for suffix in SUFFIXES)
  return mot, loads


def make_files(mots: list[str], name: str, first_mot: str = '') -> dict[str, str]:
  """Returns the files of all walks: file name -> text.

  Args:
    mots: of `to_mot`.
    name: of the video's files.
    first_mot: another name of the first walk's .mot file; '' for that of `file_names`.
  """
  files: dict[str, str] = {}
  for number, text in enumerate(mots, 1):
    mot, loads = file_names(name, number)
    mot = first_mot if first_mot and number == 1 else mot
    files |= {mot: text, loads: external_loads(mot)}
  return files


def to_mot(
  curves: force_curves.ForceCurves,
  body_mass_kg: float,
  name: str,
  pressure_m: np.ndarray | None = None,
) -> list[str]:
  """Returns OpenSim's external forces of each walk, newtons and metres.

  `ground_force_1` is the right leg, `ground_force_2` the left. OpenSim reads no empty cell. A walk
  lasts as long as the forces of both legs are known and, where there are centres of pressure, that
  of each foot that carries; holes of up to `MAX_HOLE_S` are filled by a straight line, and at
  longer ones another file begins. The rows are evenly spaced, at the video's mean interval. A foot
  in the air has no force; its centre of pressure stays where the foot left the floor, moves on
  while it swings and waits where the foot will land, so that nothing jumps. The free moment is not
  known and is 0.

  Args:
    curves: the estimate of a video.
    body_mass_kg: the walker's.
    name: for the files' first lines.
    pressure_m: (N, 2, 2) leg (left, right) x (forward, to the walker's left), the centres of
      pressure, metres; NaN where a foot does not stand or it is not known. None: not known at all;
      it is written as 0, and forces in the air as they are estimated.

  Returns:
    The files' texts, one for each walk of at least `MIN_WALK_S`, in order; none where the axes or a
    leg are missing.
  """
  newtons = curves.force * body_mass_kg * conventions.G
  if pressure_m is not None:
    in_air = _in_air(curves, pressure_m)
    newtons = np.where(in_air[..., None], 0, newtons)
  interval_s = float(np.median(np.diff(curves.time_s))) if len(curves.time_s) > 1 else 0.0
  texts: list[str] = []
  for frames in walk_frames(curves, pressure_m):
    time_s = curves.time_s[frames]
    duration_s = time_s[-1] - time_s[0]
    even_s = np.linspace(time_s[0], time_s[-1], round(duration_s / interval_s) + 1)
    columns = [_on_lines(even_s, time_s, c) for c in newtons[frames].reshape(-1, 6).T]
    even_newtons = np.stack(columns, -1).reshape(-1, 2, 3)
    points_m = np.zeros_like(even_newtons)
    if pressure_m is not None:
      for leg in range(2):
        places = _waiting_in_air(pressure_m[frames, leg], in_air[frames, leg])
        points_m[:, leg, 1:] = np.stack([_on_lines(even_s, time_s, p) for p in places.T], -1)
    title = walk_name(' '.join(name.split()), len(texts) + 1) + '_grf'
    texts.append(_mot_text(title, even_s, even_newtons, points_m))
  return texts


def walk_frames(
  curves: force_curves.ForceCurves, pressure_m: np.ndarray | None = None
) -> list[slice]:
  """Returns the frames of the video that each file is of; arguments as of `to_mot`."""
  if curves.force.shape[2] < 3:
    return []
  known = np.asarray(np.isfinite(curves.force).all((1, 2)))
  if pressure_m is not None:
    known &= (np.isfinite(pressure_m).all(2) | _in_air(curves, pressure_m)).all(1)
  return [
    frames
    for frames in _walks(curves, known)
    if curves.time_s[frames.stop - 1] - curves.time_s[frames.start] >= MIN_WALK_S
  ]


def _in_air(curves: force_curves.ForceCurves, pressure_m: np.ndarray) -> np.ndarray:
  """Returns (N, 2) bool, which feet are in the air."""
  stands = np.isfinite(pressure_m).all(2)
  return ~stands & (curves.force[:, :, 0] <= contact_thresholds.CONTACT_BW)


def external_loads(mot_file: str) -> str:
  """Returns OpenSim's ExternalLoads that put the forces of a .mot file on both feet of a model.

  Args:
    mot_file: the file's name; OpenSim looks for it beside the ExternalLoads.
  """
  rows = zip(_LEGS, _BODIES, strict=True)
  forces = ''.join(
    _EXTERNAL_FORCE.format(leg=leg, body=body, number=number)
    for number, (leg, body) in enumerate(rows, 1)
  )
  name = saxutils.quoteattr(mot_file.removesuffix('.mot'))
  return _EXTERNAL_LOADS.format(name=name, forces=forces, data_file=saxutils.escape(mot_file))


def _walks(curves: force_curves.ForceCurves, known: np.ndarray) -> list[slice]:
  """Returns the frames of each walk, in order, with its short holes, where `known` is False."""
  frames = np.flatnonzero(known)
  if not len(frames):
    return []
  is_long_hole = (np.diff(frames) > 1) & (np.diff(curves.time_s[frames]) > MAX_HOLE_S)
  turns_round = np.diff(curves.direction[frames]) != 0
  walks = np.split(frames, np.flatnonzero(is_long_hole | turns_round) + 1)
  return [slice(int(walk[0]), int(walk[-1]) + 1) for walk in walks]


def _waiting_in_air(pressure_m: np.ndarray, in_air: np.ndarray) -> np.ndarray:
  """Lets the centre of pressure of a foot in the air wait where it left the floor, and will land.

  Args:
    pressure_m: (N, 2) metres; NaN in the air, and where it is not known.
    in_air: (N,) bool.

  Returns:
    (N, 2) metres, with values in the first and last frame of each swing; zeros if there is none.
  """
  stands = np.flatnonzero(np.isfinite(pressure_m).all(1))
  if not len(stands):
    return np.zeros_like(pressure_m)
  waiting = pressure_m.copy()
  for first, end in mask_runs.runs_of_true(in_air):
    before, after = stands[stands < first], stands[stands >= end]
    if len(before):
      waiting[first] = pressure_m[before[-1]]
    if len(after):
      waiting[end - 1] = pressure_m[after[0]]
  return waiting


def _on_lines(even_s: np.ndarray, time_s: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Returns values at other times, on straight lines between those that are known; (N,) each."""
  known = np.isfinite(values)
  return np.interp(even_s, time_s[known], values[known])


def _mot_text(title: str, time_s: np.ndarray, newtons: np.ndarray, points_m: np.ndarray) -> str:
  """Returns the text of a file; forces and points (N, 2, 3) are of (vertical, forward, left)."""
  labels, cells = ['time'], [[f'{t:.6f}' for t in time_s]]
  for number, leg in enumerate(_LEGS, 1):
    for values, part, decimals in ((newtons, 'v', 3), (points_m, 'p', 5)):
      turned = conventions.walker_to_opensim(values[:, conventions.LEGS.index(leg)])
      labels += [f'ground_force_{number}_{part}{axis}' for axis in _AXES]
      cells += [
        [f'{v + 0.0:.{decimals}f}' for v in np.round(column, decimals)] for column in turned.T
      ]
  labels += [f'ground_torque_{number}_{axis}' for number in (1, 2) for axis in _AXES]
  cells += [['0.000'] * len(time_s)] * 6
  lines = [
    title, 'version=1', f'nRows={len(time_s)}', f'nColumns={len(labels)}', 'inDegrees=yes',
    'endheader', '\t'.join(labels), *('\t'.join(row) for row in zip(*cells, strict=True)),
  ]  # fmt: skip
  return '\n'.join(lines) + '\n'
