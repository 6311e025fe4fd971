"""The Python interface: from a video to force curves, contacts and gait measures.

    import grfjax
    walk = grfjax.predict('walk.mp4', body_mass_kg=61)

It gives what the command `grfjax predict --video` writes, made by the same code.
"""

from __future__ import annotations

import functools
import math
import numbers
import os
import pathlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grfjax import conventions, errors
from grfjax.gait import (
  curve_files,
  foot_contacts,
  force_curves,
  opensim_files,
  plausibility,
  walking_speed,
)
from grfjax.inference import trained_run
from grfjax.io import atomic, body_height, recordings, run_folder, video_file
from grfjax.report import predicting, prediction_files, walk_prediction, walk_text

if TYPE_CHECKING:
  import pandas
  from matplotlib import figure

_Path = str | os.PathLike[str]
Camera = Literal['left', 'right']


def predict(
  video: _Path,
  *,
  body_mass_kg: float | None = None,
  height_m: float | None = None,
  age_years: float | None = None,
  scale_m_per_px: float | None = None,
  camera: Camera | None = None,
  speed: float | None = None,
  network: _Path = 'everyone',
) -> Walk:
  """Estimates the ground reaction forces of both legs in a video.

  The networks that come with grfjax stay loaded, so that only the first video waits for the
  compiler. `Estimator` does the same for a network of your own.

  Args:
    video: the film, from the side, of somebody who walks across it.
    body_mass_kg: of the walker, 5 to 300; without it nothing is in newtons.
    height_m: body height of the walker, 0.5 to 2.6; without it, and without a scale, walking speed
      and the lengths of steps and strides are in body heights alone.
    age_years: of the walker, 0 to 120.
    scale_m_per_px: metres in a pixel of the film, at the walker's distance; lengths are then by it
      and not by the height.
    camera: the walker's side on which the camera stands; read off the walking direction without
      it, which only a network that follows the walker can.
    speed: real seconds in a second of the film: 0.125 for 240 frames a second played at 30. By
      default what the file says, or 1.
    network: the name of a network that comes along, or the folder of a run.

  Returns:
    The walk. Where nothing is given, its `reason` says why, frame by frame.

  Raises:
    InputError: an argument, the video or the network cannot be used; `code` says why
      (`docs/error_codes.md`).
    OSError: a file cannot be read.

  Examples:
    >>> walk = grfjax.predict('walk.mp4', body_mass_kg=61)
    >>> walk.force_bw.shape == (len(walk.time_s), 2, 3)
    True
  """
  name = os.fspath(network)
  estimator = _bundled(name) if name in run_folder.BUNDLED else Estimator(name)
  return estimator.predict(
    video, body_mass_kg=body_mass_kg, height_m=height_m, age_years=age_years,
    scale_m_per_px=scale_m_per_px, camera=camera, speed=speed,
  )  # fmt: skip


@functools.cache
def _bundled(name: str) -> Estimator:
  return Estimator(name)


class Estimator:
  """A network that is loaded, and compiled with the first video, for as many videos as you like.

  Attributes:
    run: the network (`grfjax.inference.trained_run.TrainedRun`).

  Examples:
    >>> estimator = grfjax.Estimator('everyone')  # or the folder of a run of your own
    >>> walks = [estimator.predict(path, body_mass_kg=61) for path in ['walk.mp4']]
    >>> [walk.name for walk in walks]
    ['walk']
  """

  def __init__(self, network: _Path = 'everyone'):
    """Loads a network.

    Args:
      network: the name of a network that comes along, or the folder of a run.

    Raises:
      InputError: there is no usable run.
    """
    self.run = trained_run.load(run_folder.RunFolder.find(network))

  def predict(
    self,
    video: _Path,
    *,
    body_mass_kg: float | None = None,
    height_m: float | None = None,
    age_years: float | None = None,
    scale_m_per_px: float | None = None,
    camera: Camera | None = None,
    speed: float | None = None,
  ) -> Walk:
    """Estimates the forces in a video; arguments, result and errors are those of `predict`."""
    given = {'height_m': height_m, 'age_years': age_years, 'scale_m_per_px': scale_m_per_px}
    _check_arguments({'body_mass_kg': body_mass_kg, **given}, camera, speed)
    path = pathlib.Path(video)
    mass = None if body_mass_kg is None else float(body_mass_kg)
    known = {name: None if value is None else float(value) for name, value in given.items()}
    with video_file.played_at(speed):
      prediction = predicting.predict_walk(
        self.run, path, camera or '', mass, walking_speed.Given(**known)
      )
    return Walk(prediction, path, speed)


_LIMITS = {  # of what is given of the walker
  'body_mass_kg': (recordings.BODY_MASS_KG, 'kilograms'),
  'height_m': (recordings.HEIGHT_M, 'metres'),
  'age_years': (recordings.AGE_YEARS, 'years'),
  'scale_m_per_px': (recordings.SCALE_M_PER_PX, 'metres a pixel'),
}


def _check_arguments(
  given: dict[str, float | None], camera: str | None, speed: float | None
) -> None:
  """Refuses what the command refuses as flags; `given` by names of `_LIMITS`."""
  for name, value in (*given.items(), ('speed', speed)):
    if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Real)):
      raise _argument_error(f'{name} is {value!r}, expected a number or None')
  for name, value in given.items():
    (low, high), unit = _LIMITS[name]
    if value is not None and not low <= value <= high:
      expected = f'{low:g} to {high:g} {unit}'
      if name == 'height_m':
        expected = body_height.expected(float(value))
      raise _argument_error(f'{name} is {value}, expected {expected}')
  if camera not in (None, *conventions.LEGS):
    raise _argument_error(f"camera is {camera!r}, expected 'left', 'right' or None")
  if speed is not None and not 0 < speed < math.inf:
    raise _argument_error(f'speed is {speed}, expected a finite number above 0')


def _argument_error(message: str) -> errors.InputError:
  return errors.InputError(message, code='prediction.argument')


class Walk:
  """The forces of both legs in a video, and what they say of the gait.

  The force is the ground's reaction on the foot. Arrays have a row for each of the N frames of the
  video, whatever its rate; the second axis is the leg, (left, right), and the third the direction,
  (vertical, forward, to the walker's left). A network that knows the vertical force alone gives one
  direction instead of three. Everything follows the walker: who turns round still walks forward.

  Attributes:
    name: of the files, the video's without its ending.
    video: the film.
    body_mass_kg: of the walker; None where not given.
    curves: the estimate as the package's own parts take it.

  Examples:
    >>> walk.legs, walk.directions
    (('left', 'right'), ('vertical', 'forward', 'left'))
    >>> vertical = walk.left_bw[:, 0]  # of the left leg, body weights
    >>> bool(0.8 < np.nanmax(vertical) < 1.6)
    True
    >>> print(walk)
    The camera stood at the walker's ...
  """

  legs = conventions.LEGS

  def __init__(
    self, prediction: walk_prediction.Prediction, video: pathlib.Path, speed: float | None = None
  ):
    """Takes what `Estimator.predict` made.

    Args:
      prediction: the estimate and what is known of the walker.
      video: the film.
      speed: real seconds in a second of the film; None: what the file says.
    """
    self._prediction = prediction
    self._speed = speed
    self.name: str = prediction.name
    self.video = video
    self.body_mass_kg: float | None = prediction.body_mass_kg
    self.curves: force_curves.ForceCurves = prediction.estimate

  def __repr__(self) -> str:
    frames, time_s = len(self.time_s), self.time_s[-1]
    return f'<grfjax.Walk {self.name!r}: {frames} frames, {time_s:.2f} s>'

  def __str__(self) -> str:
    return walk_text.in_short(self._prediction)

  @property
  def directions(self) -> tuple[str, ...]:
    """What the last axis of `force_bw` means: vertical, forward, and to the walker's left."""
    return ('vertical', 'forward', 'left')[: self.force_bw.shape[2]]

  @property
  def camera(self) -> str:
    """The walker's side on which the camera stands; 'left, then right' of who turns round."""
    return self.curves.camera

  @property
  def time_s(self) -> np.ndarray:
    """(N,) seconds from the video's first frame."""
    return self.curves.time_s

  @property
  def force_bw(self) -> np.ndarray:
    """(N, 2, 3 or 1) the force in body weights; NaN where none is given, and `reason` says why.

    A body weight is body mass x 9.80665 m/s2.
    """
    return self.curves.force

  @property
  def force_n(self) -> np.ndarray:
    """(N, 2, 3 or 1) the force in newtons.

    Raises:
      InputError: the body mass was not given.

    Examples:
      >>> bool(np.allclose(walk.force_n, walk.force_bw * 61 * 9.80665, equal_nan=True))
      True
    """
    if self.body_mass_kg is None:
      raise errors.InputError(
        'forces in newtons need the body mass; give body_mass_kg to predict',
        code='prediction.no_body_mass',
      )
    return self.curves.force * self.body_mass_kg * conventions.G

  @property
  def left_bw(self) -> np.ndarray:
    """(N, 3 or 1) the left leg's force in body weights: `force_bw[:, 0]`."""
    return self.force_bw[:, 0]

  @property
  def right_bw(self) -> np.ndarray:
    """(N, 3 or 1) the right leg's force in body weights: `force_bw[:, 1]`."""
    return self.force_bw[:, 1]

  @property
  def left_n(self) -> np.ndarray:
    """(N, 3 or 1) the left leg's force in newtons; errors as of `force_n`."""
    return self.force_n[:, 0]

  @property
  def right_n(self) -> np.ndarray:
    """(N, 3 or 1) the right leg's force in newtons; errors as of `force_n`."""
    return self.force_n[:, 1]

  @property
  def interval_bw(self) -> np.ndarray:
    """(N, 2, 3 or 1, 2) body weights: the lower and upper end between which the force lies.

    It does in `interval_share` of the frames in stance. (N, 2, 3 or 1, 0) where that share is None.

    Examples:
      >>> low, high = np.moveaxis(walk.interval_bw, -1, 0)
      >>> given = np.isfinite(walk.force_bw)
      >>> bool((low[given] < high[given]).all())
      True
    """
    return self.curves.interval

  @property
  def interval_share(self) -> float | None:
    """Of the frames in stance, how many `interval_bw` holds: 0.9; None where it has none."""
    return self._prediction.run['interval_share'] if self.interval_bw.shape[3] else None

  @property
  def trust(self) -> np.ndarray | None:
    """(N, 2) how far the vertical force can be trusted, 0 to 1; NaN where nobody is followed.

    An order, not a probability. Below 0.5 the force is withheld. None: the network does not tell.
    """
    return self.curves.trust

  @property
  def pressure_bh(self) -> np.ndarray:
    """(N, 2, 2) the centre of pressure, (forward, to the walker's left), in body heights.

    Its axes stand still for a walk; where the film has several, each has axes of its own. NaN while
    a foot is in the air, where no force is given, and of a network that does not tell it.

    Examples:
      >>> walk.pressure_bh.shape == (len(walk.time_s), 2, 2)
      True
      >>> left_stands = np.isfinite(walk.pressure_bh[:, 0]).all(-1)
      >>> bool((walk.left_bw[left_stands, 0] > 0).all())
      True
    """
    feet = self.curves.feet
    if feet is None:
      return np.full((len(self.time_s), 2, 2), np.nan)
    return np.where(self.curves.has_estimate[..., None], feet.pressure, np.nan)

  @property
  def pressure_m(self) -> np.ndarray:
    """(N, 2, 2) the centre of pressure as in `pressure_bh`, in metres.

    Raises:
      InputError: neither the body height nor the film's scale was given.
    """
    metres = self._prediction.metres_per_bh
    if math.isnan(metres):
      raise errors.InputError(
        'the centre of pressure in metres needs the body height or the scale; give height_m or '
        'scale_m_per_px to predict',
        code='prediction.no_body_height',
      )
    return self.pressure_bh * metres

  @functools.cached_property
  def reason(self) -> np.ndarray:
    """(N, 2) str: '' where a leg's force is given, else the code of the reason why it is not.

    Each code is that of one of `flags`, which has the sentence:

    - 'walker.low_trust': the networks contradict each other, so the estimate is withheld;
    - 'gait.frames_without_estimate': nobody could be followed, and `gaps` may say why;
    - 'gait.no_estimate': this leg is estimated nowhere;
    - 'gait.leg_without_estimate': the other leg is estimated there.

    Examples:
      >>> given = walk.reason == ''
      >>> bool((np.isfinite(walk.force_bw[..., 0]) == given).all())
      True
    """
    given = self.curves.has_estimate
    withheld = ~given & (False if self.trust is None else np.isfinite(self.trust))
    return np.select(
      [given, withheld, ~given.any(0), ~given.any(1, keepdims=True)],
      ['', 'walker.low_trust', 'gait.no_estimate', 'gait.frames_without_estimate'],
      'gait.leg_without_estimate',
    )

  @property
  def gaps(self) -> tuple[force_curves.Gap, ...]:
    """Where somebody may walk but nothing is given: (code, text), the text with its times."""
    return self.curves.gaps

  @property
  def flags(self) -> tuple[plausibility.Flag, ...]:
    """What to know before using the numbers, (code, text): what is missing or implausible.

    First what is about the whole video, whose `start_s` is None, then what begins at `start_s`.

    Examples:
      >>> walk.flags[0]
      Flag(code='gait.frames_without_estimate', text='11 of 167 frames have no estimate: ...')
    """
    return self._prediction.quality.found

  @property
  def contacts(self) -> tuple[foot_contacts.MeasuredContact, ...]:
    """The contacts of both feet with the floor, in order of time.

    Each has `leg`, `start_s`, `end_s`, whether these ends were seen (`whole_start`, `whole_end`,
    `is_whole`), and `measures`: name -> value, NaN where undefined (`definitions` explains them).

    Examples:
      >>> whole = [contact for contact in walk.contacts if contact.is_whole]
      >>> bool(0.4 < whole[0].measures['stance_s'] < 1.5)
      True
    """
    return tuple(self._prediction.contacts)

  @property
  def measures(self) -> dict[str, Any]:
    """The gait measures over all contacts, as in the JSON file; None is undefined.

    'left' and 'right' -> measure -> {'mean', 'sd', 'n'}; 'cadence_steps_per_min',
    'walking_speed_mps' and 'walking_speed_bh_per_s' -> {'mean', 'n'}; 'symmetry_index_pct' ->
    measure -> %. The unit is at the end of each name, as of 'step_length_m' and 'step_length_bh';
    `definitions` says what it means.

    Examples:
      >>> walk.measures['right']['stance_s']['n']
      2
      >>> steps = walk.measures['left']['step_length_bh']
      >>> steps['n'] == 0 or 0.1 < steps['mean'] < 0.7
      True
    """
    return self._prediction.content['summary']

  @property
  def definitions(self) -> dict[str, dict[str, str]]:
    """Name of a measure -> its 'label', 'unit' and 'definition'.

    Examples:
      >>> walk.definitions['stance_s']['definition']
      "From the foot's initial contact to its toe-off."
    """
    return self._prediction.content['definitions']

  @property
  def network(self) -> dict[str, Any]:
    """What to know of the network: 'model', 'step', 'trained_on_subjects', 'mae_pct_bw' and so on.

    'mae_pct_bw' are its measured errors: of whom -> mean absolute error of the vertical force in
    stance, % BW.
    """
    return self._prediction.run

  def to_frame(self) -> pandas.DataFrame:
    """Returns the curves as a table with the columns of the CSV file, `time_s` first.

    `left_fz_bw` is the left leg's vertical force, `fx` forward, `fy` to the left, `_lo` and `_hi`
    the ends of the interval, `left_trust` the trust, and `left_copx_m` and `left_copy_m` the centre
    of pressure, forward and to the left (`_bh` in body heights, where metres are not known). NaN
    where nothing is given.

    Raises:
      ImportError: pandas is not installed.

    Examples:
      >>> walk.to_frame()[['time_s', 'left_fz_bw']].columns.tolist()
      ['time_s', 'left_fz_bw']
    """
    try:
      import pandas
    except ImportError as error:
      raise ImportError(
        'Walk.to_frame needs pandas, which is not installed: pip install pandas'
      ) from error
    return pandas.DataFrame(curve_files.columns(self.curves, self._prediction.metres_per_bh))

  def plot(self) -> figure.Figure:
    """Draws both legs' forces over time with contacts, and every stance, as the command does.

    Examples:
      >>> walk.plot().savefig('walk.png')
    """
    from grfjax.report import walk_figure  # here, as Matplotlib takes long to import

    return walk_figure.make_figure(
      self.curves, list(self.contacts), self.body_mass_kg, None, self.name
    )

  def to_csv(self, path: _Path) -> pathlib.Path:
    """Writes the curves as the command's NAME.csv, whole or not at all, and returns its path.

    Raises:
      OSError: the file cannot be written.

    Examples:
      >>> walk.to_csv('curves.csv').read_text()[:28]
      'time_s,left_fz_bw,right_fz_b'
    """
    path = pathlib.Path(path)
    atomic.write_text(path, curve_files.to_csv(self.curves, self._prediction.metres_per_bh))
    return path

  def to_mot(self, path: _Path) -> pathlib.Path:
    """Writes OpenSim's external forces, the command's NAME_grf.mot, and returns its path.

    Newtons and metres in OpenSim's axes; `ground_force_1` is the right leg, `ground_force_2` the
    left. Beside it stands the ExternalLoads file that refers to it, NAME_ExternalLoads.xml, and of
    a film with several walks the files of each, NAME_walk2_grf.mot and so on, where the path ends
    with NAME.mot or NAME_grf.mot. Where lengths are not known, the centre of pressure is 0, and
    `flags` says so.

    Raises:
      InputError: there is none without the body mass, or without three axes of both legs.
      OSError: the file cannot be written.

    Examples:
      >>> walk.to_mot('walk_grf.mot').read_text().splitlines()[1]
      'version=1'
    """
    path = pathlib.Path(path)
    mots = self._prediction.mots
    if not mots:
      flag = next(flag for flag in self.flags if flag.code == 'prediction.no_opensim_file')
      raise errors.InputError(flag.text, code=flag.code, file=path)
    files = opensim_files.make_files(mots, path.stem.removesuffix('_grf'), path.name)
    with atomic.atomic_files(path.parent, list(files)) as draft:
      for name, text in files.items():
        atomic.write_text(draft / name, text)
    return path

  def save(self, folder: _Path, *, overlay: bool = True) -> list[pathlib.Path]:
    """Writes everything that the command writes: tables, figure, page and annotated video.

    All files are written or none; those of an earlier prediction of the same name are replaced.

    Args:
      folder: for the files; made where it is not there.
      overlay: whether to write the annotated video, for which the film is read again.

    Returns:
      The files, the page last.

    Raises:
      InputError: the video is no longer readable, or its name is 'index', that of a list.
      OSError: a file cannot be written.

    Examples:
      >>> walk.save('results', overlay=False)[-1].name
      'walk.html'
    """
    with video_file.played_at(self._speed):
      return prediction_files.write_prediction(
        pathlib.Path(folder), self._prediction, self.video if overlay else None
      )
