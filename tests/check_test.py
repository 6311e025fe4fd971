"""grfjax.check: says before a build what a build would say, all of it, and what is doubtful."""

import csv
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys

import html_pages
import making
import numpy as np
import pytest
import tensorflow_datasets as tfds

from grfjax import conventions, errors
from grfjax.data import (
  clip_config,
  findings,
  plate_contacts,
  set_check,
  trial_check,
  trial_doubts,
  trial_forces,
  trial_workers,
  walker_views,
)
from grfjax.evaluation import set_synchronization, synchronization
from grfjax.gait import force_curves
from grfjax.inference import video_estimate
from grfjax.io import force_files, recordings, video_file
from grfjax.report import check_figure, check_files, check_page, check_tables, check_text
from grfjax.tracking import tracking_gaps

ROOT = pathlib.Path(__file__).parents[1]
PAPER, OURS = clip_config.clip_config('mochizuki'), clip_config.clip_config('walker')


@pytest.fixture(scope='module')
def good(tmp_path_factory):
  """Two people, a trial each; to be copied."""
  return making.write_set(tmp_path_factory.mktemp('good'), {'A': 61.5, 'B': 48.0}, trials=2)


@pytest.fixture
def mine(good, tmp_path):
  return pathlib.Path(shutil.copytree(good, tmp_path / 'recordings'))


def alter(root, old, new, name='trials.csv', count=1):
  text = (root / name).read_text()
  assert old in text
  (root / name).write_text(text.replace(old, new, count))


def forces_of(root, name, change):
  """Writes a force file again, its (N, 2, 3) newtons changed."""
  table = np.loadtxt(root / name, delimiter=',', skiprows=1)
  force = change(table[:, 1:].reshape(len(table), -1, 3))
  making.write_forces(root / name, table[:, 0], force)


def codes(found, level=None):
  return [f.code for f in found if level in (None, f.level)]


# --- a build and a check agree


def _no_near_leg(root):
  """B's plates carry the far leg alone."""
  for k, leg in ((1, 'right'), (2, 'left')):
    plate = {'left': 0, 'right': 1}[leg]
    forces_of(root, f'B_{k}.csv', lambda force, p=plate: force[:, [p]])
    alter(root, f'B_{k}.csv,left;right', f'B_{k}.csv,{leg}')


BROKEN = {
  'nothing': (PAPER, lambda root: None, None),
  'camera side': (OURS, lambda root: alter(root, ',left,A_1.csv', ',right,A_1.csv'),
                  'recording.camera_side'),
  'nobody walks': (OURS, lambda root: making.write_video(
    root / 'B_1.mp4', [making.room(64, 96)] * 70), 'video.no_walker'),
  'the video is empty': (PAPER, lambda root: (root / 'A_2.mp4').write_bytes(b''),
                         'video.unreadable'),
  'no start': (PAPER, lambda root: alter(root, 'left;right,3.1,', 'left;right,,'),
               'recording.synchronization'),
  'no column of a start': (
    PAPER,
    lambda root: alter(root, 'video_start_s,contact_frame', 'a,b'), 'table.missing_column'),
  'another start': (PAPER, lambda root: alter(root, 'left;right,3.1,', 'left;right,31,'),
                    'force.no_contact'),
  'a frame that is not there': (
    PAPER, lambda root: alter(root, 'left;right,3.1,', 'left;right,,500'), 'force.contact_frame'),
  'no force file': (PAPER, lambda root: (root / 'B_2.csv').unlink(), 'recording.no_file'),
  'damaged forces': (PAPER, lambda root: alter(root, ',', ';', 'B_2.csv'), 'table.missing_column'),
  'an unknown subject': (PAPER, lambda root: alter(root, '\nB,B_1', '\nX,B_1'),
                         'recording.unknown_subject'),
  'a name twice': (PAPER, lambda root: alter(root, 'B,B_2', 'B,B_1'), 'recording.duplicate_name'),
  'a name that is no split': (
    PAPER,
    lambda root: [
      alter(root, '\nB,', '\nall,', name, 2) for name in ('trials.csv', 'subjects.csv')
    ],
    'recording.bad_name'),
  'a body mass in pounds': (PAPER, lambda root: alter(root, '48.0', '105.8', 'subjects.csv'),
                            'force.implausible_weight'),
  'a body mass that is none': (PAPER, lambda root: alter(root, '48.0', 'x', 'subjects.csv'),
                               'table.not_a_number'),
  'no subjects': (PAPER, lambda root: (root / 'subjects.csv').unlink(), 'recording.no_file'),
  'no near leg': (PAPER, _no_near_leg, 'recording.no_records'),
}  # fmt: skip


@pytest.mark.parametrize('case', BROKEN)
def test_a_check_finds_what_stops_a_build(case, mine, builder_module, tmp_path):
  cfg, change, code = BROKEN[case]
  change(mine)
  check = set_check.check_set(mine, cfg)
  builder = builder_module.Builder(data_dir=tmp_path / 'data', config=cfg.name)
  download = tfds.download.DownloadConfig(manual_dir=mine)
  if code is None:
    builder.download_and_prepare(download_config=download)
    assert check.errors == []
    assert {trial.status for trial in check.trials} <= {'ready', 'doubtful'}
    return
  with pytest.raises(errors.InputError) as caught:
    builder.download_and_prepare(download_config=download)
  assert caught.value.code == code
  refused = findings.Finding.of_error(caught.value)
  assert refused in check.errors
  assert set(codes(check.errors)) == {code}
  assert check.count('refused') == {
    'no column of a start': 4, 'no subjects': 4, 'a name that is no split': 2,
    'a body mass in pounds': 2, 'a body mass that is none': 2, 'no near leg': 2,
  }.get(case, 1)  # fmt: skip


# --- all of it, not the first


@pytest.fixture(scope='module')
def broken(good, tmp_path_factory):
  """A set with an error of each kind, and its check."""
  root = pathlib.Path(shutil.copytree(good, tmp_path_factory.mktemp('broken') / 'recordings'))
  alter(root, ',left,A_1.csv', ',right,A_1.csv')
  alter(root, 'A_2.csv,left;right,3.1,', 'A_2.csv,left;right,,')
  alter(root, 'B_1.csv,left;right,3.1,', 'B_1.csv,left;right,31,')
  (root / 'B_1.mp4').write_bytes(b'no video')
  forces_of(root, 'B_2.csv', lambda force: force * 1e-3)
  with (root / 'trials.csv').open('a') as file:
    file.write('B,B_3,B_2.mp4,right,B_9.csv,left;right,3.1,\n')
    file.write(',B_4,B_2.mp4,right,B_2.csv,left;right,3.1,\n')
    file.write('X,<b>&,B_2.mp4,right,B_2.csv,left;right,3.1,\n')
  return set_check.check_set(root, OURS)


EXPECTED = {
  'A_1': ['recording.camera_side'],
  'A_2': ['recording.synchronization'],
  'B_1': ['video.unreadable'],
  'B_2': ['force.implausible_weight'],
  'B_3': ['recording.no_file'],
  'B_4': ['table.empty_cell'],
  '<b>&': ['recording.unknown_subject'],
}


def test_every_error_is_found_at_its_trial(broken):
  found = {trial.name: codes(trial.found, findings.Level.ERROR) for trial in broken.trials}
  assert found == EXPECTED
  assert sorted(codes(broken.errors)) == sorted(code for of in EXPECTED.values() for code in of)
  assert [trial.line for trial in broken.trials] == list(range(2, 9))
  assert broken.count('refused') == 7


def test_what_can_be_looked_at_is_looked_at(broken):
  camera_side, no_start, no_video, no_forces, *rows = broken.trials
  assert camera_side.labels.known > (20, 20)
  assert (no_start.video.direction, no_start.plates.start_s, no_start.labels) == (1, None, None)
  # Without a place on the video's clock, contacts are on the plates' own.
  assert no_start.plates.contacts['left'][0].start_s == pytest.approx(3.1 + 0.25, abs=0.01)
  assert no_video.video is None
  assert no_video.plates.contacts['left'][0].start_s == pytest.approx(3.1 + 0.25 - 31, abs=0.01)
  assert not no_forces.plates.is_plausible
  assert no_forces.plates.peak_bw['left'] == pytest.approx(0.99e-3, rel=0.02)
  assert (no_forces.labels, no_forces.video.frames) == (None, 70)
  assert all(row.video is None and row.plates is None for row in rows)


def test_the_terminal_lists_every_error_with_its_code(broken):
  text = check_text.terminal_text(broken, {})
  unfolded = ' '.join(text.split())
  for error in broken.errors:
    assert f'{error.text} [{error.code}]' in unfolded
  table = text.split('\n\n')[0].splitlines()
  assert [line.split()[0] for line in table[3:10]] == list(EXPECTED)
  assert max(map(len, table)) <= 100
  assert check_text.verdict(broken) == (
    '0 of 7 trials can be built; grfjax build would refuse the set as it is.'
  )


def test_the_page(broken):
  text = check_page.check_page(broken, {}, {})
  page = html_pages.check_page(text, [f'#trial-{k}' for k in range(1, 8)])
  assert {f'trial-{k}' for k in range(1, 8)} == {a['id'] for a in page.all('details')}
  for error in broken.errors:
    assert page.text.count(error.text) == 2  # in the list, and at its trial
    assert error.code in page.text
  assert page.text.count('<b>&') == 2  # in the table, and above what is said of it
  assert len(page.all('svg')) == 4
  assert all(len(svg['aria-label']) > 20 for svg in page.all('svg'))


def test_json_and_csv(broken, tmp_path):
  page = check_files.write_check(tmp_path / 'out', broken)
  assert sorted(p.name for p in page.parent.iterdir()) == ['check.csv', 'check.json', 'index.html']
  content = json.loads((page.parent / 'check.json').read_text())
  assert content['can_be_built'] is False
  assert content['trials_by_status'] == {'ready': 0, 'doubtful': 0, 'refused': 7}
  for trial in content['trials']:
    found = [f for f in trial['findings'] if f['level'] == 'error']
    assert [f['code'] for f in found] == EXPECTED[trial['trial']]
  first, second, *_ = content['trials']
  assert first['video']['walks_to'] == 'left'
  assert first['findings'][0]['column'] == 'camera'
  assert second['plates']['video_start_s'] is None
  near, far = first['labels']['known']['near'], first['labels']['known']['far']
  assert content['known'] == {'near': near, 'far': far}
  assert sum(of['near'] for of in content['known_by_interval'].values()) == near
  with (page.parent / 'check.csv').open() as file:
    rows = list(csv.DictReader(file))
  assert [row['trial'] for row in rows] == list(EXPECTED)
  assert rows[0]['known near'] == str(near)
  assert float(rows[0]['peak left (BW)']) == pytest.approx(0.99, abs=0.02)


# --- what is doubtful


def doubtful(root, cfg=PAPER):
  check = set_check.check_set(root, cfg)
  assert check.errors == []
  return check, {trial.name: codes(trial.found) for trial in check.trials}


def test_a_good_set_has_nothing_doubtful(mine):
  check, of_trials = doubtful(mine)
  assert set(map(tuple, of_trials.values())) == {()}
  assert codes(check.found) == ['check.two_subjects', 'check.no_height']
  assert check_text.verdict(check) == (
    '4 of 4 trials can be built: grfjax build takes the set for mochizuki.'
  )
  assert 'Doubts' not in check_text.terminal_text(check, {})
  assert check.known() == tuple(np.sum([t.labels.known for t in check.trials], 0))


def test_a_small_walker(mine):
  _, of_trials = doubtful(mine, OURS)
  assert set(map(tuple, of_trials.values())) == {('check.small_walker',)}


def test_one_subject_one_side(mine):
  alter(mine, 'A,61.5\n', '', 'subjects.csv')
  rows = (mine / 'trials.csv').read_text().splitlines()
  (mine / 'trials.csv').write_text(
    '\n'.join(row for row in rows if ',B_1,' in row or 'plates' in row)
  )
  check, _ = doubtful(mine)
  assert codes(check.found) == [
    'check.one_subject', 'check.one_camera_side', 'check.no_height'
  ]  # fmt: skip


def test_a_row_that_was_copied(mine):
  alter(mine, 'A_2.mp4,right,A_2.csv', 'B_2.mp4,right,B_2.csv')
  alter(mine, 'A,61.5', 'A,48.0', 'subjects.csv')
  check, of_trials = doubtful(mine)
  assert of_trials == {
    'A_1': [], 'A_2': ['check.same_video'], 'B_1': [], 'B_2': ['check.same_video']
  }  # fmt: skip
  assert 'check.shared_force' in codes(check.found)


def test_a_body_mass_that_is_off(mine):
  alter(mine, '48.0', '35.0', 'subjects.csv')
  _, of_trials = doubtful(mine)
  assert set(of_trials['B_1']) == {'check.mean_force'}
  assert of_trials['A_1'] == []
  alter(mine, '35.0', '29.0', 'subjects.csv')
  _, of_trials = doubtful(mine)
  assert set(of_trials['B_1']) == {'check.mean_force', 'check.peak_force'}


def test_legs_swapped(mine):
  alter(mine, 'A_1.csv,left;right', 'A_1.csv,right;left')
  _, of_trials = doubtful(mine)
  assert of_trials['A_1'] == ['check.legs_swapped']


def test_a_leg_without_a_plate(mine):
  forces_of(mine, 'A_1.csv', lambda force: force[:, [0]])
  alter(mine, 'A_1.csv,left;right', 'A_1.csv,left')
  check, of_trials = doubtful(mine)
  assert of_trials['A_1'] == ['check.no_contact']
  assert 'plates does not name it' in check.trials[0].found[0].text


def test_a_start_that_shows_little(mine):
  alter(mine, 'A_1.csv,left;right,3.1,', 'A_1.csv,left;right,4.1,')
  check, of_trials = doubtful(mine)
  assert set(of_trials['A_1']) == {
    'check.no_contact', 'check.few_known_frames', 'check.no_whole_stance', 'check.force_span'
  }  # fmt: skip
  assert check.trials[0].status == 'doubtful'


def test_contact_frame(mine):
  alter(mine, 'A_1.csv,left;right,3.1,', 'A_1.csv,left;right,,15')
  check, of_trials = doubtful(mine)
  assert of_trials['A_1'] == ['check.contact_frame']
  assert check.trials[0].found[0].level is findings.Level.NOTE
  assert 'give or take 8.3 ms' in check.trials[0].found[0].text


def test_a_slow_camera(mine):
  walk = making.film(29, fps=25, direction=-1)
  making.write_video(mine / 'A_1.mp4', walk.frames, fps=25)
  alter(mine, 'A_1.csv,left;right,3.1,', 'A_1.csv,left;right,,6')
  check, of_trials = doubtful(mine)
  assert of_trials['A_1'] == ['check.frame_rate', 'check.contact_frame']
  assert {f.level for f in check.trials[0].found} == {findings.Level.DOUBT}


def view_of(**changes):
  """A walk of 70 frames without its pictures, two of them without the walker."""
  time_s = np.arange(70) / 60
  video = video_file.Video(pathlib.Path('v.mp4'), time_s, 1080, 1920, 1.0, 1.0)
  box = np.tile([10.0, 10, 150, 400], (70, 1))
  clear = np.ones(70, bool)
  view = walker_views.WalkerViews(
    np.zeros((70, 0)), time_s, np.arange(70), video, 1, box, clear, **changes
  )
  return dataclasses.replace(view, clear=clear & (np.arange(70) > 1))


def test_several_walks_and_stretches_withheld():
  gap = tracking_gaps.Gap(0.0, 0.02, tracking_gaps.ANOTHER_IN_WINDOW)
  walks, withheld = trial_doubts.of_view(view_of(walks=3, gaps=(gap,)), OURS)
  assert (walks.code, walks.level) == ('check.several_walks', findings.Level.NOTE)
  assert '3 walks' in walks.text
  assert (withheld.code, withheld.level) == ('check.withheld', findings.Level.NOTE)
  assert '2 of the 70 frames' in withheld.text
  assert "another person is in the walker's window" in withheld.text
  view = view_of()
  (withheld,) = trial_doubts.of_view(dataclasses.replace(view, clear=np.arange(70) > 8), OURS)
  assert withheld.level is findings.Level.DOUBT


def test_a_film_in_slow_motion():
  view = view_of()
  slow = dataclasses.replace(view.video, speed=0.125)
  found = trial_doubts.of_view(dataclasses.replace(view, video=slow), OURS)
  assert 'check.playback_speed' in codes(found)
  found = trial_doubts.of_view(dataclasses.replace(view, video=slow), OURS, given_speed=0.125)
  assert 'check.playback_speed' not in codes(found)


def test_whole_strides_are_weighed():
  time_s = np.arange(3000) / 1000
  steps = [('left', 0.2), ('right', 0.75), ('left', 1.3), ('right', 1.85)]
  leg_force = {leg: np.zeros((3000, 3)) for leg in ('left', 'right')}
  for leg, start in steps:
    one = making.step_forces(time_s, 50.0, {leg: (start, 0.65)})[:, 0]
    leg_force[leg] += one
  # Flat steps of 0.65 s in strides of 1.1 s: each leg carries what its mean says, 0.65 / 1.1.
  share = 2 * 0.65 / 1.1 * (2 * 1.1 / np.pi + 2 * 0.3 / (3 * np.pi))
  trial = recordings.Trial(
    recordings.Subject('A', 50.0, None), 'A_1', pathlib.Path('v.mp4'), 'left', (), '', (), 0.0,
    None, pathlib.Path(), 'trials.csv, line 2',
  )  # fmt: skip

  def found(weight):
    forces = trial_forces.TrialForces(trial, time_s, time_s, leg_force, weight, 20.0, 0.0, 0.0)
    return [f for f in trial_doubts.of_forces(forces) if f.code == 'check.total_force']

  weight = 50.0 * making.G * share
  assert found(weight) == found(1.03 * weight) == []
  assert 'carry 1.08 body weights' in found(weight / 1.08)[0].text


# --- starts of videos


@pytest.fixture
def true_estimates(mine, monkeypatch):
  """Estimates that are what the plates measured from 3.1 s on; B_2's cannot be made."""

  def estimate(run, path, camera=''):
    if path.stem == 'B_2':
      raise video_file.VideoError(f'{path}: damaged', code='video.damaged', file=path)
    plates = force_files.read(path.with_suffix('.csv'))
    time_s = np.arange(70) / 60
    weight = {'A': 61.5, 'B': 48.0}[path.stem[0]] * making.G
    newtons, _ = plate_contacts.window_means(plates.time_s, plates.force, time_s + 3.1)
    box = np.column_stack([np.linspace(0, 60, 70), *np.full((3, 70), 10.0)])
    return force_curves.ForceCurves(
      time_s, conventions.plates_to_walker(newtons) / weight, np.zeros((70, 2, 3, 0)), 'left',
      False, box, np.ones(70, int), (),
    )  # fmt: skip

  monkeypatch.setattr(video_estimate, 'estimate_video', estimate)


def test_starts_are_found_and_written(mine, true_estimates, tmp_path):
  alter(mine, 'A_1.csv,left;right,3.1,', 'A_1.csv,left;right,,')
  alter(mine, 'A_2.csv,left;right,3.1,', 'A_2.csv,left;right,3.2,')
  before = set_check.check_set(mine, OURS)
  check, starts = set_synchronization.find_starts(before, None)
  assert list(starts) == ['A_1', 'A_2', 'B_1']
  assert starts['A_1'].proposal.video_start_s == pytest.approx(3.1, abs=0.002)
  assert [start.fills for start in starts.values()] == [True, False, False]
  found = {trial.name: set(codes(trial.found)) - {'check.small_walker'} for trial in check.trials}
  assert found == {
    'A_1': {'recording.synchronization', 'check.start_found'}, 'A_2': {'check.other_start'},
    'B_1': set(), 'B_2': {'video.damaged'},
  }  # fmt: skip
  assert [f.code for f in check.errors] == ['recording.synchronization']  # it is not in the set yet
  page = check_files.write_check(tmp_path / 'out', check, starts)
  seen = html_pages.check_page(page.read_text(), [f'#trial-{k}' for k in (1, 2, 3, 4, 1, 2, 3)])
  assert len(seen.all('img')) == 3
  content = json.loads((tmp_path / 'out/check.json').read_text())
  assert content['trials'][0]['start']['video_start_s'] == pytest.approx(3.1, abs=0.002)
  assert content['trials'][3]['start'] is None
  synced = tmp_path / 'out/trials.synced.csv'
  text = check_text.how_to_use(check, synced, starts)
  assert 'the start of 1 trial filled in' in text
  assert f'cp {synced} {mine}/trials.csv\n4 of 4 trials can be built with it' in text
  shutil.copy(synced, mine / 'trials.csv')
  assert set_check.check_set(mine, PAPER).errors == []
  assert 'of A_1' not in text
  assert 'A_1' in check_text.terminal_text(check, starts).split('Starts of the videos')[1]


def test_a_start_that_is_not_sure_is_left_out(mine, true_estimates, monkeypatch, tmp_path):
  alter(mine, 'A_1.csv,left;right,3.1,', 'A_1.csv,left;right,,')
  unsure = synchronization.Proposal((), *[np.nan] * 3, 'sync.ambiguous', '2 starts fit')
  monkeypatch.setattr(synchronization, 'find_start', lambda *of: unsure)
  check, starts = set_synchronization.find_starts(set_check.check_set(mine, OURS), None)
  (found,) = (f for f in check.trials[0].found if f.code == 'sync.ambiguous')
  assert found.level is findings.Level.DOUBT
  assert '2 starts fit.' in found.text
  assert 'by hand' in found.remedy
  check_files.write_check(tmp_path, check, starts)
  assert ',A_1.mp4,left,A_1.csv,left;right,,,' in (tmp_path / 'trials.synced.csv').read_text()
  text = check_text.how_to_use(check, tmp_path / 'trials.synced.csv', starts)
  assert 'no start was filled in' in text
  assert '1 trial without a start' in text


def test_the_place_of_the_plates_decides_only_for_a_fixed_camera(mine, true_estimates, monkeypatch):
  alter(mine, 'A_1.csv,left;right,3.1,', 'A_1.csv,left;right,,')
  check = set_check.check_set(mine, OURS)
  asked = []

  def settle(proposals, known_px):
    asked.append((list(proposals), len(known_px)))
    return {
      name: dataclasses.replace(proposal, problem='sync.other_place')
      for name, proposal in proposals.items()
    }

  monkeypatch.setattr(synchronization, 'settle_by_place', settle)
  _, starts = set_synchronization.find_starts(check, None)
  assert not asked
  assert starts['A_1'].fills
  _, starts = set_synchronization.find_starts(check, None, fixed_camera=True)
  assert (['A_1'], 1) in asked  # told by the other trial of the side, whose start is given
  assert not starts['A_1'].fills


# --- figure and command


def test_a_figure_without_a_place_in_time(broken):
  text = str(check_figure.draw_trial(broken.trials[1]))
  assert 'the video has no place on it' in text
  assert 'class="video"' not in text
  assert 'class="video"' in str(check_figure.draw_trial(broken.trials[0]))
  assert check_figure.draw_trial(broken.trials[4]) == ''


def test_a_leg_without_a_plate_is_not_drawn(mine):
  forces_of(mine, 'A_1.csv', lambda force: force[:, [0]])
  alter(mine, 'A_1.csv,left;right', 'A_1.csv,left')
  check, _ = doubtful(mine)
  text = str(check_figure.draw_trial(check.trials[0]))
  assert text.count('class="curve left"') == 2
  assert 'class="curve right"' not in text
  assert 'nan' not in text.lower()
  row = check_tables.narrow_trials_table(check).rows[0]
  assert '0.99 | –' in row
  assert '1 | 0' in row


def test_names_of_rows_without_a_name():
  assert check_tables.name_of(trial_check.TrialCheck('A', '', 7)) == 'line 7'


def test_trials_are_worked_on_in_order_and_a_bounded_number_ahead(monkeypatch):
  monkeypatch.setenv('GRFJAX_WORKERS', '2')
  begun = []
  results = trial_workers.in_parallel(lambda k: begun.append(k) or 10 * k, range(100))
  assert next(results) == (0, 0)
  assert len(begun) <= 4
  assert list(results) == [(k, 10 * k) for k in range(1, 100)]


def run(*arguments):
  command = [sys.executable, '-m', 'grfjax.check', *map(str, arguments)]
  environment = os.environ | {'PYTHONPATH': str(ROOT)}
  return subprocess.run(
    command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment
  )


def test_the_command(mine, tmp_path):
  done = run(f'--recordings={mine}', '--config=mochizuki')
  assert done.returncode == 0, done.stderr
  assert done.stdout.splitlines()[-2:] == [
    f'page: {mine}/check/index.html',
    '4 of 4 trials can be built: grfjax build takes the set for mochizuki.',
  ]
  assert 'check: 100%' in done.stderr
  before = (mine / 'check/index.html').read_bytes()
  # What it has written changes nothing for the next call.
  assert set_check.check_set(mine, PAPER).errors == []
  alter(mine, 'left;right,3.1,', 'left;right,31,')
  done = run(f'--recordings={mine}', '--config=mochizuki', f'--out={tmp_path}/out')
  assert done.returncode == 1
  assert '[force.no_contact]' in done.stdout
  assert done.stdout.splitlines()[-1].startswith('3 of 4 trials can be built; grfjax build would')
  assert (tmp_path / 'out/check.json').exists()
  assert (mine / 'check/index.html').read_bytes() == before


def test_the_command_ends_with_what_it_refuses():
  done = run('--recordings=nowhere')
  assert done.returncode == 1
  assert done.stderr.endswith(
    'grfjax.check: nowhere: no such folder; expected a recording set [recording.no_folder]\n'
  )
  assert 'Traceback' not in done.stderr
  assert done.stdout == ''


@pytest.mark.parametrize(
  ('arguments', 'says'),
  [
    (['--recordings=tests'], 'tests/subjects.csv'),
    (['--recordings=tests', '--config=x'], '[config.unknown_dataset]'),
    (['--recordings=SET', '--out=README.md'], "grfjax.check: [Errno 17] File exists: 'README.md'"),
  ],
)  # fmt: skip
def test_what_the_command_refuses(arguments, says, mine, call_command, monkeypatch, capsys):
  monkeypatch.chdir(ROOT)
  with pytest.raises(SystemExit) as refused:
    call_command('grfjax.check', *(a.replace('SET', str(mine)) for a in arguments))
  assert says in refused.value.code
  assert capsys.readouterr().out == ''
  assert not (ROOT / 'tests/check').exists()
