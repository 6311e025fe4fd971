"""The figure of one video."""

import numpy as np
import pytest
import report_making

from grfjax.gait import foot_contacts
from grfjax.report import walk_figure


@pytest.mark.parametrize(
  'estimate',
  [
    report_making.make_curves(
      np.concatenate([report_making.walk(), np.full((30, 2, 3), np.nan), report_making.walk(12)]),
      band=0.2,
    ),
    report_making.make_curves(np.where([[[1], [0]]], report_making.walk(axes=1), np.nan)),
    report_making.make_curves(np.full((30, 2, 3), np.nan)),
  ],
  ids=['walks', 'one leg', 'nothing'],
)
def test_figure_of_whatever_there_is(tmp_path, estimate):
  found = foot_contacts.find_contacts(estimate.time_s, estimate.force)
  path = walk_figure.draw_walk(tmp_path / 'a.png', estimate, found, 60.0, None, 'a$b$c')
  assert path.read_bytes()[:8] == b'\x89PNG\r\n\x1a\n'
