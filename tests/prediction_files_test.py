"""What a prediction leaves behind: golden files, checks, the page, and all files or none."""

import dataclasses
import html.parser
import json
import re
import types

import ml_collections
import numpy as np
import pytest

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.evaluation import plate_reference
from grfjax.gait import curve_files, foot_contacts, force_curves, gait_measures, plausibility
from grfjax.inference import trained_run, video_estimate
from grfjax.io import force_files, recordings
from grfjax.report import predicting, prediction_files, walk_figure

RUN = {
  'model': 'walker (width 32)',
  'step': 7,
  'trained_on_subjects': 3,
  'mae_pct_bw': {'B, held out': 5.6},
  'interval_share': 0.9,
}
HOSTILE = '<script>alert(1)<script> & "$x" \'y\' #?%'  # no file's name has a slash


def curves_of(force, rate=60, camera='left', band=0.0):
  """Curves of (N, 2, axes); with an interval of +-band where it is not 0."""
  force = np.asarray(force, float)
  interval = force[..., None] + ([-band, band] if band else [])
  return force_curves.ForceCurves(
    np.arange(len(force)) / rate, force, interval, camera, False, *nowhere(len(force))
  )


def nowhere(count):
  """Box and direction of who is not followed."""
  return np.full((count, 4), np.nan), np.zeros(count, int)


def walk(steps=6, axes=3, stance=0.6, step=0.5, peak=1.05):
  """Both legs in turn, one walk of 60 frames a second."""
  time_s = np.arange(round(60 * (0.4 + step * steps))) / 60
  force = np.zeros((len(time_s), 2, axes))
  for k in range(steps):
    u = (time_s - 0.2 - k * step) / stance
    on = (u > 0) & (u < 1)
    force[on, k % 2, 0] = peak * (1.1 * np.sin(np.pi * u) + 0.3 * np.sin(3 * np.pi * u))[on]
    if axes == 3:
      force[on, k % 2, 1] = -0.2 * np.sin(2 * np.pi * u[on])
  return force


def result_of(estimate, name='walk', mass=60.0, **how):
  return walk_content.Prediction(name, f'{name}.mp4', '', estimate, mass, RUN, **how)


def flags_of(force, **how):
  estimate = dataclasses.replace(curves_of(force), **how)
  return plausibility.check_plausibility(
    estimate, foot_contacts.find_contacts(estimate.time_s, estimate.force)
  )


# --- OpenSim


MOT = """\
walk one_grf
version=1
nRows=2
nColumns=19
inDegrees=yes
endheader
"""


def test_mot_to_the_letter():
  force = np.full((4, 2, 3), np.nan)
  force[1] = [[0.5, 0.1, 0.02], [1.0, -0.1, -0.04]]
  force[3] = 0.0
  force[2, 0] = 1.0  # one leg alone is no row
  weight = 10.0 * conventions.G
  text = curve_files.to_mot(curves_of(force, rate=10), 10.0, 'walk\none_grf')
  assert text.startswith(MOT)
  labels, first, last = (line.split('\t') for line in text.splitlines()[6:])
  assert labels[0] == 'time'
  assert labels[1:13] == [
    f'ground_force_{n}_{p}{axis}' for n in (1, 2) for p in 'vp' for axis in 'xyz'
  ]
  assert labels[13:] == [f'ground_torque_{n}_{axis}' for n in (1, 2) for axis in 'xyz']
  right = [f'{v * weight:.3f}' for v in (-0.1, 1.0, 0.04)]  # forward, up, to the right
  left = [f'{v * weight:.3f}' for v in (0.1, 0.5, -0.02)]
  nothing = ['0.000'] * 3
  assert first == ['0.100000', *right, *nothing, *left, *nothing, *nothing, *nothing]
  assert last == ['0.300000', *['0.000'] * 18]


def test_mot_goes_through_our_own_reader(tmp_path):
  estimate = curves_of(walk())
  path = tmp_path / 'walk_grf.mot'
  path.write_text(curve_files.to_mot(estimate, 60.0, 'walk_grf'))
  plates = force_files.read(path, 2)
  np.testing.assert_allclose(plates.time_s, estimate.time_s, atol=1e-6)
  legs = plate_contacts.leg_forces(plates, ('right', 'left'))
  for k, leg in enumerate(conventions.LEGS):
    newtons = estimate.force[:, k][:, [1, 2, 0]] * 60 * conventions.G
    np.testing.assert_allclose(legs[leg], newtons, atol=1e-3)


@pytest.mark.parametrize('force', [walk(axes=1), np.where([[[1], [0]]], walk(), np.nan)])
def test_no_mot_of_half_a_force(force):
  assert curve_files.to_mot(curves_of(force), 60.0, 'walk') == ''


# --- checks


def test_a_sound_walk_has_no_flag():
  judged = flags_of(walk())
  assert judged.flags == ()
  assert (judged.walks, judged.contacts, judged.cut_off, judged.strides) == (1, 6, 0, 4)


def test_both_legs_over_a_stride_by_formula():
  """The mean of a stance's curve is 2.4 / pi of its scale; two of 0.6 s in a stride of 1 s."""
  estimate = curves_of(walk(peak=1.0))
  totals = plausibility.stride_totals(
    estimate, foot_contacts.find_contacts(estimate.time_s, estimate.force)
  )
  assert totals[1:] == pytest.approx(2.4 / np.pi * 1.2, abs=0.005)
  assert totals[0] < totals[1]  # no foot stood there before the first


def test_gaps_are_counted_and_said():
  force = np.concatenate([walk(), np.full((30, 2, 3), np.nan), walk()])
  force[:5, 1] = np.nan
  judged = flags_of(force)
  assert judged.walks == 2
  assert judged.without_estimate == {'left': 30, 'right': 35}
  text = ' '.join(judged.flags)
  assert '30 of 438 frames have no estimate' in text
  assert 'right leg has no estimate in 5 frames of the walk' in text
  assert '2 walks' in text


def test_cut_off_contacts_are_said():
  assert '1 of 6 contacts are not seen whole' in ' '.join(flags_of(walk()[20:]).flags)


def test_nothing_is_said_to_be_nothing():
  judged = flags_of(np.full((30, 2, 3), np.nan))
  assert judged.walks == judged.contacts == judged.strides == 0
  assert judged.mean_total_bw is None
  text = ' '.join(judged.flags)
  assert 'There is no estimate of the left leg' in text
  assert 'No whole contact was seen' in text


def test_one_leg_is_not_blamed_for_the_other():
  judged = flags_of(np.where([[[1], [0]]], walk(), np.nan), near_only=True)
  assert judged.flags == (
    'There is no estimate of the right leg (the network knows the near leg alone).',
  )


def without_third(force):
  force[round(60 * 1.1) : round(60 * 2.0), 0] = 0
  return force


@pytest.mark.parametrize(
  ('force', 'flag'),
  [
    (walk(peak=1.7), 'left leg reaches 1.69 BW; walking does not exceed 1.6 BW'),
    (walk(peak=1.3), 'carry 1.1[0-9] BW on average; it must be 1'),
    (walk(peak=0.8), 'carry 0.7[0-9] BW on average; it must be 1'),
    (walk(steps=12, stance=0.25, step=0.28), 'cadence of 21[0-9] steps a minute is outside 40'),
    (walk(steps=4, stance=1.2, step=1.6), 'cadence of 3[78] steps a minute is outside 40'),
    (walk(stance=0.3, step=0.5), 'contact of the left foot at 0.20 s lasts 0.30 s; in walking'),
    (walk(stance=1.6, step=1.2), 'foot at 0.21 s lasts 1.58 s; in walking'),
    (np.maximum(walk(steps=4), 0.1), 'right leg does not fall to 0 between two contacts'),
    (without_third(walk()), 'right foot touches down twice in a row'),
  ],
)
def test_what_cannot_be_is_said(force, flag):
  assert re.search(flag, ' '.join(flags_of(force).flags))


# --- JSON and words


def test_json_holds_what_a_program_needs(tmp_path):
  force = walk()
  force[:12] = np.nan
  prediction_files.write_prediction(tmp_path, result_of(curves_of(force, camera='right', band=0.1)))
  told = json.loads((tmp_path / 'walk.json').read_text())
  assert told['video'] == 'walk.mp4'
  assert told['camera'] == 'right'
  assert told['body_mass_kg'] == 60
  assert told['run'] == RUN
  assert told['errors'] is None
  assert re.fullmatch(r'\d+\.\d+.*', told['grfjax'])
  assert told['quality']['frames'] == len(force)
  assert told['quality']['without_estimate'] == {'left': 12, 'right': 12}
  assert len(told['quality']['flags']) == 1
  assert len(told['contacts']) == 6
  assert told['summary']['cadence_steps_per_min']['mean'] == pytest.approx(120, abs=1)
  assert set(told['definitions']) >= set(gait_measures.MEASURES)


def test_words_say_cadence_stance_and_peaks():
  text = '\n'.join(walk_text.result_sentences(result_of(curves_of(walk()))))
  assert 'Cadence: 120 steps a minute, of 5 steps.' in text
  for leg in ('Left', 'Right'):
    line = rf'{leg} leg: stance 0.59 s, of 3 whole contacts; first peak 1.04 BW = 61\d N; second '
    assert re.search(line, text)
  assert 'stance time 0 %, first peak 0 %' in text
  assert 'over 4 whole strides both legs together carry 0.95 BW' in text


def test_words_of_one_leg_and_of_none():
  force = np.where([[[1], [0]]], walk(axes=1), np.nan)
  only = dataclasses.replace(curves_of(force), near_only=True)
  text = '\n'.join(walk_text.result_sentences(result_of(only, mass=None)))
  assert 'Right leg: no estimate (the network knows the near leg alone).' in text
  assert ' N;' not in text
  assert 'Cadence' not in text
  nothing = walk_text.result_sentences(result_of(curves_of(walk()[30:40])))
  assert 'Left leg: no whole stance was seen.' in nothing


def test_about_a_run(tmp_path):
  config = ml_collections.ConfigDict({'model': {'name': 'walker', 'width': 4}})
  run = types.SimpleNamespace(folder=tmp_path, config=config, step=6)
  bare = run_description.describe_run(run)
  assert bare == {
    'model': 'walker (width 4)', 'step': 6, 'trained_on_subjects': None, 'mae_pct_bw': {},
    'interval_share': None,
  }  # fmt: skip
  (tmp_path / 'subjects.json').write_text('{"trained": [["A", 61.5], ["C", 75.0]], "watched": []}')
  (tmp_path / 'eval.json').write_text('{"subjects": {"B": {"mae_pct_bw": 4.25}}}')
  (tmp_path / trained_run.INTERVAL).write_text('{"share": 0.9}')
  full = run_description.describe_run(run)
  assert full['trained_on_subjects'] == 2
  assert full['mae_pct_bw'] == {'B, held out': 4.25}
  assert full['interval_share'] == 0.9


# --- files


def files_of(name):
  return {f'{name}{s}' for s in ('.csv', '_grf.mot', '.json', '.png', '.html')}


def test_a_second_run_replaces_only_its_own(tmp_path):
  (tmp_path / 'walk_overlay.txt').write_text('mine')
  first = curves_of(walk())
  prediction_files.write_prediction(tmp_path, result_of(first, 'other'))
  written = prediction_files.write_prediction(tmp_path, result_of(first))
  assert {p.name for p in written} == files_of('walk')
  assert written[-1].name == 'walk.html'
  before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
  assert set(before) == files_of('walk') | files_of('other') | {'walk_overlay.txt'}
  written = prediction_files.write_prediction(
    tmp_path, result_of(curves_of(walk(steps=4)), mass=None)
  )
  after = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
  # Without a mass there are no newtons, and none of an earlier run stay.
  assert set(before) - set(after) == {'walk_grf.mot'}
  assert {p.name for p in written} == files_of('walk') - {'walk_grf.mot'}
  assert {n for n in after if after[n] != before[n]} == {p.name for p in written}
  assert 'no OpenSim file (_grf.mot): the body mass is not given' in after['walk.html'].decode()


def test_a_failing_figure_leaves_nothing_and_what_was_there(tmp_path, monkeypatch):
  prediction_files.write_prediction(tmp_path, result_of(curves_of(walk())))
  before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

  def fail(self, path, **_):
    path.write_bytes(b'half')
    raise OSError('disk full')

  monkeypatch.setattr(walk_figure.figure.Figure, 'savefig', fail)
  for name in ('walk', 'new'):
    with pytest.raises(OSError, match='disk full'):
      prediction_files.write_prediction(tmp_path, result_of(curves_of(walk(steps=4)), name))
  assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize('name', ['index', 'Index'])
def test_the_indexs_name_is_taken(tmp_path, name):
  with pytest.raises(ValueError, match=f"'{name}' is taken"):
    prediction_files.write_prediction(tmp_path, result_of(curves_of(walk()), name))
  assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
  'estimate',
  [
    curves_of(np.concatenate([walk(), np.full((30, 2, 3), np.nan), walk(12)]), band=0.2),
    curves_of(np.where([[[1], [0]]], walk(axes=1), np.nan)),
    curves_of(np.full((30, 2, 3), np.nan)),
  ],
  ids=['walks', 'one leg', 'nothing'],
)
def test_figure_of_whatever_there_is(tmp_path, estimate):
  found = foot_contacts.find_contacts(estimate.time_s, estimate.force)
  path = walk_figure.draw_walk(tmp_path / 'a.png', estimate, found, 60.0, None, 'a$b$c')
  assert path.read_bytes()[:8] == b'\x89PNG\r\n\x1a\n'


# --- the page


VOID = {'meta', 'img', 'br', 'hr', 'link', 'input'}


class Page(html.parser.HTMLParser):
  """Checks that tags balance; keeps them and the text."""

  def __init__(self, text):
    super().__init__()
    self.open, self.tags, self.text = [], [], ''
    self.feed(text)
    assert self.open == []

  def handle_starttag(self, tag, attrs):
    self.tags.append((tag, dict(attrs)))
    if tag not in VOID:
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.text += data

  def all(self, tag):
    return [attrs for name, attrs in self.tags if name == tag]


def check_page(text, links=()):
  seen = Page(text)
  assert not re.search(r'https?:|url\(|@import', text)
  targets = [a[k] for _, a in seen.tags for k in ('src', 'href') if k in a]
  assert [t for t in targets if not t.startswith('data:image/png;base64,')] == list(links)
  assert not {'script', 'link', 'iframe'} & {t for t, _ in seen.tags}
  assert len(seen.all('h1')) == len(seen.all('main')) == 1
  assert seen.all('html') == [{'lang': 'en'}]
  assert all(th.get('scope') in ('col', 'row') for th in seen.all('th'))
  assert len(seen.all('caption')) == len(seen.all('table'))
  assert all(len(img['alt']) > 20 for img in seen.all('img'))
  for words in ('prefers-color-scheme: dark', '@media print', 'name="viewport"'):
    assert words in text
  assert not re.search(r'\b(nan|None)\b', seen.text)
  return seen


def test_page_stands_alone_and_escapes(tmp_path):
  prediction_files.write_prediction(
    tmp_path, result_of(curves_of(walk(), band=0.1), HOSTILE, notes=('<i>note',))
  )
  seen = check_page((tmp_path / f'{HOSTILE}.html').read_text())
  for words in (HOSTILE, f'{HOSTILE}.mp4', '<i>note', 'Body mass: 60 kg', 'B, held out: 5.6',
                'not a medical device', 'learned from 3 people', '90% of stance', 'Symmetry index',
                'Woodard', '120'):  # fmt: skip
    assert words in seen.text
  assert len(seen.all('img')) == 1
  assert len(seen.all('table')) == 3
  assert 'Nothing stood out' not in seen.text


def test_page_of_nothing(tmp_path):
  prediction_files.write_prediction(
    tmp_path, result_of(curves_of(np.full((30, 2, 1), np.nan)), mass=None)
  )
  seen = check_page((tmp_path / 'walk.html').read_text())
  assert 'No whole contact was seen' in seen.text


def test_index_lists_every_result_and_failure(tmp_path):
  for name in ('b', HOSTILE):
    prediction_files.write_prediction(tmp_path, result_of(curves_of(walk()), name))
  (tmp_path / 'mine.json').write_text('{"a": 1}')
  (tmp_path / 'broken.json').write_text('{"a"')
  prediction_files.write_index(tmp_path, ['trials.csv, line 3 (trial <c>): no such file'])
  link = '%3Cscript%3Ealert%281%29%3Cscript%3E%20%26%20%22%24x%22%20%27y%27%20%23%3F%25.html'
  seen = check_page((tmp_path / 'index.html').read_text(), [link, 'b.html'])
  assert HOSTILE in seen.text
  assert 'trials.csv, line 3 (trial <c>): no such file' in seen.text
  assert '2 results' in seen.text
  assert '0.95' in seen.text


# --- against plates


@pytest.fixture
def trial(recordings_dir):
  return recordings.load(recordings_dir)[1]  # the camera is at the right


def true_as_estimate(trial, found):
  """The truth itself as an estimate, 0 where nobody knows."""
  time_s = np.arange(len(found.force)) / 60
  force = np.nan_to_num(found.force)
  none = force[..., None][..., :0]
  return force_curves.ForceCurves(time_s, force, none, trial.camera, False, *nowhere(len(force)))


def test_truth_is_on_the_videos_clock_by_leg(trial):
  found = plate_reference.plate_reference_of(trial)
  estimate = true_as_estimate(trial, found)
  first = {leg: next(c for c in found.contacts if c.leg == leg) for leg in conventions.LEGS}
  # As the set was made: left from 0.25 s for 0.5 s, right from 0.65 s; y to the walker's left.
  assert first['left'].start_s == pytest.approx(0.25, abs=0.01)
  assert first['right'].end_s == pytest.approx(1.15, abs=0.01)
  middle = round(60 * 0.5)
  assert found.force[middle, 0, 0] == pytest.approx(0.8, abs=0.02)
  assert found.force[middle, 0, 2] == pytest.approx(-0.05, abs=0.005)
  assert found.stances['left'].shape == (1, 101, 3)
  errors = found.errors(estimate, foot_contacts.find_contacts(estimate.time_s, estimate.force))
  assert errors['vertical']['mae_pct_bw'] == pytest.approx(0, abs=1e-3)
  assert errors['contacts']['matched'] == 2
  assert errors['contacts']['missed'] == errors['contacts']['invented'] == 0
  off = dataclasses.replace(estimate, force=estimate.force + [0.1, 0, 0])
  errors = found.errors(off, [])
  assert errors['vertical']['bias_pct_bw'] == pytest.approx(10, abs=1e-3)
  assert errors['contacts']['missed'] == 2


def test_page_and_index_say_the_error(trial, tmp_path):
  found = plate_reference.plate_reference_of(trial)
  estimate = true_as_estimate(trial, found)
  estimate = dataclasses.replace(estimate, force=estimate.force * [1.1, 1, 1])
  prediction_files.write_prediction(tmp_path, result_of(estimate, true=found))
  text = (tmp_path / 'walk.html').read_text()
  assert 'Of 2 contacts on the plates 2 were found, 0 missed; 0 were invented.' in text
  (mae,) = re.findall(r'the vertical force is (\d+\.\d) % BW off on average', text)
  prediction_files.write_index(tmp_path, [])
  index = check_page((tmp_path / 'index.html').read_text(), ['walk.html'])
  assert mae in index.text


def test_no_truth_without_forces_or_a_clock(trial):
  for change in ({'force': None}, {'plates': ()}, {'video_start_s': None}):
    assert plate_reference.plate_reference_of(dataclasses.replace(trial, **change)) is None


def test_forces_that_cannot_be_used_are_noted(recordings_dir, trial, tmp_path, monkeypatch):
  late = dataclasses.replace(trial, name='late', video_start_s=99.0)
  monkeypatch.setattr(video_estimate, 'estimate_video', lambda *_: curves_of(walk(steps=2)[:70]))
  monkeypatch.setattr(run_description, 'describe_run', lambda _: RUN)
  monkeypatch.setattr(recordings, 'load', lambda *_, **__: [trial, late])
  run = types.SimpleNamespace(damaged=())
  assert predicting.predict_set(run, recordings_dir, tmp_path, None) == []
  told = json.loads((tmp_path / 'late.json').read_text())
  assert told['errors'] is None
  assert any('could not be used' in flag for flag in told['quality']['flags'])
