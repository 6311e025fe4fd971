"""Builds the network and the target that a configuration names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_collections

from grfjax import errors
from grfjax.models import paper_networks, targets, walker_networks

MODELS: dict[str, Callable[..., Any]] = {
  'mochizuki3d': paper_networks.Mochizuki3D,
  'mochizuki2d': paper_networks.Mochizuki2D,
  'mochizuki_recurrent': paper_networks.MochizukiRecurrent,
  'convolutional': walker_networks.Convolutional,
  'recurrent': walker_networks.Recurrent,
  'walker': walker_networks.Walker,
}


def build_network(name: str, **settings: Any) -> Any:
  """Builds a network.

  Args:
    name: a key of `MODELS`.
    **settings: the module's fields.

  Returns:
    The Flax module.

  Raises:
    errors.InputError: there is no network of that name.
  """
  if name not in MODELS:
    raise errors.InputError(
      f'there is no network {name!r}; expected one of {", ".join(sorted(MODELS))}',
      code='config.unknown_model',
    )
  return MODELS[name](**settings)


def network(config: ml_collections.ConfigDict) -> tuple[Any, targets.Target]:
  """Builds the network and the target that a configuration names.

  Args:
    config: `config.model` and `config.target` are read.

  Raises:
    errors.InputError: the name of either is unknown, or one of its settings cannot be used.
  """
  target = targets.build_target(**_keyword_arguments(config.target))
  return build_network(outputs=target.outputs, **_keyword_arguments(config.model)), target


def _keyword_arguments(section: Any) -> dict[str, Any]:
  """Returns a section of a configuration with tuples for lists, as modules must be hashable."""
  return {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in section.items()}
