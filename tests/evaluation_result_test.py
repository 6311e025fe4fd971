"""What eval.json holds: it comes back as it was written, and a damaged one is refused by name."""

import json

import pytest
import report_making

from grfjax.data import force_intervals
from grfjax.evaluation import evaluation_result
from grfjax.io import atomic
from grfjax.report import fold_report, run_report


@pytest.fixture
def path(tmp_path):
  """A good eval.json."""
  report_making.made_up_run(tmp_path, 'A')
  return tmp_path / 'eval.json'


def rewrite(path, *keys, value=None):
  """Puts a value in the place that the keys lead to, or removes what is there."""
  content = part = json.loads(path.read_text())
  for key in keys[:-1]:
    part = part[key]
  if value is None:
    del part[keys[-1]]
  else:
    part[keys[-1]] = value
  path.write_text(json.dumps(content, indent=1) + '\n')


def assert_refused(path, place, message):
  """Asserts that the file is refused with its code and name, and with the place in it."""
  with pytest.raises(evaluation_result.EvaluationError) as caught:
    evaluation_result.read(path)
  assert caught.value.code == 'evaluation.damaged'
  assert caught.value.file == str(path)
  assert str(caught.value).startswith(f'{", ".join([str(path), *place])}: {message}')
  assert str(caught.value).endswith('; evaluate the run again')


@pytest.mark.parametrize('blend', [None, 0.5, 0, 1])
def test_a_good_file_comes_back_byte_for_byte(path, tmp_path, blend):
  if blend is not None:
    errors = {'0': 8.5, '0.5': None, '1': 6.0}
    rewrite(path, 'blend', value={'taken': blend, 'mae_pct_bw': errors})
  rewrite(path, 'more', value={'of a later version': [1, 2.5, 'x']})
  evaluation = evaluation_result.read(path)
  atomic.write_json(tmp_path / 'again.json', evaluation.to_json())
  assert (tmp_path / 'again.json').read_bytes() == path.read_bytes()
  evaluation_result.write(tmp_path / 'written.json', evaluation)
  assert (tmp_path / 'written.json').read_bytes() == path.read_bytes()
  assert evaluation_result.read(tmp_path / 'written.json') == evaluation


def test_what_is_read_has_names_and_cannot_be_changed(path):
  evaluation = evaluation_result.read(path)
  value = json.loads(path.read_text())
  assert evaluation.subject == 'A'
  assert evaluation.errors.model_dump() == value['subjects']['A']
  assert list(evaluation.prediction_interval.axes()) == ['vertical', 'forward', 'near side']
  assert evaluation.prediction_interval.axes()['vertical'].covered == 0.91
  assert evaluation.blend is None
  with pytest.raises(ValueError, match='frozen'):
    evaluation.step = 3


@pytest.mark.parametrize('intervals', ['missing', 'empty'])
def test_what_need_not_be_there(path, intervals):
  """A run without calibrated intervals, and without a blend to choose."""
  rewrite(path, 'prediction_interval', value=None if intervals == 'missing' else {})
  before = path.read_bytes()
  evaluation = evaluation_result.read(path)
  assert evaluation.blend is None
  assert evaluation.prediction_interval.share is None
  assert evaluation.prediction_interval.axes() == {}
  evaluation_result.write(path, evaluation)
  assert path.read_bytes() == before


REQUIRED = [
  ('subjects',), ('training_subjects',), ('model',), ('dataset',), ('legs',), ('parameters',),
  ('step',), ('voxels',), ('voxels', 'training'), ('frames',), ('frames', 'air'), ('intervals',),
  ('intervals', '0.81-0.90', 'rmse_pct_bw'), ('training_intervals',), ('other_axes',),
  ('other_axes', 'forward', 'r'), ('air_mean_abs_pct_bw',), ('baselines',),
  ('baselines', 'constant', 'n'), ('subjects', 'A', 'mae_newton'),
  ('prediction_interval', 'forward', 'covered'),
]  # fmt: skip


@pytest.mark.parametrize('place', REQUIRED, ids='-'.join)
def test_a_missing_field_is_named(path, place):
  rewrite(path, *place)
  assert_refused(path, place, 'is missing')


@pytest.mark.parametrize(
  ('place', 'value', 'expected'),
  [
    (('legs',), '2', 'a valid integer'),
    (('legs',), True, 'a valid integer'),
    (('step',), 1500.0, 'a valid integer'),
    (('step',), [], 'a valid integer'),
    (('frames', 'stance'), False, 'a valid integer'),
    (('subjects', 'A', 'n'), True, 'a valid integer'),
    (('subjects', 'A', 'mae_pct_bw'), True, 'a valid number'),
    (('subjects', 'A', 'mae_pct_bw'), '5.5', 'a valid number'),
    (('subjects', 'A', 'mae_pct_bw'), float('nan'), 'a finite number'),
    (('subjects', 'A', 'mae_newton'), float('inf'), 'a finite number'),
    (('intervals', '0.81-0.90', 'bias_pct_bw'), float('-inf'), 'a finite number'),
    (('prediction_interval', 'share'), float('nan'), 'a finite number'),
    (('prediction_interval', 'vertical', 'covered'), True, 'a valid number'),
    (('air_mean_abs_pct_bw',), {}, 'a valid number'),
    (('training_subjects',), 'B', 'a valid list'),
    (('training_subjects', 0), 7, 'a valid string'),
    (('dataset',), 1, 'a valid string'),
    (('damaged',), 'a message', 'a valid list'),
    (('model',), 'walker', 'a JSON object'),
    (('intervals',), [], 'a JSON object'),
    (('training_intervals', 0, 'labels'), 1.5, 'a valid integer'),
    (('training_intervals', 1, 'share'), False, 'a valid number'),
    (('prediction_interval', 'vertical'), 0.9, 'a JSON object'),
    (('blend',), 0.5, 'a JSON object'),
  ],
)
def test_a_value_of_another_type_is_named(path, place, value, expected):
  rewrite(path, *place, value=value)
  assert_refused(path, map(str, place), f'expected {expected}')


def test_a_blend_of_another_type_is_named(path):
  rewrite(path, 'blend', value={'taken': 0.5})
  assert_refused(path, ['blend', 'mae_pct_bw'], 'is missing')
  for taken in (True, '0.5', float('nan')):
    rewrite(path, 'blend', value={'taken': taken, 'mae_pct_bw': {}})
    with pytest.raises(evaluation_result.EvaluationError, match=r'eval\.json, blend, taken'):
      evaluation_result.read(path)


def test_one_subject_is_held_out(path):
  errors = json.loads(path.read_text())['subjects']['A']
  rewrite(path, 'subjects', value={'A': errors, 'B': errors})
  assert_refused(path, ['subjects'], 'found 2 subjects, expected one;')
  rewrite(path, 'subjects', value={})
  assert_refused(path, ['subjects'], 'found 0 subjects, expected one;')


def test_a_network_has_a_name(path):
  rewrite(path, 'model', 'name', value=3)
  assert_refused(path, ['model'], 'found no name of the network;')
  rewrite(path, 'model', 'name')
  assert_refused(path, ['model'], 'found no name of the network;')


def test_intervals_come_with_their_share_and_width(path):
  rewrite(path, 'prediction_interval', 'share')
  assert_refused(path, ['prediction_interval'], 'found intervals without the share')
  rewrite(path, 'prediction_interval', 'share', value=0.9)
  content = json.loads(path.read_text())
  content['prediction_interval']['forward']['mean_width_pct_bw'] = None
  atomic.write_json(path, content)
  assert_refused(path, ['prediction_interval', 'forward'], 'found one of covered')
  content['prediction_interval']['forward']['covered'] = None  # no pair counted
  atomic.write_json(path, content)
  evaluation = evaluation_result.read(path)
  assert 'forward force' in run_report.run_summary(evaluation)
  assert 'forward inside' in fold_report.fold_summary({'A': evaluation})


def test_every_interval_of_force_has_its_errors(path):
  name = force_intervals.INTERVALS[5]
  rewrite(path, 'intervals', name)
  assert_refused(path, ['intervals'], f'found no errors in the interval {name};')


@pytest.mark.parametrize(
  'content',
  [b'', b'{', b'{"subjects": 1,}', b'\xff\xfe', b'[' * 100_000],
  ids=['empty', 'cut', 'comma', 'bytes', 'deep'],
)
def test_what_is_not_json_is_named(path, content):
  path.write_bytes(content)
  assert_refused(path, [], 'is not JSON (')


@pytest.mark.parametrize('content', ['[]', '3', 'null', '"x"'])
def test_json_of_something_else_is_named(path, content):
  path.write_text(content)
  assert_refused(path, [], 'expected a JSON object')


def test_a_file_that_is_not_there(tmp_path):
  with pytest.raises(FileNotFoundError):
    evaluation_result.read(tmp_path / 'eval.json')
