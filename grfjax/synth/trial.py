"""Draws, renders and writes one trial: its video, and what force plates measure of it."""

import csv
import dataclasses
import itertools
import pathlib

import numpy as np

from grfjax import conventions
from grfjax.degradation import damage as damage_lib
from grfjax.degradation import film
from grfjax.io import atomic, foot_files, video_writing
from grfjax.synth import appearance, body, body_pose, foot_pressure, rendering, walks
from grfjax.synth import camera as camera_lib
from grfjax.synth import room as room_lib

RATE_HZ = 1000.0
MAX_DRAWS = 20  # of a walk, as a body cannot follow the forces of about one walk in a thousand
MAX_PEOPLE_DRAWS = 20  # of a person, some of whom cannot be made to walk at all
APPROACH_STEPS = 3  # before the first plate and after the last
MARGIN_S = 0.15  # of force before and after the video
PLATE_HALF_WIDTH_M = 0.30
PRESSURE_N = 20.0  # a plate that carries less tells no centre of pressure
MOMENT_NOISE_NM = 0.3  # of plates
CAMERAS = {
  'tripod': 'a good camera that stands still',
  'phone': 'a phone, in the hands and the light that phones are used in (grfjax.degrade)',
}


@dataclasses.dataclass(frozen=True)
class Settings:
  """What a recording set is made from; sets with equal settings are equal.

  Attributes:
    subjects: number of people.
    trials: walks of each person.
    seed: seed of everything drawn.
    style: a key of `gait_styles.STYLES`, or 'mixed'.
    width: width of the video, pixels, even.
    height: height of the video, pixels, even.
    fps: frames per second.
    plates: consecutive steps that land on force plates, one plate each, in the middle of the view.
    camera: a key of `CAMERAS`.
  """

  subjects: int = 5
  trials: int = 50
  seed: int = 0
  style: str = 'normal'
  width: int = 640
  height: int = 360
  fps: float = 60.0
  plates: int = 2
  camera: str = 'tripod'


@dataclasses.dataclass(frozen=True)
class Task:
  """A trial that is to be written.

  Attributes:
    root: the folder of the set.
    settings: the settings of the set.
    person: the person's index from 0.
    trial: the trial's index from 0.
    draw: how many people were drawn before in place of this one, none of whose walks could be
      posed.
  """

  root: pathlib.Path
  settings: Settings
  person: int
  trial: int
  draw: int = 0


@dataclasses.dataclass(frozen=True)
class WrittenTrial:
  """A trial that is written.

  Attributes:
    row: its row of trials.csv.
    speed_mps: how fast the pelvis goes forward, metres a second, from the first to the last initial
      contact that the video shows.
    discarded_walks: how many walks were drawn before this one that the body could not follow.
  """

  row: dict[str, str]
  speed_mps: float
  discarded_walks: int


def draw_person(settings: Settings, index: int, draw: int = 0) -> body.Subject:
  """Draws the person of an index (from 0), always the same one; `draw` as in `Task`."""
  rng = np.random.default_rng(_person_seed(settings, index, draw))
  subject = walks.draw_subject(rng, settings.style)
  return dataclasses.replace(subject, name=_numbered('S', index, settings.subjects))


def trial_name(task: Task) -> str:
  """Returns the name of a trial in trials.csv, such as S01T02."""
  settings = task.settings
  person = _numbered('S', task.person, settings.subjects)
  return person + _numbered('T', task.trial, settings.trials)


def _numbered(letter: str, index: int, count: int) -> str:
  return f'{letter}{index + 1:0{max(2, len(str(count)))}d}'


def _person_seed(settings: Settings, person: int, draw: int) -> np.random.SeedSequence:
  # SeedSequence cannot tell (a, b) from (a, b, 0), so that people and trials count from 1.
  spawn_key = (draw,) if draw else ()  # key 0 is that of the person's appearance
  return np.random.SeedSequence((settings.seed, person + 1), spawn_key=spawn_key)


def make_folders(root: pathlib.Path) -> None:
  """Makes the folders of a set that `write_trial` writes to."""
  for name in ('videos', 'forces', 'truth', 'feet'):
    (root / name).mkdir()


def cannot_walk(person: int) -> RuntimeError:
  """Returns the error of a person (from 0) whom no draw has made able to walk."""
  return RuntimeError(
    f'person {person + 1}: none of {MAX_PEOPLE_DRAWS} people drawn could be made to walk'
  )


@dataclasses.dataclass(frozen=True)
class Motion:
  """The walk of a trial, laid over the plates.

  Attributes:
    walk: the walk; the middle of all plates is its origin.
    on_plates: the footfalls on plates, in order.
    plates: where they are, metres.
    begin_s: when the video begins, on the walk's clock.
    end_s: when it ends.
    discarded_walks: how many walks were drawn before this one that the body could not follow.
  """

  walk: body.Walk
  on_plates: list[body.Contact]
  plates: list[room_lib.Rectangle]
  begin_s: float
  end_s: float
  discarded_walks: int


def draw_motion(task: Task) -> Motion | None:
  """Draws a trial's walk, always the same; None where none of the person's walks can be posed."""
  settings = task.settings
  rng = np.random.default_rng(_trial_seed(task).spawn(1)[0])
  subject = draw_person(settings, task.person, task.draw)
  drawn = _draw_walk(subject, rng, settings.plates + 2 * APPROACH_STEPS)
  if drawn is None:
    return None
  walk, discarded_walks = drawn
  walk, on_plates, plates = centre_on_plates(walk, settings.plates)
  begin = on_plates[0].start_s - rng.uniform(0.1, 0.4)
  end = max(c.end_s for c in on_plates) + rng.uniform(0.36, 0.44)
  end = min(end, float(walk.time_s[-1]) - 0.03)
  return Motion(walk, on_plates, plates, begin, end, discarded_walks)


def _trial_seed(task: Task) -> np.random.SeedSequence:
  """Returns the seed that motion, pictures, plates and damage each have a child of, in order."""
  return np.random.SeedSequence((task.settings.seed, task.person + 1, task.trial + 1))


def write_trial(task: Task) -> WrittenTrial | None:
  """Draws, renders and writes a trial; None where none of the person's walks could be posed."""
  settings = task.settings
  motion = draw_motion(task)
  if motion is None:
    return None
  walk, on_plates, begin, end = motion.walk, motion.on_plates, motion.begin_s, motion.end_s
  picture_rng, plate_rng, damage_rng = (
    np.random.default_rng(s) for s in _trial_seed(task).spawn(4)[1:]
  )
  name = trial_name(task)
  damage = damage_lib.draw(damage_rng) if settings.camera == 'phone' else None
  camera, view = _write_video(
    task, name, walk, begin, end, motion.plates, picture_rng, damage, damage_rng
  )
  clock, start = _write_forces(task, name, walk, begin, end, on_plates, plate_rng)
  row = {
    'subject': walk.subject.name,
    'trial': name,
    'video': f'videos/{name}.mp4',
    'video_start_s': f'{begin - start + clock:.5f}',
    'force': f'forces/{name}.csv',
    'plates': ';'.join(conventions.LEGS[c.leg] for c in on_plates),
    'camera': camera,
  }
  if damage is not None:
    row['degraded'] = ';'.join(damage.kinds)
  elif settings.camera == 'tripod':  # a phone's pictures are moved
    _write_feet(task.root / 'feet' / f'{name}.csv', walk, begin, end, settings.fps, view)
    row['feet'] = f'feet/{name}.csv'
  return WrittenTrial(row, _walking_speed(walk, begin, end), motion.discarded_walks)


def _walking_speed(walk: body.Walk, begin: float, end: float) -> float:
  """Returns the mean forward speed of the pelvis over the steps that begin from `begin` to `end`.

  The plates are struck in between, so that there is a step.
  """
  shown = [c.start_s for c in walk.contacts if begin <= c.start_s <= end]
  first, last = shown[0], shown[-1]
  pelvis = body.joints_at(walk, np.array([first, last]))[:, body.INDEX['pelvis'], 0]
  return float(np.diff(pelvis)[0] / (last - first))


def _draw_walk(
  subject: body.Subject, rng: np.random.Generator, steps: int
) -> tuple[body.Walk, int] | None:
  """Draws walks until the body can follow one.

  Returns:
    The walk, and how many were drawn before it; None where the body can follow none of them.
  """
  for discarded in range(MAX_DRAWS):
    try:
      return walks.draw_walk(subject, rng, steps, RATE_HZ), discarded
    except body_pose.UnposableError:
      continue
  return None


def _write_video(
  task: Task,
  name: str,
  walk: body.Walk,
  begin: float,
  end: float,
  plates: list[room_lib.Rectangle],
  rng: np.random.Generator,
  damage: damage_lib.Damage | None,
  damage_rng: np.random.Generator,
) -> tuple[str, camera_lib.Camera]:
  """Renders and writes the video of a walk from `begin` to `end`.

  Returns:
    The camera's side, and the camera.
  """
  settings = task.settings
  # The appearance lasts over all trials of a person, so that its seed is the person's.
  appearance_seed = _person_seed(settings, task.person, task.draw).spawn(1)[0]
  person = appearance.draw_appearance(np.random.default_rng(appearance_seed), walk.subject)
  time_s = _frame_times(begin, end, settings.fps)
  camera = conventions.LEGS[rng.integers(2)]
  room = room_lib.draw_room(rng)
  frames = rendering.render(
    walk, time_s, camera, person, room, rng, settings.width, settings.height, plates=plates
  )
  path = task.root / 'videos' / f'{name}.mp4'
  quality = int(rng.integers(18, 33))  # from a good camera to a badly squeezed clip
  if damage is not None:
    quality = damage.crf
    frames = film.film_again(
      frames, time_s - time_s[0], settings.height, settings.width, damage, damage_rng
    )
  video_writing.write_video(path, frames, settings.fps, crf=quality)
  return camera, room.camera(camera, settings.width, settings.height)


def _frame_times(begin: float, end: float, fps: float) -> np.ndarray:
  """Returns when the frames of a video are taken, on the walk's clock."""
  return begin + np.arange(int((end - begin) * fps)) / fps


def _write_feet(
  path: pathlib.Path,
  walk: body.Walk,
  begin: float,
  end: float,
  fps: float,
  camera: camera_lib.Camera,
) -> None:
  """Writes where the middles of the soles are, in the pictures of a video and on the floor."""
  time_s = _frame_times(begin, end, fps)
  place, stand = (np.full((len(time_s), 2, 2), np.nan) for _ in range(2))
  for contact, sole in zip(walk.contacts, foot_pressure.sole_middles(walk), strict=True):
    if np.isfinite(sole).all():
      carries = (time_s >= contact.start_s) & (time_s <= contact.end_s)
      pixel, _ = camera.project(np.append(sole, 0.0))
      place[carries, contact.leg] = pixel + 0.5  # from the edge, not the first pixel's middle
      stand[carries, contact.leg] = sole
  outside = ~((place >= 0) & (place <= [camera.width, camera.height])).all(-1)
  place[outside] = np.nan
  feet = foot_files.FootFile(time_s - begin, place, stand)
  atomic.write_text(path, foot_files.to_csv(feet))


def _write_forces(
  task: Task,
  name: str,
  walk: body.Walk,
  begin: float,
  end: float,
  on_plates: list[body.Contact],
  rng: np.random.Generator,
) -> tuple[float, float]:
  """Writes what the plates measure around the video, and the true forces of both legs.

  Returns:
    The time of the first sample, on the clock of the plates and on that of the walk.
  """
  clock = round(float(rng.uniform(0, 3)), 3)
  inside = (walk.time_s >= begin - MARGIN_S) & (walk.time_s <= end + MARGIN_S)
  start = float(walk.time_s[inside][0])
  time_s = walk.time_s[inside] - start + clock
  measured = plate_forces(walk, on_plates, rng)[inside]
  true_pressure = foot_pressure.centre_of_pressure(walk)[inside]
  pressure = _plate_pressure(measured, true_pressure, on_plates, rng)
  numbers = range(1, task.settings.plates + 1)
  _write_force_file(
    task.root / 'forces' / f'{name}.csv',
    time_s,
    measured,
    [f'f{axis}_{k}' for k in numbers for axis in 'xyz'],
    pressure,
    [f'p{axis}_{k}' for k in numbers for axis in 'xy'],
  )
  _write_force_file(
    task.root / 'truth' / f'{name}.csv',
    time_s,
    walk.force[inside].reshape(-1, 6),
    [f'{side}_f{axis}_N' for side in conventions.LEGS for axis in 'xyz'],
    true_pressure.reshape(-1, 4),
    [f'{side}_p{axis}_m' for side in conventions.LEGS for axis in 'xy'],
  )
  return clock, start


def centre_on_plates(
  walk: body.Walk, plates: int
) -> tuple[body.Walk, list[body.Contact], list[room_lib.Rectangle]]:
  """Lays plates under consecutive steps, and moves the walk so that their centre is the origin.

  Returns:
    The walk; the footfalls on plates, in order; the plates, metres.
  """
  complete = [c for c in walk.contacts if c.start_s >= 0 and c.end_s <= walk.time_s[-1]]
  on_plates = complete[APPROACH_STEPS : APPROACH_STEPS + plates]
  foot = walk.subject.foot_m
  gaps = [(a.heel_x_m + foot + b.heel_x_m) / 2 for a, b in itertools.pairwise(on_plates)]
  edges = [on_plates[0].heel_x_m - 0.12, *gaps, on_plates[-1].heel_x_m + foot + 0.12]
  middle = (edges[0] + edges[-1]) / 2
  rectangles = [
    (x0 - middle, x1 - middle, -PLATE_HALF_WIDTH_M, PLATE_HALF_WIDTH_M)
    for x0, x1 in itertools.pairwise(edges)
  ]
  on_plates = [c._replace(heel_x_m=c.heel_x_m - middle) for c in on_plates]
  return body.move_walk(walk, np.array([-middle, 0.0, 0.0])), on_plates, rectangles


def plate_forces(
  walk: body.Walk,
  on_plates: list[body.Contact],
  rng: np.random.Generator,
) -> np.ndarray:
  """Returns what the plates measure, (N, 3 plates) newtons: with white noise and a small offset."""
  columns = []
  for contact in on_plates:
    loaded = (walk.time_s >= contact.start_s) & (walk.time_s <= contact.end_s)
    columns.append(np.where(loaded[:, None], walk.force[:, contact.leg], 0))
  force = np.concatenate(columns, 1)
  level = np.tile([0.5, 0.5, 1.0], len(on_plates)) * rng.uniform(0.8, 1.8)
  offset = rng.normal(0, 0.4, force.shape[1]) * np.tile([0.5, 0.5, 1.0], len(on_plates))
  return force + offset + level * rng.standard_normal(force.shape)


def _plate_pressure(
  measured: np.ndarray,
  pressure: np.ndarray,
  on_plates: list[body.Contact],
  rng: np.random.Generator,
) -> np.ndarray:
  """Returns the centres of pressure that plates measure, with the noise of their moments.

  Args:
    measured: (N, 3 plates) newtons.
    pressure: (N, 2, 2) metres, of `foot_pressure.centre_of_pressure`.
    on_plates: the footfall on each plate.
    rng: of the noise.

  Returns:
    (N, 2 plates) metres; NaN where a plate carries less than `PRESSURE_N`.
  """
  columns = []
  for plate, contact in enumerate(on_plates):
    load = measured[:, 3 * plate + 2, None]
    noise = MOMENT_NOISE_NM * rng.standard_normal((len(load), 2)) / np.maximum(load, PRESSURE_N)
    columns.append(np.where(load >= PRESSURE_N, pressure[:, contact.leg] + noise, np.nan))
  return np.concatenate(columns, 1)


def _write_force_file(
  path: pathlib.Path,
  time_s: np.ndarray,
  force: np.ndarray,
  force_names: list[str],
  pressure: np.ndarray,
  pressure_names: list[str],
) -> None:
  """Writes forces (N, ...) newtons and centres of pressure (N, ...) metres, where there are any."""
  _write_rows(
    path,
    ['time_s', *force_names, *pressure_names],
    [
      [f'{t:.4f}', *(f'{v:.2f}' for v in f), *('' if np.isnan(v) else f'{v:.4f}' for v in p)]
      for t, f, p in zip(time_s, force, pressure, strict=True)
    ],
  )


def _write_rows(path: pathlib.Path, names: list[str], rows: list[list[str]]) -> None:
  with atomic.naming_errors(path), path.open('w', encoding='utf-8', newline='') as file:
    table = csv.writer(file, lineterminator='\n')
    table.writerow(names)
    table.writerows(rows)
