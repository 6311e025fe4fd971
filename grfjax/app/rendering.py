"""Fills in the pages' templates in the reader's language."""

from __future__ import annotations

import functools
import gettext
import importlib.metadata
import math
import pathlib
from typing import Any

import jinja2
from starlette import requests, responses

from grfjax.app import refusals, safety, settings, texts, uploads
from grfjax.io import recordings

LANGUAGES = ('en', 'ja', 'de')  # the first is that of the source
_LOCALES = pathlib.Path(__file__).with_name('locale')
_DECIMAL_MARKS = {'de': ','}
UNDEFINED = '–'


def choose_language(accept: str) -> str:
  """Returns the language that a browser likes best of those that there are.

  Args:
    accept: the Accept-Language header, such as 'de-CH,de;q=0.9,en;q=0.8'.
  """
  liked: list[tuple[float, int, str]] = []
  for part in accept.split(','):
    name, _, quality = part.partition(';')
    try:
      weight = float(quality.strip().removeprefix('q=') or 1)
    except ValueError:
      continue
    language = name.strip().lower().partition('-')[0]
    if language in LANGUAGES and weight > 0:
      liked.append((-weight, len(liked), language))
  return min(liked)[2] if liked else LANGUAGES[0]


@functools.cache
def translations(language: str) -> gettext.NullTranslations:
  """Returns the catalogue of a language; of English, what is in the source."""
  return gettext.translation('app', _LOCALES, [language], fallback=language == LANGUAGES[0])


@functools.cache
def _environment(language: str) -> jinja2.Environment:
  environment = jinja2.Environment(
    loader=jinja2.PackageLoader('grfjax.app'),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=['jinja2.ext.i18n'],
  )
  environment.install_gettext_translations(  # type: ignore[attr-defined]
    translations(language), newstyle=True
  )
  environment.globals |= {
    'lang': language,
    'version': importlib.metadata.version('grfjax'),
    'number': lambda value, digits=0: format_number(value, digits, language),
    'megabytes': lambda size: format_number(size / 1e6, 0 if size >= 1e7 else 1, language),
  }
  return environment


def format_number(value: float | None, digits: int, language: str) -> str:
  """Returns a number as it is written in a language; `UNDEFINED` for None and NaN."""
  if value is None or math.isnan(value):
    return UNDEFINED
  text = f'{value:.{digits}f}'.replace('-', '\N{MINUS SIGN}')
  return text.replace('.', _DECIMAL_MARKS.get(language, '.'))


class Page:
  """What pages of a request have in common: the language and the session.

  Attributes:
    language: of `LANGUAGES`.
    translate: text -> text in the language.
  """

  def __init__(self, request: requests.Request, options: settings.Settings):
    self._request, self._options = request, options
    self.language = choose_language(request.headers.get('accept-language', ''))
    self.translate: texts.Translate = translations(self.language).gettext

  def number(self, value: float | None, digits: int = 0) -> str:
    """Returns a number as it is written in the language."""
    return format_number(value, digits, self.language)

  def respond(self, template: str, status_code: int = 200, **values: Any) -> responses.HTMLResponse:
    """Returns a page filled in.

    Args:
      template: its file's name.
      status_code: of the answer.
      **values: what it names.
    """
    options = self._options
    text = (
      _environment(self.language)
      .get_template(template)
      .render(
        path=self._request.url.path,
        csrf=options.csrf(safety.session_of(self._request.headers, options)),
        limits={
          'max_bytes': options.max_film_bytes,
          'body_mass_kg': recordings.BODY_MASS_KG,
          'height_m': recordings.HEIGHT_M,
          'age_years': recordings.AGE_YEARS,
          'pseudonym_length': uploads.PSEUDONYM_LENGTH,
        },
        **values,
      )
    )
    return responses.HTMLResponse(
      text, status_code, {'Content-Language': self.language, 'Vary': 'Accept-Language'}
    )

  def refuse(self, refusal: refusals.Refusal) -> responses.Response:
    """Returns the page of a refusal, or JSON where a script asked for it."""
    message, remedy = texts.refusal(refusal.code, self.translate)
    if 'application/json' in self._request.headers.get('accept', ''):
      return responses.JSONResponse(
        {'code': refusal.code, 'message': message, 'remedy': remedy, 'detail': str(refusal)},
        refusal.status,
      )
    return self.respond(
      'error.html', refusal.status, status=refusal.status, code=refusal.code, message=message,
      remedy=remedy, detail=str(refusal),
    )  # fmt: skip
