"""Measures what grows with people and videos, and reckons what 10^5 people and 10^6 videos take.

    python launch/measure/many_people.py --out=DIR [--people=1000,10000,100000]

A small synthetic set is made, built and trained on; data sets of many people are made of its one
file of records, under as many names. Times are CPU seconds, as they depend less on what else the
machine does; those of commands are of what more data take, so that starting up is left out. Writes
DIR/many_people.json, and DIR/many_people.md with the tables of docs/growth.md, in which every
number is measured here or follows by the formula beside it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pathlib
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from typing import Any

import psutil
from absl import app, flags

import measured
from grfjax.io import atomic

PEOPLE, VIDEOS = 10**5, 10**6  # what is reckoned
FEW, MANY = 2, 10  # trials of the one synthetic person, whose difference is measured
STEPS = (10, 60)  # likewise of training
READS = 1000
TRIALS = 10**3, 10**4, 10**5  # rows of trials.csv
OWN, BLENDS = 40, 3  # frames that a record alone has; networks that cross-fitting compares
# Of a frame in `held_out_estimates.HeldOutEstimates`: estimate, interval and force of two legs,
# known and contact, frame and time, and a trial's name of six letters.
ESTIMATE_BYTES = 4 * (6 + 12 + 6) + 2 * 2 + 4 + 4 + 4 * 6
GPU_CLIPS = 1000  # a second; an assumption, as none was measured
LINKS = 50_000  # names of one file; file systems have a limit


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  flags.DEFINE_string('out', None, 'Folder for the results.', required=True)
  flags.DEFINE_list('people', ['1000', '10000', '100000'], 'Sizes of the data sets.')


def apart(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
  """Calls a function in a process of its own; adds the bytes that its memory grew by at most."""
  with multiprocessing.get_context('spawn').Pool(1) as pool:
    return pool.apply(_with_memory, (function, *arguments))


def _with_memory(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
  # The maximum that the system keeps begins with this script's memory, which is less than what a
  # process has once TFDS is imported.
  import tensorflow_datasets

  from grfjax.data import voxel_dataset  # noqa: F401

  _ = tensorflow_datasets.core.DatasetBuilder, tensorflow_datasets.core.SplitDict
  before = psutil.Process().memory_info().rss
  found = function(*arguments)
  return {**found, 'memory': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before}


def measure_commands(folder: pathlib.Path) -> dict[str, float]:
  """Makes, builds and trains on synthetic walks; leaves them in `folder`.

  Returns:
    CPU seconds of each further trial (synth_s, build_s) and training step (train_s); bytes of a
    video with its force file (film_bytes) and of a checkpoint; clips in a step (batch).
  """
  seconds: dict[str, list[float]] = {'synth': [], 'build': [], 'train': []}
  for trials, steps in zip((FEW, MANY), STEPS, strict=True):
    raw, data, run = (folder / name for name in ('raw', 'data', 'run'))
    for old in (raw, data, run):
      shutil.rmtree(old, ignore_errors=True)
    synthesis = (
      '-m', 'grfjax.synth', f'--out={raw}', '--subjects=1', f'--trials={trials}', '--seed=1'
    )  # fmt: skip
    training = (
      '-m', 'grfjax.train', '--config=configs/walker.py:scratch', f'--workdir={run}',
      f'--config.data_dir={data}', '--config.holdout=', '--config.calibrate=0',
      f'--config.steps={steps}',
    )  # fmt: skip
    seconds['synth'].append(measured.python(*synthesis).cpu_s)
    seconds['build'].append(measured.build(raw, data).cpu_s)
    seconds['train'].append(measured.python(*training).cpu_s)
  films = [p for name in ('videos', 'forces') for p in (folder / 'raw' / name).iterdir()]
  more = {'synth': MANY - FEW, 'build': MANY - FEW, 'train': STEPS[1] - STEPS[0]}
  config = json.loads((folder / 'run/config.json').read_text())
  return {
    **{f'{name}_s': (high - low) / more[name] for name, (low, high) in seconds.items()},
    'film_bytes': sum(path.stat().st_size for path in films) / MANY,
    'checkpoint_bytes': sum(
      p.stat().st_size for p in (folder / f'run/checkpoints/{STEPS[1]}').rglob('*') if p.is_file()
    ),
    'batch': config['batch'],
  }


def measure_records(data: str) -> dict[str, Any]:
  """Returns what a record is: bytes on the disk and in memory, labels, seconds to read it."""
  from grfjax.data import label_index, voxel_dataset

  dataset = voxel_dataset.Dataset(data, 'walker')
  source = dataset.source(dataset.subjects)
  start = time.process_time()
  for k in range(READS):
    record = source[k % len(source)]
  read_s = (time.process_time() - start) / READS
  size = sum(path.stat().st_size for path in dataset.folder.glob('*.array_record-?????-of-?????'))
  labels = label_index.index_labels(source, dataset.config.own, 2, 1)
  start = time.process_time()
  for _ in range(READS):
    source.label_table(0)
  table_s = (time.process_time() - start) / READS
  return {
    'records_a_video': len(source) / MANY,
    'bytes': size / len(source),
    'bytes_in_memory': sum(v.nbytes for v in record.values() if hasattr(v, 'nbytes')),
    'labels': float(labels.counts.sum()) / len(source),
    'table_bytes': sum(p.stat().st_size for p in dataset.folder.glob('*.npz')) / len(source),
    'read_s': read_s,
    'table_s': table_s,
  }


def write_people(data: pathlib.Path, out: pathlib.Path, people: int) -> None:
  """Writes a data set in which many people have the records of the one in `data`."""
  (old,) = (data / 'walking_grf/walker').iterdir()
  folder = out / 'walking_grf/walker' / old.name
  folder.mkdir(parents=True)
  shutil.copytree(data / 'walking_grf/.config', out / 'walking_grf/.config')
  shutil.copy(old / 'features.json', folder)
  info, metadata = (
    json.loads((old / name).read_text()) for name in ('dataset_info.json', 'metadata.json')
  )
  names = [f'P{k:06}' for k in range(people)]
  (one,) = info['splits']
  info['splits'] = [{**one, 'name': name} for name in names]
  of_one = {key for key, value in metadata.items() if isinstance(value, dict) and 'S01' in value}
  for key in of_one:
    metadata[key] = dict.fromkeys(names, metadata[key]['S01'])
  (folder / 'dataset_info.json').write_text(json.dumps(info, indent=2))
  (folder / 'metadata.json').write_text(json.dumps(metadata))
  for file in old.glob('*.array_record*'):
    for k, name in enumerate(names):
      if k % LINKS == 0:
        first = folder / f'{k}{file.suffix}'
        shutil.copy(file, first)
      os.link(first, folder / file.name.replace('S01', name))


def measure_people(data: str) -> dict[str, Any]:
  """Opens a data set of many people, lists its labels, and reads records at random.

  Returns:
    CPU seconds to open it, to list its records and their labels, and to read one; labels and
    records; files that are open then; bytes of its description, of what each run keeps of it, and
    of the labels' index.
  """
  import numpy as np

  from grfjax.data import label_index, voxel_dataset

  start = time.process_time()
  dataset = voxel_dataset.Dataset(data, 'walker')
  opened = time.process_time()
  source = dataset.source(dataset.others(dataset.subjects[0]))
  listed = time.process_time()
  labels = label_index.index_labels(source, dataset.config.own, 2, 1)
  indexed = time.process_time()
  for k in np.random.default_rng(0).integers(len(source), size=READS):
    source[int(k)]
  read = time.process_time()
  description = ('dataset_info.json', 'metadata.json')
  known = [[name, mass] for name, mass in dataset.body_mass_kg.items()]
  return {
    'people': len(dataset.subjects),
    'open_s': opened - start,
    'list_s': listed - opened,
    'labels_s': indexed - listed,
    'labels': int(labels.counts.sum()),
    'records': len(source),
    'index_bytes': labels.record.nbytes + labels.t.nbytes,
    'read_s': (read - indexed) / READS,
    'files': psutil.Process().num_fds(),
    'description_bytes': sum((dataset.folder / name).stat().st_size for name in description),
    'run_bytes': len(json.dumps(dataset.fingerprint)) + len(json.dumps(known)),
  }


def measure_manifests(folder: str) -> dict[str, Any]:
  """Reads the manifests of a recording set; returns the number of trials, and CPU seconds."""
  from grfjax.io import recordings

  start = time.process_time()
  trials = recordings.load(folder)
  return {'trials': len(trials), 'seconds': time.process_time() - start}


def measure(folder: pathlib.Path, people: list[int]) -> dict[str, Any]:
  """Measures everything; `folder` is empty, and much is left in it."""
  found: dict[str, Any] = {'commands': measure_commands(folder)}
  data = folder / 'data'
  found['record'] = apart(measure_records, str(data))
  found['manifests'] = []
  for trials in TRIALS:
    measured.write_set(folder / 'raw', folder / f'raw{trials}', trials // MANY)
    found['manifests'].append(apart(measure_manifests, str(folder / f'raw{trials}')))
  found['people'] = []
  for count in people:
    many = folder / f'data{count}'
    write_people(data, many, count)
    found['people'].append(apart(measure_people, str(many)))
    shutil.rmtree(many)
  return found


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
  return [f'| {" | ".join(cells)} |' for cells in (head, ['---'] * len(head), *rows)] + ['']


def _size(count: float) -> str:
  """Returns bytes in a unit that suits them."""
  for unit in ('B', 'kB', 'MB', 'GB', 'TB'):
    if count < 999.5 or unit == 'TB':
      break
    count /= 1000
  return f'{count:.3g} {unit}'


def _hours(seconds: float) -> str:
  return f'{seconds / 3600:,.0f} h' if seconds >= 36_000 else f'{seconds / 3600:.2g} h'


def tables(found: dict[str, Any]) -> str:
  """Returns what was measured, and what follows for `PEOPLE` and `VIDEOS`, as Markdown."""
  commands, record = found['commands'], found['record']
  manifests, most = found['manifests'][-1], found['people'][-1]
  records = VIDEOS * record['records_a_video']
  people = PEOPLE / most['people']
  lines = _table(
    ['people in a data set', 'opening, CPU', 'listing records, CPU', 'listing labels, CPU',
     'memory for all three', 'reading a record at random, CPU', 'open files', 'its description',
     'kept of it by each run'],
    [
      [f'{row["people"]:,}', f'{row["open_s"]:.1f} s', f'{row["list_s"]:.1f} s',
       f'{row["labels_s"]:.1f} s', _size(row['memory']), f'{1e3 * row["read_s"]:.2f} ms',
       f'{row["files"]}', _size(row['description_bytes']), _size(row['run_bytes'])]
      for row in found['people']
    ],
  )  # fmt: skip
  lines += _table(
    ['trials in a recording set', 'reading its manifests, CPU', 'memory', 'a trial'],
    [
      [f'{row["trials"]:,}', f'{row["seconds"]:.2f} s', _size(row['memory']),
       f'{_size(row["memory"] / row["trials"])}, {1e3 * row["seconds"] / row["trials"]:.2f} ms']
      for row in found['manifests']
    ],
  )  # fmt: skip
  lines += _table(
    ['each', 'measured'],
    [
      ['synthetic video with its force file (F)', _size(commands['film_bytes'])],
      ['records of a video (r)', f'{record["records_a_video"]:.2f}'],
      ['record on the disk (R)', _size(record['bytes'])],
      ['record in memory', _size(record['bytes_in_memory'])],
      ['labels of a record (L)', f'{record["labels"]:.1f}'],
      ['table of labels (l), a record', _size(record['table_bytes'])],
      ["labels' index in memory, a label", f'{most["index_bytes"] / most["labels"]:.0f} B'],
      ['reading a record (d), CPU', f'{1e3 * record["read_s"]:.2f} ms'],
      ["reading a person's table of labels, CPU", f'{1e3 * record["table_s"]:.2f} ms'],
      ['synthesising a trial (s), CPU', f'{commands["synth_s"]:.2f} s'],
      ['building a trial (b), CPU', f'{commands["build_s"]:.2f} s'],
      [f'training step of {commands["batch"]} clips (t), CPU', f'{commands["train_s"]:.3f} s'],
      ['checkpoint (c)', _size(commands['checkpoint_bytes'])],
    ],
  )
  steps = records / commands['batch']
  whole = [
    ['videos and forces', 'V F', _size(VIDEOS * commands['film_bytes'])],
    ['records', 'V r', f'{records:,.0f}'],
    ['records on the disk', 'V r R', _size(records * record['bytes'])],
    ['tables of labels on the disk', 'V r l', _size(records * record['table_bytes'])],
    ['files of records and of labels', '2 P', f'{2 * PEOPLE:,}'],
    ['checkpoints of a run', '2 c', _size(2 * commands['checkpoint_bytes'])],
    ['a training step reads', 'B R', _size(commands['batch'] * record['bytes'])],
    ['steps that draw as many clips as there are records', 'V r / B', f'{steps:,.0f}'],
    ['they read', 'V r R', _size(records * record['bytes'])],
    ['synthesis, on N cores', 'V s / N', f'{_hours(VIDEOS * commands["synth_s"])} / N'],
    ['building, on N cores', 'V b / N', f'{_hours(VIDEOS * commands["build_s"])} / N'],
    ['listing all labels before each training, in each host', 'in proportion to P',
     f'{people * most["labels_s"]:.0f} s'],
    ['the same without tables, from the records, N cores', 'V r d / N',
     f'{_hours(records * record["read_s"])} / N'],
    ['those steps on N cores like these', 'V r t / (B N)',
     f'{_hours(steps * commands["train_s"])} / N'],
    ['feeding them, N cores of all hosts', 'V r d / N',
     f'{_hours(records * record["read_s"])} / N'],
    [f'those steps on M GPUs, **assumed** to make G = {GPU_CLIPS:,} clips/s each', 'V r / (M G)',
     f'{_hours(records / GPU_CLIPS)} / M'],
    ['cores that feed such a GPU', 'G d', f'{GPU_CLIPS * record["read_s"]:.1f}'],
    ["labels' index, in each host", 'in proportion to P', _size(people * most['index_bytes'])],
    ['the opened data set with it, at most', 'in proportion to P', _size(people * most['memory'])],
    ['opening and listing it, each time', 'in proportion to P',
     f'{people * (most["open_s"] + most["list_s"]):.0f} s'],
    ['trials.csv, each time it is read', 'in proportion to V',
     f'{VIDEOS / manifests["trials"] * manifests["seconds"]:.0f} s, '
     f'{_size(VIDEOS / manifests["trials"] * manifests["memory"])}'],
    ['estimates that cross-fitting keeps in memory', f'{BLENDS} V r {OWN} x {ESTIMATE_BYTES} B',
     _size(BLENDS * records * OWN * ESTIMATE_BYTES)],
    ['what a run keeps of the data set', 'in proportion to P', _size(people * most['run_bytes'])],
    ['the same, of a fold for each person', 'P times that',
     _size(PEOPLE * people * most['run_bytes'])],
  ]  # fmt: skip
  lines += _table([f'P = {PEOPLE:,} people, V = {VIDEOS:,} videos', 'formula', 'comes to'], whole)
  return '\n'.join(lines)


def main(argv: list[str]) -> None:
  """Measures, reckons and writes."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  out = pathlib.Path(flags.FLAGS.out)
  with tempfile.TemporaryDirectory() as name:
    found = measure(pathlib.Path(name), sorted(map(int, flags.FLAGS.people)))
  atomic.write_json(out / 'many_people.json', found)
  text = tables(found)
  atomic.write_text(out / 'many_people.md', text)
  print(text)


if __name__ == '__main__':
  define_flags()
  app.run(main)
