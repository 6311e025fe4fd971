"""The picture that stands for an annotated film until it is started."""

from __future__ import annotations

import json
import pathlib

import cv2
import numpy as np

from grfjax.app import results
from grfjax.io import atomic, video_file

_WIDTH = 960  # pixels at most
_QUALITY = 80  # of JPEG


def write_poster(folder: pathlib.Path) -> None:
  """Writes a frame of a walk's annotated film beside it, from the middle of a contact.

  Args:
    folder: of the walk, with its other results.
  """
  content = json.loads((folder / results.FILES['measures.json']).read_text(encoding='utf-8'))
  video = video_file.probe(folder / results.FILES['film.mp4'])
  contacts = content['contacts']
  middles_s = [
    c['contact_s'] + c['stance_s'] / 2 for c in contacts if c['stance_s'] is not None
  ] or [video.time_s[-1] / 2]
  number = int(np.abs(video.time_s - middles_s[len(middles_s) // 2]).argmin())
  picture = cv2.cvtColor(video_file.frame(video, number), cv2.COLOR_RGB2BGR)
  if picture.shape[1] > _WIDTH:
    rows = round(picture.shape[0] * _WIDTH / picture.shape[1])
    picture = cv2.resize(picture, (_WIDTH, rows), interpolation=cv2.INTER_AREA)
  jpeg = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
  with atomic.atomic_file(folder / results.FILES['poster.jpg']) as temporary:
    temporary.write_bytes(jpeg.tobytes())
