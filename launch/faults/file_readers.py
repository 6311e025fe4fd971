"""The functions that read files, with good files for each and the errors it may raise."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pathlib
import shutil
import sys
from collections.abc import Callable
from typing import Any

from absl import flags

from grfjax import conventions, errors
from grfjax.data import force_intervals
from grfjax.gait import curve_files
from grfjax.io import atomic, force_files, recordings, text_forces, video_file
from grfjax.training import metrics_log

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Reader:
  """A function that reads a file.

  Attributes:
    seeds: writes good files into an empty folder and returns their paths.
    read: reads one of them (and what lies beside it), which has been edited.
    errors: the errors that it is documented to raise.
  """

  seeds: Callable[[pathlib.Path], list[pathlib.Path]]
  read: Callable[[pathlib.Path], Any]
  errors: tuple[type[BaseException], ...]


def making() -> Any:
  """Returns the tests' module that makes recordings and videos."""
  if str(ROOT / 'tests') not in sys.path:
    sys.path.insert(0, str(ROOT / 'tests'))
  return importlib.import_module('making')


def plates() -> Any:
  """Returns the tests' module that writes force files."""
  making()
  return importlib.import_module('plates')


def exports() -> Any:
  """Returns the tests' module that writes force files as laboratories' programs do."""
  making()
  return importlib.import_module('exports')


def _manifests(name: str) -> Callable[[pathlib.Path], list[pathlib.Path]]:
  def seeds(folder: pathlib.Path) -> list[pathlib.Path]:
    for file in ('A_1.mp4', 'A_2.mp4', 'A_1.csv', 'A_2.csv'):
      (folder / file).touch()
    rows = [{}, {'trial': 'A_2', 'video': 'A_2.mp4', 'force': 'A_2.csv', 'camera': 'right'}]
    making().write_manifests(folder, {'A': 61.5, 'B': 70}, rows)
    return [folder / name]

  return seeds


def _forces(kind: str) -> Callable[[pathlib.Path], list[pathlib.Path]]:
  def seeds(folder: pathlib.Path) -> list[pathlib.Path]:
    time_s, force = plates().two_steps(100, 1.6)
    write = getattr(plates(), f'write_{kind}')
    variants: list[dict[str, Any]]
    if kind == 'c3d':
      variants = [{'kind': k, 'rate': 100, 'units': ['N', 'Nmm']} for k in (1, 2, 3, 4)]
    elif kind == 'csv':
      variants = [{}, {'separator': ';', 'newline': '\r\n'}]
    else:
      variants = [{}, {'names': '{}_ground_force_v'}]
    return [write(folder / f'{k}.{kind}', time_s, force, **o) for k, o in enumerate(variants)]

  return seeds


def _tables(folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes tables with units, thousands, quoted cells, and in other encodings."""
  quoted = [f'{2 * k},"1,{k:03}.5",-{k}.25,0.{k:03}' for k in range(60)]
  commas = [f'{2 * k};1.{k:03},5;-{k},25;0,{k:03}' for k in range(60)]
  spaces = [f'0,{k:03}\t1\u00a0{k:03},5\t-{k}\t{k},25' for k in range(60)]
  texts = {
    'a.csv': '\n'.join(['time (ms),fx_1 [kN],fy_1,fz_1', *quoted]).encode(),
    'b.txt': '\n'.join(['# remark', 'time_ms;fx_1;fy_1;fz_1', *commas]).encode('utf-16'),
    'c.tsv': '\n'.join(
      ['Raum \u00e9', 'time_s\tfx_1\tfy_1\tfz_1', 's\tN\tlbf\tkgf', *spaces]
    ).encode('cp1252'),
  }
  for name, data in texts.items():
    (folder / name).write_bytes(data)
  return [folder / name for name in texts]


def _nexus(folder: pathlib.Path) -> list[pathlib.Path]:
  _, force = plates().two_steps(100, 1.6)
  other = ['Joints', '50', ',,A:B,,', 'Frame,Sub Frame,X,Y,Z', ',,deg,deg,deg', '1,0,1,2,3', '']
  variants: list[dict[str, Any]] = [
    {},
    {'groups': ('Force', 'Moment', 'CoP'), 'separator': ';', 'before': other, 'after': other},
    {'names': ('Kistler', 'Kistler'), 'more': [('EMG - Voltage', 'EMG1', 'V')], 'separator': '\t'},
  ]
  paths = []
  for k, options in enumerate(variants):
    paths.append(folder / f'{k}.csv')
    paths[-1].write_text(exports().nexus(force, rate=100, each=2, **options))
  return paths


def _qualisys(folder: pathlib.Path) -> list[pathlib.Path]:
  _, force = plates().two_steps(500, 0.3)
  columns = ['SAMPLE', *(f'{what}_{a}' for what in ('Force', 'COP') for a in 'XYZ')]
  local = ['NO_OF_SAMPLES\t{count}', 'FREQUENCY\t500', 'DESCRIPTION\tlocal coordinates']
  for name, x, y in (
    ('POSX_POSY', 1, 1), ('NEGX_POSY', -1, 1), ('NEGX_NEGY', -1, -1), ('POSX_NEGY', 1, -1)
  ):  # fmt: skip
    local += [
      f'FORCE_PLATE_CORNER_{name}_{a}\t{v}'
      for a, v in zip('XYZ', (300 * x, 200 * y, 0), strict=True)
    ]
  paths = [folder / '0.tsv', folder / '1.tsv']
  paths[0].write_text(exports().qualisys(force))
  paths[1].write_text(exports().qualisys(force, columns=columns, keys=local))
  return paths


def _mapped(folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes an export of each ready-made format, named by it, and a format file with its export."""
  time_s, force = plates().two_steps(500, 0.3)
  texts = {
    'bioware': exports().bioware(time_s, force),
    'amti': exports().amti(force),
    'bertec': exports().numbered(time_s, force, 'FP{}_F{}', 'Time (s)', above=['Bertec', '']),
    'kistler': exports().numbered(time_s, force, 'F{1}{0} [kN]', 'Time [s]', ';'),
    'ours': exports().numbered(time_s, force, 'F{1}{0}', 'Time', '\t', ['Rate (Hz):\t500']),
  }
  for name, text in texts.items():
    (folder / f'{name}.txt').write_text(text)
  (folder / 'formats').mkdir()
  form = folder / 'formats/ours.toml'
  form.write_text(
    "delimiter = 'tab'\n[header]\nbegins_with = 'Time'\n[time]\nrate_key = 'Rate (Hz)'\n"
    "[plates]\nfx = 'Fx{plate}'\nfy = ['Fy{plate}', 'y']\nfz = 'Fz{plate}'\n"
    "legs = ['left', 'right']\n[units]\nforce = 'N'\n[axes]\nforward = 'y'\nleft = 'x'\n"
    "up = '-z'\nsign = 'action'\n"
  )
  return [*(folder / f'{name}.txt' for name in texts), form]


def _read_mapped(path: pathlib.Path) -> None:
  """Reads an export by the format that it is named after, or the export of a format file."""
  root = path.parent.parent if path.suffix == '.toml' else path.parent
  name = path.stem + (':500' if path.stem == 'amti' else '')
  text_forces.read(root / f'{path.stem}.txt', name, root)


def _videos(folder: pathlib.Path) -> list[pathlib.Path]:
  import av

  walk, paths = making().film(20), []
  paths.append(making().write_video(folder / 'a.mp4', walk.frames, key_every=5))
  paths.append(making().write_video(folder / 'b.mp4', walk.frames, movflags='faststart'))
  for name, codec, pixels in (
    ('c.avi', 'mjpeg', 'yuvj420p'), ('d.webm', 'libvpx-vp9', 'yuv420p'),
    ('e.mov', 'libx265', 'yuv420p'),
  ):  # fmt: skip
    paths.append(folder / name)
    with av.open(str(paths[-1]), 'w') as container:
      options = {'x265-params': 'log-level=none'} if codec == 'libx265' else {}
      stream: Any = container.add_stream(codec, rate=50, options=options)
      stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
      for rgb in walk.frames:
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format='rgb24')))
      container.mux(stream.encode(None))
  return paths


def _decode(path: pathlib.Path) -> None:
  for _ in video_file.frames(video_file.probe(path)):
    pass


def _predictions(folder: pathlib.Path) -> list[pathlib.Path]:
  path = folder / 'walk.csv'
  names = [f'{leg}_{axis}_bw' for leg in conventions.LEGS for axis in ('fz', 'fx', 'fy')]
  rows = [f'{k / 60:.6f},' + (',' * 5 if k < 5 else '1.0312,0.1,-0.02,,,') for k in range(60)]
  path.write_text('\n'.join([','.join(['time_s', *names]), *rows]) + '\n')
  return [path]


def _logs(folder: pathlib.Path) -> list[pathlib.Path]:
  path = folder / 'metrics.jsonl'
  rows = [{'step': k, 'loss': 0.1 / k, 'mae_pct_bw': 9.5, 'step_ms': 41.2} for k in range(1, 30)]
  path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
  return [path]


def _evaluations(folder: pathlib.Path) -> list[pathlib.Path]:
  measured = {'mae_pct_bw': 5.4, 'rmse_pct_bw': 7.5, 'bias_pct_bw': -1.0, 'r': 0.97, 'n': 300}
  no_errors = {**dict.fromkeys(measured, None), 'n': 0}
  value = {
    'subjects': {'A': {**measured, 'mae_newton': 31.5}},
    'training_subjects': ['B', 'C'],
    'model': {'name': 'walker', 'legs': 2, 'channels': [24, 64]},
    'dataset': 'walker', 'legs': 2, 'parameters': 648594, 'step': 600,
    'voxels': {'training': 40, 'held_out': 20},
    'frames': {'stance': 300, 'air': 100},
    'intervals': dict.fromkeys(force_intervals.INTERVALS, no_errors) | {'0.11-0.20': measured},
    'training_intervals': [
      {'interval': '0.01-0.10', 'labels': 10, 'share': 0.1, 'share_drawn': 0.2}
    ],
    'other_axes': {'forward': measured},
    'prediction_interval': {
      'share': 0.9, 'vertical': {'covered': 0.91, 'mean_width_pct_bw': 25.0}
    },
    'air_mean_abs_pct_bw': 0.2,
    'baselines': {'constant': measured, 'mean_curve': measured},
  }  # fmt: skip
  atomic.write_json(folder / 'eval.json', value)
  return [folder / 'eval.json']


def _read_evaluation(path: pathlib.Path) -> None:
  from grfjax.evaluation import evaluation_result
  from grfjax.report import fold_report, run_report

  evaluation = evaluation_result.read(path)
  run_report.run_summary(evaluation)
  fold_report.fold_summary({evaluation.subject: evaluation})


def _estimates(folder: pathlib.Path) -> list[pathlib.Path]:
  import numpy as np

  from grfjax.evaluation import held_out_estimates

  count, path = 40, folder / 'estimates.npz'
  labels = np.ones((count, 2), bool)
  estimates = held_out_estimates.HeldOutEstimates(
    np.array(['A_1'] * count), np.arange(count), np.arange(count) / 60,
    np.ones((count, 2, 3)), np.ones((count, 2, 3, 2)), np.ones((count, 2, 3)), labels, labels,
  )  # fmt: skip
  held_out_estimates.write_estimates(path, estimates)
  return [path]


def _read_estimates(path: pathlib.Path) -> None:
  from grfjax.evaluation import held_out_estimates

  held_out_estimates.read_estimates(path)


def _runs(folder: pathlib.Path) -> list[pathlib.Path]:
  shutil.copytree(ROOT / 'grfjax/pretrained/convolutional', folder / 'run')
  return [p for p in sorted((folder / 'run').iterdir()) if p.suffix in ('.json', '.npz')]


def _read_run(path: pathlib.Path) -> None:
  from grfjax.inference import trained_run
  from grfjax.report import run_description

  run_description.describe_run(trained_run.load(path.parent))


def _configuration(folder: pathlib.Path) -> list[pathlib.Path]:
  path = folder / 'overrides'
  path.write_text(
    '--config.steps=20\n--config.batch=8\n--config.holdout=A\n--config.rebalance=0.5\n'
    '--config.early_stop.monitor=loss\n--config.optimizer.learning_rate=0.001\n--config.model.name=walker\n'
    '--config.dataset=walker\n--config.target.name=regression\n'
  )
  return [path]


def _read_configuration(path: pathlib.Path) -> None:
  """Reads flags of a configuration, and checks them as training does before it opens the data."""
  from ml_collections import config_flags

  from grfjax.data import clip_config
  from grfjax.models import networks
  from grfjax.training import run_settings

  values = flags.FlagValues()
  lines = path.read_text(encoding='utf-8').splitlines()
  command = ['train', f'--config={ROOT / "configs/walker.py"}', *filter(None, lines)]
  config_flags.DEFINE_config_file('config', None, '', values, sys_argv=command)
  try:
    values(command)
  except (AttributeError, KeyError) as error:  # raised by ml_collections for unknown names
    raise ValueError(str(error)) from error
  clip_config.clip_config(values.config.dataset)
  run_settings.check_config(values.config)
  networks.network(values.config)


def _data_set(folder: pathlib.Path) -> list[pathlib.Path]:
  import tensorflow_datasets as tfds

  if str(ROOT / 'datasets') not in sys.path:
    sys.path.insert(0, str(ROOT / 'datasets'))
  module = importlib.import_module('walking_grf.walking_grf_dataset_builder')
  config = tfds.download.DownloadConfig(manual_dir=ROOT / 'datasets/walking_grf/dummy_data')
  builder = module.Builder(data_dir=folder, config='mochizuki')
  builder.download_and_prepare(download_config=config)
  return sorted(p for p in pathlib.Path(builder.data_path).iterdir() if 'example' not in p.name)


def _read_data_set(path: pathlib.Path) -> None:
  from grfjax.data import voxel_dataset

  dataset = voxel_dataset.Dataset(str(path.parents[3]), 'mochizuki')
  source = dataset.source(dataset.subjects)
  for k in range(len(source)):
    source[k]


READERS = {
  'subjects': Reader(
    _manifests('subjects.csv'), lambda path: recordings.load(path.parent),
    (recordings.RecordingError,),
  ),
  'trials': Reader(
    _manifests('trials.csv'), lambda path: recordings.load(path.parent),
    (recordings.RecordingError,),
  ),
  'csv': Reader(_forces('csv'), force_files.read, (force_files.ForceError,)),
  'table': Reader(_tables, text_forces.read, (errors.InputError,)),
  'nexus': Reader(_nexus, text_forces.read, (errors.InputError,)),
  'qualisys': Reader(_qualisys, text_forces.read, (errors.InputError,)),
  'mapped': Reader(_mapped, _read_mapped, (errors.InputError,)),
  'mot': Reader(_forces('mot'), force_files.read, (force_files.ForceError,)),
  'c3d': Reader(_forces('c3d'), force_files.read, (force_files.ForceError,)),
  'video': Reader(_videos, _decode, (video_file.VideoError,)),
  'prediction': Reader(
    _predictions, lambda path: curve_files.from_csv(path.read_text(encoding='utf-8')), (ValueError,)
  ),
  'log': Reader(_logs, metrics_log.read_log, (ValueError,)),
  'evaluation': Reader(_evaluations, _read_evaluation, (ValueError,)),
  'estimates': Reader(_estimates, _read_estimates, (ValueError, OSError)),
  'run': Reader(_runs, _read_run, (ValueError,)),
  'overrides': Reader(_configuration, _read_configuration, (ValueError, OSError, flags.Error)),
  'data set': Reader(_data_set, _read_data_set, (ValueError,)),
}  # fmt: skip
