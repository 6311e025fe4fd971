"""Starting from the weights of other runs, without a leak of the held-out subject."""

from __future__ import annotations

import pathlib
from collections.abc import Collection, Sequence
from typing import Any

import jax
import ml_collections

from grfjax import errors
from grfjax.data import subject_lists, voxel_dataset
from grfjax.io import run_folder
from grfjax.training import run_settings, weight_files


class WarmStartError(errors.InputError):
  """A run that training cannot start from."""


def known_subjects(
  config: ml_collections.ConfigDict, dataset: voxel_dataset.Dataset
) -> dict[str, list[list[Any]]]:
  """Lists the subjects that a run knows, itself or through the runs that it starts from.

  Folders move and are copied; a name and a body mass stay with the person.

  Returns:
    [name, body mass in kg] of each subject: 'trained', those in its training data; 'watched', its
    inner validation subjects.

  Raises:
    run_folder.RunError: there is no run to start from.
    WarmStartError: the run to start from knows the held-out subject, or was trained on an inner
      validation subject.
  """

  def identify(names: Sequence[str]) -> list[list[Any]]:
    return [[name, dataset.body_mass_kg[name]] for name in names]

  inner = identify(subject_lists.subject_names(config.inner))
  held_out = identify([config.holdout] if config.holdout else [])
  trained = identify(run_settings.training_subjects(config, dataset))
  watched = list(inner)
  for name in subject_lists.subject_names(config.model_init):
    start = run_folder.RunFolder.find(name)
    try:
      trained_before, watched_before = _read_known(start.subjects)
    except run_folder.RunError as error:
      raise error.within('model_init') from error
    _refuse_leak(start, 'holdout', held_out, trained_before + watched_before)
    _refuse_leak(start, 'inner', inner, trained_before)
    trained += [person for person in trained_before if person not in trained]
    watched += [person for person in watched_before if person not in watched]
  return {'trained': trained, 'watched': watched}


def _read_known(path: pathlib.Path) -> tuple[list[Any], list[Any]]:
  """Reads the subjects that a run was trained on, and its inner validation subjects."""
  known = run_folder.read_json(run_folder.require(path))
  try:
    return list(known['trained']), list(known['watched'])
  except (TypeError, KeyError) as error:
    raise run_folder.damaged(path, error) from error


def _refuse_leak(
  start: run_folder.RunFolder, role: str, subjects: Sequence[list[Any]], known: Collection[Any]
) -> None:
  for person in subjects:
    if person in known:
      raise WarmStartError(
        f'model_init: {start} knows {person[0]}, who is the {role} here; start from a run that '
        'held the same subject out, or from one on other people',
        code='run.leak',
        file=start.subjects,
      )


def initial_params(names: str, like: Any) -> tuple[Any, list[str]]:
  """Reads the parameters that training starts from.

  Args:
    names: runs, with commas between: one of the whole network, or one for each of its members.
    like: parameters of the network to be trained.

  Returns:
    Parameters in the structure and shapes of `like`, on the host; messages on where they come from.

  Raises:
    InputError: there is no such run, or it has no usable weights.
    WarmStartError: they are of another network.
  """
  params_of: dict[str, Any] = {}
  messages: list[str] = []
  sources: list[str] = []
  for name in subject_lists.subject_names(names):
    folder = run_folder.RunFolder.find(name)
    config = run_folder.read_json(run_folder.require(folder.config))
    try:
      network = config['model']['name']
    except (TypeError, KeyError) as error:
      raise run_folder.damaged(folder.config, error) from error
    restored = weight_files.restore_params(folder)
    params_of[network] = restored.params
    messages += restored.messages()
    sources.append(f'starting from {folder}, step {restored.step}')
  # Of several runs each is a member of the network, and is called as its own network is.
  params = params_of if len(sources) > 1 else next(iter(params_of.values()))
  there, here = (
    {(jax.tree_util.keystr(k), v.shape) for k, v in jax.tree.leaves_with_path(tree)}
    for tree in (params, like)
  )
  if there != here:
    raise WarmStartError(
      f'model_init: {names} holds another network: {sorted(there - here)[:3]} there, '
      f'{sorted(here - there)[:3]} here',
      code='run.other_network',
    )
  return params, messages + sources
