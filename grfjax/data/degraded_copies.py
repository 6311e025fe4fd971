"""A recording set with copies of its videos as a phone would have filmed them.

The copies are trials of the same subject with the same forces, so that whoever is held out is held
out with all copies. In trials.csv `copy_of` names the trial that a copy is of, and `degraded` the
kinds of damage, with semicolons between.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
import os
import pathlib
import shutil
import zlib
from collections.abc import Iterable
from typing import Any

import av
import numpy as np
import tqdm

from grfjax import conventions, errors
from grfjax.data import clip_config, trial_forces, trial_records, trial_workers, walker_views
from grfjax.degradation import damage as damage_lib
from grfjax.degradation import film
from grfjax.io import (
  atomic,
  folder_lock,
  foot_files,
  force_files,
  manifest_rows,
  recordings,
  video_file,
  video_writing,
)

SETTINGS_FILE = 'degrade.json'
FOLDER = 'degraded'  # of the copies, in the set
MADE_BY = 'grfjax.degrade 1'  # the number changes when the same settings give other copies
DRAWS = 5  # of a copy of which no record can be made
_TRIALS_FOR_PROCESSES = 8  # fewer are done before processes have begun


@dataclasses.dataclass(frozen=True)
class Settings:
  """What copies are made; sets of equal recordings and settings are equal.

  Attributes:
    copies: of each video.
    seed: of everything drawn.
    kinds: of damage that may happen, in the order of `damage.KINDS`.
    copies_only: whether the set holds the copies without the videos themselves.
    config: the configuration of the data set that is to be built of them.
    keep_refused: whether a copy that this data set would refuse stays; else it is drawn anew.
  """

  copies: int = 2
  seed: int = 0
  kinds: tuple[str, ...] = tuple(damage_lib.KINDS)
  copies_only: bool = False
  config: str = 'walker'
  keep_refused: bool = False


@dataclasses.dataclass(frozen=True)
class Copy:
  """A copy of a video, or why there is none.

  Attributes:
    name: of the trial.
    damage: what happened to it; None where every draw was refused.
    refused: why each draw before was refused.
    new: whether it was made now.
  """

  name: str
  damage: damage_lib.Damage | None
  refused: tuple[str, ...] = ()
  new: bool = True


def copy_name(trial: str, number: int) -> str:
  """Returns the name of a trial's copy; they count from 1."""
  return f'{trial}-d{number}'


def write_set(root: pathlib.Path, out: pathlib.Path, settings: Settings) -> list[Copy]:
  """Writes a recording set of copies. Those that are there already are not made again.

  trials.csv is written last, so that what is not finished is no recording set.

  Args:
    root: the recording set; forces need not be given.
    out: the folder to make; it may be empty, or hold what an earlier call with the same settings
      has made of the same videos.
    settings: what to make.

  Returns:
    The copies in the order of the trials.

  Raises:
    errors.InputError: the set or a video cannot be used, it holds copies itself or a name that a
      copy is to have, or `out` holds something else.
    OSError: a file cannot be read or written.
  """
  root, out = pathlib.Path(root), pathlib.Path(out)
  trials = recordings.load(root, need_forces=False)
  rows = manifest_rows.read(root / 'trials.csv', ['subject', 'trial', 'video', 'camera'])
  _check_names(rows, settings.copies)
  if out.resolve() == root.resolve():
    raise _in_use(out, 'the recordings themselves', 'choose another folder')
  made_before = (out / SETTINGS_FILE).exists()
  if not made_before and out.exists() and _holds_something(out):
    raise _in_use(out, 'something else')
  about = {
    'made_by': MADE_BY,
    'settings': json.loads(json.dumps(dataclasses.asdict(settings))),
    'videos': {trial.name: atomic.sha256(trial.video) for trial in trials},
  }
  if feet := {trial.name: atomic.sha256(trial.feet) for trial in trials if trial.feet}:
    about['feet'] = feet
  with folder_lock.lock_folder(out):
    if made_before:
      _check_same(out, about)
    atomic.write_json(out / SETTINGS_FILE, about)
    _bring_files(root, out, rows, settings.copies_only)
    make = functools.partial(_copy_trial, out=out, settings=settings)
    in_processes = len(trials) >= _TRIALS_FOR_PROCESSES
    results = trial_workers.in_parallel(make, trials, in_processes=in_processes)
    bar = tqdm.tqdm(results, desc='degrade', total=len(trials), unit='trial', mininterval=1)
    copies = [made for _, made in bar]
    atomic.write_json(out / SETTINGS_FILE, {**about, 'copies': _describe(trials, copies)})
    _write_trials(out, rows, copies, settings.copies_only)
  return [copy for group in copies for copy in group]


def _holds_something(out: pathlib.Path) -> bool:
  return not out.is_dir() or any(path.name != folder_lock.LOCK for path in out.iterdir())


def _in_use(
  out: pathlib.Path, contents: str, remedy: str = 'choose another folder, or remove it'
) -> errors.InputError:
  return errors.InputError(
    f'{out} holds {contents}; {remedy}',
    code='degrade.folder_in_use',
    file=out,
  )


def _check_names(rows: list[manifest_rows.Row], copies: int) -> None:
  """Raises InputError where a row is a copy, or has the name or place that a copy is to have."""
  line_of_name: dict[str, int] = {}
  for row in rows:
    row.new_name('trial', line_of_name)
    if row.has('degraded'):
      raise row.error(
        'degraded',
        'an empty cell: copies are made of videos as they were filmed',
        'degrade.is_copy',
      )
    if pathlib.PurePath(row.cells['video']).parts[:1] == (FOLDER,):
      raise row.error(
        'video', f'a video outside the folder {FOLDER!r}, which is for copies', 'degrade.is_copy'
      )
  for row in rows:
    for number in range(1, copies + 1):
      name = copy_name(row.cells['trial'], number)
      copy = dataclasses.replace(row, cells={**row.cells, 'trial': name})
      copy.new_name('trial', line_of_name)


def _check_same(out: pathlib.Path, about: dict[str, Any]) -> None:
  """Raises InputError where a folder holds what was made otherwise, or of other videos."""
  path = out / SETTINGS_FILE
  try:
    present = json.loads(path.read_text(encoding='utf-8'))
    settings, videos, made_by = present['settings'], dict(present['videos']), present['made_by']
    feet = dict(present.get('feet', {}))
  except (ValueError, KeyError, TypeError) as error:
    raise _in_use(out, f'a {SETTINGS_FILE} that is damaged ({error})') from error
  if (made_by, settings) != (about['made_by'], about['settings']):
    raise _in_use(out, f'copies that {made_by} has made with {settings}')
  for name, digest in videos.items():
    if digest != about['videos'].get(name):
      raise _in_use(out, f'copies of another video of trial {name}')
    if feet.get(name) != about.get('feet', {}).get(name):
      raise _in_use(out, f'copies of trial {name} with other places of the feet')


def _bring_files(
  root: pathlib.Path, out: pathlib.Path, rows: list[manifest_rows.Row], copies_only: bool
) -> None:
  """Brings what the copies share with the originals into the set; the files are not changed."""
  people = manifest_rows.read(root / 'subjects.csv', ['subject'])
  files = [file for row in rows if row.has('force') for file in row.files('force', root)]
  files += [file for row in people if row.has('static') for file in row.files('static', root)]
  for row in (*rows, *people):
    own = force_files.own_format(root, row.cells.get('force_format', ''))
    files += [own] if own else []
  if not copies_only:
    files += [row.file('video', root) for row in rows]
    files += [row.file('feet', root) for row in rows if row.has('feet')]
  for file in dict.fromkeys((root / 'subjects.csv', *files)):
    to = out / file.relative_to(root)
    if not to.exists() or atomic.sha256(to) != atomic.sha256(file):
      with atomic.atomic_file(to) as temporary:
        shutil.copyfile(file, temporary)


def _copy_trial(trial: recordings.Trial, *, out: pathlib.Path, settings: Settings) -> list[Copy]:
  """Makes the copies of a trial that are not there."""
  try:
    return [_copy(trial, number, out, settings) for number in range(1, settings.copies + 1)]
  except errors.InputError as error:
    raise error.within(f'{trial.where} (trial {trial.name})') from error


def _copy(trial: recordings.Trial, number: int, out: pathlib.Path, settings: Settings) -> Copy:
  name = copy_name(trial.name, number)
  path = out / FOLDER / f'{name}.mp4'
  if path.exists() and (trial.feet is None or _feet_path(path).exists()):
    return _read_copy(name, path)
  refused: list[str] = []
  for draw in range(DRAWS):
    # Of the name, so that a trial's copies do not depend on which others there are.
    seeds = (settings.seed, zlib.crc32(trial.name.encode()), number, draw)
    rng = np.random.default_rng(seeds)
    damage = damage_lib.draw(rng, settings.kinds)
    reason = _write_copy(trial, path, damage, rng, settings, tuple(refused))
    if not reason:
      return Copy(name, damage, tuple(refused))
    refused.append(reason)
  return Copy(name, None, tuple(refused))


class _RefusedError(Exception):
  """A copy that a data set would refuse."""


def _write_copy(
  trial: recordings.Trial,
  path: pathlib.Path,
  damage: damage_lib.Damage,
  rng: np.random.Generator,
  settings: Settings,
  refused: tuple[str, ...],
) -> str:
  """Writes a copy; returns why a data set would refuse it, and then writes none; else ''."""
  with video_file.played_at(trial.speed):
    video = video_file.probe(trial.video)
  geometry = film.draw_geometry(video.time_s, video.height, video.width, damage, rng)
  feet = _write_feet(trial, path, video, geometry)
  as_given = trial.speed or 1.0  # the copy's row says so too
  comment = {
    'made_by': MADE_BY, 'copy_of': trial.name, 'kinds': damage.kinds, **damage.amounts(),
    'refused': refused,
  }  # fmt: skip
  try:
    with atomic.atomic_file(path) as temporary:
      video_writing.write_video(
        temporary,
        film.film_again(
          video_file.frames(video), video.time_s, video.height, video.width, damage, rng, geometry
        ),
        video.fps * as_given,
        crf=damage.crf,
        preset='veryfast',
        time_s=video.time_s / as_given,
        comment=json.dumps(comment),
      )
      if not settings.keep_refused:
        try:
          copy = dataclasses.replace(trial, video=temporary, feet=feet)
          _check_usable(copy, settings.config)
        except errors.InputError as error:
          raise _RefusedError(str(error).replace(str(temporary), str(path))) from error
  except _RefusedError as error:
    if feet is not None:
      feet.unlink()
    return str(error)
  return ''


def _feet_path(video: pathlib.Path) -> pathlib.Path:
  """Returns the path of the places of the feet in a copy."""
  return video.with_name(f'{video.stem}_feet.csv')


def _write_feet(
  trial: recordings.Trial, path: pathlib.Path, video: video_file.Video, geometry: film.Geometry
) -> pathlib.Path | None:
  """Writes where the feet are in a copy's picture, where the trial says where they are in its own.

  Args:
    trial: of the original.
    path: of the copy's video.
    video: the original.
    geometry: how the copy's frames lie on the original's.
  """
  if trial.feet is None:
    return None
  feet = foot_files.read(trial.feet, video.width, video.height, float(video.time_s[-1]))
  feet = feet.at(video.time_s)
  place = np.stack([geometry.place(at, k) for k, at in enumerate(feet.place)])
  inside = ((place >= 0) & (place <= [geometry.columns, geometry.rows])).all(-1)
  place[~inside] = np.nan
  written = dataclasses.replace(feet, place=place)
  atomic.write_text(_feet_path(path), foot_files.to_csv(written))
  return _feet_path(path)


def _check_usable(trial: recordings.Trial, config: str) -> None:
  """Raises InputError where a data set would refuse a trial."""
  with video_file.played_at(trial.speed):
    view = walker_views.read_longest_walk(
      trial.video, clip_config.clip_config(config), trial.camera, with_pictures=False
    )
  trial_records.check_direction(trial.camera, view.direction, str(trial.video))
  if trial.force:
    forces = trial_forces.read_trial_forces(trial, view.video.time_s, conventions.CONTACT_N)
    trial_records.label_view(forces, view)


def _read_copy(name: str, path: pathlib.Path) -> Copy:
  """Returns what a copy that was made before says of itself."""
  try:
    with av.open(os.fspath(path)) as container:
      about = json.loads(container.metadata['comment'])
    fields = {f.name for f in dataclasses.fields(damage_lib.Damage)}
    damage = damage_lib.Damage(**{k: v for k, v in about.items() if k in fields})
    return Copy(
      name,
      dataclasses.replace(damage, kinds=tuple(damage.kinds)),
      tuple(about['refused']),
      new=False,
    )
  except (*video_file.UNREADABLE, ValueError, KeyError, TypeError) as error:
    raise errors.InputError(
      f'{path}: is no copy that grfjax.degrade has made; remove it',
      code='degrade.folder_in_use',
      file=path,
    ) from error


def _describe(
  trials: Iterable[recordings.Trial], copies: Iterable[list[Copy]]
) -> dict[str, dict[str, Any]]:
  """Returns what the file of settings says of each copy."""
  return {
    copy.name: {
      'copy_of': trial.name,
      'refused': copy.refused,
      **({'kinds': copy.damage.kinds, **copy.damage.amounts()} if copy.damage else {}),
    }
    for trial, group in zip(trials, copies, strict=True)
    for copy in group
  }


def _write_trials(
  out: pathlib.Path,
  rows: list[manifest_rows.Row],
  copies: Iterable[list[Copy]],
  copies_only: bool,
) -> None:
  """Writes trials.csv, with the separator and all columns that it had."""
  columns = list(dict.fromkeys((*rows[0].cells, 'copy_of', 'degraded')))
  text = io.StringIO(newline='')
  table = csv.DictWriter(
    text, columns, restval='', lineterminator='\n', delimiter=';' if rows[0].decimal_comma else ','
  )
  table.writeheader()
  for row, group in zip(rows, copies, strict=True):
    if not copies_only:
      table.writerow(row.cells)
    for copy in group:
      if copy.damage:
        table.writerow({
          **row.cells, 'trial': copy.name, 'video': f'{FOLDER}/{copy.name}.mp4',
          'copy_of': row.cells['trial'], 'degraded': ';'.join(copy.damage.kinds),
          **({'feet': f'{FOLDER}/{copy.name}_feet.csv'} if row.has('feet') else {}),
        })  # fmt: skip
  atomic.write_text(out / 'trials.csv', text.getvalue())
