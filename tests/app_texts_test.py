"""Texts of the local web application: every one in every language, and none in a page by script."""

import gettext
import io
import pathlib
import re

import pytest

messages = pytest.importorskip('babel.messages')
from babel.messages import extract, frontend, mofile, pofile  # noqa: E402 - may not be installed

import grfjax.app  # noqa: E402
from grfjax.app import rendering, texts  # noqa: E402
from grfjax.tracking import tracking_gaps  # noqa: E402

ROOT = pathlib.Path(__file__).parents[1]
APP = pathlib.Path(grfjax.app.__file__).parent
LANGUAGES = ('ja', 'de')
# The same in every language: units, and names that are no words.
SAME = {'kg', 'm', 'm/s', 's', 'BW', 'BW/s', 'BW s', '.', 'Film', 'Pseudonym'}


@pytest.fixture(scope='module')
def source():
  """Every text of templates and Python: a text, or (singular, plural)."""
  with (APP / 'babel.cfg').open() as file:
    methods, options = frontend.parse_mapping_cfg(file)
  keywords = extract.DEFAULT_KEYWORDS | {'N_': None}
  found = extract.extract_from_dir(APP, methods, options, keywords)
  return {message for _, _, message, _, _ in found}


def catalogue(language):
  path = APP / 'locale' / language / 'LC_MESSAGES/app.po'
  with path.open('rb') as file:
    return pofile.read_po(file, locale=language, domain='app')


def forms(text):
  return list(text) if isinstance(text, (tuple, list)) else [text]


@pytest.mark.parametrize('language', LANGUAGES)
def test_catalogues_are_complete(source, language):
  known = {m.id: m for m in catalogue(language) if m.id}
  assert known.keys() == source
  assert len(source) > 200
  for text, message in known.items():
    assert not message.fuzzy, text
    assert all(forms(message.string)), f'{text!r} is not translated'
    if text not in SAME:
      assert message.string != text, f'{text!r} is the English text'
    places = [set(re.findall(r'%\(\w+\)s|\{\w+\}', t)) for t in forms(text)]
    for form in forms(message.string):
      assert set(re.findall(r'%\(\w+\)s|\{\w+\}', form)) == places[-1], form
      # Jinja fills in every text by %, so that a percent sign alone stands twice, as in English.
      assert ('%%' in form) == ('%%' in forms(text)[0]), form


@pytest.mark.parametrize('language', LANGUAGES)
def test_the_compiled_catalogues_are_those_of_the_texts(language):
  compiled = io.BytesIO()
  mofile.write_mo(compiled, catalogue(language))
  compiled.seek(0)
  expected = gettext.GNUTranslations(compiled)._catalog
  with (APP / 'locale' / language / 'LC_MESSAGES/app.mo').open('rb') as file:
    found = gettext.GNUTranslations(file)._catalog
  assert {k: t for k, t in found.items() if k} == {k: t for k, t in expected.items() if k}


def test_flags_are_those_of_the_documented_codes():
  documented = (ROOT / 'docs/error_codes.md').read_text(encoding='utf-8')
  flags = documented.partition('## Flags of a prediction')[2]
  codes = set(re.findall(r'^\| `((?:gait|prediction)\.\w+)`', flags, re.MULTILINE))
  codes |= set(re.findall(r'^\| `(walker\.\w+)`', documented, re.MULTILINE))
  assert set(texts.FLAGS) == codes
  assert set(texts.FLAG_SENTENCES) == codes - {'prediction.note'}


@pytest.mark.parametrize(
  ('language', 'start'),
  [('de', 'Von 1,5 bis 20,0 s'), ('ja', '1.5～20.0秒'), ('en', 'From 1.5 to 20.0 s')],
)
def test_flags_are_said_in_the_language_with_their_numbers(language, start):
  translate = rendering.translations(language).gettext
  reasons = [r for r in vars(tracking_gaps).values() if isinstance(r, tracking_gaps.Reason)]
  assert len(reasons) >= 6
  for reason in reasons:
    gap = str(tracking_gaps.Gap(1.5, 20.0, reason))
    said = texts.flag(reason.code, f'F{gap[1:]}.', translate, language)
    assert said['text'].startswith(start), reason
    assert not said['detail']
    moment = str(tracking_gaps.Gap(1.5, 1.5, reason))
    said = texts.flag(reason.code, f'{moment[0].upper()}{moment[1:]}.', translate, language)
    assert not said['detail'], moment
  unknown = texts.flag('walker.oblique', 'As no version says it.', translate, language)
  assert unknown['text' if language == 'en' else 'detail'] == 'As no version says it.'
  no_leg = 'There is no estimate of the near leg (it was never seen).'
  assert no_leg in texts.flag('gait.no_estimate', no_leg, translate, language).values()


def test_pages_hold_no_script_or_style_and_lead_nowhere_else():
  paths = sorted((APP / 'templates').glob('*.html')) + sorted((APP / 'static').glob('*'))
  assert len(paths) > 12
  for path in paths:
    text = path.read_text(encoding='utf-8').replace('http://www.w3.org/2000/svg', '')
    assert not re.search(r'https?:|@import|url\(', text), path
    if path.suffix == '.html':
      assert not re.search(r'\sstyle=|<style|\son\w+=|<script(?! src="/static/)', text), path


def test_the_drawing_is_the_same_in_docs_and_app():
  drawings = [ROOT / 'docs/how-to-film.svg', APP / 'static/how-to-film.svg']
  assert drawings[0].read_bytes() == drawings[1].read_bytes()
