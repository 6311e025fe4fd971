"""A damaged file of force curves is refused with a code, its line and its column."""

import pytest

from grfjax import errors
from grfjax.gait import curve_files

HEADER = 'time_s,left_fz_bw,right_fz_bw'


@pytest.mark.parametrize(
  ('text', 'code', 'line', 'column'),
  [
    ('', 'table.syntax', None, None),
    ('time_s,left_fz_bw\n', 'table.missing_column', 1, 'right_fz_bw'),
    (f'{HEADER}\n0,1,\n0.1,1\n', 'table.cell_count', 3, None),
    (f'{HEADER}\n0,1,x\n', 'table.not_a_number', 2, 'right_fz_bw'),
    (f'{HEADER}\n,1,1\n', 'table.not_a_number', 2, 'time_s'),
  ],
)
def test_a_damaged_file_is_refused(text, code, line, column):
  with pytest.raises(errors.InputError) as caught:
    curve_files.from_csv(text)
  assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)


def test_no_row_is_no_damage():
  time_s, force = curve_files.from_csv(f'{HEADER}\n')
  assert time_s.shape == (0,)
  assert force.shape == (0, 2, 1)
