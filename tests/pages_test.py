"""The HTML pages: names stay text, each page stands alone, and its structure is sound."""

import dataclasses
import re

import gait_curves
import html_pages
import jinja2
import numpy as np
import pytest
import report_making

from grfjax.evaluation import held_out_trials, plate_reference
from grfjax.gait import walker_path, walking_speed
from grfjax.io import recordings
from grfjax.report import (
  fold_report,
  html_templates,
  page_parts,
  prediction_files,
  run_report,
  text_table,
)

HOSTILE = report_making.HOSTILE
HOSTILE_LINK = '%3Cscript%3Ealert%281%29%3Cscript%3E%20%26%20%22%24x%22%20%27y%27%20%23%3F%25.html'
MARKUP = '</p></td></title>"\'><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}&amp;'


def write_walk(folder, force, name='walk', band=0.0, **how):
  curves = report_making.make_curves(force, band=band)
  prediction_files.write_prediction(folder, report_making.make_prediction(curves, name, **how))
  return (folder / f'{name}.html').read_text(encoding='utf-8')


# --- parts


def test_a_caption_leads_nowhere_unless_told(tmp_path):
  path = tmp_path / 'a.png'
  path.touch()

  def figure(*how):
    picture = page_parts.Picture(path, 'alt "text"', *how)
    section = page_parts.Section('h', [], [picture])
    return folds_page(sections=[section])

  assert '<a ' not in figure('x')
  assert '<figcaption><a href="a&amp;b">x &lt; y</a></figcaption>' in figure('x < y', 'a&b')
  assert 'alt="alt &#34;text&#34;"' in figure('x')


def folds_page(**values):
  """The template of a round with nothing in it but what is given."""
  empty = {
    'title': 't', 'headline': [], 'near_leg_only': False, 'models': '', 'datasets': '',
    'subjects': ['A'], 'training_followed': '', 'comparisons': [], 'pictures': [], 'sections': [],
    'tables': [], 'not_medical': page_parts.NOT_MEDICAL,
  }  # fmt: skip
  return html_templates.render_page('folds.html.j2', **empty | values)


@pytest.mark.parametrize(
  'values',
  [
    {'title': MARKUP},
    {'headline': [(MARKUP, MARKUP)]},
    {'models': MARKUP, 'datasets': MARKUP},
    {'subjects': ['A', MARKUP]},
    {'training_followed': MARKUP},
    {'comparisons': [MARKUP]},
    {'sections': [page_parts.Section(MARKUP, [MARKUP])]},
  ],
  ids=lambda values: next(iter(values)),
)
def test_whatever_a_page_is_given_is_text(values):
  seen = html_pages.check_page(folds_page(**values))
  assert MARKUP in seen.text
  assert not seen.all('img')


def test_a_value_that_a_template_lacks_is_an_error():
  with pytest.raises(jinja2.UndefinedError, match='table'):
    html_templates.render_page('table.html.j2', links={})


def test_table_as_html():
  table = text_table.Table(
    't', 'T <1>', 'c & d', ('a', '"b"'), ('', '.1f'), (('<b>x', None), ('y', -0.01)), ('<n>',)
  )
  text = str(table.html({'<b>x': 'p?a&b'}))
  seen = html_pages.Page(text)
  assert seen.all('th') == [{'scope': 'col'}] * 2 + [{'scope': 'row'}] * 2
  assert seen.all('a') == [{'href': 'p?a&b'}]
  assert seen.all('div') == [
    {'class': 'scroll', 'role': 'region', 'tabindex': '0', 'aria-label': 'T <1>'}
  ]
  assert '<tr><th scope="row"><a href="p?a&amp;b">&lt;b&gt;x</a></th><td>–</td></tr>\n' in text
  assert '<tr><th scope="row">y</th><td>0.0</td></tr>\n' in text
  assert text.endswith('</div>\n<p class="note">&lt;n&gt;</p>\n')
  assert len(seen.all('b')) == 1  # the title


# --- the page of a walk, and the index


def test_page_stands_alone_and_escapes(tmp_path):
  text = write_walk(tmp_path, report_making.walk(), HOSTILE, band=0.1, notes=('<i>note',))
  seen = html_pages.check_page(text)
  for words in (HOSTILE, f'{HOSTILE}.mp4', '<i>note', 'Body mass: 60 kg', 'B, held out: 5.6',
                'not a medical device', 'learned from 3 people', '90% of stance', 'Symmetry index',
                'Woodard', '120'):  # fmt: skip
    assert words in seen.text
  assert len(seen.all('img')) == 1
  assert len(seen.all('table')) == 3
  assert 'Nothing stood out' not in seen.text


@pytest.mark.parametrize(
  'change',
  [
    {'video_name': MARKUP},
    {'subject': MARKUP},
    {'notes': (MARKUP,)},
    {'run': report_making.RUN | {'model': MARKUP}},
    {'run': report_making.RUN | {'mae_pct_bw': {MARKUP: 1.0}}},
  ],
  ids=['video', 'subject', 'note', 'model', 'who'],
)
def test_no_name_on_a_page_becomes_html(tmp_path, change):
  prediction = report_making.make_prediction(report_making.make_curves(report_making.walk()))
  prediction_files.write_prediction(tmp_path, dataclasses.replace(prediction, **change))
  prediction_files.write_index(tmp_path, [MARKUP])
  seen = html_pages.check_page((tmp_path / 'walk.html').read_text(encoding='utf-8'))
  assert MARKUP in seen.text
  assert len(seen.all('img')) == 1
  index = html_pages.check_page((tmp_path / 'index.html').read_text('utf-8'), ['walk.html'])
  assert index.text.count(MARKUP) == 1 + ('subject' in change)


def test_headings_of_a_walk(tmp_path):
  curves = report_making.make_curves(report_making.walk(), band=0.0)
  count = len(curves.time_s)
  # 0.8 body heights a second, as steps of 0.4 twice a second make it.
  path = walker_path.WalkerPath(np.arange(count) * 4 / 3, np.full(count, 100.0), 640)
  given = walking_speed.Given(height_m=1.7)
  prediction_files.write_prediction(
    tmp_path,
    report_making.make_prediction(
      dataclasses.replace(curves, path=path, feet=report_making.make_feet(curves.force)),
      given=given,
    ),
  )
  text = (tmp_path / 'walk.html').read_text(encoding='utf-8')
  assert re.findall('<h2>(.*)</h2>', text) == [
    'In short', 'What to be careful about', 'Curves', 'Where the feet stood', 'Numbers',
    'How it was made', 'What the words mean',
  ]  # fmt: skip
  assert 'Nothing stood out: no gap, and no value that walking excludes.' in text


def test_a_mean_of_fewer_than_three_contacts_is_marked(tmp_path):
  few, enough = (
    write_walk(
      tmp_path / name, gait_curves.walk(gait_curves.alternate(count), rate=60, lasts=7.0)[1]
    )
    for name, count in (('few', 4), ('enough', 12))
  )
  assert '<td>2 !</td>' in few
  assert not re.search(r'<td>\d+ !</td>', enough)


def test_page_of_nothing(tmp_path):
  seen = html_pages.check_page(write_walk(tmp_path, np.full((30, 2, 1), np.nan), mass=None))
  assert 'No whole contact was seen' in seen.text


def test_index_lists_every_result_and_failure(tmp_path):
  for name in ('b', HOSTILE):
    write_walk(tmp_path, report_making.walk(), name)
  (tmp_path / 'mine.json').write_text('{"a": 1}')
  (tmp_path / 'broken.json').write_text('{"a"')
  prediction_files.write_index(tmp_path, ['trials.csv, line 3 (trial <c>): no such file'])
  links = [HOSTILE_LINK, 'b.html']
  seen = html_pages.check_page((tmp_path / 'index.html').read_text(), links)
  assert HOSTILE in seen.text
  assert 'trials.csv, line 3 (trial <c>): no such file' in seen.text
  assert '2 results' in seen.text
  assert '0.95' in seen.text


def test_index_of_nothing(tmp_path):
  prediction_files.write_index(tmp_path, [])
  seen = html_pages.check_page((tmp_path / 'index.html').read_text())
  assert '0 results' in seen.text
  assert 'Trials that failed' not in seen.text


def test_page_and_index_say_the_error(recordings_dir, tmp_path):
  trial = recordings.load(recordings_dir)[1]  # the camera is at the right
  reference = plate_reference.read_plate_reference(trial)
  curves = report_making.curves_of_plates(trial, reference)
  curves = dataclasses.replace(curves, force=curves.force * [1.1, 1, 1])
  prediction = report_making.make_prediction(curves, reference=reference)
  prediction_files.write_prediction(tmp_path, prediction)
  text = (tmp_path / 'walk.html').read_text()
  html_pages.check_page(text)
  assert 'Of 2 contacts on the plates 2 were found, 0 missed; 0 were invented.' in text
  (mae,) = re.findall(r'the vertical force is (\d+\.\d) % BW off on average', text)
  prediction_files.write_index(tmp_path, [])
  index = html_pages.check_page((tmp_path / 'index.html').read_text(), ['walk.html'])
  assert mae in index.text


# --- the page of a round


def test_page_is_self_contained_and_escapes(tmp_path):
  subjects = 'A', '<b>x', 'a&b"c'
  folds = report_making.made_up_folds(tmp_path, *subjects, legs=1, axes=1)
  hostile = {
    'training_subjects': ['<script>alert(1)</script>'], 'dataset': '<i>walker',
    'model': {'name': '<u>net'},
  }  # fmt: skip
  folds = {s: report_making.changed(evaluation, **hostile) for s, evaluation in folds.items()}
  paths = fold_report.write_fold_report(tmp_path, folds)
  assert paths[0] == tmp_path / 'report' / 'index.html'
  seen = html_pages.check_page(paths[0].read_text(encoding='utf-8'))
  assert not {'i', 'u'} & {t for t, _ in seen.tags}
  assert len(seen.all('b')) == len(seen.all('table'))  # captions' titles, no name's
  for words in ('<b>x', 'a&b"c', '<script>alert(1)</script>', '<u>net', 'not a medical device',
                'Data set: <i>walker as built from the recording set the reader gave',
                'in stance only', 'leave one subject out'):  # fmt: skip
    assert words in seen.text
  assert len(seen.all('table')) == 7
  assert len(seen.all('img')) == 5


def test_names_of_trials_and_why_they_are_left_out_are_text(tmp_path):
  folds = report_making.small_folds()
  trials = held_out_trials.HeldOutTrials([], {MARKUP: f'why {MARKUP}'})
  page, *_ = fold_report.write_fold_report(tmp_path, folds, trials)
  seen = html_pages.check_page(page.read_text(encoding='utf-8'))
  assert f'Not judged (trial {MARKUP}): why {MARKUP}.' in seen.text


def test_a_runs_page_stands_alone(tmp_path):
  report_making.made_up_run(tmp_path / 'A', '<i>A')
  page, *_ = run_report.write_run_report(tmp_path / 'A')
  seen = html_pages.check_page(page.read_text(encoding='utf-8'))
  assert '1 subject (<i>A)' in seen.text
