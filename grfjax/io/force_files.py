"""Reads force-plate files of every kind into one form: newtons in plate axes, legs named."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Sequence

import numpy as np
from absl import logging

from grfjax import conventions, errors
from grfjax.io import (
  c3d,
  delimited_text,
  force_tables,
  force_units,
  laboratory_axes,
  opensim,
  plate_pressure,
  recorded_forces,
  text_forces,
)

EXTENSIONS = (*text_forces.EXTENSIONS, *opensim.EXTENSIONS, '.c3d')


class ForceError(errors.InputError):
  """A force file that cannot be used; the message names file and, where there are any, row."""


@dataclasses.dataclass(frozen=True)
class PlateForces:
  """Forces of P plates on one clock.

  Attributes:
    time_s: (N,) float64, strictly increasing.
    force: (N, P, 3) float64, newtons, the reaction on the body; x forward along the walk, y to
      the walker's left, z up.
    legs: (P,) 'left' or 'right', the leg that steps on each plate; empty where nobody says it.
    notes: sentences about what was changed or assumed in reading, each with the file's name.
    axes: a sentence, likewise, about what laboratory axes were found to be; '' of other files.
    pressure: (N, P, 2) metres, each plate's centre of pressure, forward along the walk and to the
      walker's left from an origin that all plates share; NaN where it is not known, as under
      `conventions.CONTACT_N`. None where the files do not know it.
    pressure_doubt: a sentence about why the files' centre of pressure is not used; '' where it is,
      or there is none.
  """

  time_s: np.ndarray
  force: np.ndarray
  legs: tuple[str, ...] = ()
  notes: tuple[str, ...] = ()
  axes: str = ''
  pressure: np.ndarray | None = None
  pressure_doubt: str = ''


def read(
  files: pathlib.Path | Sequence[pathlib.Path],
  legs: Sequence[str] = (),
  force_format: str = '',
  root: pathlib.Path | None = None,
) -> PlateForces:
  """Reads a force file, or several whose plates follow one another on the same clock.

  The kinds of files, and how a format is described that is none of them, are in
  docs/force_files.md. Whatever the file's axes, the forces come back in plate axes: the forward
  direction is decided by `laboratory_axes`, the sign by the load.

  Args:
    files: end in one of `EXTENSIONS`.
    legs: the leg on each plate, plate 1 first, 'left' or 'right'; empty: the files must name them,
      or nobody needs to know. Where the files name legs themselves, they are believed.
    force_format: the name of a format in `root`/formats or of a ready-made one; '': text files
      are recognised by what they hold.
    root: the recording set.

  Raises:
    ForceError: unreadable, incomplete, not finite, upside down, of other plates or legs than
      `legs`, or of a walk whose direction cannot be told.
  """
  files = (files,) if isinstance(files, pathlib.Path) else tuple(files)
  name = ', '.join(map(str, files))
  try:
    recorded = _read_all(files, force_format, root)
    named, notes = _decide_legs(name, recorded, tuple(legs))
    force, pressure, turned, axes = laboratory_axes.to_plate_axes(name, recorded, named)
    _check_upright(name, force)
    pressure, doubt = _usable_pressure(name, recorded, force, pressure)
  except errors.InputError as error:
    raise _force_error(error, files) from error
  notes = tuple(f'{name}: {note}' for note in (*recorded.notes, *notes, *turned))
  for note in notes:
    logging.warning('%s', note)
  if doubt:
    logging.warning('%s: the centre of pressure is not used: %s', name, doubt)
  found = f'{name}: {axes}' if axes else ''
  return PlateForces(recorded.time_s, force, named, notes, found, pressure, doubt)


def read_vertical(
  files: Sequence[pathlib.Path], force_format: str, root: pathlib.Path | None
) -> tuple[np.ndarray, np.ndarray]:
  """Reads the total vertical force of all plates, on which somebody may stand all the time.

  Args:
    files: as in `read`.
    force_format: as in `read`.
    root: as in `read`.

  Returns:
    (N,) seconds and (N,) newtons, up.

  Raises:
    ForceError: unreadable, incomplete, not finite, upside down, or without any load.
  """
  name = ', '.join(map(str, files))
  try:
    recorded = _read_all(tuple(files), force_format, root)
    up, sign = laboratory_axes.find_up(name, recorded)
  except errors.InputError as error:
    raise _force_error(error, files) from error
  newtons = sign * recorded.force[:, :, up].sum(1)
  if newtons.mean() < 0:
    raise ForceError(
      f'{name}: the plates read {newtons.mean():.4g} N vertically on average; the sign looks '
      'flipped (expected the reaction on the body, up is positive)',
      code='force.upside_down',
      file=files[0],
    )
  return recorded.time_s, newtons


def _usable_pressure(
  name: str,
  recorded: recorded_forces.RecordedForces,
  force: np.ndarray,
  pressure: np.ndarray | None,
) -> tuple[np.ndarray | None, str]:
  """Returns the centre of pressure, or None, and a sentence about why it is not used.

  Args:
    name: of the files, for messages.
    recorded: what they hold.
    force: (N, P, 3) newtons in plate axes.
    pressure: (N, P, 2) metres likewise, or None.

  Raises:
    InputError: it cannot be true, though the file is made to hold it.
  """
  if pressure is None:
    return None, ''
  usable, fault = plate_pressure.settle(recorded.time_s, force, pressure)
  if fault is not None and recorded.pressure_is_given:
    raise errors.InputError(
      f'{name}: px_{fault.plate}, py_{fault.plate}: {fault.text}',
      code='force.pressure',
      column=f'px_{fault.plate}',
    )
  return usable, '' if fault is None else f'{fault.text}.'


def _force_error(error: errors.InputError, files: Sequence[pathlib.Path]) -> ForceError:
  found = ForceError.from_error(error)
  found.file = found.file or str(files[0])
  return found


def own_format(root: pathlib.Path, force_format: str) -> pathlib.Path | None:
  """Returns the file in which a recording set describes a force format itself, or None."""
  from grfjax.io import format_files  # here, as predicting does without pydantic

  name = force_format.partition(':')[0].strip().casefold()  # behind ':' is a sampling rate
  own = sorted((root / format_files.FOLDER).glob('*.toml'))
  return next((file for file in own if file.stem.casefold() == name), None)


def may_name_legs(files: Sequence[pathlib.Path], force_format: str) -> bool:
  """Tells whether files can say themselves which leg steps on a plate."""
  return bool(force_format) or all(file.suffix.lower() in opensim.EXTENSIONS for file in files)


def _read_all(
  files: tuple[pathlib.Path, ...], force_format: str, root: pathlib.Path | None
) -> recorded_forces.RecordedForces:
  """Returns what the files hold together, plates in the order of the files."""
  parts = [_read_one(file, force_format, root) for file in files]
  first = parts[0]
  if len(parts) == 1:
    return first
  for file, part in zip(files[1:], parts[1:], strict=True):
    if part.axes is not first.axes:
      raise errors.InputError(
        f'{file}: has {part.axes.value} axes, but {files[0]} {first.axes.value} axes; expected '
        'files of one kind',
        code='force.files_differ',
        file=file,
      )
    step_s = float(np.median(np.diff(first.time_s)))
    same = len(part.time_s) == len(first.time_s)
    if not same or np.abs(part.time_s - first.time_s).max() > step_s / 2:
      raise errors.InputError(
        f'{file}: {len(part.time_s)} samples from {part.time_s[0]:.4f} to {part.time_s[-1]:.4f} s, '
        f'but {files[0]} {len(first.time_s)} from {first.time_s[0]:.4f} to '
        f'{first.time_s[-1]:.4f} s; expected plates of one recording',
        code='force.files_differ',
        file=file,
      )
  legs = tuple(leg for part in parts for leg in part.legs or ('',) * part.force.shape[1])
  return recorded_forces.RecordedForces(
    first.time_s,
    np.concatenate([part.force for part in parts], 1),
    first.axes,
    _joined_pressure(parts),
    legs,
    tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    all(part.pressure_is_given or part.pressure is None for part in parts),
  )


def _joined_pressure(parts: Sequence[recorded_forces.RecordedForces]) -> np.ndarray | None:
  """Returns the plates' centres of pressure, NaN of files that hold none; None where all do so."""
  if all(part.pressure is None for part in parts):
    return None
  return np.concatenate(
    [np.full(p.force.shape, np.nan) if p.pressure is None else p.pressure for p in parts], 1
  )


def _read_one(
  file: pathlib.Path, force_format: str, root: pathlib.Path | None
) -> recorded_forces.RecordedForces:
  suffix = file.suffix.lower()
  if suffix in text_forces.EXTENSIONS:
    return text_forces.read(file, force_format, root)
  if force_format:
    raise errors.InputError(
      f'{file}: found force_format {force_format!r}, expected none: formats describe text files '
      f'({", ".join(text_forces.EXTENSIONS)})',
      code='force.format',
      file=file,
    )
  if suffix in opensim.EXTENSIONS:
    return opensim.read(file)
  if suffix == '.c3d':
    return _read_c3d(file)
  raise errors.InputError(
    f'{file}: found {file.suffix!r}, expected {", ".join(EXTENSIONS)}',
    code='force.format',
    file=file,
  )


def _decide_legs(
  name: str, recorded: recorded_forces.RecordedForces, legs: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
  """Returns the leg on each plate and notes.

  Args:
    name: of the files.
    recorded: what they hold.
    legs: as trials.csv says; may be empty.

  Raises:
    InputError: the files hold other plates or legs than `legs`.
  """
  count, own = recorded.force.shape[1], recorded.legs
  if not legs:
    return (own if all(own) else ()), ()
  if len(legs) != count:
    raise errors.InputError(
      f'{name}: holds {count} plate{"s" if count > 1 else ""}, but trials.csv (plates) names '
      f'{len(legs)} (several files, one a plate, have semicolons between; a plate that nobody '
      'steps on may have either leg)',
      code='force.plate_count',
    )
  if all(mine in ('', leg) for mine, leg in zip(own, legs, strict=False)):
    return legs, ()
  if sorted(own) != sorted(legs):
    raise errors.InputError(
      f'{name}: its labels name the legs {";".join(leg or "?" for leg in own)}, but trials.csv '
      f'(plates) {";".join(legs)}',
      code='force.legs',
    )
  return own, (
    f'its labels name the legs {";".join(own)}, in this order; plates in trials.csv has another '
    'order, and the labels are believed.',
  )


def _check_upright(name: str, force: np.ndarray) -> None:
  """Raises InputError where a plate reads more downwards than upwards."""
  for number, fz in enumerate(force[:, :, 2].T, 1):
    # By all that the plate carries, as one damaged sample may be larger than any force.
    down, up = -fz[fz < -conventions.CONTACT_N].sum(), fz[fz > conventions.CONTACT_N].sum()
    if down > up:
      raise errors.InputError(
        f'{name}: plate {number} reads {fz.min():.4g} to {fz.max():.4g} N vertically; the sign '
        'looks flipped (expected the reaction on the body, up is positive)',
        code='force.upside_down',
      )


def _read_c3d(path: pathlib.Path) -> recorded_forces.RecordedForces:
  """Reads the plates of FORCE_PLATFORM, in the file's order.

  The first sample is at (first frame - 1) / point rate, as in OpenSim and BTK.
  """
  try:
    file = c3d.read(path)
  except c3d.C3DError as error:
    raise error.within(str(path), file=path) from error
  except OSError as error:
    raise delimited_text.unreadable_file(path, error) from error
  force = file.force * [[_newtons_per_unit(path, file, unit)] for unit in file.unit.tolist()]
  if len(force) < force_tables.MIN_ROWS:
    raise errors.InputError(
      f'{path}: found {len(force)} samples, expected at least {force_tables.MIN_ROWS}',
      code='force.too_short',
      file=path,
    )
  not_finite = np.argwhere(~np.isfinite(force))
  if len(not_finite):
    sample, plate, _ = not_finite[0]
    raise errors.InputError(
      f'{path}: sample {sample + 1} of plate {plate + 1} is not finite',
      code='force.not_finite',
      file=path,
    )
  time_s = _c3d_times(path, file)
  metres = {'m': 1.0, 'cm': 1e-2}.get(file.unit_position.lower(), 1e-3)
  return recorded_forces.RecordedForces(
    time_s, force, recorded_forces.Axes.LABORATORY, file.pressure * metres
  )


def _c3d_times(path: pathlib.Path, file: c3d.Platforms) -> np.ndarray:
  """Returns the (N,) times of the samples, seconds."""
  rates = file.point_rate, file.analog_rate
  usable = all(math.isfinite(rate) and rate > 0 for rate in rates)
  if not (usable and 1 / file.analog_rate <= force_tables.MAX_GAP_S + 1e-6):
    raise errors.InputError(
      f'{path}: found an analog rate of {file.analog_rate:g} Hz, expected 50 Hz or more',
      code='force.rate',
      file=path,
    )
  # ezc3d counts the first frame from 0, so a file cut out of a recording keeps its clock.
  return file.first_frame / file.point_rate + np.arange(len(file.force)) / file.analog_rate


def _newtons_per_unit(path: pathlib.Path, file: c3d.Platforms, unit: str) -> float:
  newtons = force_units.newtons(unit) if unit else 1.0
  if newtons is None and file.unit_stated:
    raise errors.InputError(
      f'{path}: FORCE_PLATFORM:UNITS is {unit!r}, expected N', code='force.unit', file=path
    )
  return newtons or 1.0  # 'V' is common and says nothing once scaled
