"""Answers requests; `README.md` lists them. It estimates nothing: the worker does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import pathlib
import re
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

from starlette import applications, concurrency, exceptions, requests, responses, routing, types
from starlette import staticfiles as static_files

from grfjax.app import (
  charts,
  exports,
  refusals,
  rendering,
  results,
  safety,
  settings,
  store,
  texts,
  uploads,
  views,
)

_STATIC = pathlib.Path(__file__).with_name('static')
_LOOK_S = 0.3  # between two looks at a walk that somebody watches
_SIGN_OF_LIFE_S = 15.0
_STYLE = re.compile(rb'<style>(.*?)</style>', re.DOTALL)
_CODES = {404: 'app.not_found', 405: 'app.method'}
_ZIP_NAME = 'grfjax-walks.zip'


def make_application(options: settings.Settings, places: store.Store) -> types.ASGIApp:
  """Returns the ASGI application.

  Args:
    options: what it was started with.
    places: the films and results.
  """
  handlers = _Handlers(options, places)
  routes = [
    routing.Route('/open/{token}', handlers.open),
    routing.Route('/', handlers.people),
    routing.Route('/new', handlers.new),
    routing.Route('/how-to-film', handlers.how_to_film),
    routing.Route('/walks', handlers.add_walk, methods=['POST']),
    routing.Route('/walks/{walk}', handlers.walk),
    routing.Route('/walks/{walk}/events', handlers.events),
    routing.Route('/walks/{walk}/files/{name}', handlers.file),
    routing.Route('/walks/{walk}/estimate', handlers.estimate, methods=['POST']),
    routing.Route('/walks/{walk}/again', handlers.again, methods=['POST']),
    routing.Route('/walks/{walk}/delete', handlers.delete_walk, methods=['POST']),
    routing.Route('/people/{person}', handlers.person),
    routing.Route('/people/{person}/compare', handlers.compare),
    routing.Route('/people/{person}/export.zip', handlers.export),
    routing.Route('/people/{person}/delete', handlers.delete_person, methods=['POST']),
    routing.Route('/export.zip', handlers.export),
    routing.Mount('/static', static_files.StaticFiles(directory=_STATIC)),
  ]
  application = applications.Starlette(
    routes=routes,
    exception_handlers={
      refusals.Refusal: handlers.refuse,
      exceptions.HTTPException: handlers.refuse,
      sqlite3.OperationalError: handlers.refuse,
      Exception: handlers.refuse,
    },
  )
  return safety.Guard(application, options, handlers.refuse_at_the_door)


class _Handlers:
  """The answers to requests."""

  def __init__(self, options: settings.Settings, places: store.Store):
    self._options, self._places = options, places

  async def open(self, request: requests.Request) -> responses.Response:
    if not self._options.is_token(request.path_params['token']):
      raise refusals.Refusal(403, 'app.wrong_token', 'another token than that of this start')
    answer = self._page(request).respond('opened.html')
    answer.set_cookie(
      safety.COOKIE, self._options.new_session(), httponly=True, samesite='strict',
      secure=self._options.secure,
    )  # fmt: skip
    return answer

  def people(self, request: requests.Request) -> responses.Response:
    return self._page(request).respond('people.html', people=self._places.people())

  def new(self, request: requests.Request) -> responses.Response:
    person = self._places.person(request.query_params.get('person', ''))
    page = self._page(request)
    last = None if person is None else self._places.walks(person.id)[0]
    return page.respond(
      'new.html', pseudonym='' if person is None else person.pseudonym,
      last=None if last is None else views.walk_view(last, page), today=uploads.today(),
    )  # fmt: skip

  def how_to_film(self, request: requests.Request) -> responses.Response:
    return self._page(request).respond('how_to_film.html')

  async def add_walk(self, request: requests.Request) -> responses.Response:
    def check_fields(fields: dict[str, str]) -> store.WalkData:
      self._check_csrf(request, fields)
      return uploads.parse_walk_data(fields)

    received = uploads.received_film(request, self._options, self._places.uploads, check_fields)
    try:
      async with received as (film, data):
        walk = await concurrency.run_in_threadpool(self._places.add_walk, film, data)
    except refusals.Refusal as refusal:
      return uploads.EarlyAnswer(self._page(request).refuse(refusal))
    except requests.ClientDisconnect:  # nobody is there to read an answer
      return responses.Response(status_code=400)
    address = f'/walks/{walk}'
    if 'application/json' in request.headers.get('accept', ''):
      return responses.JSONResponse({'location': address}, 201)
    return responses.RedirectResponse(address, 303)

  def walk(self, request: requests.Request) -> responses.Response:
    walk, page = self._walk(request), self._page(request)
    message, remedy = texts.refusal(walk.code, page.translate)
    of_day = views.numbers_of_day(self._places.walks(walk.person))
    done = results.read_results(self._places, [walk])
    return page.respond(
      'walk.html',
      walk=views.walk_view(walk, page, of_day.get(walk.id, 0)),
      person=self._places.person(walk.person),
      files=results.files_of(self._places.folder_of(walk.id)),
      message=message,
      remedy=remedy,
      attention=[
        texts.flag(code, text, page.translate, page.language)
        for result in done
        for code, text in result.flags
      ],
      short=views.short_view(done[0], page) if done else None,
      headline=views.headline(done[0], page) if done else [],
      enough=results.ENOUGH_VALUES,
      position=self._places.walks_before(walk),
    )

  async def events(self, request: requests.Request) -> responses.Response:
    walk = await concurrency.run_in_threadpool(self._walk, request)
    return responses.StreamingResponse(self._follow(walk.id), media_type='text/event-stream')

  async def _follow(self, walk_id: str) -> AsyncIterator[str]:
    told, quiet_s = '', 0.0
    while True:
      walk = await concurrency.run_in_threadpool(self._places.walk, walk_id)
      if walk is None:
        yield 'event: gone\ndata: {}\n\n'
        return
      state = {'state': walk.state, 'stage': walk.stage, 'progress': round(walk.progress, 3)}
      event = f'event: state\ndata: {json.dumps(state)}\n\n'
      if event != told:
        yield event
        told, quiet_s = event, 0.0
      if walk.state in store.FINAL:
        return
      if quiet_s >= _SIGN_OF_LIFE_S:
        yield ': still at it\n\n'
        quiet_s = 0.0
      await asyncio.sleep(_LOOK_S)
      quiet_s += _LOOK_S

  def file(self, request: requests.Request) -> responses.Response:
    walk, name = self._walk(request), request.path_params['name']
    folder = self._places.folder_of(walk.id)
    if name not in results.files_of(folder):
      raise refusals.not_found('file')
    path = folder / results.FILES[name]
    if name != 'report.html':
      return responses.FileResponse(path, media_type=_MEDIA[path.suffix])
    content = path.read_bytes()
    hashes = [
      base64.b64encode(hashlib.sha256(style).digest()).decode() for style in _STYLE.findall(content)
    ]
    policy = {'Content-Security-Policy': safety.report_policy(hashes)}
    return responses.HTMLResponse(content, headers=policy)

  async def estimate(self, request: requests.Request) -> responses.Response:
    walk = await self._posted_walk(request)
    found = walk.film_check
    if found is None or found['verdict'] == 'unusable':
      raise refusals.Refusal(409, 'app.state', 'the film has no walk that can be estimated')
    return await self._queue(walk, 'estimate_queued', 'checked')

  async def again(self, request: requests.Request) -> responses.Response:
    walk = await self._posted_walk(request)
    state = 'check_queued' if walk.film_check is None else 'estimate_queued'
    return await self._queue(walk, state, 'failed')

  async def _queue(self, walk: store.Walk, state: str, allowed: str) -> responses.Response:
    queue = self._places.queue_job
    if not await concurrency.run_in_threadpool(queue, walk.id, state, allowed):
      raise refusals.Refusal(409, 'app.state', f'the walk is {walk.state}, expected {allowed}')
    return responses.RedirectResponse(f'/walks/{walk.id}', 303)

  async def delete_walk(self, request: requests.Request) -> responses.Response:
    walk = await self._posted_walk(request)
    await concurrency.run_in_threadpool(self._places.delete_walk, walk.id)
    is_left = await concurrency.run_in_threadpool(self._places.person, walk.person)
    return responses.RedirectResponse(f'/people/{walk.person}' if is_left else '/', 303)

  def person(self, request: requests.Request) -> responses.Response:
    person, page = self._person(request), self._page(request)
    walks = self._places.walks(person.id)
    known, of_day = self._repeatability(), views.numbers_of_day(walks)
    done = results.read_results(self._places, walks[::-1])
    return page.respond(
      'person.html',
      person=person,
      walks=[views.walk_view(walk, page, of_day[walk.id]) for walk in walks],
      charts=views.chart_views(charts.draw_charts(done, known), page, of_day),
      repeats={'pairs': known.repeats, 'needed': results.REPEATS_NEEDED},
    )

  def compare(self, request: requests.Request) -> responses.Response:
    person, page = self._person(request), self._page(request)
    walks = self._places.walks(person.id)
    of_day = views.numbers_of_day(walks)
    done = {result.walk.id: result for result in results.read_results(self._places, walks)}
    first, second = (done.get(request.query_params.get(k, '')) for k in ('first', 'second'))
    rows = results.compare(first, second, self._repeatability()) if first and second else []
    chosen: dict[str, Any] = {}
    for name, result in (('first', first), ('second', second)):
      chosen[name] = result and views.walk_view(result.walk, page, of_day[result.walk.id])
      folder = result and self._places.folder_of(result.walk.id)
      chosen[f'files_{name}'] = results.files_of(folder) if folder else []
    return page.respond(
      'compare.html',
      person=person,
      walks=[views.walk_view(walk, page, of_day[walk.id]) for walk in walks if walk.id in done],
      rows=views.comparison_rows(rows, page),
      enough=results.ENOUGH_VALUES,
      **chosen,
    )

  def export(self, request: requests.Request) -> responses.Response:
    if 'person' in request.path_params:
      people = [self._person(request)]
      walks = self._places.walks(people[0].id)
    else:
      people, walks = self._places.people(), self._places.walks()
    return responses.StreamingResponse(
      exports.zip_walks(self._places, people, walks), media_type='application/zip',
      headers={'Content-Disposition': f'attachment; filename="{_ZIP_NAME}"'},
    )  # fmt: skip

  async def delete_person(self, request: requests.Request) -> responses.Response:
    self._check_csrf(request, await self._form(request))
    person = await concurrency.run_in_threadpool(self._person, request)
    await concurrency.run_in_threadpool(self._places.delete_person, person.id)
    return responses.RedirectResponse('/', 303)

  def refuse(self, request: requests.Request, error: Exception) -> responses.Response:
    """Answers a request that an error has ended."""
    if isinstance(error, refusals.Refusal):
      refusal = error
    elif isinstance(error, exceptions.HTTPException):
      code = _CODES.get(error.status_code, 'app.form')
      refusal = refusals.Refusal(error.status_code, code, error.detail)
    elif isinstance(error, sqlite3.OperationalError):  # full, or an input/output error for being so
      refusal = refusals.Refusal(507, 'app.disk_full', str(error))
    else:  # which the server logs
      refusal = refusals.Refusal(500, 'app.internal', type(error).__name__)
    return self._page(request).refuse(refusal)

  async def refuse_at_the_door(
    self, scope: types.Scope, receive: types.Receive, send: types.Send
  ) -> None:
    """Answers a request that `safety.Guard` does not let in."""
    answer = self.refuse(requests.Request(scope), scope['state']['refusal'])
    await answer(scope, receive, send)

  def _page(self, request: requests.Request) -> rendering.Page:
    return rendering.Page(request, self._options)

  def _walk(self, request: requests.Request) -> store.Walk:
    walk = self._places.walk(request.path_params['walk'])
    if walk is None:
      raise refusals.not_found('walk')
    return walk

  def _person(self, request: requests.Request) -> store.Person:
    person = self._places.person(request.path_params['person'])
    if person is None:
      raise refusals.not_found('person')
    return person

  def _repeatability(self) -> results.Repeatability:
    return results.Repeatability(results.read_results(self._places, self._places.walks()))

  async def _posted_walk(self, request: requests.Request) -> store.Walk:
    self._check_csrf(request, await self._form(request))
    return await concurrency.run_in_threadpool(self._walk, request)

  async def _form(self, request: requests.Request) -> dict[str, str]:
    body = b''
    async for chunk in request.stream():
      body += chunk
      if len(body) > safety.MAX_FORM_BYTES:
        raise refusals.Refusal(413, 'app.form', f'more than {safety.MAX_FORM_BYTES} bytes')
    return safety.parse_form(body)

  def _check_csrf(self, request: requests.Request, fields: dict[str, str]) -> None:
    session = safety.session_of(request.headers, self._options)
    if not self._options.is_csrf(session, fields.get('csrf', '')):
      raise refusals.Refusal(403, 'app.csrf', 'the field csrf is missing, or of another session')


_MEDIA = {
  '.mp4': 'video/mp4',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.csv': 'text/csv',
  '.mot': 'text/plain',
  '.xml': 'text/xml',
  '.json': 'application/json',
}
