"""Reads numbers with a decimal point or comma, and with or without marks between thousands.

Which of the two marks is decimal is decided for many cells at once: with the right one every cell
is a number, whose groups between marks have three digits, do not begin with 0, and are separated
by one mark that is not the decimal one.
"""

from __future__ import annotations

import re

import numpy as np

MARKS = ('.', ',')
NAMES = {'.': 'point', ',': 'comma'}

# Between thousands, beside the point or comma that is not decimal: apostrophes and spaces (plain,
# no-break, thin, narrow no-break).
_SEPARATORS = "'\u2019 \u00a0\u2009\u202f"
_PLAIN = {mark: re.compile(rf'[0-9eE+\-{mark}\n]*+') for mark in MARKS}


def _numbers_of(mark: str) -> re.Pattern[str]:
  """Returns the pattern of numbers, each with a line end behind it."""
  (other,) = set(MARKS) - {mark}
  decimal = re.escape(mark)
  between = '|'.join(rf'(?:{re.escape(s)}[0-9]{{3}})++' for s in other + _SEPARATORS)
  grouped = rf'[1-9][0-9]{{0,2}}(?=[{other}{_SEPARATORS}])(?:{between})'
  number = rf'[+-]?(?:(?:{grouped}|[0-9]++)(?:{decimal}[0-9]*+)?|{decimal}[0-9]++)'
  return re.compile(rf'(?:{number}(?:[eE][+-]?[0-9]++)?\n)*+')


_NUMBERS = {mark: _numbers_of(mark) for mark in MARKS}


def find_fault(cells: str, mark: str) -> int | None:
  """Returns where the first cell begins that is no number with this decimal mark, or None.

  Args:
    cells: the stripped cells, each with a line end behind it.
    mark: a point or a comma.
  """
  found = _NUMBERS[mark].match(cells)
  end = found.end() if found else 0
  return None if end == len(cells) else end


def parse(cells: str, mark: str) -> np.ndarray:
  """Returns the numbers of cells, float64; one too great for that is infinite.

  Args:
    cells: the stripped cells, each with a line end behind it; with this decimal mark `find_fault`
      finds no fault in them, or `is_plain` holds.
    mark: a point or a comma.

  Raises:
    ValueError: a plain cell is no number.
  """
  if not is_plain(cells, mark):
    (other,) = set(MARKS) - {mark}
    cells = cells.translate(str.maketrans('', '', other + _SEPARATORS))
  if mark != '.':
    cells = cells.replace(mark, '.')
  return np.array(list(map(float, cells.split('\n')[:-1])))


def is_plain(cells: str, mark: str) -> bool:
  """Whether cells hold no character but those of numbers with this mark and no other one."""
  found = _PLAIN[mark].match(cells)
  return found is not None and found.end() == len(cells)
