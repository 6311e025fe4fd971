"""The rows of the ablation table change what they say, and nothing else."""

import importlib

import pytest

import ablate
import folds


def flat(values, path=''):
  return {
    key: leaf
    for name, value in values.items()
    for key, leaf in (
      flat(value, f'{path}{name}.').items() if isinstance(value, dict) else [(path + name, value)]
    )
  }


@pytest.mark.parametrize('lever', ablate.LEVERS)
def test_a_row_changes_what_it_says(lever):
  name, changes = ablate.LEVERS[lever]
  file, _, argument = name.partition(':')
  before = flat(importlib.import_module(file).get_config(argument).to_dict())
  after = flat(folds.load_config(name, changes).to_dict())
  differs = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
  assert all(any(k == c or k.startswith(f'{c}.') for c in changes) for k in differs)
  assert bool(differs) == bool(changes)
