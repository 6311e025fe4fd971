"""The training loop: from a data set to trained parameters.

A run is a function of (configuration, data, seed). Started again in the same folder it goes on from
its newest checkpoint and ends as an undisturbed run does. The held-out subject is never read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import jax
import ml_collections
import tqdm

from grfjax.data import input_pipeline, label_index, subject_lists, voxel_dataset
from grfjax.io import atomic, console, run_folder, signals
from grfjax.models import foot_target, networks, targets
from grfjax.training import (
  checkpointing,
  device_batches,
  finite_check,
  hosts,
  metrics_log,
  optimizers,
  run_settings,
  running_metrics,
  sharding,
  stop_criteria,
  train_step,
  warm_start,
)


class TrainingError(RuntimeError):
  """Training cannot go on; the message says why, and which checkpoint is left."""


@dataclasses.dataclass(frozen=True)
class Trained:
  """What training ended with.

  Attributes:
    params: the network's parameters, on the devices.
    step: how many steps were done.
    stopped_early: whether early stopping ended it.
    last_entry: the last entry of the log.
  """

  params: Any
  step: int
  stopped_early: bool
  last_entry: dict[str, Any]


def _require_feet(source: input_pipeline.CachedRecords) -> None:
  """Raises DataError where no record says where a foot stands in the picture."""
  if not any(source[k]['sole_known'].any() for k in range(len(source))):
    raise voxel_dataset.DataError(
      'no record says where a foot stands in the picture, so nothing can be learned; expected '
      'a data set of trials with a file in the column feet of trials.csv',
      code='data.no_feet',
    )


def fit(
  config: ml_collections.ConfigDict,
  folder: run_folder.RunFolder,
  dataset: voxel_dataset.Dataset,
  validate: Callable[[Any], float] | None = None,
) -> Trained:
  """Trains, or goes on training, to `config.steps`.

  Args:
    config: as in `configs/`.
    folder: the run's; nobody else may work in it meanwhile.
    dataset: the data set that `config` names.
    validate: returns the error (% BW) of parameters on the inner validation subjects; logged as
      inner_mae_pct_bw every `config.eval_every` steps and at the end.

  Raises:
    InputError: the configuration, the data or the folder do not fit.
    TrainingError: a step is not finite.
    OSError: a file cannot be written.
    signals.StopRequested: a signal came; a checkpoint is written.
  """
  with hosts.together():
    subjects = run_settings.training_subjects(config, dataset)
    run_settings.check_config(config)
    run_settings.refuse_other_run(config, folder, dataset)
    known = warm_start.known_subjects(config, dataset)
    model, target = networks.network(config)
    records = dataset.source(subjects)
    source = input_pipeline.CachedRecords(records, config.batch)
    workers = config.get('workers', 0)
    labels = label_index.index_labels(records, dataset.config.own, model.legs, workers)
    if model.sees_forces:
      _require_feet(source)
    if hosts.is_first():
      _report_shares(labels, config.rebalance, folder)
    compiled = _compile(config, dataset, model, target)
    stream = _training_batches(config, dataset, source, labels)
    labels_of_feet = foot_target.LABELS if model.sees_forces else ()
    batches = device_batches.ahead(stream, compiled.split, labels_of_feet)
    checkpoints = checkpointing.Checkpoints(folder)
  hosts.require_same(
    {
      'config': {k: v for k, v in _as_json(config).items() if k not in ('data_dir', 'workers')},
      'data': dataset.fingerprint,
    }
  )
  early = stop_criteria.EarlyStopping(
    monitor=config.early_stop.monitor, patience=config.early_stop.patience
  )
  progress = _Progress(compiled.initial_state(), batches, early, running_metrics.RunningMeans())
  with contextlib.closing(checkpoints), contextlib.closing(batches):
    if hosts.on_first(checkpoints.latest) is not None:
      progress.restore(checkpoints, compiled.replicated)
    elif config.model_init:
      progress.start_from(config.model_init, compiled.replicated)
    if hosts.is_first():
      _claim(folder, config, dataset, known, remove_results=not progress.is_done(config.steps))
      _describe(config, progress.state.params, labels, subjects)
    log = metrics_log.MetricsLog(folder, progress.step, write=hosts.is_first())
    with contextlib.closing(log):
      _train(config, folder, progress, compiled, checkpoints, log, validate)
  if early.should_stop:
    hosts.notify(f'stopped early at step {progress.step}: {early.reason()}')
  return Trained(progress.state.params, progress.step, early.should_stop, log.last)


@dataclasses.dataclass
class _Progress:
  """How far training is: all that a checkpoint holds.

  Attributes:
    state: the train state.
    batches: the iterator of the training stream, from `device_batches.ahead`.
    early: early stopping.
    means: the metrics since the last entry of the log.
    step: how many steps are done.
  """

  state: train_step.TrainState
  batches: Any
  early: stop_criteria.EarlyStopping
  means: running_metrics.RunningMeans
  step: int = 0

  def is_done(self, steps: int) -> bool:
    """Whether training has come to its end."""
    return self.step >= steps or self.early.should_stop

  def start_from(self, runs: str, layout: jax.sharding.NamedSharding) -> None:
    """Takes over the parameters of other runs."""
    with hosts.together():
      params, messages = warm_start.initial_params(runs, self.state.params)
    hosts.notify('\n'.join(messages))
    self.state = self.state.replace(params=jax.device_put(params, layout))

  def restore(
    self, checkpoints: checkpointing.Checkpoints, layout: jax.sharding.NamedSharding
  ) -> None:
    """Takes over the newest checkpoint."""
    self.state, extra, damaged = checkpoints.restore(self.state)
    self.batches.set_state(extra['batches'])
    self.early.state = extra['stopping']
    self.means.set_state(extra['sums'], layout)
    self.step = int(self.state.step)
    hosts.notify('\n'.join([*damaged, f'going on from step {self.step}']))

  def save(self, checkpoints: checkpointing.Checkpoints) -> None:
    """Begins to write a checkpoint."""
    extra = {
      'batches': self.batches.get_state(),
      'stopping': self.early.state,
      'sums': self.means.get_state(),
    }
    checkpoints.save(self.step, self.state, extra)


def _train(
  config: ml_collections.ConfigDict,
  folder: run_folder.RunFolder,
  progress: _Progress,
  compiled: _Compiled,
  checkpoints: checkpointing.Checkpoints,
  log: metrics_log.MetricsLog,
  validate: Callable[[Any], float] | None,
) -> None:
  """The loop. Each step: batch, update; then, when due, log and validate, save, stop."""
  check, timer = finite_check.FiniteCheck(), running_metrics.StepTimer()
  bar = tqdm.tqdm(
    total=config.steps, initial=progress.step, unit='step', desc='train', mininterval=1,
    disable=not hosts.is_first(),
  )  # fmt: skip
  with bar, signals.defer_stop() as pending_signal:
    while not progress.is_done(config.steps):
      with timer.waiting_for_data():
        names, batch = next(progress.batches)
      with jax.transfer_guard('disallow'):
        progress.state, sums = compiled.update(progress.state, batch, compiled.run_key)
        progress.means.add(sums)
      progress.step += 1
      check.add(progress.step, names, sums)
      bar.update()

      is_last = progress.step == config.steps
      if progress.step % config.log_every == 0 or is_last:
        _refuse_not_finite(check.describe_failure(), folder, checkpoints)
        means = progress.means.pop() | timer.means()
        is_due = is_last or (validate is not None and progress.step % config.eval_every == 0)
        metrics = hosts.on_first(
          functools.partial(_measure, means, progress.state.params, validate if is_due else None)
        )
        log.write(progress.step, metrics)
        bar.set_postfix_str(_in_short(metrics))
        progress.early.update(metrics)
        timer.restart()

      stop = stop_criteria.pending_stop(pending_signal, progress.step)
      checkpoints.refuse_failure()
      is_due = progress.step % config.checkpoint_every == 0
      if is_due or stop is not None or progress.is_done(config.steps):
        _refuse_not_finite(check.describe_failure(), folder, checkpoints)
        log.sync()
        try:
          progress.save(checkpoints)
        except checkpointing.NotFiniteError as error:
          failure = f'after step {progress.step} the state is not finite: {error}'
          _refuse_not_finite(failure, folder, checkpoints)
      if stop is not None:
        checkpoints.wait()
        raise signals.StopRequested(
          stop,
          f'{folder}: the checkpoint of step {progress.step} is written; the same command goes on',
        )
    checkpoints.wait()


def _in_short(metrics: dict[str, float]) -> str:
  """Returns the loss, and the error of what the network estimates, for the bar."""
  error = (
    f'{metrics["mae_pct_bw"]:.1f} % BW'
    if 'mae_pct_bw' in metrics
    else f'{metrics["sole_ahead_pct_bh"]:.2f} % of body height'
  )
  return f'loss {metrics["loss"]:.3f}, error {error}'


def _measure(
  means: dict[str, float], params: Any, validate: Callable[[Any], float] | None
) -> dict[str, float]:
  """Returns an entry of the log: the means over its steps and, where asked for, the inner error."""
  if validate is None:
    return means
  return {**means, 'inner_mae_pct_bw': validate(jax.tree.map(_on_own_device, params))}


def _on_own_device(replicated: jax.Array) -> jax.Array:
  """Returns the copy that is on this host's first device."""
  return replicated.addressable_data(0)


def _refuse_not_finite(
  failure: str, folder: run_folder.RunFolder, checkpoints: checkpointing.Checkpoints
) -> None:
  if failure:
    checkpoints.wait()
    raise TrainingError(
      f'{folder}: {failure}; the last good checkpoint is of step {checkpoints.latest()}'
    )


def _as_json(config: ml_collections.ConfigDict) -> dict[str, Any]:
  return json.loads(config.to_json_best_effort())


def _training_batches(
  config: ml_collections.ConfigDict,
  dataset: voxel_dataset.Dataset,
  source: Any,
  labels: label_index.LabelIndex,
) -> Any:
  """Returns this host's share of the training stream."""
  return input_pipeline.train_stream(
    source,
    labels,
    batch=config.batch,
    clip=config.clip or dataset.config.frames,
    rebalance=config.rebalance,
    seed=config.seed,
    process=jax.process_index(),
    processes=jax.process_count(),
    workers=config.get('workers', 0),
  )


@dataclasses.dataclass(frozen=True)
class _Compiled:
  """The compiled functions of a run.

  Attributes:
    initial_state: returns the fresh train state.
    update: (state, batch, run's key) -> (state, metrics).
    run_key: the key from which every step derives its own.
    replicated: the layout of a state, a copy on each device.
    split: the layout of a batch, a share on each device.
  """

  initial_state: Callable[[], train_step.TrainState]
  update: Callable[..., tuple[train_step.TrainState, train_step.Metrics]]
  run_key: jax.Array
  replicated: jax.sharding.NamedSharding
  split: jax.sharding.NamedSharding


def _compile(
  config: ml_collections.ConfigDict,
  dataset: voxel_dataset.Dataset,
  model: Any,
  target: targets.Target,
) -> _Compiled:
  _, replicated, split = sharding.meshes()
  if config.batch % jax.device_count():
    raise run_settings.ConfigError(
      f'config.batch is {config.batch}, which cannot be shared by {jax.device_count()} devices',
      code='config.batch',
    )
  tx = optimizers.build_optimizer(steps=config.steps, **config.optimizer)
  shape = (config.clip or dataset.config.frames, *dataset.config.shape[1:])
  root_key = jax.random.key(config.seed)
  initialize = train_step.make_init(model=model, tx=tx, shape=shape, replicated=replicated)
  # Not device_put, which cannot give a key to the devices of other hosts.
  derive = jax.jit(lambda key: jax.random.fold_in(key, 1), out_shardings=replicated)
  update = train_step.make_train_step(
    model=model,
    target=target,
    tx=tx,
    augmentations=dict(config.augment),
    replicated=replicated,
    split=split,
  )
  return _Compiled(
    lambda: initialize(jax.random.fold_in(root_key, 0)), update, derive(root_key), replicated, split
  )


def _claim(
  folder: run_folder.RunFolder,
  config: ml_collections.ConfigDict,
  dataset: voxel_dataset.Dataset,
  known: dict[str, list[list[Any]]],
  *,
  remove_results: bool,
) -> None:
  """Writes what a run is of; only once all is known to fit, as it claims the folder for the run.

  Args:
    folder: the run's.
    config: its configuration.
    dataset: its data set.
    known: the subjects that it knows.
    remove_results: whether a run that had ended goes on, so that its results no longer hold.
  """
  atomic.write_json(folder.config, _as_json(config))
  atomic.write_json(folder.dataset, dataset.fingerprint)
  atomic.write_json(folder.subjects, known)
  outdated = [path for path in folder.made_at_the_end if remove_results and path.exists()]
  for path in outdated:
    if path.is_dir():
      shutil.rmtree(path)
    else:
      path.unlink()
  if outdated:
    console.notify(
      f'{folder}: the run goes on past its end; removed, as they no longer hold: '
      f'{", ".join(path.name for path in outdated)}'
    )


def _describe(
  config: ml_collections.ConfigDict,
  params: Any,
  labels: label_index.LabelIndex,
  subjects: Sequence[str],
) -> None:
  parameters = sum(p.size for p in jax.tree.leaves(params))
  console.notify(
    f'{config.model.name}: {parameters} parameters, {labels.counts.sum()} labels of '
    f'{subject_lists.listed_subjects(subjects)}; held out: {config.holdout or "nobody"}'
  )


def _report_shares(
  labels: label_index.LabelIndex, rebalance: float, folder: run_folder.RunFolder
) -> None:
  """Reports how the labels spread over the force intervals, before and after rebalancing."""
  table = label_index.interval_shares(labels, rebalance)
  keys = ('interval', 'labels', 'share', 'share_drawn')
  atomic.write_json(folder.shares, [dict(zip(keys, row, strict=True)) for row in table])
  rows = [
    f'  {name:>10} {100 * share:5.1f} % -> {100 * drawn:5.1f} %' for name, _, share, drawn in table
  ]
  console.notify('\n'.join(['share of each force interval (BW), of labels -> of draws:', *rows]))
