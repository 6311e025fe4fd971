"""Units in which force files hold forces, lengths, moments and times."""

from __future__ import annotations

import re

# In newtons. The kilogram-force and the pound-force are exact by definition (standard gravity,
# ISO 80000-3; the pound is 0.45359237 kg).
_NEWTONS = {
  'n': 1.0,
  'newton': 1.0,
  'newtons': 1.0,
  'kn': 1e3,
  'kgf': 9.80665,
  'kp': 9.80665,
  'lb': 4.4482216152605,
  'lbs': 4.4482216152605,
  'lbf': 4.4482216152605,
}
_SECONDS = {
  's': 1.0,
  'sec': 1.0,
  'secs': 1.0,
  'second': 1.0,
  'seconds': 1.0,
  'ms': 1e-3,
  'msec': 1e-3,
  'milliseconds': 1e-3,
}
_METRES = {'m': 1.0, 'cm': 1e-2, 'mm': 1e-3}
_BRACKETS = re.compile(r'(.*?)\s*(?:\(([^()\[\]]*)\)|\[([^()\[\]]*)\])')
_RELATIVE = re.compile(r'%?\s*bw|bodyweights?|n/kg|n\.kg-1|n·kg-1|n\*kg-1|%', re.I)
_VOLTS = re.compile('[mµu]?v(olts?)?', re.I)


def split_name(name: str) -> tuple[str, str]:
  """Returns a column's name and the unit in brackets behind it: ('Fz', 'N') of 'Fz (N)'."""
  found = _BRACKETS.fullmatch(name.strip()) if len(name) < 1000 else None
  if found is None or not found[1]:
    return name.strip(), ''
  return found[1], (found[2] or found[3] or '').strip()


def strip_brackets(unit: str) -> str:
  """Returns a cell of a row of units without brackets around it."""
  return unit.strip().strip('()[]').strip()


def newtons(unit: str) -> float | None:
  """Returns the newtons in a unit of force, or None where it is not known."""
  return _NEWTONS.get(unit.lower())


def seconds(unit: str) -> float | None:
  """Returns the seconds in a unit of time, or None where it is not known."""
  return _SECONDS.get(unit.lower())


def metres(unit: str) -> float | None:
  """Returns the metres in a unit of length, or None where it is not known."""
  return _METRES.get(unit.lower())


def newton_metres(unit: str) -> float | None:
  """Returns the newton metres in a unit such as N.mm, mm.N, Nm or kN·m, or None."""
  text = re.sub(r'[\s.·*⋅-]', '', unit.lower())
  for force in ('kn', 'n'):
    for length in ('mm', 'cm', 'm'):
      if text in (force + length, length + force):
        return _NEWTONS[force] * _METRES[length]
  return None


def why_not_force(unit: str) -> str:
  """Returns what is to be done about a unit that is none of force, as the end of a sentence."""
  if _RELATIVE.fullmatch(unit):
    return '; a force relative to body weight or mass does not say newtons: export newtons'
  if _VOLTS.fullmatch(unit):
    return '; volts need the calibration of the plate: export forces'
  if unit.lower() == 'kg':
    return '; write kgf if kilograms-force are meant'
  return ''
