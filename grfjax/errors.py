"""Errors about input that cannot be used, each with a short, stable code.

The text is for people and may be reworded; programs and tests look at the code and at the file,
line, column and frame that the error carries. `docs/error_codes.md` lists every code.
"""

from __future__ import annotations

import copy
import os
from typing import Any, Self


class InputError(ValueError):
  """Something that was given cannot be used as it is.

  Attributes:
    code: short and stable, 'area.reason', such as 'video.no_walker'.
    file: the file at fault, or None.
    line: its line, counted from 1, or None.
    column: the name of its column, or None.
    frame: the video's frame, counted from 0, or None.
  """

  def __init__(
    self,
    message: str,
    *,
    code: str,
    file: str | os.PathLike[str] | None = None,
    line: int | None = None,
    column: str | None = None,
    frame: int | None = None,
  ):
    super().__init__(message)
    self.code = code
    self.file = None if file is None else os.fspath(file)
    self.line, self.column, self.frame = line, column, frame

  def __reduce__(self) -> tuple[Any, ...]:
    # An exception is otherwise copied and pickled by calling its class with `args` alone, which
    # fails for want of a code; errors are pickled when they leave a worker process.
    return _restore, (type(self), self.args, self.__dict__.copy())

  @classmethod
  def from_error(cls, error: InputError) -> Self:
    """Returns an error of this class with the message, code and place of another one."""
    return _restore(cls, error.args, error.__dict__.copy())

  def within(self, where: str, *, file: str | os.PathLike[str] | None = None) -> Self:
    """Returns the same error with its place put before the message.

    Args:
      where: what the message then begins with, such as 'trials.csv, line 7'.
      file: the file at fault, where this error does not know it.
    """
    placed = copy.copy(self)
    placed.args = (f'{where}: {self}',)
    if placed.file is None and file is not None:
      placed.file = os.fspath(file)
    return placed


class PipelineError(RuntimeError):
  """An Apache Beam pipeline failed, for a reason that lies in no input; the message is Beam's."""


def _restore(cls: type[Any], args: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
  error = cls.__new__(cls, *args)
  error.__dict__.update(attributes)
  return error


def describe(error: BaseException) -> str:
  """Returns the message of an error for a terminal, its code behind it where it has one."""
  return f'{error} [{error.code}]' if isinstance(error, InputError) else str(error)
