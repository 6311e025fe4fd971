"""Tests of grfjax.data.voxel_dataset: opening, damage, and one subject left out."""

import concurrent.futures
import dataclasses
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys

import making
import numpy as np
import psutil
import pytest
import tensorflow_datasets as tfds

from grfjax import errors
from grfjax.data import (
  clip_config,
  label_index,
  trial_records,
  voxel_dataset,
)
from grfjax.io import recordings

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope='module')
def walker(data_dir):
  return voxel_dataset.Dataset(str(data_dir), 'walker')


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
    assert a.keys() == b.keys()
    for key in a.keys() - {'height_m', 'subject', 'trial'}:
      assert a[key].dtype == b[key].dtype
      np.testing.assert_array_equal(a[key], b[key])
    assert (a['subject'].decode(), a['trial'].decode()) == (b['subject'], b['trial'])
    assert a['height_m'] == b['height_m']


def test_a_source_may_be_of_thousands_of_subjects(walker):
  name = walker.subjects[0]
  assert len(walker.source([name] * 3000)) == 3000 * len(walker.source([name]))


def test_files_of_records_are_closed_again_while_threads_read_them(walker, monkeypatch):
  names = [source[i]['trial'] for source in [walker.source('ABC')] for i in range(len(source))]
  monkeypatch.setattr(voxel_dataset, '_MOST_OPEN', 1)
  source = walker.source('ABC')
  order = np.random.default_rng(0).integers(len(source), size=200)
  with concurrent.futures.ThreadPoolExecutor(4) as pool:
    read = list(pool.map(lambda i: source[i]['trial'], order))
  assert read == [names[i] for i in order]
  opened = [f.path for f in psutil.Process().open_files() if '.array_record-' in f.path]
  assert len(opened) == 1


def test_files_that_cannot_be_read_at_random_are_refused(copy):
  path = copy / 'dataset_info.json'
  path.write_text(path.read_text().replace('"array_record"', '"tfrecord"'))
  with pytest.raises(
    voxel_dataset.DataError, match='are tfrecord, expected array_record'
  ) as caught:
    voxel_dataset.Dataset(str(copy.parents[2]), 'walker').source('A')
  assert caught.value.code == 'data.unreadable'


@pytest.mark.parametrize('name', ['', 'nowhere'])
def test_a_missing_data_set_says_how_to_make_it(tmp_path, name):
  where = str(tmp_path / name) if name else ''
  with pytest.raises(voxel_dataset.DataError, match='no data set there; make it') as caught:
    voxel_dataset.Dataset(where, 'walker')
  assert caught.value.code == 'data.missing'
  assert '`grfjax build --config=walker --recordings=' in str(caught.value)


def test_an_unknown_configuration_lists_the_names(data_dir):
  with pytest.raises(
    errors.InputError, match=r"'wlaker'.*mochizuki, mochizuki_window, walker"
  ) as caught:
    voxel_dataset.Dataset(str(data_dir), 'wlaker')
  assert caught.value.code == 'config.unknown_dataset'


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
  message = f'{says}.* build it again with .* --overwrite'
  with pytest.raises(voxel_dataset.DataError, match=message) as caught:
    voxel_dataset.Dataset(str(data_dir), 'walker')
  assert caught.value.code == 'data.other_configuration'


def test_a_set_of_another_version_is_refused(data_dir, monkeypatch):
  built = trial_records.VERSION
  monkeypatch.setattr(trial_records, 'VERSION', '9.0.0')
  with pytest.raises(
    voxel_dataset.DataError, match=rf'walker: version {re.escape(built)}, expected 9\.0\.0 there'
  ) as caught:
    voxel_dataset.Dataset(str(data_dir), 'walker')
  assert caught.value.code == 'data.other_version'


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


DAMAGED_SETS = {  # how -> (damage, code, part of the message)
  'moved from another version': (
    _json('dataset_info.json', lambda c: c.update(version='2.0.0')),
    'other_configuration', 'version is 2.0.0, expected 4.1.0',
  ),
  'no source': (
    _json('metadata.json', lambda c: c.pop('source')), 'unreadable', "KeyError: 'source'"
  ),
  'no voxel': (
    _json('metadata.json', lambda c: c.pop('voxel')), 'unreadable', "KeyError: 'voxel'"
  ),
  'other voxel': (
    _json('metadata.json', lambda c: c['voxel'].update(hop=7)),
    'other_configuration', 'hop is 7, expected',
  ),
  'not counted': (
    _json('metadata.json', lambda c: c['frames'].pop('B')), 'incomplete', ' A, C;'
  ),
  'metadata cut': (_text('metadata.json', '{"frames": '), 'unreadable', ''),
  'metadata gone': (lambda folder: (folder / 'metadata.json').unlink(), 'unreadable', ''),
  'information cut': (_text('dataset_info.json', '{'), 'unreadable', ''),
  'features cut': (_text('features.json', '{"a'), 'unreadable', ''),
  'features gone': (lambda folder: (folder / 'features.json').unlink(), 'unreadable', ''),
  'split gone': (
    _json('dataset_info.json', lambda c: c['splits'].pop(1)), 'incomplete', ' of A, C, and'
  ),
}  # fmt: skip


@pytest.mark.parametrize('how', DAMAGED_SETS)
def test_a_damaged_set_is_refused(copy, how):
  damage, code, part = DAMAGED_SETS[how]
  damage(copy)
  with pytest.raises(voxel_dataset.DataError) as caught:
    voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  assert (caught.value.code, caught.value.file) == (f'data.{code}', str(copy))
  assert part in str(caught.value)
  assert str(copy) in str(caught.value)
  assert 'grfjax build' in str(caught.value)


def test_a_set_that_was_never_finished_is_not_read(copy):
  copy.rename(copy.parent / f'incomplete.ABCDEF_{trial_records.VERSION}')
  with pytest.raises(voxel_dataset.DataError) as caught:
    voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  assert (caught.value.code, caught.value.file) == ('data.missing', str(copy.parent))


def test_a_folder_that_cannot_be_looked_into():
  with pytest.raises(voxel_dataset.DataError, match='File name too long') as caught:
    voxel_dataset.Dataset('d' * 300, 'walker')
  assert caught.value.code == 'data.unreadable'


def test_records_of_somebody_who_is_not_there(walker):
  with pytest.raises(voxel_dataset.DataError, match='no records of Z; found A, B, C') as caught:
    walker.source(['A', 'Z'])
  assert caught.value.code == 'data.unknown_subject'


def read_all(source):
  for number in range(len(source)):
    source[number]


def test_a_missing_record_file_is_named(copy):
  (gone,) = copy.glob('*-B.array_record-?????-of-?????')
  gone.unlink()
  dataset = voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  source = dataset.source('AB')
  assert source[0]['subject'] == b'A'
  with pytest.raises(voxel_dataset.DataError) as caught:
    read_all(source)
  assert (caught.value.code, caught.value.file) == ('data.damaged_record', str(gone))
  assert str(caught.value).startswith(f'{gone}: a record in it is damaged or missing')


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
  (path,) = copy.glob('*-B.array_record-?????-of-?????')
  path.write_bytes(DAMAGED_RECORDS[damage](path.read_bytes()))
  dataset = voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  read_all(dataset.source('AC'))
  with pytest.raises(voxel_dataset.DataError) as caught:
    read_all(dataset.source('ABC'))
  assert (caught.value.code, caught.value.file) == ('data.damaged_record', str(path))
  assert str(caught.value).startswith(f'{path}: a record in it is damaged or missing')
  assert '--overwrite' in str(caught.value)


def test_labels_are_those_of_the_records(copy):
  dataset = voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  source = dataset.source('ABC')

  def indexed():
    return label_index.index_labels(dataset.source('ABC'), dataset.config.own, 2)

  number = 0
  for which in range(source.file_count):
    table = source.label_table(which)
    for force, known, contact in zip(*table, strict=True):
      record = source[number]
      np.testing.assert_array_equal(force, record['force'][..., 0])
      np.testing.assert_array_equal(known, record['known'])
      np.testing.assert_array_equal(contact, record['contact'])
      number += 1
  assert number == len(source)
  of_tables = indexed()
  for path in copy.glob('*.labels.npz'):  # as data sets had none
    path.unlink()
  of_records = indexed()
  for name in ('record', 't', 'first'):
    np.testing.assert_array_equal(getattr(of_tables, name), getattr(of_records, name))


DAMAGED_TABLES = {
  'empty': lambda b: b'',
  'its end cut off': lambda b: b[:-10],
  'another kind of file': lambda b: b'subject,trial\n' * 900,
  'a bit flipped': lambda b: b[:600] + bytes([b[600] ^ 16]) + b[601:],
  'of fewer records': lambda b: _changed(b, lambda c: {**c, 'known': c['known'][1:]}),
  'of fewer frames': lambda b: _changed(b, lambda c: {**c, 'known': c['known'][:, 1:]}),
  'of numbers': lambda b: _changed(b, lambda c: {**c, 'known': c['known'].astype(float)}),
  'of other records': lambda b: _changed(b, lambda c: {**c, 'size': c['size'] + 1}),
  'without a column': lambda b: _changed(b, lambda columns: {'force': columns['force']}),
  'one column alone': lambda b: _saved(np.save, np.load(io.BytesIO(b))['force']),
}


def _saved(save, *arrays, **named):
  file = io.BytesIO()
  save(file, *arrays, **named)
  return file.getvalue()


def _changed(table, change):
  return _saved(np.savez, **change(dict(np.load(io.BytesIO(table)))))


@pytest.mark.parametrize('damage', DAMAGED_TABLES)
def test_a_damaged_table_of_labels_is_refused(copy, damage):
  (path,) = copy.glob('*-B.*.labels.npz')
  path.write_bytes(DAMAGED_TABLES[damage](path.read_bytes()))
  dataset = voxel_dataset.Dataset(str(copy.parents[2]), 'walker')
  with pytest.raises(voxel_dataset.DataError) as caught:
    label_index.index_labels(dataset.source('ABC'), dataset.config.own, 2)
  assert (caught.value.code, caught.value.file) == ('data.damaged_labels', str(path))
  assert str(caught.value).startswith(f'{path}: the table of labels is damaged (')
  assert '--overwrite' in str(caught.value)


def test_the_command_ends_on_damaged_records(copy, tmp_path):
  (path,) = copy.glob('*-B.array_record-?????-of-?????')
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


def test_a_subject_that_is_not_there(walker):
  for names, message, code in (
    (('Z',), "holdout is 'Z'; the subjects are A, B, C", 'data.unknown_subject'),
    (('A', 'a'), "inner is 'a'; the subjects are A, B, C", 'data.unknown_subject'),
    (('A', 'A'), "'A' is the one held out", 'data.holdout_is_inner'),
  ):
    with pytest.raises(voxel_dataset.DataError, match=message) as caught:
      walker.others(*names)
    assert caught.value.code == code


@pytest.mark.parametrize(
  ('names', 'people', 'left'),
  [(('', ''), 2, 'AB'), (('A', ''), 1, 'B'), (('A', 'B'), 2, 'C'), (('', ''), 0, 'ABC')],
)
def test_the_first_people_only(walker, names, people, left):
  assert walker.others(*names, people) == tuple(left)


@pytest.mark.parametrize(('holdout', 'people'), [('', 4), ('A', 3), ('', -1)])
def test_more_people_than_there_are(walker, holdout, people):
  with pytest.raises(voxel_dataset.DataError, match=f'config.people is {people}') as caught:
    walker.others(holdout, '', people)
  assert caught.value.code == 'config.value'


@pytest.mark.parametrize(('subjects', 'inner'), [(('A',), ''), (('A', 'B'), 'B')])
def test_nobody_left_to_train_on(data_dir, subjects, inner):
  dataset = voxel_dataset.Dataset(str(data_dir), 'walker')
  dataset.subjects = subjects
  with pytest.raises(voxel_dataset.DataError, match='nobody is left to train on') as caught:
    dataset.others('A', inner)
  assert caught.value.code == 'data.no_training_subjects'
