"""C3D files, read by ezc3d in a process of its own.

ezc3d is C++: counts that a damaged file gets wrong make it crash, hang or ask for all memory (of
3,000 files with a few bytes changed, 14 did). In a process of its own that is an error like any
other. It takes about 0.15 s.
"""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import resource
import subprocess
import sys
import zipfile

import numpy as np

_MARK = b'grfjax-c3d\n'  # begins what the other process answers


class C3DError(ValueError):
  """A file that cannot be read; the message says why, without the file's name."""


@dataclasses.dataclass(frozen=True)
class Platforms:
  """What a C3D holds of its P force plates, in laboratory axes and the file's units.

  Attributes:
    force: (N, P, 3).
    pressure: (N, P, 3) centre of pressure; may hold NaN.
    unit: (P,) of force, each plate's; '' where the file does not say.
    unit_stated: whether FORCE_PLATFORM says it (else the plate's first channel, whose unit may be
      the amplifier's).
    unit_position: of the centre of pressure.
    point_rate: frames a second.
    analog_rate: samples a second.
    first_frame: counted from 0.
  """

  force: np.ndarray
  pressure: np.ndarray
  unit: np.ndarray
  unit_stated: bool
  unit_position: str
  point_rate: float
  analog_rate: float
  first_frame: int


def read(path: pathlib.Path) -> Platforms:
  """Reads a file's force plates.

  Raises:
    C3DError: it is damaged, holds no plates, or plates of a kind that is not known.
    OSError: it cannot be opened.
  """
  megabytes = _check_size(path) / 2**20
  seconds = 30 + 10 * megabytes  # ezc3d needs 1 s a megabyte
  # This very file: the other process needs ezc3d and numpy, and nothing else of grfjax.
  command = [sys.executable, '-P', __file__, os.fspath(path), str(1024 + int(200 * megabytes))]
  environment = {**os.environ, 'OPENBLAS_NUM_THREADS': '1'}  # a buffer for each would count
  try:
    done = subprocess.run(
      command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env=environment,
      check=False,
    )  # fmt: skip
  except subprocess.TimeoutExpired as error:
    raise C3DError(f'is damaged: not read after {seconds:.0f} s') from error
  if done.returncode == 0 and done.stdout.startswith(_MARK):
    try:
      with np.load(io.BytesIO(done.stdout[len(_MARK) :]), allow_pickle=False) as arrays:
        return Platforms(**{k: v if v.ndim else v.item() for k, v in arrays.items()})
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
      raise C3DError(f'cannot be read as C3D ({error})') from error
  if done.returncode < 0:
    raise C3DError(f'is damaged: reading it ended with signal {-done.returncode}')
  said = done.stderr.decode(errors='replace').strip().splitlines()
  raise C3DError(said[-1][:300] if said else 'cannot be read as C3D')


def _check_size(path: pathlib.Path) -> int:
  """Refuses what is no C3D, or a part of one: ezc3d reads missing frames as zeros.

  The header's layout is that of The C3D File Format User Guide (2008): 16-bit words, blocks of 512.

  Returns:
    Its size in bytes.
  """
  data = path.read_bytes()
  parameters = (data[0] - 1) * 512 if data else 0
  if len(data) < 512 or data[1] != 0x50 or parameters < 512:
    raise C3DError('is not a C3D file (it lacks the header that begins one)')
  processor = data[parameters + 3] if parameters + 3 < len(data) else 84  # Intel
  words = np.frombuffer(data[:512], '>u2' if processor == 86 else '<u2').astype(int)  # MIPS
  points, analogs, first, last, start = words[1], words[2], words[3], words[4], words[8]
  # The scale's sign says how numbers are stored; its byte depends on the processor (85: DEC).
  size = 4 if data[{86: 12, 85: 13}.get(processor, 15)] & 0x80 else 2
  expected = int((start - 1) * 512 + (last - first + 1) * (4 * points + analogs) * size)
  if len(data) < expected:
    raise C3DError(f'is cut short: found {len(data)} bytes, expected {expected}')
  return len(data)


# In the other process.


def _platforms(path: str) -> Platforms:
  import ezc3d  # here, so that nobody else has the C++ in their process

  _check_plates(ezc3d.c3d(path))
  file = ezc3d.c3d(path, extract_forceplat_data=True)
  plates, header = file['data']['platform'], file['header']
  group = file['parameters']['FORCE_PLATFORM']
  stated = bool('UNITS' in group and len(group['UNITS']['value']))
  if stated:
    units = [plate['unit_force'] for plate in plates]
  else:
    listed = file['parameters']['ANALOG'].get('UNITS', {}).get('value', [])
    channels = np.asarray(group['CHANNEL']['value'])[0].astype(int) - 1
    units = [listed[k] if k < len(listed) else '' for k in channels[: len(plates)]]
  return Platforms(
    force=np.stack([plate['force'].T for plate in plates], 1),
    pressure=np.stack([plate['center_of_pressure'].T for plate in plates], 1),
    unit=np.array([unit.strip() for unit in units], str),
    unit_stated=stated,
    unit_position=plates[0]['unit_position'].strip(),
    point_rate=float(header['points']['frame_rate']),
    analog_rate=float(header['analogs']['frame_rate']),
    first_frame=int(header['points']['first_frame']),
  )


def _check_plates(file: dict) -> None:
  group = file['parameters'].get('FORCE_PLATFORM', {})
  used = np.ravel(group.get('USED', {}).get('value', []))
  if not len(used) or used[0] < 1:
    raise C3DError('holds no force plates (FORCE_PLATFORM:USED)')
  types = np.ravel(group.get('TYPE', {}).get('value', []))[: used[0]].tolist()
  if len(types) < used[0] or not set(types) <= {1, 2, 3, 4}:
    raise C3DError(f'FORCE_PLATFORM:TYPE is {types} for {used[0]} plates, expected types 1 to 4')
  channels = np.asarray(group.get('CHANNEL', {}).get('value', []))
  count = file['data']['analogs'].shape[1]
  if channels.ndim != 2 or channels.shape[1] < used[0]:
    raise C3DError(f'FORCE_PLATFORM:CHANNEL does not list {used[0]} plates')
  for i, kind in enumerate(types):
    mine = channels[: 8 if kind == 3 else 6, i]
    if mine.min() < 1 or mine.max() > count:
      raise C3DError(
        f'FORCE_PLATFORM:CHANNEL of plate {i + 1} is {mine.tolist()}, expected channels 1 to '
        f'{count}'
      )


def _answer(path: str, most_mb: int) -> None:
  """Reads a file and writes it to standard output, or why not to standard error."""
  out = os.fdopen(os.dup(1), 'wb')
  os.dup2(2, 1)  # whatever ezc3d prints
  resource.setrlimit(resource.RLIMIT_AS, (most_mb * 2**20, most_mb * 2**20))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  try:
    found = vars(_platforms(path))
  except C3DError as error:
    sys.exit(str(error))
  except Exception as error:  # the binding raises whatever the C++ side threw
    said = ' '.join(str(error).split()) or type(error).__name__
    sys.exit(f'cannot be read as C3D with force plates: {said}')
  with out:
    out.write(_MARK)
    buffer = io.BytesIO()
    np.savez(buffer, **found)
    out.write(buffer.getvalue())


if __name__ == '__main__':
  _answer(sys.argv[1], int(sys.argv[2]))
