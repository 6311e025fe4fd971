"""Tests of grfjax.io.decimal_marks against the same rules for one cell."""

import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from grfjax.io import decimal_marks

SEPARATORS = "'\u2019 \u00a0\u2009\u202f"


def _is_number(cell, mark):
  """The rules of the module's documentation, on one cell."""
  other = {'.': ',', ',': '.'}[mark]
  found = re.fullmatch(r'[+-]?(.*?)([eE][+-]?[0-9]+)?', cell, re.S)
  whole, _, fraction = found[1].partition(mark)
  if fraction and not re.fullmatch('[0-9]+', fraction):
    return False
  between = set(re.sub('[0-9]', '', whole))
  if not between:
    return bool(whole or fraction) and (bool(whole) or mark in found[1])
  if len(between) > 1 or not between <= {other, *SEPARATORS}:
    return False
  first, *groups = whole.split(between.pop())
  return bool(re.fullmatch('[1-9][0-9]{0,2}', first)) and all(len(g) == 3 for g in groups)


@pytest.mark.parametrize(
  ('cell', 'marks', 'value'),
  [
    ('1,234.5', '.', 1234.5), ('1.234,5', ',', 1234.5), ('1 234,5', ',', 1234.5),
    ("-1'234.5", '.', -1234.5), ('1\u2019234.5', '.', 1234.5),
    ('1\u202f234\u202f567,8', ',', 1234567.8),
    ('1\u00a0234,5', ',', 1234.5), ('0,123', ',', 0.123), ('1,23', ',', 1.23), ('-,5', ',', -0.5),
    ('1,234,567', '.', 1234567), ('1.5e3', '.', 1500), ('5.', '.', 5), ('12345', '.,', 12345),
    ('1 234', '.,', 1234), ('0012,345', ',', 12.345),
    ('1.2.3', '', None), ('1,234 567', '', None), ('1,2345.6', '', None), ('1_0', '', None),
    ('\u0663', '', None), ('', '', None), ('nan', '', None), ('0x1F', '', None),
    ('1,,234', '', None),
    ('.', '', None), (',', '', None), ('+', '', None), ('1e', '', None), ("1''234", '', None),
  ],
)  # fmt: skip
def test_cells(cell, marks, value):
  found = [m for m in decimal_marks.MARKS if decimal_marks.find_fault(cell + '\n', m) is None]
  assert found == list(marks)
  assert [decimal_marks.parse(cell + '\n', m).item() for m in found] == [value] * len(marks)


def test_a_cell_that_is_a_number_with_either_mark_has_either_value():
  assert decimal_marks.parse('1,234\n', '.') == 1234
  assert decimal_marks.parse('1,234\n', ',') == 1.234


@hypothesis.settings(derandomize=True, database=None, deadline=None, max_examples=1500)
@hypothesis.given(
  strategies.lists(
    strategies.text("0123456789001234567890..,,' \u00a0\u2019+-eE", max_size=9)
    | strategies.sampled_from(['1', '1.5', '1,5', '1,234', '1.234', '1,234.5', '1.234,5']),
    min_size=1,
    max_size=5,
  )
)
def test_the_first_fault_of_many_cells_is_that_of_one_after_the_other(cells):
  for mark in decimal_marks.MARKS:
    wrong = [k for k, cell in enumerate(cells) if not _is_number(cell, mark)]
    at = sum(len(cell) + 1 for cell in cells[: wrong[0]]) if wrong else None
    assert decimal_marks.find_fault(''.join(cell + '\n' for cell in cells), mark) == at


def test_a_long_column_is_read_at_once():
  values = np.random.default_rng(0).normal(0, 2000, 20_000).round(2)
  for text, mark in (('{:,.2f}', '.'), ('{:.2f}', '.')):
    cells = ''.join(text.format(v) + '\n' for v in values)
    assert decimal_marks.find_fault(cells, mark) is None
    np.testing.assert_array_equal(decimal_marks.parse(cells, mark), values)
