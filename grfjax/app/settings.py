"""What the application is started with."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import pathlib
import secrets

MAX_FILM_BYTES = 4 * 10**9  # a film of this size and over is refused; some 20 minutes of 4K

# What is left free on the disk beside a film: its results, and room for everything else.
RESERVED_BYTES = 500 * 10**6


@dataclasses.dataclass(frozen=True)
class Settings:
  """What the application is started with.

  Attributes:
    folder: for films, results and the database.
    hosts: what a request's Host header may be, such as '127.0.0.1:8321'.
    secure: whether it is served by HTTPS, so that cookies are sent by nothing else.
    max_film_bytes: a film of this size and over is refused.
    reserved_bytes: that must stay free on the disk.
    token: that opens the application.
    key: that sessions are signed with; sessions end with the server.
  """

  folder: pathlib.Path
  hosts: frozenset[str]
  secure: bool = False
  max_film_bytes: int = MAX_FILM_BYTES
  reserved_bytes: int = RESERVED_BYTES
  token: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
  key: bytes = dataclasses.field(default_factory=lambda: secrets.token_bytes(32), repr=False)

  def is_token(self, text: str) -> bool:
    """Tells whether the text is the token, in a time that does not tell how much of it is."""
    return hmac.compare_digest(text.encode(), self.token.encode())

  def new_session(self) -> str:
    """Returns the value of a new session's cookie, which `is_session` recognises."""
    name = secrets.token_urlsafe(16)
    return f'{name}.{self._sign("session", name)}'

  def is_session(self, value: str) -> bool:
    """Tells whether a cookie's value is of `new_session`."""
    name, _, signature = value.partition('.')
    return hmac.compare_digest(signature.encode(), self._sign('session', name).encode())

  def csrf(self, session: str) -> str:
    """Returns what the forms of a session carry, which other sites cannot know."""
    return self._sign('form', session)

  def is_csrf(self, session: str, text: str) -> bool:
    """Tells whether a form comes from a page of the session."""
    return hmac.compare_digest(text.encode(), self.csrf(session).encode())

  def _sign(self, purpose: str, text: str) -> str:
    return hmac.new(self.key, f'{purpose}:{text}'.encode(), hashlib.sha256).hexdigest()
