"""The training loop."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import time
from collections.abc import Iterator
from typing import Any

import jax
import ml_collections
import numpy as np
import tqdm

from grfjax.data import input_pipeline, label_index, subject_lists, voxel_dataset
from grfjax.evaluation import cross_fitting, held_out_estimates
from grfjax.inference import trained_run
from grfjax.io import atomic, folder_lock, signals
from grfjax.models import networks
from grfjax.training import (
  checkpointing,
  finite_check,
  metrics_log,
  optimizers,
  progress,
  run_settings,
  sharding,
  stop_criteria,
  train_step,
  warm_start,
)


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
    signals.StopRequested: it was told to stop; a checkpoint is written.
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
  with folder_lock.lock_folder(folder) as locked:
    if not locked:
      progress.say(
        f'{folder}: its file system has no locks; see to it that no other process trains there'
      )
    yield


def _train(config: ml_collections.ConfigDict, folder: pathlib.Path) -> dict[str, Any]:
  dataset = voxel_dataset.Dataset(config.data_dir, config.dataset)
  subjects = dataset.others(config.holdout, config.inner)
  run_settings.check_config(config)
  run_settings.refuse_other_run(config, folder, dataset)
  met = warm_start.met(config, dataset)

  model, target = networks.network(config)
  source = dataset.source(subjects)
  labels = label_index.index_labels(source, dataset.config.own, model.legs)
  _report_shares(labels, config, folder)
  stream = input_pipeline.train_stream(
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

  _, whole, split = sharding.meshes()
  if config.batch % jax.device_count():
    raise ValueError(f'batch {config.batch} cannot be shared by {jax.device_count()} devices')
  tx = optimizers.build_optimizer(steps=config.steps, **config.optimizer)
  shape = (config.clip or dataset.config.frames, *dataset.config.shape[1:])
  root = jax.random.key(config.seed)
  fresh = jax.jit(lambda key: train_step.init_state(model, tx, shape, key), out_shardings=whole)
  state = fresh(jax.random.fold_in(root, 0))
  # Not device_put, which cannot give a key to the devices of other hosts.
  run_key = jax.jit(lambda key: jax.random.fold_in(key, 1), out_shardings=whole)(root)
  update = train_step.make_train_step(
    model=model, target=target, tx=tx, augmentations=dict(config.augment), whole=whole, split=split
  )

  checkpoints = checkpointing.Checkpoints(folder)
  early = stop_criteria.EarlyStopping(config.early_stop)
  done, since, sums = 0, 0, None  # steps; of the log's last line; what was summed up after it
  if checkpoints.latest() is not None:
    state, extra, damaged = checkpoints.restore(state)
    batches.set_state(extra['batches'])
    early.state = extra['stopping']
    done, since = int(state.step), extra['since']
    if extra['sums'] is not None:
      pairs = {k: tuple(map(np.float32, pair)) for k, pair in extra['sums'].items()}
      sums = jax.device_put(pairs, whole)
    progress.say('\n'.join([*damaged, f'going on from step {done}']))
  elif config.model_init:
    params, said = warm_start.begun(config, state.params)
    progress.say(said)
    state = state.replace(params=jax.device_put(params, whole))
  if jax.process_index() == 0:  # not before all is known to fit: it claims the folder
    atomic.write_json(folder / 'config.json', json.loads(config.to_json_best_effort()))
    atomic.write_json(folder / run_settings.DATASET, dataset.fingerprint)
    atomic.write_json(folder / run_settings.SUBJECTS, met)
    if done < config.steps and not early.stopped:
      run_settings.remove_outdated(folder)
  written = metrics_log.MetricsLog(folder, done, write=jax.process_index() == 0)
  inner = held_out_estimates.inner_check(config, dataset, model, target)
  parameters = sum(p.size for p in jax.tree.leaves(state.params))
  progress.say(
    f'{config.model.name}: {parameters} parameters, {labels.counts.sum()} labels of '
    f'{subject_lists.listed_subjects(subjects)}; held out: {config.holdout or "nobody"}'
  )

  seen = finite_check.FiniteCheck()

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
    except checkpointing.NotFiniteError as error:
      raise TrainingError(
        f'{folder}: after step {done} the state is not finite: {error}; the last good checkpoint '
        f'is of step {checkpoints.latest()}'
      ) from error

  waited, begun, first = 0.0, time.monotonic(), done
  bar = tqdm.tqdm(total=config.steps, initial=done, unit='step', desc='train', mininterval=1)
  try:
    with signals.defer_stop() as asked:
      while done < config.steps and not early.stopped:
        before = time.monotonic()
        batch = next(batches)
        waited += time.monotonic() - before
        on_device = sharding.to_device(batch, split)
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
        stop = stop_criteria.told_to_stop(asked, done)
        due = done % config.checkpoint_every == 0 or done == config.steps or early.stopped
        if due or (stop and stop.everywhere):
          save()
        if stop:
          raise signals.StopRequested(
            stop.signal,
            f'{folder}: the checkpoint of step {done} is written; the same command goes on'
            if due or stop.everywhere
            else '',
          )
  finally:
    bar.close()
    written.close()
  if early.stopped:
    progress.say(f'stopped early at step {done}: {early.why()}')
  if config.get('calibrate', 0) and not (folder / trained_run.INTERVAL).exists():
    if min(config.calibrate, len(subjects)) < 2:
      progress.say(
        'one group of training subjects: no intervals, as nobody is left to calibrate them on'
      )
    else:
      cross_fitting.calibrate(
        config, folder, dataset, subjects, trained=jax.device_get(state.params), step=done,
        begun=warm_start.begun(config, state.params)[0] if config.model_init else None, train=train,
        say=progress.say,
      )  # fmt: skip
  if jax.process_index() == 0:
    shutil.rmtree(folder / 'calibration', ignore_errors=True)
    atomic.write_json(
      folder / run_settings.DONE,
      {'step': done, 'stopped_early': early.stopped, 'holdout': config.holdout},
    )
  return written.last


def _add(a: Any, b: Any) -> Any:
  return jax.tree.map(lambda x, y: x + y, a, b)


def _report_shares(
  labels: label_index.LabelIndex, config: ml_collections.ConfigDict, folder: pathlib.Path
) -> None:
  """Says how the labels spread over the force intervals, before and after rebalancing."""
  table = label_index.interval_shares(labels, config.rebalance)
  keys = ('interval', 'labels', 'share', 'share_drawn')
  atomic.write_json(folder / 'shares.json', [dict(zip(keys, row, strict=True)) for row in table])
  rows = [f'  {n:>10} {100 * a:5.1f} % -> {100 * b:5.1f} %' for n, _, a, b in table]
  progress.say('\n'.join(['share of each force interval (BW), of labels -> of draws:', *rows]))
