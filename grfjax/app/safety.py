"""What every request passes: the Host header, the session, and the headers of the answer.

A page of another site may make a browser send requests here, also under a name of its own that
leads here (DNS rebinding); it knows neither the session's cookie, which is `SameSite=Strict`, nor
the value in the forms.
"""

from __future__ import annotations

import urllib.parse

from starlette import datastructures, types

from grfjax.app import refusals, settings

COOKIE = 'grfjax_session'
OPEN = '/open/'  # with the token behind it
STATIC = '/static/'
MAX_FORM_BYTES = 10_000  # of a form without a film

PAGE_POLICY = (
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
  "media-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; "
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def report_policy(style_hashes: list[str]) -> str:
  """Returns the policy of a report of `predict`: its own styles and pictures, and no script.

  Args:
    style_hashes: SHA-256 of its inline styles, in base 64.
  """
  styles = ' '.join(f"'sha256-{digest}'" for digest in style_hashes) or "'none'"
  return (
    f"default-src 'none'; style-src {styles}; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin"
  )


_HEADERS = {
  'Content-Security-Policy': PAGE_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',  # the address with the token is told to nobody else
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  'Cache-Control': 'no-store',  # a tablet is lent on
}


class Guard:
  """ASGI middleware that lets in only who may come, and gives every answer its headers."""

  def __init__(self, app: types.ASGIApp, options: settings.Settings, refuse: types.ASGIApp):
    """Guards an application.

    Args:
      app: that is guarded.
      options: of the application.
      refuse: answers a request by the refusal in scope['state']['refusal'].
    """
    self._app, self._options, self._refuse = app, options, refuse

  async def __call__(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
    if scope['type'] == 'lifespan':
      await self._app(scope, receive, send)
      return
    if scope['type'] != 'http':
      raise ValueError(f'a connection of type {scope["type"]!r}, expected http')

    async def send_with_headers(message: types.Message) -> None:
      if message['type'] == 'http.response.start':
        headers = datastructures.MutableHeaders(scope=message)
        for name, value in _HEADERS.items():
          headers.setdefault(name, value)
      await send(message)

    refusal = self._refusal(scope)
    if refusal is None:
      await self._app(scope, receive, send_with_headers)
    else:
      scope.setdefault('state', {})['refusal'] = refusal
      await self._refuse(scope, receive, send_with_headers)

  def _refusal(self, scope: types.Scope) -> refusals.Refusal | None:
    headers = datastructures.Headers(scope=scope)
    hosts = headers.getlist('host')
    if len(hosts) != 1 or hosts[0].lower() not in self._options.hosts:
      return refusals.Refusal(
        400, 'app.host', f'asked for by the name {", ".join(hosts) or "(none)"}; expected one of '
        f'{", ".join(sorted(self._options.hosts))}',
      )  # fmt: skip
    path = scope['path']
    if path.startswith((OPEN, STATIC)) or session_of(headers, self._options):
      return None
    return refusals.Refusal(401, 'app.no_session', 'no session of this server has been opened')


def session_of(headers: datastructures.Headers, options: settings.Settings) -> str:
  """Returns the session that the cookies name, '' where they name none of this server.

  Browsers send the cookies of every program on the same host, whatever they hold; so what is not
  a session's cookie is passed over, not parsed.
  """
  pairs = (part.partition('=') for part in headers.get('cookie', '').split(';'))
  values = (value.strip() for name, _, value in pairs if name.strip() == COOKIE)
  return next(filter(options.is_session, values), '')


def parse_form(body: bytes) -> dict[str, str]:
  """Returns the fields of an urlencoded form; of those that come twice the first."""
  try:
    parsed = urllib.parse.parse_qs(
      body.decode('utf-8', 'replace'), keep_blank_values=True, max_num_fields=20
    )
  except ValueError as error:
    raise refusals.Refusal(400, 'app.form', str(error)) from error
  return {name: values[0] for name, values in parsed.items()}
