"""Figure: true against estimated force of held-out subjects."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
from matplotlib import axes, cm, collections, colors

from grfjax.evaluation import error_sums, held_out_estimates
from grfjax.report import colours, style, text_table


def draw_true_against_estimated(
  path: pathlib.Path, subjects: list[held_out_estimates.HeldOutEstimates], title: str
) -> pathlib.Path:
  """Draws where the vertical forces of stance frames lie, for each leg, as the paper's Fig. 1.

  Args:
    path: of the PNG.
    subjects: held-out subjects.
    title: whose estimates these are.
  """
  legs = max((subject.legs for subject in subjects), default=1)
  pairs = [_stance_forces(subjects, leg) for leg in range(legs)]
  sums = [error_sums.sum_errors(*pair, np.ones(len(pair[1]), bool)) for pair in pairs]
  all_legs = error_sums.ErrorSums()
  for leg_sums in sums:
    all_legs = all_legs.merge(leg_sums)
  values = np.concatenate([force for pair in pairs for force in pair])
  low = min(0.0, float(values.min(initial=0)))
  high = max(1.3, float(values.max(initial=0))) + 0.05
  with style.figure_defaults():
    fig = style.new_figure(1 + 3.9 * legs, 4.4)
    grid = fig.subplots(1, legs, squeeze=False, sharex=True, sharey=True)[0]
    maps = [_draw_leg(ax, *pair, low, high) for ax, pair in zip(grid, pairs, strict=True)]
    for leg, ax in enumerate(grid):
      ax.set_title(f'{style.NEAR_FAR[leg]}: {_describe_errors(sums[leg].result())}')
    grid[0].set_ylabel('true vertical force (body weights)')
    grid[0].legend(loc='upper left')
    if drawn := [density for density in maps if density is not None]:
      norm = _share_scale(drawn)
      fig.colorbar(
        cm.ScalarMappable(norm, style.DENSITY), ax=list(grid), label='frames', shrink=0.8,
        format='%d',
      )  # fmt: skip
    fig.suptitle(
      f'{style.escape_formula(title)}: {_describe_errors(all_legs.result())}',
      fontsize=style.TITLE_SIZE,
    )
    return style.save_figure(fig, path)


def _stance_forces(
  subjects: list[held_out_estimates.HeldOutEstimates], leg: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns estimated and true vertical forces of a leg's stance frames."""
  with_leg = [(subject, subject.contact[:, leg]) for subject in subjects if leg < subject.legs]
  empty = np.zeros(0)
  return (
    np.concatenate([empty, *(s.estimate[stance, leg, 0] for s, stance in with_leg)]),
    np.concatenate([empty, *(s.force[stance, leg, 0] for s, stance in with_leg)]),
  )


def _draw_leg(
  ax: axes.Axes, estimate: np.ndarray, true: np.ndarray, low: float, high: float
) -> collections.PolyCollection | None:
  """Draws one leg's panel and returns its map of densities; None without frames."""
  density = None
  if len(estimate):
    density = ax.hexbin(
      estimate, true, gridsize=55, extent=(low, high, low, high), mincnt=1, linewidths=0.1,
      cmap=style.DENSITY,
    )  # fmt: skip
  ax.plot(
    [low, high], [low, high], color=colours.VERMILION, lw=1, ls='--', label='estimated = true'
  )
  ax.set(xlim=(low, high), ylim=(low, high), aspect='equal')
  ax.set_xlabel('estimated vertical force (body weights)')
  return density


def _share_scale(maps: list[collections.PolyCollection]) -> colors.LogNorm:
  """Gives all maps one scale of colours, and returns it."""
  most = max(float(np.max(np.asarray(density.get_array()))) for density in maps)
  norm = colors.LogNorm(1, max(most, 2))
  for density in maps:
    density.set_norm(norm)
  return norm


def _describe_errors(result: dict[str, Any]) -> str:
  if not result['n']:
    return 'no stance frames'
  r = text_table.UNDEFINED if result['r'] is None else f'{result["r"]:.3f}'
  return f'r {r}, MAE {result["mae_pct_bw"]:.1f} % BW, {result["n"]} frames'
