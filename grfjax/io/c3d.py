"""Reads the force plates of C3D files, with ezc3d in a process of its own.

ezc3d is C++: counts that a damaged file gets wrong make it crash, hang or ask for all memory (of
3,000 files with a few bytes changed, 14 did). In a process of its own (`c3d_process`) that is an
error like any other. It takes about 0.15 s.
"""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import numpy as np

from grfjax import errors
from grfjax.io import c3d_process

# ezc3d needs 1 s a megabyte.
_TIMEOUT_S = 30.0
_TIMEOUT_S_PER_MEGABYTE = 10.0
_MEMORY_MEGABYTES = 1024
_MEMORY_PER_MEGABYTE = 200


class C3DError(errors.InputError):
  """A file that cannot be read; the message says why, without the file's name."""


@dataclasses.dataclass(frozen=True)
class Platforms:
  """What a C3D holds of its P force plates, in laboratory axes and the file's units.

  Attributes:
    force: (N, P, 3).
    pressure: (N, P, 3) centre of pressure; may hold NaN, throughout where moments are not measured.
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
    C3DError: it is damaged, holds no plates, or plates of an unknown type.
    OSError: it cannot be opened.
  """
  megabytes = _check_size(path) / 2**20
  timeout_s = _TIMEOUT_S + _TIMEOUT_S_PER_MEGABYTE * megabytes
  memory = _MEMORY_MEGABYTES + int(_MEMORY_PER_MEGABYTE * megabytes)
  # As a file: the other process needs ezc3d and numpy, and nothing else of grfjax.
  command = [sys.executable, '-P', c3d_process.__file__, os.fspath(path), str(memory)]
  environment = {**os.environ, 'OPENBLAS_NUM_THREADS': '1'}  # each thread's buffer would count
  try:
    process = subprocess.run(
      command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, env=environment,
      check=False,
    )  # fmt: skip
  except subprocess.TimeoutExpired as error:
    raise C3DError(f'is damaged: not read after {timeout_s:.0f} s', code='c3d.timeout') from error
  if process.returncode == 0 and process.stdout.startswith(c3d_process.MARK):
    return _parse_answer(process.stdout[len(c3d_process.MARK) :])
  if process.returncode < 0:
    raise C3DError(
      f'is damaged: reading it ended with signal {-process.returncode}', code='c3d.damaged'
    )
  raise _reported_error(process.stderr.decode(errors='replace'))


def _parse_answer(answer: bytes) -> Platforms:
  try:
    with np.load(io.BytesIO(answer), allow_pickle=False) as arrays:
      return Platforms(**{k: v if v.ndim else v.item() for k, v in arrays.items()})
  except (ValueError, KeyError, zipfile.BadZipFile) as error:
    raise C3DError(f'cannot be read as C3D ({error})', code='c3d.unreadable') from error


def _reported_error(text: str) -> C3DError:
  """Returns the error that the other process has written last."""
  lines = text.strip().splitlines()
  if not lines:
    return C3DError('cannot be read as C3D', code='c3d.unreadable')
  if match := re.fullmatch(r'\[(c3d\.\w+)\] (.*)', lines[-1]):
    return C3DError(match[2][:300], code=match[1])
  return C3DError(lines[-1][:300], code='c3d.unreadable')


def _check_size(path: pathlib.Path) -> int:
  """Refuses what is no C3D, or a part of one: ezc3d reads missing frames as zeros.

  The header's layout is that of The C3D File Format User Guide (2008): 16-bit words, blocks of 512.

  Returns:
    The file's size in bytes.

  Raises:
    C3DError: the file has no header, or fewer bytes than its header says.
  """
  data = path.read_bytes()
  parameters = (data[0] - 1) * 512 if data else 0
  if len(data) < 512 or data[1] != 0x50 or parameters < 512:
    raise C3DError('is not a C3D file (it lacks the header that begins one)', code='c3d.not_c3d')
  processor = data[parameters + 3] if parameters + 3 < len(data) else 84  # Intel
  words = np.frombuffer(data[:512], '>u2' if processor == 86 else '<u2').astype(int)  # MIPS
  points, analogs, first, last, start = words[1], words[2], words[3], words[4], words[8]
  # The scale's sign says how numbers are stored; its byte depends on the processor (85: DEC).
  size = 4 if data[{86: 12, 85: 13}.get(processor, 15)] & 0x80 else 2
  expected = int((start - 1) * 512 + (last - first + 1) * (4 * points + analogs) * size)
  if len(data) < expected:
    raise C3DError(
      f'is cut short: found {len(data)} bytes, expected {expected}', code='c3d.truncated'
    )
  return len(data)
