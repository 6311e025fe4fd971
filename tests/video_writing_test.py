"""What is written of a film depends on its frames alone."""

import os
import pathlib
import platform
import subprocess
import sys

import pytest

WRITE = """
import pathlib
import sys
import numpy as np
from grfjax.io import video_writing

sys.path.insert(0, sys.argv[2])  # where the tests' own films are made
import making

from cv2 import circle

frames = []
for k in range(60):  # what is drawn moves on an even ground, with a little noise
  frame = np.random.default_rng(k).normal(128, 3, (300, 320, 3)).astype(np.uint8)
  circle(frame, (40 + 4 * k, 120), 30, (200, 40, 60), -1, 16)
  circle(frame, (300 - 4 * k, 240), 20, (30, 90, 200), 3, 16)
  frames.append(frame)
video_writing.write_video(sys.argv[1] + '.mp4', frames, preset='veryfast')
making.write_video(pathlib.Path(sys.argv[1] + '_test.mp4'), making.film(70).frames)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='glibc alone fills memory at will')
def test_the_same_frames_make_the_same_film_whatever_lies_in_memory(tmp_path):
  films = []
  for fill in ('85', '170'):  # of memory that is handed out and not yet written
    environment = {**os.environ, 'MALLOC_PERTURB_': fill}
    arguments = [tmp_path / fill, pathlib.Path(__file__).parent]
    subprocess.run([sys.executable, '-c', WRITE, *arguments], env=environment, check=True)
    films.append([(tmp_path / f'{fill}{end}.mp4').read_bytes() for end in ('', '_test')])
  assert films[0] == films[1]
