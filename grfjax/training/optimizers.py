"""Optimizers: AdamW and Muon with warm-up and decay."""

from __future__ import annotations

import functools
from typing import Any

import jax
import optax
import optax.contrib


@functools.lru_cache  # the same object again, by which compiled steps are found again
def build_optimizer(
  *,
  steps: int,
  learning_rate: float,
  warmup: int = 0,
  decay: bool = True,
  weight_decay: float = 0.0,
  clip_norm: float = 0.0,
  muon: bool = False,
) -> optax.GradientTransformation:
  """Builds Adam with decoupled weight decay (AdamW; Loshchilov and Hutter 2019), or Muon.

  Args:
    steps: the step at which a decaying learning rate reaches 0.
    learning_rate: the highest learning rate.
    warmup: steps in which it rises from 0 to the highest.
    decay: whether it falls along a cosine after the warm-up, or stays constant.
    weight_decay: applied to kernels; biases and scales are left alone.
    clip_norm: largest norm of a gradient; 0 is no limit.
    muon: kernels' steps are made orthogonal (Jordan K et al. 2024, Muon: an optimizer for hidden
      layers in neural networks), scaled to the size of Adam's (Liu J et al. 2025, Muon is scalable
      for LLM training, arXiv:2502.16982); biases and scales stay with Adam.
  """
  if decay:
    rate: optax.Schedule = optax.warmup_cosine_decay_schedule(
      0.0 if warmup else learning_rate, learning_rate, warmup, max(steps, warmup + 1)
    )
  elif warmup:
    rate = optax.linear_schedule(0.0, learning_rate, warmup)
  else:
    rate = optax.constant_schedule(learning_rate)
  clip = optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity()
  if muon:
    return optax.chain(
      clip,
      optax.contrib.muon(
        rate,
        weight_decay=weight_decay,
        muon_weight_dimension_numbers=_as_matrices,
        consistent_rms=0.2,  # Liu et al., section 2.2
      ),
    )
  return optax.chain(clip, optax.adamw(rate, weight_decay=weight_decay, mask=_kernels))


def _kernels(params: Any) -> Any:
  return jax.tree.map(lambda p: p.ndim > 1, params)


def _as_matrices(params: Any) -> Any:
  """Tells Muon to flatten all axes of a kernel but the last; None for what is not a kernel."""

  def axes(p: Any) -> Any:
    if p.ndim < 2:
      return None
    return optax.contrib.MuonDimensionNumbers(tuple(range(p.ndim - 1)), (p.ndim - 1,))

  return jax.tree.map(axes, params)
