"""Writes a recording set of synthetic walkers, in the layout that `grfjax.io.recordings` reads."""

import concurrent.futures
import contextlib
import csv
import dataclasses
import json
import multiprocessing
import pathlib
from collections.abc import Generator

import tqdm

from grfjax import errors, extras
from grfjax.io import atomic, cores, pool_worker
from grfjax.synth import body, trial

SETTINGS_FILE = 'synth.json'


class SetExistsError(errors.InputError):
  """The folder holds something else."""


def check_settings(settings: trial.Settings) -> None:
  """Checks what flags cannot say by bounds.

  Raises:
    errors.InputError: width or height is odd.
  """
  for name, value in (('width', settings.width), ('height', settings.height)):
    if value % 2:
      raise errors.InputError(
        f'--{name}={value} must be even: H.264 halves both sides of a picture',
        code='synth.odd_size',
      )


def write_set(
  out: pathlib.Path, settings: trial.Settings, workers: int = 0, beam_options: str = ''
) -> bool:
  """Writes a whole set, or nothing.

  The set is written to a hidden folder beside `out` (`atomic.atomic_folder`), which takes its
  place at the end.

  Args:
    out: the folder to make; it may exist if it is empty.
    settings: what to write.
    workers: number of processes; 0 for as many as this process may use cores.
    beam_options: options of an Apache Beam pipeline (`grfjax.io.beam_pipeline`) whose workers then
      write the trials, and which must reach `out` by the same path; '' for processes here.

  Returns:
    False if `out` already is this very set, and nothing was done.

  Raises:
    SetExistsError: `out` holds something else.
    errors.InputError: the settings cannot be used, or Beam is not installed.
    errors.PipelineError: Beam's pipeline failed.
  """
  check_settings(settings)
  out = pathlib.Path(out).absolute()
  if out.exists() and (not out.is_dir() or any(out.iterdir())):
    present = _settings_of(out)
    if present == dataclasses.asdict(settings):
      return False
    contents = 'something else' if present is None else f'another set, made with {present}'
    raise SetExistsError(
      f'{out} holds {contents}; choose another folder, or remove it',
      code='synth.folder_in_use',
      file=out,
    )
  with atomic.atomic_folder(out) as partial:
    trial.make_folders(partial)
    if beam_options:
      with extras.needed('beam'):
        from grfjax.synth import beam_people
      draws, trials = beam_people.write_trials(partial, settings, beam_options)
    else:
      draws, trials = _write_trials(partial, settings, workers or cores.usable_cores())
    people = [trial.draw_person(settings, i, draw) for i, draw in enumerate(draws)]
    _write_table(partial / 'trials.csv', [t.row for t in trials])
    _write_table(
      partial / 'subjects.csv',
      [
        {'subject': p.name, 'body_mass_kg': f'{p.mass_kg:.2f}', 'height_m': f'{p.height_m:.3f}'}
        for p in people
      ],
    )
    about = _describe(settings, people, draws, trials)
    atomic.write_text(partial / SETTINGS_FILE, json.dumps(about, indent=2) + '\n')
  return True


def _describe(
  settings: trial.Settings,
  people: list[body.Subject],
  draws: list[int],
  trials: list[trial.WrittenTrial],
) -> dict:
  """Returns the contents of synth.json; `draws` as of `_write_trials`."""
  return {
    'made_by': 'grfjax.synth',
    'settings': dataclasses.asdict(settings),
    'people_drawn_again': {p.name: n for p, n in zip(people, draws, strict=True) if n},
    'walking_speed_mps': {t.row['trial']: round(t.speed_mps, 3) for t in trials},
    'walks_drawn_again': {t.row['trial']: t.discarded_walks for t in trials if t.discarded_walks},
    'people': [
      {
        'subject': p.name,
        'style': p.style,
        'sex': p.sex,
        'age_group': p.age_group,
        'age_years': round(p.age_years, 1),
      }
      for p in people
    ],
  }


def _write_trials(
  root: pathlib.Path, settings: trial.Settings, workers: int
) -> tuple[list[int], list[trial.WrittenTrial]]:
  """Writes the files of every trial.

  Returns:
    For each person, how many were drawn before, none of whose walks could be posed; the trials.
  """
  draws = [0] * settings.subjects
  written: dict[tuple[int, int], trial.WrittenTrial] = {}
  waiting = list(range(settings.subjects))
  while waiting:
    tasks = [
      trial.Task(root, settings, i, j, draws[i]) for i in waiting for j in range(settings.trials)
    ]
    with contextlib.closing(_run(tasks, workers)) as results:  # once closed, no process writes
      bar = tqdm.tqdm(results, total=len(tasks), unit='trial', desc='grfjax.synth')
      for task, result in zip(tasks, bar, strict=True):
        if result is not None:
          written[task.person, task.trial] = result
        elif draws[task.person] == task.draw:
          draws[task.person] += 1
    waiting = [i for i in waiting if draws[i] > tasks[0].draw]
    if waiting and draws[waiting[0]] == trial.MAX_PEOPLE_DRAWS:
      raise trial.cannot_walk(waiting[0])
  return draws, [written[key] for key in sorted(written)]


def _run(tasks: list[trial.Task], workers: int) -> Generator[trial.WrittenTrial | None, None, None]:
  """Yields what `trial.write_trial` returns, in the order of tasks."""
  if workers == 1:
    yield from map(trial.write_trial, tasks)
    return
  context = multiprocessing.get_context('spawn')  # threads of OpenCV and tqdm do not survive a fork
  with concurrent.futures.ProcessPoolExecutor(
    min(workers, len(tasks)), mp_context=context, initializer=pool_worker.begin
  ) as pool:
    try:
      yield from pool.map(trial.write_trial, tasks)
    except BaseException:
      pool.shutdown(cancel_futures=True)
      raise


def _settings_of(folder: pathlib.Path) -> dict | None:
  """Returns the settings of the set in a folder; None where there is no set."""
  try:
    about = json.loads((folder / SETTINGS_FILE).read_text(encoding='utf-8'))
    if about['made_by'] != 'grfjax.synth':
      return None
    # Sets of a time when there was no choice of this have its default.
    return {**dataclasses.asdict(trial.Settings()), **about['settings']}
  except (OSError, ValueError, KeyError, TypeError):
    return None


def _write_table(path: pathlib.Path, rows: list[dict[str, str]]) -> None:
  with atomic.naming_errors(path), path.open('w', encoding='utf-8', newline='') as file:
    table = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
    table.writeheader()
    table.writerows(rows)
