"""What readers of an estimate are told of its network."""

import types

import ml_collections
import pytest

from grfjax import errors
from grfjax.io import run_folder
from grfjax.report import run_description


def test_about_a_run(tmp_path):
  config = ml_collections.ConfigDict({'model': {'name': 'walker', 'width': 4}})
  folder = run_folder.RunFolder(tmp_path)
  run = types.SimpleNamespace(folder=folder, config=config, step=6)
  bare = run_description.describe_run(run)
  assert bare == {
    'model': 'walker (width 4)', 'step': 6, 'what': None, 'trained_on_subjects': None,
    'training_followed': None, 'mae_pct_bw': {}, 'interval_share': None,
  }  # fmt: skip
  (tmp_path / 'subjects.json').write_text('{"trained": [["A", 61.5], ["C", 75.0]], "watched": []}')
  (tmp_path / 'eval.json').write_text('{"subjects": {"B": {"mae_pct_bw": 4.25}}}')
  folder.intervals.write_text('{"share": 0.9, "blend": 0.5}')
  folder.about.write_text('{"what": "a network", "mae_pct_bw": {"others": 3}}')
  full = run_description.describe_run(run)
  assert full['trained_on_subjects'] == 2
  assert full['mae_pct_bw'] == {'others': 3, 'B, held out': 4.25}
  assert (full['what'], full['training_followed']) == ('a network', 0.5)
  assert full['interval_share'] == 0.9


@pytest.mark.parametrize(
  ('name', 'text'), [('eval.json', '{"subjects": []}'), ('about.json', '{'), ('subjects.json', '3')]
)
def test_a_damaged_file_has_its_code(tmp_path, name, text):
  config = ml_collections.ConfigDict({'model': {'name': 'walker'}})
  (tmp_path / name).write_text(text)
  run = types.SimpleNamespace(folder=run_folder.RunFolder(tmp_path), config=config, step=6)
  with pytest.raises(errors.InputError, match='cannot be read') as caught:
    run_description.describe_run(run)
  assert (caught.value.code, caught.value.file) == ('run.damaged_file', str(tmp_path))
