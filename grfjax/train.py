"""Trains one fold: `python -m grfjax.train --config=configs/walker.py --workdir=RUN ...`.

A run is a function of (config, data, seed). Started again in the same workdir it goes on from its
newest checkpoint and ends as an undisturbed run does. The held-out subject is never read here.
SIGTERM and Ctrl-C end the step, write a checkpoint, and leave with exit code 143 or 130.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import ml_collections
import numpy as np
import tqdm
from absl import app, flags, logging
from jax.experimental import multihost_utils
from ml_collections import config_flags

from grfjax import (
  calibration,
  checkpoint,
  data,
  files,
  inference,
  log,
  metrics,
  pretrained,
  step,
  stopping,
  targets,
)

# What may differ when a run goes on: how long, how often, and where the data lie.
MAY_CHANGE = ('steps', 'checkpoint_every', 'log_every', 'data_dir')
SUBJECTS = 'subjects.json'  # in a run's folder: who it knows
DATASET = 'dataset.json'  # and the data set that it is learned from, `data.Dataset.fingerprint`
DONE = 'done.json'
# Of a run that was done, what no longer holds once it goes on.
_OUTDATED = (
  DONE, inference.INTERVAL, checkpoint.WEIGHTS, 'weights.sha256', 'calibration', 'eval.json',
  'estimates.npz', 'report.html', 'figures',
)  # fmt: skip


def say(text: str) -> None:
  """Prints beside the progress bar, on standard error."""
  tqdm.tqdm.write(text, file=sys.stderr)


class TrainingError(RuntimeError):
  """Training cannot go on; the message says why and what is left."""


def train(config: ml_collections.ConfigDict, workdir: str | os.PathLike[str]) -> dict[str, Any]:
  """Trains, or goes on training, to `config.steps`.

  Args:
    config: as in `configs/`.
    workdir: the run's folder: config.json, dataset.json, subjects.json, shares.json, checkpoints/,
      metrics.jsonl, tensorboard/; done.json, interval.json and, if blended, weights.npz at the end.

  Returns:
    The last line of the log.

  Raises:
    ValueError: the configuration, the data or the workdir do not fit, or another process has it.
    TrainingError: a step is not finite.
    OSError: a file cannot be written.
    stopping.Stopped: it was told to stop; a checkpoint is written.
  """
  folder = pathlib.Path(workdir)
  with _alone(folder):
    return _train(config, folder)


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
  """Has the folder to itself; of several hosts the first one sees to it."""
  if jax.process_index():
    yield
    return
  with files.lock(folder) as locked:
    if not locked:
      say(f'{folder}: its file system has no locks; see to it that no other process trains there')
    yield


def _train(config: ml_collections.ConfigDict, folder: pathlib.Path) -> dict[str, Any]:
  dataset = data.Dataset(config.data_dir, config.dataset)
  subjects = dataset.others(config.holdout, config.inner)
  _check(config)
  refuse_other_run(config, folder, dataset)
  met = _met(config, dataset)

  model, target = inference.network(config)
  source = dataset.source(subjects)
  labels = data.index(source, dataset.config.own, model.legs)
  _report_shares(labels, config, folder)
  stream = data.train_stream(
    source,
    labels,
    batch=config.batch,
    clip=config.clip or dataset.config.frames,
    rebalance=config.rebalance,
    seed=config.seed,
    process=jax.process_index(),
    processes=jax.process_count(),
  )
  batches = iter(stream)

  _, whole, split = step.meshes()
  if config.batch % jax.device_count():
    raise ValueError(f'batch {config.batch} cannot be shared by {jax.device_count()} devices')
  tx = step.optimizer(steps=config.steps, **config.optimizer)
  shape = (config.clip or dataset.config.frames, *dataset.config.shape[1:])
  root = jax.random.key(config.seed)
  fresh = jax.jit(lambda key: step.init_state(model, tx, shape, key), out_shardings=whole)
  state = fresh(jax.random.fold_in(root, 0))
  # Not device_put, which cannot give a key to the devices of other hosts.
  run_key = jax.jit(lambda key: jax.random.fold_in(key, 1), out_shardings=whole)(root)
  update = step.make_train_step(
    model=model, target=target, tx=tx, augmentations=dict(config.augment), whole=whole, split=split
  )

  checkpoints = checkpoint.Checkpoints(folder)
  early = EarlyStop(config.early_stop)
  done, since, sums = 0, 0, None  # steps; of the log's last line; what was summed up after it
  if checkpoints.latest() is not None:
    state, extra, damaged = checkpoints.restore(state)
    batches.set_state(extra['batches'])
    early.state = extra['stopping']
    done, since = int(state.step), extra['since']
    if extra['sums'] is not None:
      pairs = {k: tuple(map(np.float32, pair)) for k, pair in extra['sums'].items()}
      sums = jax.device_put(pairs, whole)
    say('\n'.join([*damaged, f'going on from step {done}']))
  elif config.model_init:
    params, said = _begun(config, state.params)
    say(said)
    state = state.replace(params=jax.device_put(params, whole))
  if jax.process_index() == 0:  # not before all is known to fit: it claims the folder
    files.write_json(folder / 'config.json', json.loads(config.to_json_best_effort()))
    files.write_json(folder / DATASET, dataset.fingerprint)
    files.write_json(folder / SUBJECTS, met)
    if done < config.steps and not early.stopped:
      _remove_outdated(folder)
  written = log.Log(folder, done, write=jax.process_index() == 0)
  inner = _inner_check(config, dataset, model, target)
  parameters = sum(p.size for p in jax.tree.leaves(state.params))
  say(
    f'{config.model.name}: {parameters} parameters, {labels.counts.sum()} labels of '
    f'{data.listed(subjects)}; held out: {config.holdout or "nobody"}'
  )

  seen = Seen()

  def look() -> None:
    """Makes sure that all steps were finite, the state's too; not in each, as it waits for them."""
    if wrong := seen.wrong():
      raise TrainingError(
        f'{folder}: {wrong}; the last good checkpoint is of step {checkpoints.latest()}'
      )

  def save() -> None:
    look()
    written.sync()
    extra = {
      'batches': batches.get_state(), 'stopping': early.state, 'since': since,
      'sums': sums and {k: list(map(float, pair)) for k, pair in jax.device_get(sums).items()},
    }  # fmt: skip
    try:
      checkpoints.save(done, state, extra)
    except checkpoint.NotFiniteError as error:
      raise TrainingError(
        f'{folder}: after step {done} the state is not finite: {error}; the last good checkpoint '
        f'is of step {checkpoints.latest()}'
      ) from error

  waited, begun, first = 0.0, time.monotonic(), done
  bar = tqdm.tqdm(total=config.steps, initial=done, unit='step', desc='train', mininterval=1)
  try:
    with stopping.deferred() as asked:
      while done < config.steps and not early.stopped:
        before = time.monotonic()
        batch = next(batches)
        waited += time.monotonic() - before
        on_device = step.to_device(batch, split)
        with jax.transfer_guard('disallow'):
          state, new = update(state, on_device, run_key)
          sums = new if sums is None else _add(sums, new)
        done += 1
        seen.add(done, batch, new)
        bar.update()
        if done % config.log_every == 0 or done == config.steps:
          look()
          means = {k: float(s) / max(float(n), 1) for k, (s, n) in jax.device_get(sums).items()}
          seconds = time.monotonic() - begun
          means |= {
            'step_ms': 1e3 * seconds / (done - first),
            'data_wait': waited / seconds,
          }
          if inner is not None and (done % config.eval_every == 0 or done == config.steps):
            means['inner_mae_pct_bw'] = inner(state.params)
          written.write(done, means)
          bar.set_postfix_str(f'loss {means["loss"]:.3f}, error {means["mae_pct_bw"]:.1f} % BW')
          early.see(means)
          sums, since, waited, begun, first = None, done, 0.0, time.monotonic(), done
        stop = _told_to_stop(asked, done)
        due = done % config.checkpoint_every == 0 or done == config.steps or early.stopped
        if due or (stop and stop.everywhere):
          save()
        if stop:
          raise stopping.Stopped(
            stop.signal,
            f'{folder}: the checkpoint of step {done} is written; the same command goes on'
            if due or stop.everywhere
            else '',
          )
  finally:
    bar.close()
    written.close()
  if early.stopped:
    say(f'stopped early at step {done}: {early.why()}')
  if config.get('calibrate', 0) and not (folder / inference.INTERVAL).exists():
    if min(config.calibrate, len(subjects)) < 2:
      say('one group of training subjects: no intervals, as nobody is left to calibrate them on')
    else:
      calibration.calibrate(
        config, folder, dataset, subjects, trained=jax.device_get(state.params), step=done,
        begun=_begun(config, state.params)[0] if config.model_init else None, train=train, say=say,
      )  # fmt: skip
  if jax.process_index() == 0:
    shutil.rmtree(folder / 'calibration', ignore_errors=True)
    files.write_json(
      folder / DONE,
      {'step': done, 'stopped_early': early.stopped, 'holdout': config.holdout},
    )
  return written.last


@dataclasses.dataclass(frozen=True)
class _Stop:
  """A signal, and whether all hosts know of it at the same step, so that they can save together."""

  signal: signal.Signals
  everywhere: bool


def _told_to_stop(asked: Callable[[], signal.Signals | None], done: int) -> _Stop | None:
  if jax.process_count() > 1 and multihost_utils.reached_preemption_sync_point(done):
    return _Stop(signal.SIGTERM, everywhere=True)
  number = asked()
  return None if number is None else _Stop(number, everywhere=jax.process_count() == 1)


def _remove_outdated(folder: pathlib.Path) -> None:
  """A run that was done goes on: what was made of its end goes."""
  gone = [name for name in _OUTDATED if (folder / name).exists()]
  for name in gone:
    if (folder / name).is_dir():
      shutil.rmtree(folder / name)
    else:
      (folder / name).unlink()
  if gone:
    say(
      f'{folder}: the run goes on past its end; removed, as they no longer hold: {", ".join(gone)}'
    )


class Seen:
  """The steps since one last looked: what they were of, and numbers that tell if they were finite.

  Looking waits for the device, so it is not done in each step.
  """

  def __init__(self) -> None:
    self._steps: list[tuple[int, data.Batch, dict[str, jax.Array]]] = []

  def add(self, done: int, batch: data.Batch, sums: step.Metrics) -> None:
    """Takes note of a step, without waiting for it."""
    names = {k: batch[k] for k in ('subject', 'trial', 'frame')}
    self._steps.append((done, names, {k: sums[k][0] for k in ('loss', 'gradient_norm')}))

  def wrong(self) -> str:
    """Says which step was the first that was not finite, and what it was of; '' if all were."""
    steps, self._steps = self._steps, []
    for done, batch, device in steps:
      values = {k: float(v) for k, v in jax.device_get(device).items()}
      if not np.isfinite(list(values.values())).all():
        of = ', '.join(data.ids(batch))
        told = ', '.join(f'{k} {v}' for k, v in values.items())
        return f'step {done} is not finite ({told}); its batch: {of}'
    return ''


def _met(config: ml_collections.ConfigDict, dataset: data.Dataset) -> dict[str, list[list[Any]]]:
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
  inner = data.names(config.inner)
  watched = [person(s) for s in inner]
  for begun in data.names(config.model_init):
    path = pretrained.folder(begun) / SUBJECTS
    if not path.is_file():
      raise checkpoint.CheckpointError(
        f'model_init: {path.parent}: no run there (no {SUBJECTS}); train it first'
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


def _begun(config: ml_collections.ConfigDict, like: Any) -> tuple[Any, str]:
  """Weights of the runs that training begins with, of the same network as `like`; where from.

  Raises:
    ValueError: they are not, or there are none.
  """
  runs = [inference.load(pretrained.folder(name)) for name in data.names(config.model_init)]
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


def _add(a: Any, b: Any) -> Any:
  return jax.tree.map(lambda x, y: x + y, a, b)


def _check(config: ml_collections.ConfigDict) -> None:
  for name in ('steps', 'checkpoint_every', 'log_every', 'batch'):
    if not (isinstance(config[name], int) and config[name] >= 1):
      raise ValueError(f'config.{name} is {config[name]!r}, expected a whole number of at least 1')
  if config.get('calibrate', 0) and not config.target.get('share', 0):
    raise ValueError(
      f'config.calibrate is {config.calibrate}, but config.target has no interval (share) to '
      'calibrate'
    )
  if not all(0 <= blend <= 1 for blend in config.get('blend', ())):
    raise ValueError(f'config.blend is {config.blend}, expected numbers from 0 to 1')
  inference.average_shift(config)
  if config.early_stop.monitor == 'inner_mae_pct_bw' and not config.inner:
    raise ValueError('config.early_stop.monitor is inner_mae_pct_bw, but config.inner is empty')


def refuse_other_run(
  config: ml_collections.ConfigDict, folder: pathlib.Path, dataset: data.Dataset
) -> None:
  """Raises ValueError where the folder holds a run of another configuration, or of other data.

  The message shows the difference. What `MAY_CHANGE` names may differ; the data may lie elsewhere.
  """
  path = folder / 'config.json'
  if path.exists():
    old, new = json.loads(path.read_text()), json.loads(config.to_json_best_effort())
    if differs := _differences(old, new, MAY_CHANGE):
      raise ValueError(
        f'{folder} holds a run of another configuration ({"; ".join(differs)}); '
        'take another --workdir'
      )
  refuse_other_data(folder, dataset)


def refuse_other_data(folder: pathlib.Path, dataset: data.Dataset) -> None:
  """Raises ValueError where the run in a folder has learned from another data set than this one."""
  path = folder / DATASET
  if not path.exists():
    return  # a run that has not begun, or of a version that did not write it
  if differs := _differences(json.loads(path.read_text()), dataset.fingerprint):
    raise ValueError(
      f'{folder} holds a run of another data set ({"; ".join(differs)}); take another --workdir, '
      'or the data set that it has learned from'
    )


def _differences(there: Any, here: Any, but: tuple[str, ...] = (), name: str = '') -> list[str]:
  """Where two JSON values differ, in words; dicts are looked into."""
  if isinstance(there, dict) and isinstance(here, dict):
    return [
      line
      for k in sorted(there.keys() | here.keys())
      if k not in but
      for line in _differences(there.get(k), here.get(k), name=f'{name}.{k}' if name else k)
    ]
  return [] if there == here else [f'{name}: {there!r} there, {here!r} here']


def _report_shares(
  labels: data.Index, config: ml_collections.ConfigDict, folder: pathlib.Path
) -> None:
  """Says how the labels spread over the force intervals, before and after rebalancing."""
  table = data.shares(labels, config.rebalance)
  keys = ('interval', 'labels', 'share', 'share_drawn')
  files.write_json(folder / 'shares.json', [dict(zip(keys, row, strict=True)) for row in table])
  rows = [f'  {n:>10} {100 * a:5.1f} % -> {100 * b:5.1f} %' for n, _, a, b in table]
  say('\n'.join(['share of each force interval (BW), of labels -> of draws:', *rows]))


def _inner_check(
  config: ml_collections.ConfigDict, dataset: data.Dataset, model: Any, target: targets.Target
) -> Any:
  """A function params -> MAE on the inner validation subjects, or None."""
  if not (config.inner and config.eval_every):
    return None
  estimate = inference.estimator(config, model, target)

  def check(params: Any) -> float:
    sums = [
      inference.held_out(dataset, name, model, estimate, params, config.batch).sums()
      for name in data.names(config.inner)
    ]
    return functools.reduce(metrics.Sums.merge, sums).result()['mae_pct_bw']

  return check


class EarlyStop:
  """Stops when a logged number has not fallen for `patience` looks; the last weights are kept.

  The paper watches the training loss ('the training error was used as the monitor'). The number of
  an inner validation subject may be watched instead; never the held-out one's.
  """

  def __init__(self, config: Any):
    self._monitor, self._patience = config.monitor, config.patience
    self.state: dict[str, Any] = {'best': None, 'waited': 0}

  @property
  def stopped(self) -> bool:
    """Whether it is time."""
    return bool(self._monitor) and self.state['waited'] >= self._patience

  def see(self, means: dict[str, float]) -> None:
    """Takes note of a line of the log."""
    if not self._monitor or self._monitor not in means:
      return
    value, best = means[self._monitor], self.state['best']
    better = best is None or value < best
    self.state = {
      'best': value if better else best,
      'waited': 0 if better else self.state['waited'] + 1,
    }

  def why(self) -> str:
    """In words."""
    return f'{self._monitor} has not fallen below {self.state["best"]:.4g} {self._patience} times'


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('workdir', None, "The run's folder.", required=True)
  flags.DEFINE_bool(
    'multihost', False, 'Join the other hosts of this job (jax.distributed) before training.'
  )


def main(argv: list[str]) -> None:
  """Runs `train` from flags."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)  # Orbax reports every step of a save
  if flags.FLAGS.multihost:
    jax.distributed.initialize()
  try:
    train(flags.FLAGS.config, flags.FLAGS.workdir)
  except (ValueError, OSError, TrainingError) as error:
    sys.exit(f'grfjax.train: {error}')
  except stopping.Stopped as stopped:
    if flags.FLAGS.multihost:
      jax.distributed.shutdown()  # which waits for the others
    raise stopping.Stopped(
      stopped.signal, stopped.left or 'the same command goes on from the newest checkpoint'
    ) from stopped


if __name__ == '__main__':
  define_flags()
  flags.mark_flag_as_required('config')
  stopping.run(main, 'grfjax.train')
