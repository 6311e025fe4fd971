"""A synthetic walker as OpenSim knows one: a model of pelvis and legs, its motion, and moments.

OpenSim's axes are x forward, y up and z to the right. The model is made of the walker's own segment
lengths and masses; everything above the hips is one body with the pelvis, as it does not bear on
the joints beneath.
"""

from __future__ import annotations

import pathlib

import numpy as np
from scipy import spatial

import newton_euler
from grfjax import conventions, extras
from grfjax.synth import body, leg_kinematics

with extras.needed('opensim'):
  import opensim

PELVIS = ('pelvis_tilt', 'pelvis_list', 'pelvis_rotation', 'pelvis_tx', 'pelvis_ty', 'pelvis_tz')
_ROTATIONS = {'hip': ('flexion', 'adduction', 'rotation'), 'ankle': ('angle', 'tilt', 'turn')}
_SIDES = {'left': 'l', 'right': 'r'}  # OpenSim's names end with these
MOTION_HZ = 200.0


def coordinate(side: str, joint: str) -> str:
  """Returns the name of the coordinate about a joint's side axis."""
  part = {'hip': 'flexion', 'knee': 'angle', 'ankle': 'angle'}[joint]
  return f'{joint}_{part}_{_SIDES[side]}'


def write_model(path: pathlib.Path, subject: body.Subject) -> None:
  """Writes a person's model (.osim)."""
  model = opensim.Model()
  model.setName('synthetic_walker')
  vec = opensim.Vec3
  masses = {s: newton_euler.mass_and_com(subject, s) for s in ('thigh', 'shank', 'foot')}
  rest = subject.mass_kg - 2 * sum(mass for mass, _ in masses.values())
  radius = 0.3 * subject.height_m
  pelvis = _body(model, 'pelvis', rest, (0, 0.45 * subject.trunk_m, 0), (radius,) * 3)
  _add_joint(model, 'ground_pelvis', model.getGround(), (0, 0, 0), pelvis, PELVIS)
  radii = newton_euler.RADII[subject.sex]
  for side, s in _SIDES.items():
    outward = subject.hip_width_m / 2 * (1 if side == 'right' else -1)
    lengths = {'thigh': subject.thigh_m, 'shank': subject.shank_m, 'foot': subject.foot_m}
    bodies = {}
    for name, segment in (('femur', 'thigh'), ('tibia', 'shank'), ('calcn', 'foot')):
      mass, share = masses[segment]
      across, along = (radius * lengths[segment] for radius in radii[segment])
      if segment == 'foot':
        heel_x, sole_y = -leg_kinematics.ANKLE_AT * subject.foot_m, -subject.ankle_height_m
        centre, turning = (heel_x + share * subject.foot_m, sole_y, 0), (along, across, across)
      else:
        centre, turning = (0, -share * lengths[segment], 0), (across, along, across)
      bodies[segment] = _body(model, f'{name}_{s}', mass, centre, turning)
    for joint, parent, place, child in (
      ('hip', pelvis, (0, 0, outward), bodies['thigh']),
      ('ankle', bodies['shank'], (0, -subject.shank_m, 0), bodies['foot']),
    ):
      names = tuple(f'{joint}_{part}_{s}' for part in _ROTATIONS[joint])
      _add_joint(model, f'{joint}_{s}', parent, place, child, names)
    knee = opensim.PinJoint(
      f'knee_{s}', bodies['thigh'], vec(0, -subject.thigh_m, 0), vec(0), bodies['shank'], vec(0),
      vec(0),
    )  # fmt: skip
    knee.updCoordinate().setName(f'knee_angle_{s}')
    model.addJoint(knee)
  model.finalizeConnections()
  model.printToXML(str(path))


def _body(model, name: str, mass: float, centre, radii) -> opensim.Body:
  moments = [mass * r**2 for r in radii]
  made = opensim.Body(name, mass, opensim.Vec3(*centre), opensim.Inertia(*moments, 0, 0, 0))
  model.addBody(made)
  return made


def _add_joint(model, name: str, parent, place, child, names: tuple[str, ...]) -> None:
  """Adds a joint that turns about z, then x, then y, and may move along x, y and z."""
  transform = opensim.SpatialTransform()
  turns = [(0, 0, 1), (1, 0, 0), (0, 1, 0)]
  for k, axis in enumerate(turns + [(1, 0, 0), (0, 1, 0), (0, 0, 1)]):
    one = transform.updTransformAxis(k)
    one.setAxis(opensim.Vec3(*axis))
    if k < len(names):
      one.setCoordinateNames(opensim.ArrayStr(names[k], 1))
      one.set_function(opensim.LinearFunction(1, 0))
    else:
      one.set_function(opensim.Constant(0))
  zero = opensim.Vec3(0)
  model.addJoint(
    opensim.CustomJoint(name, parent, opensim.Vec3(*place), zero, child, zero, zero, transform)
  )


def coordinates(walk: body.Walk) -> dict[str, np.ndarray]:
  """Returns the model's coordinates: name -> (N,) radians or metres, smoothed like the places."""
  place = {name: _to_opensim(walk.joints[:, k]) for name, k in body.INDEX.items()}
  to_right = _unit(place['right_hip'] - place['left_hip'])
  pelvis = _frame(to_right, up=np.array([0.0, 1.0, 0.0]))
  values = dict(zip(PELVIS[:3], _angles(np.eye(3), pelvis).T, strict=True))
  values |= dict(zip(PELVIS[3:], place['pelvis'].T, strict=True))
  for side, s in _SIDES.items():
    leg = {name: walk.joints[:, body.INDEX[f'{side}_{name}']] for name in body.LIMB_JOINTS[4:]}
    axis = _to_opensim(newton_euler.side_axis(leg))
    ahead = _to_opensim(newton_euler.heading(leg))
    sole = _to_opensim(newton_euler.sole_direction(walk.subject, leg))
    leg = {name: _to_opensim(values_) for name, values_ in leg.items()}
    thigh = _frame(axis, up=leg['hip'] - leg['knee'])
    shank = _frame(axis, up=leg['knee'] - leg['ankle'])
    foot = _foot_frame(ahead, sole)
    for joint, above, beneath in (('hip', pelvis, thigh), ('ankle', shank, foot)):
      names = (f'{joint}_{part}_{s}' for part in _ROTATIONS[joint])
      values |= dict(zip(names, _angles(above, beneath).T, strict=True))
    values[f'knee_angle_{s}'] = _angles(thigh, shank)[:, 0]
  rate_hz = 1 / float(walk.time_s[1] - walk.time_s[0])
  return {name: newton_euler.smooth(v, rate_hz) for name, v in values.items()}


def write_motion(
  path: pathlib.Path, walk: body.Walk, start_s: float = 0.0, moved_m: tuple[float, float] = (0, 0)
) -> None:
  """Writes a walk's motion (.mot).

  Args:
    path: the file.
    walk: the walk.
    start_s: of the walk's clock, which is 0 in the file.
    moved_m: by how much the walker is moved forward and to the left.
  """
  values = coordinates(walk)
  values['pelvis_tx'] = values['pelvis_tx'] + moved_m[0]
  values['pelvis_tz'] = values['pelvis_tz'] - moved_m[1]
  every = round(1 / MOTION_HZ / float(walk.time_s[1] - walk.time_s[0]))
  table = np.stack([walk.time_s - start_s, *values.values()], 1)[::every]
  header = [
    'motion', 'version=1', f'nRows={len(table)}', f'nColumns={table.shape[1]}', 'inDegrees=no',
    'endheader', '\t'.join(['time', *values]),
  ]  # fmt: skip
  np.savetxt(path, table, '%.9g', '\t', header='\n'.join(header), comments='')


def inverse_dynamics(
  model: pathlib.Path, motion: pathlib.Path, loads: pathlib.Path, time_s: tuple[float, float]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
  """Runs OpenSim's inverse dynamics.

  Args:
    model: a file of `write_model`.
    motion: a file of `write_motion`.
    loads: an ExternalLoads file.
    time_s: from when to when.

  Returns:
    (N,) seconds, and name of a coordinate -> (N,) its moment, newton metres.

  Raises:
    RuntimeError: OpenSim failed.
  """
  opensim.Logger.removeFileSink()  # which is in the current folder
  opensim.Logger.setLevelString('Error')
  read_model = opensim.Model(str(model))
  tool = opensim.InverseDynamicsTool()
  tool.setModel(read_model)
  tool.setCoordinatesFileName(str(motion))
  tool.setExternalLoadsFileName(str(loads))
  tool.setStartTime(time_s[0])
  tool.setEndTime(time_s[1])
  tool.setResultsDir(str(model.parent))
  result = f'{loads.stem}_moments.sto'
  tool.setOutputGenForceFileName(result)
  if not tool.run():
    raise RuntimeError(f'OpenSim failed at {loads}')
  table = opensim.TimeSeriesTable(str(model.parent / result))
  moments = {
    label.removesuffix('_moment').removesuffix('_force'): table.getDependentColumn(label).to_numpy()
    for label in table.getColumnLabels()
  }
  return np.array(table.getIndependentColumn()), moments


def _to_opensim(places: np.ndarray) -> np.ndarray:
  return conventions.plates_to_opensim(places)


def _unit(vectors: np.ndarray) -> np.ndarray:
  return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _frame(to_right: np.ndarray, up: np.ndarray) -> np.ndarray:
  """Returns (N, 3, 3) rotations whose z is `to_right` and whose y is as near `up` as can be."""
  ahead = _unit(np.cross(up, to_right))
  return np.stack([ahead, np.cross(to_right, ahead), to_right], -1)


def _foot_frame(ahead: np.ndarray, sole: np.ndarray) -> np.ndarray:
  """Returns the rotations of a foot, (N, 3, 3), whose x is the sole's direction.

  Args:
    ahead: (N, 3) where it points, level.
    sole: (N, 3) the direction of the sole, in the same upright plane.
  """
  to_right = np.cross(ahead, [0.0, 1.0, 0.0])
  return np.stack([sole, np.cross(to_right, sole), to_right], -1)


def _angles(above: np.ndarray, beneath: np.ndarray) -> np.ndarray:
  """Returns the turns about z, x and y, (N, 3) radians, from one frame to another."""
  relative = np.swapaxes(above, -1, -2) @ beneath
  turns = spatial.transform.Rotation.from_matrix(relative).as_euler('ZXY')
  return np.unwrap(turns, axis=0)
