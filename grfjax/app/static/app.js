// Progress of an upload and of an estimate. Without this file the same forms and pages work by themselves.
'use strict';

document.documentElement.classList.add('script');

/** Sends the form of a new walk with a progress bar, and shows what stands against it in place. */
function followUpload(form) {
  const films = [...form.querySelectorAll('input[type=file]')];
  const sending = form.querySelector('.sending');
  const bar = sending.querySelector('progress');
  const said = sending.querySelector('output');
  const cancel = sending.querySelector('button');
  const problem = form.querySelector('.problem');
  const submit = form.querySelector('button[type=submit]');
  let request = null;

  // The film first, as it is what people come with; a form without a script must send it last.
  form.querySelector('fieldset').before(form.querySelector('.take'));

  // On a touch device two inputs offer a film, of which one is sent.
  for (const input of films) {
    input.disabled = false;
    input.addEventListener('change', () => {
      for (const other of films) {
        if (other !== input && input.value) other.value = '';
        other.required = false;
      }
      problem.hidden = true;
    });
  }

  function show(text, code) {
    problem.querySelector('p').textContent = text;
    problem.querySelector('code').textContent = code;
    problem.hidden = false;
    problem.focus();
  }

  function end() {
    request = null;
    sending.hidden = true;
    submit.disabled = false;
  }

  cancel.addEventListener('click', () => {
    if (request) request.abort();
  });
  addEventListener('beforeunload', (event) => {
    if (request) event.preventDefault();
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (request) return;
    const film = films.map((input) => input.files[0]).find(Boolean);
    if (!film) return show(form.dataset.missing, '');
    if (film.size >= Number(form.dataset.maxBytes)) return show(form.dataset.large, '');
    const fields = new FormData(form);
    fields.delete('film');
    fields.append('film', film); // the server takes the fields before the film
    request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.setRequestHeader('Accept', 'application/json');
    request.responseType = 'json';
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      bar.value = loaded / total;
      const percent = Math.floor((100 * loaded) / total);
      said.textContent = form.dataset.sent.replace('{percent}', percent);
    });
    request.addEventListener('load', () => {
      const answer = request.response;
      const created = request.status === 201 && answer;
      end();
      if (created) location.assign(answer.location);
      else show(answer ? answer.message : form.dataset.broken, answer ? answer.code : '');
    });
    request.addEventListener('error', () => {
      end();
      show(form.dataset.broken, '');
    });
    request.addEventListener('abort', end);
    problem.hidden = true;
    sending.hidden = false;
    submit.disabled = true;
    bar.value = 0;
    said.textContent = form.dataset.sent.replace('{percent}', 0);
    cancel.focus();
    request.send(fields);
  });
}

/** Shows how far a walk is, and its page anew when the check or the estimate has ended. */
function followWalk(part) {
  const bar = part.querySelector('progress');
  const said = part.querySelector('[role=status]');
  const events = new EventSource(part.dataset.events);
  events.addEventListener('state', (event) => {
    const { state, stage, progress } = JSON.parse(event.data);
    if (['checked', 'done', 'failed'].includes(state) || !state.startsWith(part.dataset.phase)) {
      events.close();
      location.reload();
      return;
    }
    const text = part.dataset[stage] || part.dataset[state.replace('_q', 'Q')];
    if (said.textContent !== text) said.textContent = text;
    if (progress > 0) bar.value = progress;
    else bar.removeAttribute('value');
  });
  events.addEventListener('gone', () => {
    events.close();
    location.assign('/');
  });
}

document.querySelectorAll('form[data-sent]').forEach(followUpload);
document.querySelectorAll('[data-events]').forEach(followWalk);
