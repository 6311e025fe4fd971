"""The process in which ezc3d reads the force plates of one C3D file.

`c3d.read` runs this file: c3d_process.py PATH MEGABYTES. It answers on standard output with the
arrays of `c3d.Platforms`, or exits with an error whose last line is '[code] message'. It imports
nothing of grfjax, which need not be installed where the process runs.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

import numpy as np

MARK = b'grfjax-c3d\n'  # begins the answer
_CHANNELS = {1: 6, 2: 6, 3: 8, 4: 6}  # of a plate, by its type
_MAX_SKEW = 0.2  # of a plate's diagonals, over their length; corners are measured to centimetres


class _UnusableError(Exception):
  """A file that is no use; the message is '[code] message'."""

  def __init__(self, code: str, message: str):
    super().__init__(f'[c3d.{code}] {message}')


def _read_platforms(path: str) -> dict[str, Any]:
  """Returns the fields of `c3d.Platforms`."""
  import ezc3d  # here, so that nobody else has the C++ in their process

  file = ezc3d.c3d(path)
  header = file['header']
  group = file['parameters'].get('FORCE_PLATFORM', {})
  checked = _checked_parameters(group, file['data']['analogs'].shape[1])
  for name, value in checked.items():
    vector = ezc3d.ezc3d.VecInt if value.dtype.kind == 'i' else ezc3d.ezc3d.VecDouble
    parameter = ezc3d.ezc3d.Parameter(name)
    parameter.set(vector(value.ravel('F').tolist()), value.shape)
    file.c3d_swig.parameter('FORCE_PLATFORM', parameter)
  # ezc3d's own wrapper of a platform would copy each moment too.
  plates = ezc3d.ezc3d.ForcePlatforms(file.c3d_swig).forcePlatforms()
  unit_stated = bool('UNITS' in group and len(group['UNITS']['value']))
  if unit_stated:
    units = [plate.forceUnit() for plate in plates]
  else:
    analog_units = file['parameters'].get('ANALOG', {}).get('UNITS', {}).get('value', [])
    first = checked['CHANNEL'][0] - 1
    units = [analog_units[k] if k < len(analog_units) else '' for k in first]
  pressure = np.stack([_vectors(plate.CoP()) for plate in plates], 1)
  pressure[:, _without_moments(checked, file['data']['analogs'][0])] = np.nan
  return {
    'force': np.stack([_vectors(plate.forces()) for plate in plates], 1),
    'pressure': pressure,
    'unit': np.array([str(unit).strip() for unit in units], str),
    'unit_stated': unit_stated,
    'unit_position': plates[0].positionUnit().strip(),
    'point_rate': float(header['points']['frame_rate']),
    'analog_rate': float(header['analogs']['frame_rate']),
    'first_frame': int(header['points']['first_frame']),
  }


def _without_moments(checked: dict[str, np.ndarray], analogs: np.ndarray) -> np.ndarray:
  """Returns (P,) bool, which plates have the same moments, mostly 0, throughout.

  They measure none, and what ezc3d makes of them and of the surface's height moves nevertheless.
  """
  moments = analogs[checked['CHANNEL'][3:6] - 1]  # (3, P, N)
  return np.isin(checked['TYPE'], (2, 4)) & (moments[:2] == moments[:2, :, :1]).all((0, 2))


def _vectors(vectors: Any) -> np.ndarray:
  """Returns ezc3d's N vectors as (N, 3)."""
  return np.array([vector.to_array()[:, 0] for vector in vectors]).reshape(-1, 3)


def _checked_parameters(group: dict[str, Any], analog_count: int) -> dict[str, np.ndarray]:
  """Returns what ezc3d reads of FORCE_PLATFORM, in the type and shape that ezc3d needs.

  Writers store whole numbers as floats and the reverse, and one plate's values without the
  dimension of plates; ezc3d refuses some of that, and reads beyond the end of others.

  Args:
    group: the parameters of FORCE_PLATFORM.
    analog_count: analog channels in the file.

  Raises:
    _UnusableError: ezc3d would fail on a parameter, or take plates for others.
  """
  units = group.get('UNITS', {}).get('value', [])
  if not all(isinstance(unit, str) for unit in units):
    raise _UnusableError('parameter', f'FORCE_PLATFORM:UNITS is {_text(units)}, expected text')
  used = _numbers(group, 'USED').ravel()
  if not len(used) or (len(used) == 1 and used[0] == 0):
    raise _UnusableError('no_plates', 'holds no force plates (FORCE_PLATFORM:USED)')
  if len(used) > 1 or used[0] < 0 or used[0] % 1:
    raise _UnusableError(
      'parameter', f'FORCE_PLATFORM:USED is {_text(used)}, expected one whole number'
    )
  count = int(used[0])
  types = _numbers(group, 'TYPE').ravel()[:count]
  if len(types) < count or not set(types.tolist()) <= set(_CHANNELS):
    raise _UnusableError(
      'plate_type',
      f'FORCE_PLATFORM:TYPE is {_text(types)} for {count} plates, expected types 1 to 4',
    )
  types = types.astype(int)
  parameters = {
    'USED': np.array([count]),
    'TYPE': types,
    'CHANNEL': _checked_channels(_numbers(group, 'CHANNEL'), types.tolist(), analog_count),
    'CORNERS': _checked_corners(_of_plates(group, 'CORNERS', (3, 4), count)),
    'ORIGIN': _of_plates(group, 'ORIGIN', (3,), count),
    'CAL_MATRIX': np.zeros(0),  # ezc3d reads it for types 1 to 3 too, which do not use it
  }
  if 4 in types:
    matrix = _numbers(group, 'CAL_MATRIX')
    # Motion Analysis writes an empty one, which ezc3d takes for the identity.
    empty = matrix.ndim == 3 and not matrix.size and matrix.shape[2] >= count
    parameters['CAL_MATRIX'] = matrix if empty else _of_plates(group, 'CAL_MATRIX', (6, 6), count)
  if 3 in types and _numbers(group, 'FPCOPPOLY').size:
    parameters['FPCOPPOLY'] = _of_plates(group, 'FPCOPPOLY', (12,), count)
  return parameters


def _numbers(group: dict[str, Any], name: str) -> np.ndarray:
  """Returns the values of a parameter, all finite; none where it is missing."""
  values = np.asarray(group.get(name, {}).get('value', []))
  if values.size and (values.dtype.kind not in 'iuf' or not np.isfinite(values).all()):
    raise _UnusableError('parameter', f'FORCE_PLATFORM:{name} is {_text(values)}, expected numbers')
  return values


def _of_plates(group: dict[str, Any], name: str, shape: tuple[int, ...], count: int) -> np.ndarray:
  """Returns a parameter that has an array for each plate, the plates last."""
  values = _numbers(group, name)
  if count == 1 and values.shape == shape:
    values = values[..., None]
  if values.ndim != len(shape) + 1 or values.shape[:-1] != shape or values.shape[-1] < count:
    found = 'x'.join(map(str, values.shape)) if values.size else 'missing or empty'
    expected = 'x'.join(map(str, (*shape, count)))
    raise _UnusableError('parameter', f'FORCE_PLATFORM:{name} is {found}, expected {expected}')
  return values[..., :count].astype(float)


def _checked_corners(corners: np.ndarray) -> np.ndarray:
  """Returns the (3, 4, P) corners, from which ezc3d takes the axes of the plates."""
  for i, (a, b, c, d) in enumerate(corners.T, 1):
    diagonal = max(np.linalg.norm(a - c), np.linalg.norm(b - d))
    area = np.linalg.norm(np.cross(b - a, d - a))
    if area <= 0.01 * diagonal**2 or np.linalg.norm(a - b + c - d) > _MAX_SKEW * diagonal:
      raise _UnusableError(
        'parameter',
        f'FORCE_PLATFORM:CORNERS of plate {i} are {_text(corners[:, :, i - 1].T)}, expected the '
        'corners of a rectangle in order',
      )
  return corners


def _checked_channels(channels: np.ndarray, types: list[int], analog_count: int) -> np.ndarray:
  """Returns (channels of a plate, plates) numbers of analog channels, counted from 1.

  Args:
    channels: FORCE_PLATFORM:CHANNEL.
    types: of the P plates.
    analog_count: analog channels in the file.
  """
  if len(types) == 1 and channels.ndim == 1:
    channels = channels[:, None]
  if channels.ndim != 2 or channels.shape[1] < len(types):
    raise _UnusableError('channels', f'FORCE_PLATFORM:CHANNEL does not list {len(types)} plates')
  plates_of: dict[int, list[int]] = {}
  for i, plate_type in enumerate(types):
    of_plate = channels[: _CHANNELS[plate_type], i]
    usable = (of_plate >= 1) & (of_plate <= analog_count) & (of_plate % 1 == 0)
    if len(of_plate) < _CHANNELS[plate_type] or not usable.all():
      raise _UnusableError(
        'channels',
        f'FORCE_PLATFORM:CHANNEL of plate {i + 1} is {_text(of_plate)}, expected '
        f'{_CHANNELS[plate_type]} channels from 1 to {analog_count}',
      )
    for channel in of_plate.astype(int).tolist():
      plates_of.setdefault(channel, []).append(i + 1)
  shared = {channel: plates for channel, plates in plates_of.items() if len(plates) > 1}
  if shared:
    names = sorted({plate for plates in shared.values() for plate in plates})
    raise _UnusableError(
      'shared_channels',
      f'FORCE_PLATFORM:CHANNEL names channel {", ".join(map(str, sorted(shared)))} more than once, '
      f'for plate {" and ".join(map(str, names))}; a channel holds one signal of one plate, so '
      'which one it is cannot be known: name the right channels, or export the forces as text',
    )
  return channels[:, : len(types)].astype(int)


def _text(values: np.ndarray) -> str:
  """Returns values for a message, cut short where they are many; whole numbers without a point."""
  whole = values.dtype.kind == 'f' and np.isfinite(values).all() and not (values % 1).any()
  text = str((values.astype(int) if whole else values).tolist())
  return text if len(text) <= 100 else text[:97] + '...'


def _limit_memory(limit: int) -> None:
  """Has requests for more bytes than this fail, where the system can: Windows and macOS cannot."""
  if sys.platform == 'win32':
    return
  import resource  # here, as only Unix has it, and `c3d` imports this file everywhere

  with contextlib.suppress(ValueError, OSError):  # macOS refuses it
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main(path: str, memory_megabytes: int) -> None:
  """Reads a file and writes it to standard output, or the reason why not to standard error."""
  answer = os.fdopen(os.dup(1), 'wb')
  os.dup2(2, 1)  # whatever ezc3d prints
  _limit_memory(memory_megabytes * 2**20)
  try:
    fields = _read_platforms(path)
  except _UnusableError as error:
    sys.exit(str(error))
  except Exception as error:  # the binding raises whatever the C++ side threw
    reason = ' '.join(str(error).split()) or type(error).__name__
    sys.exit(f'[c3d.unreadable] cannot be read as C3D with force plates: {reason}')
  with answer:
    answer.write(MARK)
    buffer = io.BytesIO()
    np.savez(buffer, **fields)
    answer.write(buffer.getvalue())


if __name__ == '__main__':
  _main(sys.argv[1], int(sys.argv[2]))
