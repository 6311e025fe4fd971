"""Receives a form with a film, which goes to the disk as it arrives and is checked on the way."""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
import shutil
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, BinaryIO

import anyio
import python_multipart
from python_multipart import exceptions, multipart
from starlette import concurrency, requests, responses, types

from grfjax.app import refusals, settings, store
from grfjax.io import atomic, recordings

FILM = 'film'
PSEUDONYM_LENGTH = 60
FIRST_DATE = datetime.date(1990, 1, 1)  # no film that a browser could send is older
_CODES = {  # of fields that are refused
  'pseudonym': 'app.pseudonym',
  'filmed_on': 'app.date',
  'body_mass_kg': 'app.body_mass',
  'height_m': 'app.height',
  'age_years': 'app.age',
}
_FIELD_BYTES = 4000  # of a field that is no film
_FIELDS = 20
_PORTION = 2**20  # bytes that are written at once
_LOOK_AT_DISK = 64 * 2**20  # bytes between two looks at what is free
_REST_S = 30.0  # for the rest of a refused form


@contextlib.asynccontextmanager
async def received_film(
  request: requests.Request,
  options: settings.Settings,
  folder: pathlib.Path,
  check_fields: Callable[[dict[str, str]], store.WalkData],
) -> AsyncIterator[tuple[pathlib.Path, store.WalkData]]:
  """Receives the form; its film is removed at the end unless the block moves it away.

  Args:
    request: whose body has not been read.
    options: with the limits.
    folder: for the film while it arrives.
    check_fields: returns what the fields before the film mean, or raises the refusal.

  Yields:
    The film, whole on the disk, and what the fields mean.

  Raises:
    refusals.Refusal: the form cannot be used, the film is too large, or the disk is full.
    requests.ClientDisconnect: the tablet is gone.
  """
  _check_declared(request, options, folder)
  path = folder / f'{store.new_id()}.part'
  try:
    with _refusing_full_disk():
      data = await _receive(request, options, path, check_fields)
    yield path, data
  finally:
    path.unlink(missing_ok=True)


def _check_declared(
  request: requests.Request, options: settings.Settings, folder: pathlib.Path
) -> None:
  """Refuses what cannot succeed before anything of it is read."""
  declared = request.headers.get('content-length', '')
  length = int(declared) if declared.isdecimal() else 0
  if length >= options.max_film_bytes:
    raise _too_large(options)
  _check_free(folder, length + options.reserved_bytes)


def _check_free(folder: pathlib.Path, wanted: int) -> None:
  free = shutil.disk_usage(folder).free
  if free < wanted:
    raise refusals.Refusal(
      507, 'app.disk_full', f'{free:,} bytes are free on the disk, {wanted:,} are needed'
    )


@contextlib.contextmanager
def _refusing_full_disk() -> Iterator[None]:
  try:
    yield
  except OSError as error:
    if error.errno in atomic.DISK_FULL:
      raise refusals.Refusal(507, 'app.disk_full', 'the disk is full') from error
    raise


def _too_large(options: settings.Settings) -> refusals.Refusal:
  return refusals.Refusal(
    413, 'app.too_large', f'expected a film of less than {options.max_film_bytes:,} bytes'
  )


async def _receive(
  request: requests.Request,
  options: settings.Settings,
  path: pathlib.Path,
  check_fields: Callable[[dict[str, str]], store.WalkData],
) -> store.WalkData:
  form = _Form(request.headers.get('content-type', ''))
  data: store.WalkData | None = None
  written = looked = 0
  with path.open('xb') as file:
    async for chunk in request.stream():
      form.add(chunk)
      if form.has_film and data is None:
        data = check_fields(form.fields)
      if written + len(form.film) >= options.max_film_bytes:
        raise _too_large(options)
      if len(form.film) >= _PORTION:
        written += await concurrency.run_in_threadpool(_write, file, form.film)
      if written - looked >= _LOOK_AT_DISK:
        looked = written
        _check_free(path.parent, options.reserved_bytes)
    form.finish()
    written += await concurrency.run_in_threadpool(_write, file, form.film)
    await concurrency.run_in_threadpool(_sync, file)
  if data is None:
    data = check_fields(form.fields)  # what is wrong with these is said first
  if not written:
    raise refusals.Refusal(422, 'app.no_film', 'the form has no film, or an empty one')
  return data


def _write(file: BinaryIO, buffer: bytearray) -> int:
  """Writes a buffer, empties it, and returns how much it held."""
  file.write(buffer)
  size = len(buffer)
  buffer.clear()
  return size


def _sync(file: BinaryIO) -> None:
  file.flush()
  os.fsync(file.fileno())


class _Form:
  """A multipart form, given in portions.

  Attributes:
    fields: name -> text, of the parts that have ended.
    film: bytes of the film that nobody has taken out yet.
    has_film: whether the film has begun; it must be the last part.
  """

  def __init__(self, content_type: str):
    kind, parameters = multipart.parse_options_header(content_type)
    if kind != b'multipart/form-data' or b'boundary' not in parameters:
      raise _bad_form(f'sent as {content_type[:100]!r}, expected multipart/form-data')
    self.fields: dict[str, str] = {}
    self.film = bytearray()
    self.has_film = False
    self._is_over = False
    self._parts = 0
    self._name, self._value = '', bytearray()
    self._header, self._header_value = bytearray(), bytearray()
    callbacks: Any = {
      'on_part_begin': self._begin_part,
      'on_part_data': self._add_data,
      'on_part_end': self._end_part,
      'on_header_field': lambda data, start, end: self._header.extend(data[start:end]),
      'on_header_value': lambda data, start, end: self._header_value.extend(data[start:end]),
      'on_header_end': self._end_header,
      'on_headers_finished': self._begin_data,
      'on_end': self._end,
    }
    try:
      self._parser = python_multipart.MultipartParser(parameters[b'boundary'], callbacks)
    except exceptions.FormParserError as error:
      raise _bad_form(str(error)) from error

  def add(self, chunk: bytes) -> None:
    """Takes the next portion of the body."""
    try:
      self._parser.write(chunk)
    except exceptions.FormParserError as error:
      raise _bad_form(str(error)) from error

  def finish(self) -> None:
    """Refuses a form that is not there to its end."""
    if not self._is_over:
      raise _bad_form('the form is cut short')

  def _begin_part(self) -> None:
    if self.has_film:
      raise _bad_form('the film is not the last field')
    self._parts += 1
    if self._parts > _FIELDS:
      raise _bad_form(f'more than {_FIELDS} fields')
    self._name, self._value = '', bytearray()

  def _end_header(self) -> None:
    if self._header.lower() == b'content-disposition':
      _, parameters = multipart.parse_options_header(bytes(self._header_value))
      self._name = parameters.get(b'name', b'').decode('utf-8', 'replace')
    self._header, self._header_value = bytearray(), bytearray()

  def _begin_data(self) -> None:
    self.has_film = self._name == FILM

  def _add_data(self, data: bytes, start: int, end: int) -> None:
    if self.has_film:
      self.film += data[start:end]
      return
    self._value += data[start:end]
    if len(self._value) > _FIELD_BYTES:
      detail = f'{self._name[:40]!r} has more than {_FIELD_BYTES} bytes'
      code = _CODES.get(self._name)
      raise _bad_field(code, detail) if code else _bad_form(detail)

  def _end_part(self) -> None:
    if not self.has_film:
      self.fields.setdefault(self._name, self._value.decode('utf-8', 'replace'))

  def _end(self) -> None:
    self._is_over = True


class EarlyAnswer(responses.Response):
  """An answer to a form that has not been read to its end.

  It is sent at once. A connection that is closed with bytes unread is reset, and the browser then
  shows an error of its own: so the rest is taken and thrown away for a while.
  """

  def __init__(self, answer: responses.Response):
    """Wraps the answer."""
    super().__init__(answer.body, answer.status_code)
    self.raw_headers = [*answer.raw_headers, (b'connection', b'close')]

  async def __call__(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
    """Sends the answer, then takes the rest of the request."""
    headers = {'status': self.status_code, 'headers': self.raw_headers}
    await send({'type': 'http.response.start', **headers})
    await send({'type': 'http.response.body', 'body': self.body, 'more_body': True})
    with anyio.move_on_after(_REST_S):
      while (await receive()).get('more_body', False):
        pass
    await send({'type': 'http.response.body', 'body': b''})


def _bad_form(detail: str) -> refusals.Refusal:
  return refusals.Refusal(400, 'app.form', detail)


def today() -> str:
  """Returns the date where the program runs, 'YYYY-MM-DD'."""
  return datetime.date.today().isoformat()


def parse_walk_data(fields: dict[str, str]) -> store.WalkData:
  """Returns what the fields of the form mean.

  Raises:
    refusals.Refusal: a field is missing, no number, or outside its limits.
  """
  pseudonym = unicodedata.normalize('NFKC', ' '.join(fields.get('pseudonym', '').split()))
  if not 1 <= len(pseudonym) <= PSEUDONYM_LENGTH or not pseudonym.isprintable():
    raise _bad_field(
      'app.pseudonym', f'the pseudonym has {len(pseudonym)} characters, expected 1 to '
      f'{PSEUDONYM_LENGTH} printable ones',
    )  # fmt: skip
  filmed_on = fields.get('filmed_on', '').strip() or today()
  try:
    date = datetime.date.fromisoformat(filmed_on)
  except ValueError as error:
    raise _bad_field('app.date', f'the date is {filmed_on[:40]!r}, expected YYYY-MM-DD') from error
  if date < FIRST_DATE:
    raise _bad_field('app.date', f'the date {date} is before {FIRST_DATE}')
  if date > datetime.date.today() + datetime.timedelta(1):  # a tablet east of here is ahead
    raise _bad_field('app.date', f'the date {date} has not come yet')
  mass = _number(fields, 'body_mass_kg', recordings.BODY_MASS_KG)
  if mass is None:
    raise _bad_field('app.body_mass', 'no body mass is given')
  return store.WalkData(
    pseudonym, date.isoformat(), mass,
    _number(fields, 'height_m', recordings.HEIGHT_M),
    _number(fields, 'age_years', recordings.AGE_YEARS),
  )  # fmt: skip


def _number(fields: dict[str, str], name: str, limits: tuple[float, float]) -> float | None:
  """Returns a field's number, None where it is empty."""
  text = unicodedata.normalize('NFKC', fields.get(name, '')).strip()
  if not text:
    return None
  (low, high), code = limits, _CODES[name]
  try:
    value = float(text.replace(',', '.').replace('_', ' '))  # 6_1 is no number but in Python
  except ValueError as error:
    raise _bad_field(code, f'{name} is {text[:40]!r}, expected a number') from error
  if not low <= value <= high:  # nan is not either
    raise _bad_field(code, f'{name} is {value:g}, expected {low:g} to {high:g}')
  return value


def _bad_field(code: str, detail: str) -> refusals.Refusal:
  return refusals.Refusal(422, code, detail)
