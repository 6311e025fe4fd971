"""Packages that only some of the work needs, and that are installed with an extra of grfjax."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from grfjax import errors


@contextlib.contextmanager
def needed(extra: str) -> Iterator[None]:
  """Says which extra to install where an import in the block does not find its package.

  Args:
    extra: such as 'train'.

  Raises:
    errors.InputError: a package is not installed.
  """
  try:
    yield
  except ModuleNotFoundError as error:
    package = (error.name or '').partition('.')[0]
    if package in ('', 'grfjax'):  # a mistake, which installing mends nothing of
      raise
    raise errors.InputError(
      f'the package {package} is not installed; it comes with: pip install "grfjax[{extra}]"',
      code='install.missing_package',
    ) from error
