"""Ground reaction forces of both legs from a side-view walking video.

    import grfjax
    walk = grfjax.predict('walk.mp4', body_mass_kg=61)
    walk.plot()

`grfjax.walk` documents `predict`, `Estimator` and `Walk`; JAX is not imported before one of them is
used.

Data flow through the rooms in this order: `io` (recording sets, force files, videos), `tracking`
(videos to walkers), `data` (records and batches), `training`, `inference` (force curves of new
videos), `evaluation`, `report`. `models` (networks) and `gait` (what force curves say) are pure.
`docs/architecture.md` is the map.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
  from grfjax.errors import InputError as InputError
  from grfjax.walk import Estimator as Estimator
  from grfjax.walk import Walk as Walk
  from grfjax.walk import predict as predict

  __version__: str

_PLACES = {
  'Estimator': 'grfjax.walk',
  'InputError': 'grfjax.errors',
  'Walk': 'grfjax.walk',
  'predict': 'grfjax.walk',
}
__all__ = ['Estimator', 'InputError', 'Walk', '__version__', 'predict']


def __getattr__(name: str) -> Any:
  """Imports what is public when it is first used (PEP 562)."""
  value: Any
  if name == '__version__':
    metadata = importlib.import_module('importlib.metadata')
    value = metadata.version('grfjax')
  elif name in _PLACES:
    value = getattr(importlib.import_module(_PLACES[name]), name)
  else:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  globals()[name] = value
  return value


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})


class _Package(types.ModuleType):
  """Keeps `grfjax.predict` the function: importing the command of that name would replace it."""

  def __setattr__(self, name: str, value: Any) -> None:
    if not (name in _PLACES and isinstance(value, types.ModuleType)):
      super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
