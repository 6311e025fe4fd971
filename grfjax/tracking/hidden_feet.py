"""Feet that are hidden all along a walk: behind a low wall, or below the picture's lower edge."""

from __future__ import annotations

import numpy as np

from grfjax.tracking import linking, walker_track

# A foot that swings is off the floor, so that of legs side by side mostly one alone reaches down to
# the lowest row: in under 0.65 of such frames of all walks looked at. Where something hides the
# feet, both do, in over 0.9, and are no wider there than shins.
BOTH_DOWN = 0.85
MIN_BOTH_SHARE = 0.25  # of a walk's frames must have legs side by side
MAX_SHIN = 0.12  # body heights; a foot that stands has 0.15

# The background changes at the upper edge of what hides them: by gray levels along the whole way,
# and over the median change of the rows around. Floors change by under 2 levels, walls by over 18.
MIN_EDGE = 8.0
EDGE_OVER_OTHERS = 2.0
EDGE_ROWS = (-2, -1, 0)  # of the search picture from the lowest that is seen, as blobs blur
AROUND = 0.12  # body heights


def are_hidden(
  track: linking.BlobTrack,
  smooth: walker_track.Track,
  search_background: np.ndarray,
  lower_edge: float,
) -> bool:
  """Returns whether the feet are out of sight all along.

  Args:
    track: blobs of one person.
    smooth: the same, smooth in time.
    search_background: (h, w, 3) uint8.
    lower_edge: row that blobs reach which the picture's lower edge cuts.
  """
  lowest = np.array([b.lowest_leg for b in track if b.legs_apart])
  if len(lowest) < MIN_BOTH_SHARE * len(track):
    return False
  both = lowest[lowest > 0]
  shin = MAX_SHIN * linking.median_height(track)
  if len(both) <= BOTH_DOWN * len(lowest) or float(np.median(both)) > shin:
    return False
  is_at_edge = float(np.median(smooth.floor)) > lower_edge
  return is_at_edge or _ends_at_an_edge(smooth, search_background)


def _ends_at_an_edge(smooth: walker_track.Track, search_background: np.ndarray) -> bool:
  """Returns whether an edge of the background runs along the lowest row of a walker."""
  scale = smooth.background.shape[0] / search_background.shape[0]
  rows, columns = search_background.shape[:2]
  row = np.round(smooth.floor / scale).astype(int)
  column = np.clip(np.round(smooth.x / scale).astype(int), 0, columns - 1)
  reach = int(AROUND * np.median(smooth.height) / scale)
  changes = {}
  for offset in range(-reach, reach + 1):
    upper, lower = row + offset - 2, row + offset + 1
    inside = (upper >= 0) & (lower < rows)
    if inside.mean() > 0.5:
      above, below = (
        search_background[r[inside], column[inside]].astype(float) for r in (upper, lower)
      )
      # Of the means over the way: a pattern's changes cancel out.
      changes[offset] = float(np.abs((below - above).mean(0)).max())
  at_feet = max((changes.get(offset, 0.0) for offset in EDGE_ROWS), default=0.0)
  return at_feet > max(MIN_EDGE, EDGE_OVER_OTHERS * float(np.median([*changes.values(), 0.0])))
