"""Compares our speed with PyTorch's and Keras's: same layers, same weights, one run.

    pip install -c launch/constraints.txt -e '.[bench]'
    python launch/measure/bench.py --out=DIR

Prints a table and writes DIR/bench.json: a list of {"work", "peer", "ratio", "bar", "met"}, where
ratio is our throughput over the peer's and bar is the least ratio that is required (null: none is).
Exits with 1 where one is missed. Each library runs in a process of its own; they take turns of
several steps, so that whatever else the machine does slows all of them; times are medians over the
turns of several processes.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import pathlib
import statistics
import tempfile
import time
import traceback
from typing import Any

import numpy as np
from absl import app, flags

import comparisons
from peers import workloads

_OUT = flags.DEFINE_string('out', None, 'Folder for bench.json.', required=True)
_ONLY = flags.DEFINE_string('only', '', 'Measure only the works whose name contains this.')

PEERS = ('grfjax', 'torch', 'keras', 'keras, XLA')  # ours is compared with the faster Keras
_COLUMNS = '{:<32} {:<11} {:>9} {:>9} {:>9} {:>8} {:>7}'
TOLERANCE = 1e-4  # between the outputs of two peers, relative to the largest output


def _make(peer: str, work: workloads.Work, weights: pathlib.Path) -> Any:
  # Imported here: each process loads its own library alone.
  if peer == 'grfjax':
    from peers import ours

    return ours.Peer(work, weights)
  if peer == 'torch':
    from peers import torch_peer

    return torch_peer.Peer(work, weights)
  from peers import keras_peer

  return keras_peer.Peer(work, weights, jit_compile=peer.endswith('XLA'))


def _serve(pipe: Any, peer: str, work: workloads.Work, weights: pathlib.Path) -> None:
  """Runs in a peer's process: makes the peer, then answers each request with its seconds."""
  try:
    network = _make(peer, work, weights)
    pipe.send(getattr(network, 'flops', None))
    while (request := pipe.recv()) is not None:
      method, times = request
      call = getattr(network, method)
      start = time.perf_counter()
      for _ in range(times):
        result = call()
      pipe.send(((time.perf_counter() - start) / times, result))
  except Exception:
    pipe.send(RuntimeError(f'{peer}, {work.name}:\n{traceback.format_exc()}'))


class _Process:
  """A peer in a process of its own."""

  def __init__(self, peer: str, work: workloads.Work, weights: pathlib.Path):
    context = multiprocessing.get_context('spawn')
    self._pipe, remote = context.Pipe()
    self._process = context.Process(target=_serve, args=(remote, peer, work, weights), daemon=True)
    self._process.start()
    self.flops = self._receive()

  def _receive(self) -> Any:
    answer = self._pipe.recv()
    if isinstance(answer, Exception):
      raise answer
    return answer

  def call(self, method: str, times: int = 1) -> tuple[float, Any]:
    """Calls 'train' or 'forward' several times; returns the seconds of one, the last result."""
    self._pipe.send((method, times))
    return self._receive()

  def stop(self) -> None:
    self._pipe.send(None)
    self._process.join()


@dataclasses.dataclass(frozen=True)
class Timing:
  """Median times of a peer, seconds.

  Attributes:
    train: a training step.
    forward: the network's outputs for one batch.
    start: from the start of the process to the end of the first step, imports and compilation
      included: what a user waits for.
  """

  train: float
  forward: float
  start: float


def _time(work: workloads.Work, folder: pathlib.Path) -> tuple[dict[str, Timing], float]:
  """Times every peer, after comparing their outputs.

  Processes are started anew several times: now and then one is a quarter slower all its life.

  Returns:
    The times of each peer; the floating-point operations of a training step.
  """
  weights = folder / 'weights.npz'
  starts: dict[str, list[float]] = {p: [] for p in PEERS}
  times: dict[str, dict[str, list[float]]] = {p: {'train': [], 'forward': []} for p in PEERS}
  for _ in range(work.starts):
    running: dict[str, _Process] = {}
    outputs: dict[str, np.ndarray] = {}
    for peer in PEERS:  # grfjax first: it draws the weights
      start = time.perf_counter()
      running[peer] = _Process(peer, work, weights)
      outputs[peer] = running[peer].call('forward')[1]
      running[peer].call('train')
      starts[peer].append(time.perf_counter() - start)
    _compare_outputs(work, outputs)
    for turn in range(work.rounds):
      for peer in PEERS:
        for method in times[peer]:
          seconds = running[peer].call(method, work.turn)[0]
          if turn:  # the first one warms up
            times[peer][method].append(seconds)
    flops = running['grfjax'].flops
    for process in running.values():
      process.stop()
  median = statistics.median
  return {
    peer: Timing(median(t['train']), median(t['forward']), median(starts[peer]))
    for peer, t in times.items()
  }, flops


def _compare_outputs(work: workloads.Work, outputs: dict[str, np.ndarray]) -> None:
  """Raises RuntimeError where a peer's outputs differ from ours by more than `TOLERANCE`."""
  largest = float(np.abs(outputs['grfjax']).max())
  for peer, y in outputs.items():
    difference = float(np.abs(y - outputs['grfjax']).max()) / largest
    if not difference <= TOLERANCE:
      raise RuntimeError(f'{work.name}: {peer} differs by {difference:.2g} of the largest output')


def _table_row(work: workloads.Work, peer: str, timing: Timing, share: str) -> str:
  train, infer = work.batch / timing.train, work.batch / timing.forward
  step = 1e3 * timing.train
  return _COLUMNS.format(
    work.name, peer, f'{train:.1f}', f'{infer:.1f}', f'{step:.1f}', f'{timing.start:.1f}', share
  )


def _compare(work: workloads.Work, times: dict[str, Timing]) -> list[dict[str, Any]]:
  """Returns the rows that compare our times with those of each other library."""
  rows = []
  ours = times['grfjax']
  for peer in ('torch', 'keras'):
    rivals = [t for name, t in times.items() if name.startswith(peer)]
    training = min(t.train for t in rivals) / ours.train
    inference = min(t.forward for t in rivals) / ours.forward
    rows.append(
      comparisons.comparison(f'{work.name}: training step', peer, training, work.required[peer])
    )
    rows.append(comparisons.comparison(f'{work.name}: inference', peer, inference, None))
  return rows


def main(argv: list[str]) -> None:
  """Times everything."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  results: list[dict[str, Any]] = []
  print(_COLUMNS.format('work', 'library', 'train', 'infer', 'step', 'start', 'of peak'))
  print(_COLUMNS.format('', '', 'voxels/s', 'voxels/s', 'ms', 's', ''), flush=True)
  context = multiprocessing.get_context('spawn')
  with tempfile.TemporaryDirectory() as folder, context.Pool(1) as pool:
    from peers import ours

    peak = pool.apply(ours.matmul_flops_per_s)
    for work in workloads.WORKS:
      if _ONLY.value not in work.name:
        continue
      times, flops = _time(work, pathlib.Path(folder))
      for peer, timing in times.items():
        share = f'{100 * flops / timing.train / peak:.0f} %'
        print(_table_row(work, peer, timing, share), flush=True)
      results += _compare(work, times)
  print(
    f'\nlargest rate measured in a matrix product: {peak / 1e9:.0f} GFLOP/s; {os.cpu_count()} CPUs'
  )
  for row in results:
    required = comparisons.passed_or_missed(row)
    print(f'{row["work"]:<50} {row["ratio"]:.2f} x {row["peer"]}{required}')
  comparisons.write(pathlib.Path(_OUT.value) / 'bench.json', results)


if __name__ == '__main__':
  app.run(main)
