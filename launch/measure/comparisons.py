"""Ratios of speed beside what is required of them: how `bench.py` and `speed.py` report."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from grfjax.io import atomic


def comparison(work: str, peer: str, ratio: float, required: float | None) -> dict[str, Any]:
  """Returns a row of the results.

  Args:
    work: what was measured.
    peer: what it is compared with.
    ratio: above 1 ours is better.
    required: the least ratio that passes; None: any.
  """
  return {
    'work': work,
    'peer': peer,
    'ratio': round(ratio, 3),
    'bar': None if required is None else round(required, 3),
    'met': required is None or ratio >= required,
  }


def passed_or_missed(row: dict[str, Any]) -> str:
  """Returns what a row requires and whether it is reached; '' where it requires nothing."""
  if row['bar'] is None:
    return ''
  return f', required {row["bar"]}: {"reached" if row["met"] else "MISSED"}'


def write(path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
  """Writes all rows as JSON, and ends the script with exit code 1 where a requirement is missed."""
  atomic.write_json(path, rows)
  print(f'written: {path}')
  if not all(row['met'] for row in rows):
    sys.exit(1)
