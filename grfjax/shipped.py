"""Files that travel with the package though their source lies beside it, in the checkout."""

from __future__ import annotations

import pathlib

from grfjax import errors

_PACKAGE = pathlib.Path(__file__).resolve().parent


def _folder(name: str) -> pathlib.Path:
  """Returns a folder of the installed package, or of the checkout that it is used from."""
  installed = _PACKAGE / name
  return installed if installed.is_dir() else _PACKAGE.parent / name


def builder_folder() -> pathlib.Path:
  """Returns the folder of the TFDS builder `walking_grf`."""
  return _folder('datasets/walking_grf')


def config_file(config: str) -> str:
  """Returns the file of a configuration that is given by its name alone.

  Args:
    config: a name, such as walker, or a path; an argument may follow after a colon, which stays.

  Raises:
    errors.InputError: there is no configuration of that name.
  """
  name, colon, argument = config.partition(':')
  if name.endswith('.py') or set(name) & set('/\\'):
    return config
  files = {path.stem: path for path in sorted(_folder('configs').glob('*.py'))}
  if name not in files:
    raise errors.InputError(
      f'there is no configuration {name!r}; expected one of {", ".join(files)}, or the path of a '
      'file',
      code='config.unknown_file',
    )
  return f'{files[name]}{colon}{argument}'
