"""Tables as text and Markdown."""

from grfjax.report import text_table


def test_wide_tables_fold_and_repeat_their_first_column():
  names = tuple(f'subject{k:02}' for k in range(30))
  table = text_table.Table('t', 'T', 'c', ('interval', *names), ('', *['.1f'] * 30),
                       (('0.01-0.10', *range(30)),))  # fmt: skip
  lines = table.text().splitlines()
  assert max(map(len, lines)) <= 100
  assert sum(line.startswith('0.01-0.10') for line in lines) > 1
  assert all(name in table.text() for name in names)


def test_markdown_escapes_names():
  table = text_table.Table('t', 'T', 'c', ('a', 'b'), ('', '.1f'), (('<b>x|_y', None),))
  assert table.markdown().splitlines()[-1] == r'| &lt;b&gt;x\|\_y | – |'


def test_negative_zero_has_no_sign():
  assert text_table.format_value(-0.001, '.2f') == '0.00'
  assert text_table.format_value(-0.1, '.1f') == '-0.1'
  assert text_table.format_value(None, '.1f') == '–'
