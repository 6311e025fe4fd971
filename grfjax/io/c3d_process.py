"""The process in which ezc3d reads the force plates of one C3D file.

`c3d.read` runs this file: c3d_process.py PATH MEGABYTES. It answers on standard output with the
arrays of `c3d.Platforms`, or exits with an error whose last line is '[code] message'. It imports
nothing of grfjax, which need not be installed where the process runs.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import numpy as np

MARK = b'grfjax-c3d\n'  # begins the answer
_CHANNELS = {1: 6, 2: 6, 3: 8, 4: 6}  # of a plate, by its type


class _UnusableError(Exception):
  """A file that is no use; the message is '[code] message'."""

  def __init__(self, code: str, message: str):
    super().__init__(f'[c3d.{code}] {message}')


def _read_platforms(path: str) -> dict[str, Any]:
  """Returns the fields of `c3d.Platforms`."""
  import ezc3d  # here, so that nobody else has the C++ in their process

  _check_plates(ezc3d.c3d(path))
  file = ezc3d.c3d(path, extract_forceplat_data=True)
  plates, header = file['data']['platform'], file['header']
  group = file['parameters']['FORCE_PLATFORM']
  unit_stated = bool('UNITS' in group and len(group['UNITS']['value']))
  if unit_stated:
    units = [plate['unit_force'] for plate in plates]
  else:
    analog_units = file['parameters']['ANALOG'].get('UNITS', {}).get('value', [])
    channels = np.asarray(group['CHANNEL']['value'])[0].astype(int) - 1
    units = [analog_units[k] if k < len(analog_units) else '' for k in channels[: len(plates)]]
  return {
    'force': np.stack([plate['force'].T for plate in plates], 1),
    'pressure': np.stack([plate['center_of_pressure'].T for plate in plates], 1),
    'unit': np.array([unit.strip() for unit in units], str),
    'unit_stated': unit_stated,
    'unit_position': plates[0]['unit_position'].strip(),
    'point_rate': float(header['points']['frame_rate']),
    'analog_rate': float(header['analogs']['frame_rate']),
    'first_frame': int(header['points']['first_frame']),
  }


def _check_plates(file: Any) -> None:
  """Raises _UnusableError where ezc3d would fail on the plates, or take them for others."""
  group = file['parameters'].get('FORCE_PLATFORM', {})
  used = np.ravel(group.get('USED', {}).get('value', []))
  if not len(used) or used[0] < 1:
    raise _UnusableError('no_plates', 'holds no force plates (FORCE_PLATFORM:USED)')
  types = np.ravel(group.get('TYPE', {}).get('value', []))[: used[0]].tolist()
  if len(types) < used[0] or not set(types) <= set(_CHANNELS):
    raise _UnusableError(
      'plate_type', f'FORCE_PLATFORM:TYPE is {types} for {used[0]} plates, expected types 1 to 4'
    )
  channels = np.asarray(group.get('CHANNEL', {}).get('value', []))
  count = file['data']['analogs'].shape[1]
  if channels.ndim != 2 or channels.shape[1] < used[0]:
    raise _UnusableError('channels', f'FORCE_PLATFORM:CHANNEL does not list {used[0]} plates')
  for i, plate_type in enumerate(types):
    of_plate = channels[: _CHANNELS[plate_type], i]
    if of_plate.min() < 1 or of_plate.max() > count:
      raise _UnusableError(
        'channels',
        f'FORCE_PLATFORM:CHANNEL of plate {i + 1} is {of_plate.tolist()}, expected channels 1 to '
        f'{count}',
      )


def _main(path: str, memory_megabytes: int) -> None:
  """Reads a file and writes it to standard output, or the reason why not to standard error."""
  import resource  # here, as only Unix has it, and `c3d` imports this file everywhere

  answer = os.fdopen(os.dup(1), 'wb')
  os.dup2(2, 1)  # whatever ezc3d prints
  limit = memory_megabytes * 2**20
  resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
