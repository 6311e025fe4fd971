"""Tests of grfjax.data: who is drawn, how often, and that it can be done again."""

import dataclasses
import itertools
import json
import pathlib
import shutil
import subprocess
import sys

import making
import numpy as np
import pytest
import scipy.stats
import tensorflow_datasets as tfds

from grfjax.data import (
  clip_config,
  force_intervals,
  input_pipeline,
  label_index,
  subject_lists,
  trial_records,
  voxel_dataset,
)
from grfjax.io import recordings

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope='module')
def walker(data_dir):
  return voxel_dataset.Dataset(str(data_dir), 'walker')


@pytest.fixture(scope='module')
def everyone(walker):
  source = walker.source(walker.subjects)
  return source, label_index.index_labels(source, walker.config.own, 2)


def stream(source, labels, **changes):
  settings = {'batch': 8, 'clip': 16, 'rebalance': 0.5, 'seed': 3}
  return input_pipeline.train_stream(source, labels, **{**settings, **changes})


def take(source, labels, count, **changes):
  return list(itertools.islice(iter(stream(source, labels, **changes)), count))


def check_equal(one, two):
  assert len(one) == len(two) > 0
  for a, b in zip(one, two, strict=True):
    assert a.keys() == b.keys()
    for key in a:
      np.testing.assert_array_equal(a[key], b[key], err_msg=key)


# --- opening


def test_what_a_data_set_says_of_itself(walker):
  assert walker.subjects == ('A', 'B', 'C')
  assert walker.body_mass_kg == making.SUBJECTS
  assert walker.config == clip_config.clip_config('walker')


def test_a_sources_records_are_those_of_its_subjects(walker, data_dir):
  for subject in walker.subjects:
    source = walker.source([subject])
    assert {source[i]['subject'] for i in range(len(source))} == {subject.encode()}
  assert len(walker.source(['A', 'C'])) == len(walker.source(['A'])) + len(walker.source(['C']))
  paper = voxel_dataset.Dataset(str(data_dir), 'mochizuki')
  record = paper.source(['B'])[0]
  assert record['voxel'].shape == (5, 40, 40, 1)
  assert record['contact'][-1, 0]


def test_records_are_what_voxels_made(walker, recordings_dir):
  trials = recordings.load(recordings_dir, subjects=['B'])
  made = [r for t in trials for r in trial_records.trial_records(t, walker.config)]
  source = walker.source(['B'])
  read = sorted((source[i] for i in range(len(source))), key=lambda r: (r['trial'], r['time_s'][0]))
  assert len(read) == len(made)
  for a, b in zip(read, made, strict=True):
    for key in ('voxel', 'force', 'known', 'contact', 'time_s', 'frame'):
      assert a[key].dtype == b[key].dtype
      np.testing.assert_array_equal(a[key], b[key])
    assert (a['subject'].decode(), a['trial'].decode()) == (b['subject'], b['trial'])


def test_a_source_may_be_of_thousands_of_subjects(walker):
  name = walker.subjects[0]
  assert len(walker.source([name] * 3000)) == 3000 * len(walker.source([name]))


@pytest.mark.parametrize('name', ['', 'nowhere'])
def test_a_missing_data_set_says_how_to_make_it(tmp_path, name):
  where = str(tmp_path / name) if name else ''
  with pytest.raises(voxel_dataset.DataError, match='no data set there') as caught:
    voxel_dataset.Dataset(where, 'walker')
  assert '`tfds build datasets/walking_grf --config=walker --manual_dir=' in str(caught.value)


def test_an_unknown_configuration_lists_the_names(data_dir):
  with pytest.raises(ValueError, match=r'no builder configuration .*mochizuki, walker'):
    voxel_dataset.Dataset(str(data_dir), 'wlaker')


def test_another_rate_has_a_name_of_its_own(data_dir, tmp_path, builder_module, recordings_dir):
  config = builder_module.WalkingGrfConfig(name='mochizuki_20fps')
  builder = builder_module.Builder(data_dir=tmp_path, config=config)
  builder.download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=recordings_dir)
  )
  dataset = voxel_dataset.Dataset(str(tmp_path), 'mochizuki_20fps')
  assert dataset.config == clip_config.clip_config('mochizuki_20fps')
  record = dataset.source(['A'])[0]
  np.testing.assert_array_equal(np.diff(record['frame'])[1:], 3)


def test_what_a_set_was_made_from(walker, recordings_dir):
  assert walker.fingerprint['source'] == recordings.digests(recordings.load(recordings_dir))
  assert len(set(walker.fingerprint['source'].values())) == 3


@pytest.mark.parametrize(
  ('field', 'value', 'says'),
  [
    ('rows', 50, r'shape is \(96, 96, 36, 2\), expected \(96, 50, 36, 2\); rows is 96'),
    ('hop', 20, 'hop is 40, expected 20'),
    ('fps', 50, 'fps is 60, expected 50'),
    ('follow', False, 'follow is True, expected False'),
  ],
)
def test_a_set_of_another_configuration_is_refused(data_dir, monkeypatch, field, value, says):
  changed = dataclasses.replace(clip_config.clip_config('walker'), **{field: value})
  monkeypatch.setitem(clip_config.CLIP_CONFIGS, 'walker', changed)
  with pytest.raises(voxel_dataset.DataError, match=f'{says}.* build it again with .* --overwrite'):
    voxel_dataset.Dataset(str(data_dir), 'walker')


def test_a_set_of_another_version_is_refused(data_dir, monkeypatch):
  monkeypatch.setattr(trial_records, 'VERSION', '9.0.0')
  with pytest.raises(
    voxel_dataset.DataError, match=r'walker: version 3\.0\.0, expected 9\.0\.0 there'
  ):
    voxel_dataset.Dataset(str(data_dir), 'walker')


@pytest.fixture
def copy(data_dir, tmp_path):
  """A copy of the walker's set, to be damaged: its folder. DATA is three folders up."""
  inner = pathlib.Path('walking_grf/walker', trial_records.VERSION)
  shutil.copytree(data_dir / inner, tmp_path / inner)
  return tmp_path / inner


def _json(name, change):
  def damage(folder):
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))

  return damage


def _text(name, text):
  return lambda folder: (folder / name).write_text(text)


DAMAGED_SETS = {
  'moved from another version': (
    _json('dataset_info.json', lambda c: c.update(version='2.0.0')), 'version is 2.0.0, expected 3'
  ),
  'no source': (_json('metadata.json', lambda c: c.pop('source')), "KeyError: 'source'"),
  'no voxel': (_json('metadata.json', lambda c: c.pop('voxel')), "KeyError: 'voxel'"),
  'other voxel': (_json('metadata.json', lambda c: c['voxel'].update(hop=7)), 'hop is 7, expected'),
  'not counted': (_json('metadata.json', lambda c: c['frames'].pop('B')), 'is not whole.* A, C;'),
  'metadata cut': (_text('metadata.json', '{"frames": '), 'cannot be read as a data set'),
  'metadata gone': (lambda folder: (folder / 'metadata.json').unlink(), 'cannot be read'),
  'information cut': (_text('dataset_info.json', '{'), 'cannot be read as a data set'),
  'features cut': (_text('features.json', '{"a'), 'cannot be read as a data set'),
  'features gone': (lambda folder: (folder / 'features.json').unlink(), 'cannot be read'),
  'split gone': (
    _json('dataset_info.json', lambda c: c['splits'].pop(1)), 'is not whole: .* of A, C, and'
  ),
}  # fmt: skip


@pytest.mark.parametrize('damage', DAMAGED_SETS)
def test_a_damaged_set_is_refused(copy, damage):
  change, says = DAMAGED_SETS[damage]
  change(copy)
  with pytest.raises(voxel_dataset.DataError, match=says) as caught:
    voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  assert str(copy) in str(caught.value)
  assert 'tfds build' in str(caught.value)


def test_a_set_that_was_never_finished_is_not_read(copy):
  copy.rename(copy.parent / f'incomplete.ABCDEF_{trial_records.VERSION}')
  with pytest.raises(voxel_dataset.DataError, match='no data set there'):
    voxel_dataset.Dataset(str(copy.parents[2]), 'walker')


def test_a_folder_that_cannot_be_looked_into():
  with pytest.raises(voxel_dataset.DataError, match='File name too long'):
    voxel_dataset.Dataset('d' * 300, 'walker')


def test_records_of_somebody_who_is_not_there(walker):
  with pytest.raises(voxel_dataset.DataError, match='no records of Z; found A, B, C'):
    walker.source(['A', 'Z'])


def test_a_missing_record_file_is_named(copy):
  (gone,) = copy.glob('*-B.array_record*')
  gone.unlink()
  dataset = voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  source = dataset.source('AB')
  assert source[0]['subject'] == b'A'
  with pytest.raises(
    voxel_dataset.DataError, match='a record in it is damaged or missing'
  ) as caught:
    label_index.index_labels(source, dataset.config.own, 2)
  assert str(caught.value).startswith(f'{gone}: ')


DAMAGED_RECORDS = {
  'half': lambda b: b[: len(b) // 2],
  'its end cut off': lambda b: b[:-10],
  'empty': lambda b: b'',
  'a bit flipped': lambda b: b[:3000] + bytes([b[3000] ^ 16]) + b[3001:],
  'zeros in the middle': lambda b: b[:2000] + bytes(512) + b[2512:],
  'another kind of file': lambda b: b'subject,trial\n' * 9000,
}


@pytest.mark.parametrize('damage', DAMAGED_RECORDS)
def test_damaged_records_are_refused(copy, damage):
  (path,) = copy.glob('*-B.array_record*')
  path.write_bytes(DAMAGED_RECORDS[damage](path.read_bytes()))
  dataset = voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  assert label_index.index_labels(dataset.source('AC'), dataset.config.own, 2).counts.sum() > 0
  with pytest.raises(
    voxel_dataset.DataError, match='a record in it is damaged or missing'
  ) as caught:
    label_index.index_labels(dataset.source('ABC'), dataset.config.own, 2)
  assert str(caught.value).startswith(f'{path}: ')
  assert '--overwrite' in str(caught.value)


def test_the_command_ends_on_damaged_records(copy, tmp_path):
  (path,) = copy.glob('*-B.array_record*')
  path.write_bytes(path.read_bytes()[:9000])
  command = [
    sys.executable, '-m', 'grfjax.train', '--config=configs/convolutional.py:scratch',
    f'--workdir={tmp_path / "run"}', f'--config.data_dir={copy.parents[2]}',
    '--config.holdout=A',
  ]  # fmt: skip
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert done.returncode == 1
  assert f'grfjax.train: {path}: a record in it is damaged' in done.stderr
  assert 'Traceback' not in done.stderr
  assert not list((tmp_path / 'run').glob('*.json'))


# --- one subject left out


@pytest.mark.parametrize(
  ('holdout', 'inner', 'left'),
  [('A', '', 'BC'), ('B', 'A', 'C'), ('C', 'B', 'A'), ('', '', 'ABC'), ('', 'B', 'AC')],
)
@pytest.mark.parametrize('rebalance', [0, 1])
def test_the_ids_really_drawn(walker, holdout, inner, left, rebalance):
  names = walker.others(holdout, inner)
  assert names == tuple(left)
  source = walker.source(names)
  labels = label_index.index_labels(source, walker.config.own, 2)
  batches = take(source, labels, 25, rebalance=rebalance)
  drawn = {s.decode() for batch in batches for s in batch['subject'].tolist()}
  assert drawn == set(left)
  assert {t.decode()[0] for batch in batches for t in batch['trial'].tolist()} == set(left)


def test_the_held_out_subjects_files_are_not_opened(data_dir, tmp_path):
  shutil.copytree(data_dir, tmp_path, dirs_exist_ok=True)
  files = list(tmp_path.glob('walking_grf/walker/*/*-B.array_record*'))
  assert files
  for file in files:
    file.unlink()
  dataset = voxel_dataset.Dataset(str(tmp_path), 'walker')
  source = dataset.source(dataset.others('B'))
  assert take(source, label_index.index_labels(source, dataset.config.own, 2), 3)


def test_a_subject_that_is_not_there(walker):
  with pytest.raises(voxel_dataset.DataError, match="holdout is 'Z'; the subjects are A, B, C"):
    walker.others('Z')
  with pytest.raises(voxel_dataset.DataError, match="inner is 'a'; the subjects are A, B, C"):
    walker.others('A', 'a')
  with pytest.raises(voxel_dataset.DataError, match="'A' is the one held out"):
    walker.others('A', 'A')


@pytest.mark.parametrize(('subjects', 'inner'), [(('A',), ''), (('A', 'B'), 'B')])
def test_nobody_left_to_train_on(data_dir, subjects, inner):
  dataset = voxel_dataset.Dataset(str(data_dir), 'walker')
  dataset.subjects = subjects
  with pytest.raises(voxel_dataset.DataError, match='nobody is left to train on'):
    dataset.others('A', inner)


# --- the stream


def test_a_batchs_shapes(everyone):
  (batch,) = take(*everyone, 1)
  assert batch['voxel'].shape == (8, 16, 96, 36, 2)
  assert batch['voxel'].dtype == np.uint8
  assert batch['force'].shape == (8, 16, 2, 3)
  assert batch['known'].shape == batch['contact'].shape == (8, 16, 2)
  assert batch['time_s'].shape == batch['frame'].shape == (8, 16)
  assert batch['subject'].shape == batch['trial'].shape == (8,)


def test_the_stream_is_a_function_of_the_seed(everyone):
  one, two, other = (take(*everyone, 4, seed=seed) for seed in (3, 3, 4))
  check_equal(one, two)
  assert any((a['frame'] != b['frame']).any() for a, b in zip(one, other, strict=True))


def test_batches_differ(everyone):
  batches = take(*everyone, 6)
  starts = {tuple(b['frame'][:, 0].tolist()) for b in batches}
  assert len(starts) == 6


@pytest.mark.parametrize('after', [0, 1, 5])
def test_resumed_from_its_state_it_goes_on_the_same(everyone, after):
  iterator = iter(stream(*everyone))
  for _ in range(after):
    next(iterator)
  state = json.loads(json.dumps(iterator.get_state()))
  expected = list(itertools.islice(iterator, 4))
  resumed = iter(stream(*everyone))
  next(resumed)  # wherever it was
  resumed.set_state(state)
  check_equal(list(itertools.islice(resumed, 4)), expected)


@pytest.mark.parametrize('processes', [2, 4])
def test_processes_share_each_batch(everyone, processes):
  whole = take(*everyone, 3)
  parts = [take(*everyone, 3, process=p, processes=processes) for p in range(processes)]
  for k, batch in enumerate(whole):
    for key, value in batch.items():
      for p in range(processes):
        np.testing.assert_array_equal(parts[p][k][key], value[p::processes], err_msg=key)


def test_a_batch_that_cannot_be_shared(everyone):
  with pytest.raises(ValueError, match='batch 8 cannot be shared by 3'):
    stream(*everyone, processes=3)


def test_a_clip_holds_the_frame_that_was_drawn(everyone):
  # One frame long, a clip is the frame itself; the draw does not depend on the length.
  batches = [take(*everyone, 12, clip=clip) for clip in (1, 16, 96)]
  places = set()
  for one, some, all_ in zip(*batches, strict=True):
    for key in ('subject', 'trial'):
      np.testing.assert_array_equal(one[key], some[key])
    at = some['time_s'] == one['time_s']
    assert (at.sum(1) == 1).all()
    assert (all_['time_s'] == one['time_s']).any(1).all()
    assert (np.diff(some['frame']) >= 0)[(some['frame'] >= 0).all(1)].all()
    places |= set(at.argmax(1).tolist())
  assert len(places) == 16  # it may be anywhere in it


@pytest.mark.parametrize('clip', [0, 97])
def test_a_clip_longer_than_a_record(everyone, clip):
  with pytest.raises(ValueError, match=f'clip is {clip} frames; a record holds 96'):
    take(*everyone, 1, clip=clip)


# --- intervals

OWN = slice(2, 6)


def made_source(levels):
  """Records of 8 frames, 4 of them own, whose near leg's vertical forces are those given."""
  records = []
  for k, four in enumerate(np.reshape(levels, (-1, 4))):
    force = np.full((8, 2, 3), 9.0, np.float32)  # other frames and axes must not be looked at
    force[OWN, 0, 0] = four
    contact = np.ones((8, 2), bool)
    records.append({
      'force': force, 'known': contact, 'contact': contact,
      'frame': np.arange(8, dtype=np.int32) + 8 * k, 'subject': b'A',
    })  # fmt: skip
  return records


LEVELS = np.repeat([0.05, 0.55, 0.75, 1.05, 1.65], [4, 40, 200, 100, 8])
OCCUR = np.unique(force_intervals.interval_index(LEVELS))
COUNTS = np.array([4, 40, 200, 100, 8])


def test_the_index_counts_each_own_frame_once():
  labels = label_index.index_labels(made_source(LEVELS), OWN, 1)
  np.testing.assert_array_equal(labels.counts[OCCUR], COUNTS)
  assert labels.counts.sum() == len(LEVELS)
  source = made_source(LEVELS)
  for i in range(len(force_intervals.INTERVALS)):
    for j in range(labels.first[i], labels.first[i + 1]):
      level = source[labels.record[j]]['force'][labels.t[j], 0, 0]
      assert force_intervals.interval_index(level) == i
  assert len(set(zip(labels.record.tolist(), labels.t.tolist(), strict=True))) == len(LEVELS)


def test_the_index_of_real_records(walker, everyone):
  source, labels = everyone
  both = near = 0
  for i in range(len(source)):
    both += int(source[i]['known'][walker.config.own].sum())
    near += int(source[i]['contact'][walker.config.own, 0].sum())
  assert labels.counts.sum() == both
  assert label_index.index_labels(source, walker.config.own, 1).counts.sum() == near
  assert both > near > 100


@pytest.mark.parametrize('rebalance', [0.0, 0.5, 1.0])
def test_how_often_each_interval_is_drawn(rebalance):
  source = made_source(LEVELS)
  labels = label_index.index_labels(source, OWN, 1)
  batches = take(source, labels, 40, batch=100, clip=1, rebalance=rebalance)
  drawn = np.concatenate([force_intervals.interval_index(b['force'][:, 0, 0, 0]) for b in batches])
  observed = np.array([(drawn == i).sum() for i in OCCUR])
  assert observed.sum() == 4000
  weight = {0.0: COUNTS, 0.5: np.sqrt(COUNTS), 1.0: np.ones(5)}[rebalance]
  expected = 4000 * weight / weight.sum()
  assert ((observed - expected) ** 2 / expected).sum() < scipy.stats.chi2.ppf(0.999, 4)
  # And within an interval every label.
  frames = np.concatenate([b['frame'][:, 0] for b in batches])
  assert len(set(frames[drawn == OCCUR[1]].tolist())) == 40


def test_probabilities():
  counts = np.array([0, 1, 3, 0, 16])
  assert label_index.interval_probabilities(counts, 0) == pytest.approx(counts / 20)
  assert label_index.interval_probabilities(counts, 1) == pytest.approx(
    np.array([0, 1, 1, 0, 1]) / 3
  )
  half = np.array([0, 1, 3**0.5, 0, 4])
  assert label_index.interval_probabilities(counts, 0.5) == pytest.approx(half / half.sum())
  for wrong in (-0.1, 1.1, float('nan')):
    with pytest.raises(ValueError, match='expected 0 to 1'):
      label_index.interval_probabilities(counts, wrong)


def test_shares_for_the_papers_table():
  labels = label_index.index_labels(made_source(LEVELS), OWN, 1)
  table = {row[0]: row[1:] for row in label_index.interval_shares(labels, 1.0)}
  assert list(table) == list(force_intervals.INTERVALS)
  assert table['0.71-0.80'] == (200, pytest.approx(200 / 352), pytest.approx(0.2))
  assert table['0.31-0.40'] == (0, 0, 0)


def test_no_known_force_is_an_error():
  records = made_source(LEVELS[:8])
  for record in records:
    record['contact'] = record['known'] = np.zeros((8, 2), bool)
  for legs in (1, 2):
    with pytest.raises(voxel_dataset.DataError, match='no frame with a known force'):
      label_index.index_labels(records, OWN, legs)
  with pytest.raises(voxel_dataset.DataError, match='no frame with a known force'):
    label_index.index_labels([], OWN, 1)


# --- evaluation


@pytest.mark.parametrize('batch', [1, 4, 5, 100])
def test_evaluation_sees_every_record_once_in_order(walker, batch):
  source = walker.source(walker.subjects)
  seen = []
  for records, count in input_pipeline.eval_batches(source, batch):
    assert len(records['frame']) == batch
    for key, value in records.items():
      # Padded with its own last record.
      np.testing.assert_array_equal(
        value[count:], np.repeat(value[count - 1 : count], batch - count, 0), err_msg=key
      )
    seen.append({key: value[:count] for key, value in records.items()})
  expected = [source[i] for i in range(len(source))]
  for key in ('voxel', 'force', 'frame', 'trial'):
    got = np.concatenate([s[key] for s in seen])
    np.testing.assert_array_equal(got, np.stack([r[key] for r in expected]))


# --- imports


def test_reading_and_training_import_no_tensorflow(data_dir):
  code = f"""
import importlib, sys
from absl import flags
from grfjax.data import input_pipeline, label_index, voxel_dataset
for name in ('train', 'evaluate', 'predict'):
  module = importlib.import_module('grfjax.' + name)
  for flag in flags.FLAGS.get_flags_for_module(module):  # the programs' flags share names
    delattr(flags.FLAGS, flag.name)
dataset = voxel_dataset.Dataset({str(data_dir)!r}, 'walker')
source = dataset.source(dataset.others('A'))
labels = label_index.index_labels(source, dataset.config.own, 2)
next(iter(input_pipeline.train_stream(source, labels, batch=2, clip=4, rebalance=0.5, seed=0)))
print(sorted(m for m in sys.modules if m.partition('.')[0] == 'tensorflow'))
"""
  done = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
  )
  assert done.returncode == 0, done.stderr
  assert done.stdout.strip().splitlines()[-1] == '[]'


def test_a_long_list_of_subjects_is_shortened():
  names = [f'S{k}' for k in range(1, 22)]
  assert subject_lists.listed_subjects(names[:20]) == ', '.join(names[:20])
  assert subject_lists.listed_subjects(names) == '21 subjects (S1 ... S21)'
