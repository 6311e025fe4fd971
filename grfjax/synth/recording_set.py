"""Writing a recording set of synthetic walkers (the layout that `grfjax.io.recordings` reads)."""

import concurrent.futures
import contextlib
import csv
import dataclasses
import itertools
import json
import multiprocessing
import os
import pathlib
import signal
from collections.abc import Generator

import cv2
import numpy as np
import tqdm

from grfjax.io import atomic
from grfjax.synth import body, gait, pose, scene

RATE_HZ = 1000.0
SETTINGS = 'synth.json'
DRAWS = 20  # of a walk, where a body cannot follow the forces drawn (one in about a thousand)
APPROACH = 3  # steps before the first plate and after the last
MARGIN_S = 0.15  # of force before and after the video
PLATE_HALF_WIDTH_M = 0.30


@dataclasses.dataclass(frozen=True)
class Settings:
  """What a set is made from; two sets with equal settings are equal.

  Attributes:
    subjects: number of people.
    trials: walks of each.
    seed: of everything drawn.
    style: a key of `styles.STYLES`, or 'mixed'.
    width: of the video, pixels, even.
    height: likewise.
    fps: frames per second.
    plates: consecutive steps that land on force plates, one plate each, in the middle of the view.
  """

  subjects: int = 5
  trials: int = 50
  seed: int = 0
  style: str = 'normal'
  width: int = 640
  height: int = 360
  fps: float = 60.0
  plates: int = 2


class SetExists(Exception):
  """The folder holds something else."""


@dataclasses.dataclass(frozen=True)
class Task:
  """One trial to be written into `root`: `person` and `trial` count from 0.

  `draw` counts the people drawn before in that place, whose forces no body could follow.
  """

  root: pathlib.Path
  settings: Settings
  person: int
  trial: int
  draw: int = 0


@dataclasses.dataclass(frozen=True)
class Written:
  """A trial: its row of trials.csv, and how many walks were drawn before it (`_draw_walk`)."""

  row: dict[str, str]
  again: int


def write_set(out: pathlib.Path, settings: Settings, workers: int = 0) -> bool:
  """Write a whole set, or nothing.

  It grows in a hidden folder beside `out` (`atomic.atomic_folder`), which takes its place at the
  end.

  Args:
    out: the folder to make; it may exist if empty.
    settings: what to write.
    workers: processes; 0 for as many as this process may use cores.

  Returns:
    False if `out` already is this very set, and nothing was done.

  Raises:
    SetExists: `out` holds something else.
  """
  out = pathlib.Path(out).absolute()
  if out.exists() and (not out.is_dir() or any(out.iterdir())):
    found = _settings_of(out)
    if found == dataclasses.asdict(settings):
      return False
    reason = 'something else' if found is None else f'another set, made with {found}'
    raise SetExists(f'{out} holds {reason}; choose another folder, or remove it')
  with atomic.atomic_folder(out) as partial:
    for name in ('videos', 'forces', 'truth'):
      (partial / name).mkdir()
    draws, written = _write_trials(partial, settings, workers or len(os.sched_getaffinity(0)))
    people = [draw_person(settings, i, draw) for i, draw in enumerate(draws)]
    _write_table(partial / 'trials.csv', [w.row for w in written])
    _write_table(
      partial / 'subjects.csv',
      [
        {'subject': p.name, 'body_mass_kg': f'{p.mass_kg:.2f}', 'height_m': f'{p.height_m:.3f}'}
        for p in people
      ],
    )
    about = {
      'made_by': 'grfjax.synth',
      'settings': dataclasses.asdict(settings),
      'people_drawn_again': {p.name: n for p, n in zip(people, draws, strict=True) if n},
      'walks_drawn_again': {w.row['trial']: w.again for w in written if w.again},
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
    atomic.write_text(partial / SETTINGS, json.dumps(about, indent=2) + '\n')
  return True


def _write_trials(
  root: pathlib.Path, settings: Settings, workers: int
) -> tuple[list[int], list[Written]]:
  """Writes every trial's files.

  Returns:
    For each person how many were drawn before, none of whose walks could be posed; the trials.
  """
  draws = [0] * settings.subjects
  found: dict[tuple[int, int], Written] = {}
  waiting = list(range(settings.subjects))
  while waiting:
    tasks = [Task(root, settings, i, j, draws[i]) for i in waiting for j in range(settings.trials)]
    with contextlib.closing(_run(tasks, workers)) as made:  # nobody writes once it is closed
      bar = tqdm.tqdm(made, total=len(tasks), unit='trial', desc='grfjax.synth')
      for task, written in zip(tasks, bar, strict=True):
        if written is not None:
          found[task.person, task.trial] = written
        elif draws[task.person] == task.draw:
          draws[task.person] += 1
    waiting = [i for i in waiting if draws[i] > tasks[0].draw]
    if waiting and draws[waiting[0]] == DRAWS:
      raise RuntimeError(f'person {waiting[0] + 1}: none of {DRAWS} could be made to walk')
  return draws, [found[key] for key in sorted(found)]


def draw_person(settings: Settings, index: int, draw: int = 0) -> body.Subject:
  """The person of that index (from 0), the same whoever asks; `draw` as in `Task`."""
  rng = np.random.default_rng(_seed(settings, index, draw))
  digits = max(2, len(str(settings.subjects)))
  subject = gait.draw_subject(rng, settings.style)
  return dataclasses.replace(subject, name=f'S{index + 1:0{digits}d}')


def _seed(settings: Settings, person: int, draw: int) -> np.random.SeedSequence:
  # SeedSequence cannot tell (a, b) from (a, b, 0): count people and trials from 1.
  drawn_again = (draw,) if draw else ()  # 0 is the spawned one, of the person's look
  return np.random.SeedSequence((settings.seed, person + 1), spawn_key=drawn_again)


def write_trial(task: Task) -> Written | None:
  """Draw, render and write one trial; None where none of the person's walks could be posed."""
  settings = task.settings
  sequence = np.random.SeedSequence((settings.seed, task.person + 1, task.trial + 1))
  motion, sight, instruments = (np.random.default_rng(s) for s in sequence.spawn(3))
  subject = draw_person(settings, task.person, task.draw)
  # The person's look, too, lasts over all trials.
  looks = np.random.default_rng(_seed(settings, task.person, task.draw).spawn(1)[0])
  look = scene.draw_look(looks, subject)
  digits = max(2, len(str(settings.trials)))
  name = f'{subject.name}T{task.trial + 1:0{digits}d}'

  drawn = _draw_walk(subject, motion, settings.plates + 2 * APPROACH)
  if drawn is None:
    return None
  walk, again = drawn
  walk, struck, plates = centre(walk, settings.plates)
  begin = struck[0].start_s - motion.uniform(0.1, 0.4)
  end = max(c.end_s for c in struck) + motion.uniform(0.36, 0.44)
  end = min(end, float(walk.time_s[-1]) - 0.03)
  frames = begin + np.arange(int((end - begin) * settings.fps)) / settings.fps

  camera = body.SIDES[sight.integers(2)]
  room = scene.draw_room(sight)
  pictures = scene.render(
    walk, frames, camera, look, room, sight, settings.width, settings.height, plates=plates
  )
  scene.write_video(
    task.root / 'videos' / f'{name}.mp4', pictures, settings.fps, crf=scene.quality(sight)
  )

  clock = round(float(instruments.uniform(0, 3)), 3)  # the force clock at its first sample
  inside = (walk.time_s >= begin - MARGIN_S) & (walk.time_s <= end + MARGIN_S)
  start = float(walk.time_s[inside][0])
  time = walk.time_s[inside] - start + clock
  measured = plate_forces(walk, struck, instruments)[inside]
  count = range(1, settings.plates + 1)
  _write_forces(
    task.root / 'forces' / f'{name}.csv',
    time,
    measured,
    [f'f{axis}_{k}' for k in count for axis in 'xyz'],
  )
  _write_forces(
    task.root / 'truth' / f'{name}.csv',
    time,
    walk.force[inside].reshape(-1, 6),
    [f'{side}_f{axis}_N' for side in body.SIDES for axis in 'xyz'],
  )
  row = {
    'subject': subject.name,
    'trial': name,
    'video': f'videos/{name}.mp4',
    'video_start_s': f'{begin - start + clock:.5f}',
    'force': f'forces/{name}.csv',
    'plates': ';'.join(body.SIDES[c.leg] for c in struck),
    'camera': camera,
  }
  return Written(row, again)


def _draw_walk(
  subject: body.Subject, rng: np.random.Generator, steps: int
) -> tuple[body.Walk, int] | None:
  """A walk, and how many were drawn before it that the body could not follow; None: all of them."""
  for again in range(DRAWS):
    try:
      return gait.walk(subject, rng, steps, RATE_HZ), again
    except pose.UnposableError:
      continue
  return None


def centre(
  walk: body.Walk,
  plates: int,
) -> tuple[body.Walk, list[body.Contact], list[tuple[float, float, float, float]]]:
  """Lay the plates under consecutive steps and move the walk so that their centre is the origin.

  Returns:
    The walk; the footfalls on plates, in order; each plate's (x0, x1, y0, y1), metres.
  """
  whole = [c for c in walk.contacts if c.start_s >= 0 and c.end_s <= walk.time_s[-1]]
  struck = whole[APPROACH : APPROACH + plates]
  foot = walk.subject.foot_m
  gaps = [(a.heel_x_m + foot + b.heel_x_m) / 2 for a, b in itertools.pairwise(struck)]
  ends = [struck[0].heel_x_m - 0.12, *gaps, struck[-1].heel_x_m + foot + 0.12]
  middle = (ends[0] + ends[-1]) / 2
  offset = np.array([-middle, 0.0, 0.0])
  rectangles = [
    (x0 - middle, x1 - middle, -PLATE_HALF_WIDTH_M, PLATE_HALF_WIDTH_M)
    for x0, x1 in itertools.pairwise(ends)
  ]
  struck = [c._replace(heel_x_m=c.heel_x_m - middle) for c in struck]
  return body.shift(walk, offset), struck, rectangles


def plate_forces(
  walk: body.Walk,
  struck: list[body.Contact],
  rng: np.random.Generator,
) -> np.ndarray:
  """What the plates measure: (N, 3 plates) newtons, with white noise and a small offset."""
  columns = []
  for contact in struck:
    on = (walk.time_s >= contact.start_s) & (walk.time_s <= contact.end_s)
    columns.append(np.where(on[:, None], walk.force[:, contact.leg], 0))
  force = np.concatenate(columns, 1)
  level = np.tile([0.5, 0.5, 1.0], len(struck)) * rng.uniform(0.8, 1.8)
  offset = rng.normal(0, 0.4, force.shape[1]) * np.tile([0.5, 0.5, 1.0], len(struck))
  return force + offset + level * rng.standard_normal(force.shape)


def _run(tasks: list[Task], workers: int) -> Generator[Written | None, None, None]:
  """What `write_trial` returns, in the order of tasks."""
  if workers == 1:
    yield from map(write_trial, tasks)
    return
  context = multiprocessing.get_context('spawn')  # threads of OpenCV and tqdm do not survive a fork
  with concurrent.futures.ProcessPoolExecutor(
    min(workers, len(tasks)), mp_context=context, initializer=_begin
  ) as pool:
    try:
      yield from pool.map(write_trial, tasks)
    except BaseException:
      pool.shutdown(cancel_futures=True)
      raise


def _begin() -> None:
  signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for this one
  cv2.setNumThreads(1)


def _settings_of(folder: pathlib.Path) -> dict | None:
  """Settings of the set in a folder; None where there is none."""
  try:
    about = json.loads((folder / SETTINGS).read_text())
    return about['settings'] if about['made_by'] == 'grfjax.synth' else None
  except (OSError, ValueError, KeyError, TypeError):
    return None


def _write_table(path: pathlib.Path, rows: list[dict[str, str]]) -> None:
  with atomic.naming_errors(path), path.open('w', newline='') as file:
    table = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
    table.writeheader()
    table.writerows(rows)


def _write_forces(
  path: pathlib.Path,
  time_s: np.ndarray,
  force: np.ndarray,
  names: list[str],
) -> None:
  with atomic.naming_errors(path):
    np.savetxt(
      path,
      np.concatenate([time_s[:, None], force], 1),
      delimiter=',',
      comments='',
      header=','.join(['time_s', *names]),
      fmt=['%.4f'] + ['%.2f'] * force.shape[1],
    )
