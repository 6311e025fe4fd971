"""Format files: TOML that says how a program's text export holds forces (docs/force_files.md)."""

from __future__ import annotations

import pathlib
import tomllib
from typing import Literal, Self

import pydantic

from grfjax import errors

READY_MADE = pathlib.Path(__file__).with_name('force_formats')
FOLDER = 'formats'  # of a recording set

Column = str | list[str] | int
_Leg = Literal['left', 'right']
_Direction = Literal['x', 'y', 'z', '+x', '+y', '+z', '-x', '-y', '-z']


class _Strict(pydantic.BaseModel):
  """Exactly the keys that are written down, with values of exactly their types."""

  model_config = pydantic.ConfigDict(
    strict=True, frozen=True, extra='forbid', allow_inf_nan=False, populate_by_name=False
  )


def _check_not_empty(*columns: Column | None) -> None:
  if any(c in ('', []) or (isinstance(c, list) and '' in c) for c in columns):
    raise ValueError('the name of a column is empty')


class Header(_Strict):
  """How the line of the columns' names is found.

  Attributes:
    rows: how many lines stand above it.
    begins_with: what it begins with, capitals or not.
    contains: names that it holds; of a list in the list, one of them.
    names: False where there is no such line, and data begin after `rows` lines.
  """

  rows: int | None = pydantic.Field(None, ge=0, le=1000)
  begins_with: str | None = pydantic.Field(None, min_length=1)
  contains: list[str | list[str]] | None = pydantic.Field(None, min_length=1)
  names: bool = True

  @pydantic.model_validator(mode='after')
  def _one_way(self) -> Self:
    ways = [self.rows, self.begins_with, self.contains]
    if sum(way is not None for way in ways) != 1:
      raise ValueError('expected one of rows, begins_with and contains')
    if not self.names and self.rows is None:
      raise ValueError('a file without names needs rows, the number of lines above the data')
    return self


class Time(_Strict):
  """Where times come from: a column, a rate in Hz, or a key of the header with the rate."""

  column: Column | None = None
  rate: float | None = pydantic.Field(None, gt=0)
  rate_key: str | None = pydantic.Field(None, min_length=1)

  @pydantic.model_validator(mode='after')
  def _one_way(self) -> Self:
    if sum(way is not None for way in (self.column, self.rate, self.rate_key)) != 1:
      raise ValueError('expected one of column, rate and rate_key')
    _check_not_empty(self.column)
    return self


class Plates(_Strict):
  """Which columns are a plate's.

  A name holds {plate} in the place of the plate's number; without it, a name that stands in the
  header several times is one plate each time. A list holds alternatives. A number is a column,
  counted from 1; the next plate's columns are `every` columns further.

  Attributes:
    names: what {plate} stands for, if not for numbers, in the order of the plates.
    every: see above.
    legs: of the plates, in their order.
  """

  fx: Column
  fy: Column
  fz: Column
  mx: Column | None = None
  my: Column | None = None
  mz: Column | None = None
  cop_x: Column | None = pydantic.Field(None, alias='copx')
  cop_y: Column | None = pydantic.Field(None, alias='copy')
  names: list[str] | None = pydantic.Field(None, min_length=1)
  every: int | None = pydantic.Field(None, ge=3)
  legs: list[_Leg] | None = pydantic.Field(None, min_length=1)

  @pydantic.model_validator(mode='after')
  def _consistent(self) -> Self:
    used = [self.fx, self.fy, self.fz, self.mx, self.my, self.mz, self.cop_x, self.cop_y]
    numbers = [c for c in used if isinstance(c, int)]
    if any(c < 1 for c in numbers):
      raise ValueError('columns are counted from 1')
    if numbers and len(numbers) != sum(c is not None for c in used):
      raise ValueError('expected names for all columns, or numbers for all')
    _check_not_empty(*used)
    names = [str(c) for c in used if c is not None]
    if len(set(names)) != len(names):
      raise ValueError('a column is named twice')
    if self.every is not None and (not numbers or max(numbers) - min(numbers) >= self.every):
      raise ValueError('every needs numbers, and must be at least the number of columns of a plate')
    if (self.mx is None) != (self.my is None) or (self.cop_x is None) != (self.cop_y is None):
      raise ValueError('expected both of mx and my, and of copx and copy, or none')
    return self


class Units(_Strict):
  """Units, where the file says none, and where it says them.

  Attributes:
    row: lines from the names to the row of units; 1 is the next line.
    in_names: whether units stand in brackets behind the names.
    force, length, moment, time: of what has no unit in the file.
  """

  row: int | None = pydantic.Field(None, ge=1, le=20)
  in_names: bool = False
  force: str = 'N'
  length: str = 'm'
  moment: str = 'N.m'
  time: str = 's'


class Axes(_Strict):
  """What the axes are.

  Attributes:
    system: 'plate' (x forward, y left, z up), 'opensim' (x forward, y up, z right) or 'laboratory'
      (to be found from the forces).
    forward, left, up: which axis it is, with its sign; `up` alone leaves the others to be found.
    sign: 'action' where the file holds the force of the foot on the plate.
  """

  system: Literal['plate', 'opensim', 'laboratory'] | None = None
  forward: _Direction | None = None
  left: _Direction | None = None
  up: _Direction | None = None
  sign: Literal['reaction', 'action'] = 'reaction'

  @pydantic.model_validator(mode='after')
  def _one_way(self) -> Self:
    directions = [self.forward, self.left, self.up]
    given = [d[-1] for d in directions if d is not None]
    if (self.system is None) == (not given):
      raise ValueError('expected either system, or forward, left and up, or up alone')
    if given and len(given) != 3 and not (len(given) == 1 and self.up):
      raise ValueError('expected forward, left and up, or up alone')
    if len(set(given)) != len(given):
      raise ValueError('expected each of x, y and z once')
    return self


class Format(_Strict):
  """A format file.

  Attributes:
    description: of what it reads.
    recognized_by: texts, each of which only such a file begins with; for a hint in errors.
    delimiter: between cells; 'space' is any white space.
    decimal: the decimal mark.
  """

  description: str = ''
  recognized_by: list[str] = []
  delimiter: Literal['auto', ',', ';', 'tab', 'space'] = 'auto'
  decimal: Literal['auto', '.', ','] = 'auto'
  header: Header
  time: Time | None = None
  plates: Plates
  units: Units = pydantic.Field(default_factory=lambda: Units.model_validate({}))
  axes: Axes


def names(root: pathlib.Path | None) -> dict[str, pathlib.Path]:
  """Returns the file of each ready-made format and, before it, of each of a recording set."""
  folders = [READY_MADE, *([root / FOLDER] if root else [])]
  return {path.stem: path for folder in folders for path in sorted(folder.glob('*.toml'))}


def read(path: pathlib.Path) -> Format:
  """Reads a format file.

  Raises:
    InputError: it cannot be opened, is not TOML, or a key is missing, unknown or of another type.
  """
  try:
    content = tomllib.loads(path.read_bytes().decode('utf-8-sig'))
  except OSError as error:
    raise _error(path, error.strerror or str(error)) from error
  except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or brackets in brackets
    raise _error(path, f'is not TOML: {error}') from error
  try:
    return Format.model_validate(content)
  except pydantic.ValidationError as error:
    first = error.errors(include_url=False)[0]
    key = '.'.join(str(part) for part in first['loc'] if not _is_type(part))
    message = str(first['msg']).removeprefix('Value error, ')
    place = f'{key}: ' if key else ''
    raise _error(path, place + message[:1].lower() + message[1:], key or None) from error


def _is_type(part: str | int) -> bool:
  """Whether pydantic names a type of several, rather than a key."""
  return isinstance(part, str) and (part in ('str', 'int') or part.startswith('list['))


def _error(path: pathlib.Path, message: str, key: str | None = None) -> errors.InputError:
  return errors.InputError(f'{path}: {message}', code='force.format_file', file=path, column=key)
