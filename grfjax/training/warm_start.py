"""Starting from the weights of other runs, and which subjects those know."""

from __future__ import annotations

import json
from typing import Any

import jax
import ml_collections

from grfjax import pretrained
from grfjax.data import subject_lists, voxel_dataset
from grfjax.inference import trained_run
from grfjax.training import checkpointing, run_settings


def met(
  config: ml_collections.ConfigDict, dataset: voxel_dataset.Dataset
) -> dict[str, list[list[Any]]]:
  """Who a run knows, itself or through the run it starts from: [name, body mass] of each.

  Folders move and are copied; a name and a body mass stay with the person.

  Returns:
    'trained': those learned from; 'watched': inner validation subjects.

  Raises:
    ValueError: the run to start from is not there, or knows who is held out here.
  """

  def person(name: str) -> list[Any]:
    return [name, dataset.body_mass_kg[name]]

  trained = [person(s) for s in dataset.others(config.holdout, config.inner)]
  inner = subject_lists.subject_names(config.inner)
  watched = [person(s) for s in inner]
  for begun in subject_lists.subject_names(config.model_init):
    path = pretrained.folder(begun) / run_settings.SUBJECTS
    if not path.is_file():
      raise checkpointing.CheckpointError(
        f'model_init: {path.parent}: no run there (no {run_settings.SUBJECTS}); train it first'
      )
    before = json.loads(path.read_text())
    for role, here, known in (
      (
        'holdout',
        [config.holdout] if config.holdout else [],
        before['trained'] + before['watched'],
      ),
      ('inner', inner, before['trained']),
    ):
      for name in here:
        if person(name) in known:
          raise ValueError(
            f'model_init: {path.parent} knows {name}, who is the {role} here; start from a '
            'run that held the same subject out, or from one on other people'
          )
    trained += [p for p in before['trained'] if p not in trained]
    watched += [p for p in before['watched'] if p not in watched]
  return {'trained': trained, 'watched': watched}


def begun(config: ml_collections.ConfigDict, like: Any) -> tuple[Any, str]:
  """Weights of the runs that training begins with, of the same network as `like`; where from.

  Raises:
    ValueError: they are not, or there are none.
  """
  runs = [
    trained_run.load(pretrained.folder(name))
    for name in subject_lists.subject_names(config.model_init)
  ]
  # Of several each is a member of the network, called as the run's own network is.
  params = {run.config.model.name: run.params for run in runs} if runs[1:] else runs[0].params
  there, here = (
    {(jax.tree_util.keystr(k), v.shape) for k, v in jax.tree.leaves_with_path(tree)}
    for tree in (params, like)
  )
  if there != here:
    raise ValueError(
      f'model_init: {config.model_init} holds another network: {sorted(there - here)[:3]} there, '
      f'{sorted(here - there)[:3]} here'
    )
  said = [text for run in runs for text in run.damaged]
  said += [f'starting from {run.folder}, step {run.step}' for run in runs]
  return jax.device_get(params), '\n'.join(said)
