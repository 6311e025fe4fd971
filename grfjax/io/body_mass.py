"""The mass of a person who stands still on force plates."""

from __future__ import annotations

import pathlib

import numpy as np

from grfjax import conventions, errors
from grfjax.io import force_files

_WINDOW_S = 1.0
# Standing still, the vertical force stays within 0.5 % of the weight (heartbeat, breath and sway);
# over a second of walking its standard deviation is 10 % and more.
_MAX_SD = 0.02
_SAME_LOAD = 1.05
_LOADED = 0.5  # of the largest mean: quieter than a person is only the empty plate


def weigh(files: tuple[pathlib.Path, ...], force_format: str, root: pathlib.Path) -> float:
  """Returns the mass that plates carry in their quietest second, in kilograms.

  Args:
    files: force files of quiet standing; all plates are added.
    force_format: their format, or '' to recognise it.
    root: the recording set.

  Raises:
    InputError: a file cannot be used, or nobody stands still in it.
  """
  time_s, newtons = force_files.read_vertical(files, force_format, root)
  count = round(_WINDOW_S / float(np.median(np.diff(time_s))))
  name = ', '.join(map(str, files))
  if len(newtons) < count:
    raise errors.InputError(
      f'{name}: lasts {time_s[-1] - time_s[0]:.3g} s, expected {_WINDOW_S:g} s of standing or more',
      code='force.not_standing',
      file=files[0],
    )
  windows = np.lib.stride_tricks.sliding_window_view(newtons, count)[:: max(1, count // 20)]
  mean, sd = windows.mean(-1), windows.std(-1)
  sd[mean < max(_LOADED * mean.max(), conventions.CONTACT_N)] = np.inf
  quietest = int(sd.argmin())
  if not sd[quietest] <= _MAX_SD * mean[quietest]:
    raise errors.InputError(
      f'{name}: nobody stands still for {_WINDOW_S:g} s; expected a vertical force whose standard '
      f'deviation is at most {100 * _MAX_SD:g} % of its mean',
      code='force.not_standing',
      file=files[0],
    )
  steady = mean[sd <= _MAX_SD * mean]
  if steady.max() > _SAME_LOAD * mean[quietest]:
    raise errors.InputError(
      f'{name}: the plates carry {mean[quietest]:.4g} N for {_WINDOW_S:g} s and '
      f'{steady.max():.4g} N for another; expected one person with both feet on the plates',
      code='force.not_standing',
      file=files[0],
    )
  return float(mean[quietest]) / conventions.G
