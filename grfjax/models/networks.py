"""Networks by name, and the network and target that a configuration names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_collections

from grfjax.models import paper_networks, targets, walker_networks

MODELS: dict[str, Callable[..., Any]] = {
  'mochizuki3d': paper_networks.Mochizuki3D,
  'mochizuki2d': paper_networks.Mochizuki2D,
  'convolutional': walker_networks.Convolutional,
  'recurrent': walker_networks.Recurrent,
  'walker': walker_networks.Walker,
}


def build_network(name: str, **kwargs: Any) -> Any:
  """Returns the module called `name`, made with its keyword arguments.

  Raises:
    ValueError: when there is no such model; lists those there are.
  """
  if name not in MODELS:
    raise ValueError(f'no model {name!r}; there are: {", ".join(sorted(MODELS))}')
  return MODELS[name](**kwargs)


def network(config: ml_collections.ConfigDict) -> tuple[Any, targets.Target]:
  """The model and the target that a configuration names.

  Raises:
    ValueError: it names something that there is not; the message lists what there is.
  """
  target = targets.build_target(**_plain(config.target))
  return build_network(outputs=target.outputs, **_plain(config.model)), target


def _plain(part: Any) -> dict[str, Any]:
  """Keyword arguments; lists become tuples, as modules must be hashable."""
  return {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in part.items()}
