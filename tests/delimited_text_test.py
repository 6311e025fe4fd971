"""Tests of grfjax.io.delimited_text: which texts are numbers, encodings, places and delimiters."""

import math

import hypothesis
import pytest
from hypothesis import strategies

from grfjax import errors
from grfjax.io import delimited_text


@pytest.mark.parametrize(
  ('cell', 'value'),
  [
    ('1', 1), ('-1.5', -1.5), ('+.5', 0.5), ('5.', 5), ('1e3', 1000), ('-2.5E-3', -0.0025),
    ('1e999', math.inf), ('inf', math.inf), ('-Infinity', -math.inf), ('007', 7),
  ],
)  # fmt: skip
def test_numbers(cell, value):
  assert delimited_text.parse_number(cell) == value


@pytest.mark.parametrize(
  'cell',
  ['', ' 1', '1 ', '1\n', '1_000', '0x1F', '1,5', '1.2.3', '.', 'e5', '1e', '--1', '−1', '٣', 'one',
   '1 kg', 'nano', 'True', '1j'],
)  # fmt: skip
def test_texts_that_are_no_numbers(cell):
  assert delimited_text.parse_number(cell) is None
  with pytest.raises(errors.InputError) as caught:
    delimited_text.finite_number(cell, line=3, column='x')
  error = caught.value
  assert (error.code, error.file, error.line, error.column) == ('table.not_a_number', None, 3, 'x')
  assert str(error) == f'line 3, column x: found {cell!r}, expected a finite number'


@pytest.mark.parametrize('cell', ['nan', 'NaN', '-inf', 'infinity', '1e999'])
def test_numbers_that_are_not_finite(cell, tmp_path):
  assert not math.isfinite(delimited_text.parse_number(cell))
  with pytest.raises(errors.InputError, match=r'a\.csv, line 3, column x: found') as caught:
    delimited_text.finite_number(cell, line=3, column='x', path=tmp_path / 'a.csv')
  assert (caught.value.code, caught.value.file) == ('table.not_finite', str(tmp_path / 'a.csv'))


@hypothesis.settings(derandomize=True, database=None, deadline=None)
@hypothesis.given(strategies.floats(allow_nan=False))
def test_every_float_is_read_back(value):
  assert delimited_text.parse_number(repr(value)) == value


@hypothesis.settings(derandomize=True, database=None, deadline=None)
@hypothesis.given(strategies.text())
def test_no_text_is_taken_that_python_refuses(text):
  value = delimited_text.parse_number(text)
  assert value is None or value == float(text) or math.isnan(float(text))


def test_delimiters():
  assert delimited_text.find_delimiter('a,b,c') == ','
  assert delimited_text.find_delimiter('a;b;c') == ';'
  assert delimited_text.find_delimiter('a') == ','
  assert delimited_text.find_delimiter('a,b;c') == ','


def test_separators_of_exports():
  assert delimited_text.find_separator('a\tb, c\td') == '\t'
  assert delimited_text.find_separator('a;b;c (N, kN)') == ';'
  assert delimited_text.find_separator('a,b') == ','
  assert delimited_text.find_separator(' a  b ') is None
  assert delimited_text.find_separator('a') in '\t;,'


def test_lines_of_an_export(tmp_path):
  path = tmp_path / 'a.txt'
  for data, notes in (
    ('Ort \u00e9\r\n1;2\r3\n'.encode(), 0),
    ('Ort \u00e9\r\n1;2\r3\n'.encode('utf-8-sig'), 0),
    ('Ort \u00e9\r\n1;2\r3\n'.encode('utf-16'), 0),
    ('Ort \u00e9\r\n1;2\r3\n'.encode('cp1252'), 1),
  ):
    path.write_bytes(data)
    lines, said = delimited_text.read_export(path)
    assert lines == ['Ort \u00e9', '1;2', '3', '']
    assert len(said) == notes


def test_columns_that_cannot_be_seen_are_escaped():
  assert delimited_text.list_columns(['a', 'b\t', '\ufeffc']) == "a, 'b\\t', '\\ufeffc'"
  assert delimited_text.list_columns([]) == 'nothing'
