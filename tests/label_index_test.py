"""Tests of grfjax.data.label_index: every label once, and how often each interval is drawn."""

import itertools

import numpy as np
import pytest
import scipy.stats

from grfjax import errors
from grfjax.data import (
  force_intervals,
  input_pipeline,
  label_index,
  label_tables,
  voxel_dataset,
)

OWN = slice(2, 6)


@pytest.fixture(scope='module')
def walker(data_dir):
  return voxel_dataset.Dataset(str(data_dir), 'walker')


@pytest.fixture(scope='module')
def everyone(walker):
  source = walker.source(walker.subjects)
  return source, label_index.index_labels(source, walker.config.own, 2)


class Made(list):
  """Records in memory, as though in files of a few each."""

  @property
  def file_count(self):
    return -(-len(self) // 7)

  def label_table(self, which):
    return label_tables.label_table(self[7 * which : 7 * (which + 1)])


def made_source(levels):
  """Records of 8 frames, 4 of them own, whose near leg's vertical forces are those given."""
  records = Made()
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


def test_several_threads_make_the_same_index():
  one, several = (label_index.index_labels(made_source(LEVELS), OWN, 2, n) for n in (1, 5))
  for name in ('record', 't', 'first'):
    np.testing.assert_array_equal(getattr(one, name), getattr(several, name))


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
  stream = input_pipeline.train_stream(
    source, labels, batch=100, clip=1, rebalance=rebalance, seed=3
  )
  batches = list(itertools.islice(iter(stream), 40))
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
    with pytest.raises(errors.InputError, match='expected 0 to 1') as caught:
      label_index.interval_probabilities(counts, wrong)
    assert caught.value.code == 'config.rebalance'


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
    with pytest.raises(voxel_dataset.DataError, match='no frame with a known force') as caught:
      label_index.index_labels(records, OWN, legs)
    assert caught.value.code == 'data.no_labels'
  with pytest.raises(voxel_dataset.DataError, match='no frame with a known force'):
    label_index.index_labels(Made(), OWN, 1)
