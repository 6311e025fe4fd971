"""The files of a run: bundled networks by name, and files that are missing or damaged."""

import pytest

from grfjax import errors
from grfjax.io import run_folder
from grfjax.training import warm_start


def test_a_bundled_network_is_found_by_name_and_a_folder_by_its_path(tmp_path):
  assert run_folder.RunFolder.find('recurrent').subjects.is_file()
  assert run_folder.RunFolder.find('./recurrent').path.parts == ('recurrent',)
  assert run_folder.RunFolder.find(str(tmp_path / 'recurrent')).path == tmp_path / 'recurrent'


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path):
  run = run_folder.RunFolder(tmp_path)
  assert run_folder.read_json(run.config) is None
  with pytest.raises(errors.InputError) as missing:
    run_folder.require(run.config)
  assert (missing.value.code, missing.value.file) == ('run.missing', str(run.config))
  run.config.write_text('{"model":')
  with pytest.raises(errors.InputError) as damaged:
    run_folder.read_json(run.config)
  assert (damaged.value.code, damaged.value.file) == ('run.damaged_file', str(run.config))


@pytest.mark.parametrize('text', ['{', '[]', '{"model": 1}', '{"dataset": "walker"}', 'null'])
def test_a_run_to_start_from_with_a_damaged_configuration_is_named(tmp_path, text):
  run = run_folder.RunFolder(tmp_path)
  run.config.write_text(text)
  with pytest.raises(errors.InputError) as damaged:
    warm_start.initial_params(str(tmp_path), {})
  assert (damaged.value.code, damaged.value.file) == ('run.damaged_file', str(run.config))
