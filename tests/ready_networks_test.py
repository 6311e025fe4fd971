"""A network that is made ready in a thread estimates as before, and not before it is ready."""

import concurrent.futures
import threading

import numpy as np
import pytest

from grfjax.data import clip_config
from grfjax.inference import ready_networks, trained_run, walk_estimates


def make_run(clip='walker', estimate=None):
  clip = clip_config.clip_config(clip)
  return trained_run.TrainedRun(None, None, clip, None, None, {}, 0, estimate, None)


def test_the_first_estimate_waits_for_an_empty_walk_of_the_shortest_clip(monkeypatch):
  made, go_on = [], threading.Event()

  def empty_walk(run, views):
    go_on.wait()
    made.append((run, views))
    return np.zeros((len(views.time_s), 1, 1)), None, None

  monkeypatch.setattr(walk_estimates, 'estimate_walk', empty_walk)
  run = make_run(estimate=lambda params, batch: (len(made), batch))
  ready = ready_networks.made_ready(run)
  with concurrent.futures.ThreadPoolExecutor(1) as pool:
    estimated = pool.submit(ready.estimate, {}, 'a walk')
    assert concurrent.futures.wait([estimated], 0.05).not_done
    go_on.set()
    assert estimated.result() == (1, 'a walk')
  ((first, views),) = made
  assert first is run
  assert views.picture.shape == (walk_estimates.CLIP_HOPS[0], *run.clip.shape[1:])
  assert not views.picture.any()


def test_what_is_wrong_with_a_network_is_told_by_the_estimate(monkeypatch):
  def broken(*_):
    raise ValueError('no such layer')

  monkeypatch.setattr(walk_estimates, 'estimate_walk', broken)
  ready = ready_networks.made_ready(make_run(estimate=broken))
  with pytest.raises(ValueError, match='no such layer'):
    ready.estimate({}, None)


def test_a_network_of_whole_pictures_stays_as_it_is():
  run = make_run('mochizuki')
  assert ready_networks.made_ready(run) is run
