"""Our speed beside PyTorch's and Keras's, same layers, same weights, one run.

    pip install -c launch/constraints.txt -e '.[bench]'
    python launch/bench.py --out=DIR

Prints a table and writes DIR/bench.json: a list of {"work", "peer", "ratio", "bar", "met"}, where
ratio is our throughput over the peer's and a bar of null asks for nothing. Exits with 1 where a bar
is missed. Each library runs in a process of its own; they take turns of several steps, so that
whatever else the machine does meets all of them; times are medians over the turns of several
processes.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import pathlib
import statistics
import sys
import tempfile
import time
import traceback
from typing import Any

import numpy as np
from absl import app, flags

from grfjax.io import atomic
from peers import work as works

_OUT = flags.DEFINE_string('out', None, 'Folder for bench.json.', required=True)
_ONLY = flags.DEFINE_string('only', '', 'Only works whose name holds this.')

PEERS = ('grfjax', 'torch', 'keras', 'keras, XLA')  # of Keras the faster is compared
_COLUMNS = '{:<32} {:<11} {:>9} {:>9} {:>9} {:>8} {:>7}'
TOLERANCE = 1e-4  # of the outputs, relative to the largest


def _make(peer: str, work: works.Work, weights: pathlib.Path) -> Any:
  # Imported here: each process loads its own library alone.
  if peer == 'grfjax':
    from peers import ours

    return ours.Peer(work, weights)
  if peer == 'torch':
    from peers import torch_peer

    return torch_peer.Peer(work, weights)
  from peers import keras_peer

  return keras_peer.Peer(work, weights, jit_compile=peer.endswith('XLA'))


def _serve(pipe: Any, peer: str, work: works.Work, weights: pathlib.Path) -> None:
  """A peer's process: makes it, then does what it is asked and answers with the seconds."""
  try:
    made = _make(peer, work, weights)
    pipe.send(getattr(made, 'flops', None))
    while (asked := pipe.recv()) is not None:
      what, times = asked
      call = getattr(made, what)
      begun = time.perf_counter()
      for _ in range(times):
        result = call()
      pipe.send(((time.perf_counter() - begun) / times, result))
  except Exception:
    pipe.send(RuntimeError(f'{peer}, {work.name}:\n{traceback.format_exc()}'))


class _Process:
  """A peer in a process of its own."""

  def __init__(self, peer: str, work: works.Work, weights: pathlib.Path):
    context = multiprocessing.get_context('spawn')
    self._pipe, other = context.Pipe()
    self._process = context.Process(target=_serve, args=(other, peer, work, weights), daemon=True)
    self._process.start()
    self.flops = self._answer()

  def _answer(self) -> Any:
    answer = self._pipe.recv()
    if isinstance(answer, Exception):
      raise answer
    return answer

  def ask(self, what: str, times: int = 1) -> tuple[float, Any]:
    """Seconds of each 'train' or 'forward' of so many, and the last one's result."""
    self._pipe.send((what, times))
    return self._answer()

  def stop(self) -> None:
    self._pipe.send(None)
    self._process.join()


@dataclasses.dataclass(frozen=True)
class Timed:
  """Medians in seconds; first: the first step, compilation included."""

  train: float
  forward: float
  first: float


def _time(work: works.Work, folder: pathlib.Path) -> tuple[dict[str, Timed], float]:
  """Every peer's times, outputs compared first; and the floating-point operations of a step.

  Processes are started anew several times: now and then one is a quarter slower all its life.
  """
  weights = folder / 'weights.npz'
  starts: dict[str, list[float]] = {p: [] for p in PEERS}
  times: dict[str, dict[str, list[float]]] = {p: {'train': [], 'forward': []} for p in PEERS}
  for _ in range(work.starts):
    # Ours first: it draws the weights. 'start' is what a user waits for: from the process's start
    # to the first step's end, imports and compilation included.
    running: dict[str, _Process] = {}
    outputs: dict[str, np.ndarray] = {}
    for peer in PEERS:
      begun = time.perf_counter()
      running[peer] = _Process(peer, work, weights)
      outputs[peer] = running[peer].ask('forward')[1]
      running[peer].ask('train')
      starts[peer].append(time.perf_counter() - begun)
    largest = float(np.abs(outputs['grfjax']).max())
    for peer, y in outputs.items():
      apart = float(np.abs(y - outputs['grfjax']).max()) / largest
      if not apart <= TOLERANCE:
        raise RuntimeError(f'{work.name}: {peer} differs by {apart:.2g} of the largest output')
    for number in range(work.rounds):
      for peer in PEERS:
        for what in times[peer]:
          seconds = running[peer].ask(what, work.turn)[0]
          if number:  # the first warms up
            times[peer][what].append(seconds)
    flops = running['grfjax'].flops
    for one in running.values():
      one.stop()
  median = statistics.median
  return {
    peer: Timed(median(t['train']), median(t['forward']), median(starts[peer]))
    for peer, t in times.items()
  }, flops


def _row(work: works.Work, peer: str, timed: Timed, share: str) -> str:
  train, infer = work.batch / timed.train, work.batch / timed.forward
  step = 1e3 * timed.train
  return _COLUMNS.format(
    work.name, peer, f'{train:.1f}', f'{infer:.1f}', f'{step:.1f}', f'{timed.first:.1f}', share
  )


def main(argv: list[str]) -> None:
  """Times everything."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  results: list[dict[str, Any]] = []
  print(_COLUMNS.format('work', 'library', 'train', 'infer', 'step', 'start', 'of peak'))
  print(_COLUMNS.format('', '', 'voxels/s', 'voxels/s', 'ms', 's', ''), flush=True)
  with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context('spawn').Pool(1) as one:
    from peers import ours

    peak = one.apply(ours.matmul_flops_per_s)
    for work in works.WORKS:
      if _ONLY.value not in work.name:
        continue
      times, flops = _time(work, pathlib.Path(folder))
      for peer, timed in times.items():
        share = f'{100 * flops / timed.train / peak:.0f} %'
        print(_row(work, peer, timed, share), flush=True)
      mine = times['grfjax']
      for peer in ('torch', 'keras'):
        rivals = [t for name, t in times.items() if name.startswith(peer)]
        ratio = min(t.train for t in rivals) / mine.train
        bar = work.bars[peer]
        results.append(_result(f'{work.name}: training step', peer, ratio, bar))
        ratio = min(t.forward for t in rivals) / mine.forward
        results.append(_result(f'{work.name}: inference', peer, ratio, None))
  print(
    f'\nlargest rate measured in a matrix product: {peak / 1e9:.0f} GFLOP/s; {os.cpu_count()} CPUs'
  )
  for row in results:
    judged = (
      '' if row['bar'] is None else f'  bar {row["bar"]}: {"met" if row["met"] else "MISSED"}'
    )
    print(f'{row["work"]:<50} {row["ratio"]:.2f} x {row["peer"]}{judged}')
  atomic.write_json(pathlib.Path(_OUT.value) / 'bench.json', results)
  print(f'written: {pathlib.Path(_OUT.value) / "bench.json"}')
  if not all(row['met'] for row in results):
    sys.exit(1)


def _result(work: str, peer: str, ratio: float, bar: float | None) -> dict[str, Any]:
  met = bar is None or ratio >= bar
  return {'work': work, 'peer': peer, 'ratio': round(ratio, 3), 'bar': bar, 'met': met}


if __name__ == '__main__':
  app.run(main)
