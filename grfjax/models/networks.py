"""Builds the network and the target that a configuration names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import ml_collections

from grfjax import errors
from grfjax.models import feet_network, foot_target, paper_networks, targets, walker_networks

FEET = 'feet'  # the name of both the network and the target of where feet are

MODELS: dict[str, Callable[..., Any]] = {
  'mochizuki3d': paper_networks.Mochizuki3D,
  'mochizuki2d': paper_networks.Mochizuki2D,
  'mochizuki_recurrent': paper_networks.MochizukiRecurrent,
  'convolutional': walker_networks.Convolutional,
  'recurrent': walker_networks.Recurrent,
  'walker': walker_networks.Walker,
  FEET: feet_network.Feet,
}

# None: that of parameters and inputs, which are float32.
DTYPES: dict[str, Any] = {'float32': None, 'bfloat16': jnp.bfloat16}


def are_own() -> bool:
  """Returns whether all networks and targets are of this package, and none was added elsewhere."""
  package = __name__.partition('.')[0]
  added = (*MODELS.values(), *targets.TARGETS.values())
  return all(thing.__module__.partition('.')[0] == package for thing in added)


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


def network(config: ml_collections.ConfigDict) -> tuple[Any, Any]:
  """Builds the network and the target that a configuration names.

  Args:
    config: `config.model`, `config.target` and `config.dtype` are read.

  Returns:
    The network; a `targets.Target`, or the `foot_target.FeetTarget` of a network that finds feet.

  Raises:
    errors.InputError: the name of one is unknown, or one of its settings cannot be used; or one of
      them finds feet and the other does not.
  """
  dtype = config.get('dtype', 'float32')  # runs of earlier versions have none
  if dtype not in DTYPES:
    raise errors.InputError(
      f'config.dtype is {dtype!r}, expected one of {", ".join(DTYPES)}', code='config.value'
    )
  settings = _keyword_arguments(config.target)
  finds_feet = settings.get('name') == FEET
  if finds_feet != (config.model.name == FEET):
    raise errors.InputError(
      f'config.model is {config.model.name!r} and config.target {settings.get("name")!r}; expected '
      f'both or neither to be {FEET!r}',
      code='config.target',
    )
  target: Any
  if finds_feet:
    target = foot_target.FeetTarget(**{k: v for k, v in settings.items() if k != 'name'})
  else:
    target = targets.build_target(**settings)
  model = build_network(
    outputs=target.outputs, dtype=DTYPES[dtype], **_keyword_arguments(config.model)
  )
  return model, target


def _keyword_arguments(section: Any) -> dict[str, Any]:
  """Returns a section of a configuration with tuples for lists, as modules must be hashable."""
  return {k: _hashable(v) for k, v in section.items()}


def _hashable(value: Any) -> Any:
  return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
