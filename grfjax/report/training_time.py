"""How long runs were trained."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from grfjax.io import run_folder
from grfjax.training import metrics_log


def training_minutes(runs: pathlib.Path, names: Iterable[str]) -> dict[str, float]:
  """Returns the minutes of training of each run that has logged any.

  They are summed over the steps, so that they are right also of a run that was interrupted and
  continued.

  Args:
    runs: folder of the runs.
    names: of the runs' folders.
  """
  minutes = {}
  for name in names:
    step, milliseconds = 0, 0.0
    for line in metrics_log.read_log(run_folder.RunFolder(runs / name).metrics):
      milliseconds += (line['step'] - step) * line['step_ms']
      step = line['step']
    if step:
      minutes[name] = milliseconds / 60_000
  return minutes
