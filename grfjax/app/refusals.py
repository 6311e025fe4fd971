"""What the application answers to a request that it cannot fulfil."""

from __future__ import annotations

from grfjax import errors


class Refusal(errors.InputError):
  """A request that is refused; its code says why.

  Attributes:
    status: of the HTTP answer.
  """

  def __init__(self, status: int, code: str, detail: str):
    super().__init__(detail, code=code)
    self.status = status


def not_found(what: str) -> Refusal:
  """Returns the refusal of an address at which there is nothing."""
  return Refusal(404, 'app.not_found', f'there is no {what} at this address')
