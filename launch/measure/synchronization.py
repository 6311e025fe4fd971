"""Measures how well the starts of videos are found whose true starts are known.

    python launch/measure/synchronization.py --recordings=RAW --out=DIR [--runs=RUNS]

Every trial is estimated by the bundled network `everyone`, or with --runs by RUNS/SUBJECT, the run
that holds its subject out (as launch/loso.py makes them). Its start is then looked for as it is,
and where the answer must be refused, or may be: with single plates, with fewer plates than steps,
with exchanged legs, with the video cut, with the forces of other trials; and single plates again
where three trials of each side tell where in the picture the plates are. Prints a line for each and
writes DIR/synchronization.json.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tqdm
from absl import app, flags, logging

from grfjax import conventions, errors
from grfjax.data import plate_contacts, trial_forces
from grfjax.evaluation import synchronization
from grfjax.gait import foot_contacts, force_curves
from grfjax.inference import trained_run, video_estimate
from grfjax.io import atomic, recordings, run_folder, video_file

WRONG_S = 0.1  # a start further off is another step
KNOWN = 3
MOVED_PX = 150.0
EDGE_S = 0.03  # beside a contact that still belongs to it
NO_START = np.nan  # of forces that are not the video's


@dataclasses.dataclass(frozen=True)
class Case:
  """A video and forces, whose start is looked for.

  Attributes:
    trial: the video's trial.
    estimate: of the video.
    leg_force: leg -> (N, 3) newtons.
    time_s: (N,) force clock.
    body_weight_n: of whoever made the forces.
    true_s: the start; NaN where there is none.
  """

  trial: recordings.Trial
  estimate: force_curves.ForceCurves
  leg_force: dict[str, np.ndarray]
  time_s: np.ndarray
  body_weight_n: float
  true_s: float

  def find(self) -> synchronization.Proposal:
    """Looks for the start."""
    return synchronization.find_start(
      self.estimate, self.leg_force, self.time_s, self.body_weight_n
    )

  def contacts(self) -> list[tuple[str, foot_contacts.Contact]]:
    """Returns the contacts on plates with their legs, in order."""
    found = [
      (leg, contact)
      for leg, newtons in self.leg_force.items()
      for contact in plate_contacts.find_contacts(self.time_s, newtons[:, 2])
    ]
    return sorted(found, key=lambda pair: pair[1].start_s)

  def on_plates(self, first: int, last: int) -> Case:
    """Returns the case as if there were plates for these contacts alone, counted from 0."""
    leg_force: dict[str, np.ndarray] = {}
    for leg, contact in self.contacts()[first:last]:
      on = (self.time_s > contact.start_s - EDGE_S) & (self.time_s < contact.end_s + EDGE_S)
      newtons = self.leg_force[leg] * on[:, None]
      leg_force[leg] = leg_force.get(leg, np.zeros_like(newtons)) + newtons
    return dataclasses.replace(self, leg_force=leg_force)

  def exchanged(self) -> Case:
    """Returns the case with left and right exchanged."""
    other = dict(zip(conventions.LEGS, conventions.LEGS[::-1], strict=True))
    leg_force = {other[leg]: newtons for leg, newtons in self.leg_force.items()}
    return dataclasses.replace(self, leg_force=leg_force, true_s=NO_START)

  def cut(self, begin: float, end: float) -> Case:
    """Returns the case with a part of the video, from 0 to 1."""
    e = self.estimate
    keep = slice(round(begin * len(e.time_s)), round(end * len(e.time_s)))
    skipped_s = float(e.time_s[keep][0])
    estimate = dataclasses.replace(
      e,
      time_s=e.time_s[keep] - skipped_s,
      force=e.force[keep],
      interval=e.interval[keep],
      box=e.box[keep],
      direction=e.direction[keep],
      trust=None if e.trust is None else e.trust[keep],
    )
    return dataclasses.replace(self, estimate=estimate, true_s=self.true_s + skipped_s)

  def with_forces_of(self, other: Case) -> Case:
    """Returns the case with the forces of another."""
    return dataclasses.replace(
      self,
      leg_force=other.leg_force,
      time_s=other.time_s,
      body_weight_n=other.body_weight_n,
      true_s=NO_START,
    )


def estimate_all(trials: list[recordings.Trial], runs: pathlib.Path | None) -> Iterator[Case]:
  """Estimates the trials' videos; says which cannot be."""
  networks: dict[str, trained_run.TrainedRun] = {}
  for trial in tqdm.tqdm(trials, desc='estimate', unit='trial', mininterval=1):
    folder = str(runs / trial.subject.name if runs else run_folder.RunFolder.find('everyone'))
    if folder not in networks:
      networks = {folder: trained_run.load(folder)}  # one at a time in memory
    try:
      estimate = video_estimate.estimate_video(networks[folder], trial.video)
    except errors.InputError as error:
      print(f'{trial.name}: {errors.describe(error)}')
      continue
    forces = trial_forces.read_trial_forces(trial, video_file.probe(trial.video).time_s)
    yield Case(
      trial,
      estimate,
      forces.leg_force,
      forces.time_s,
      forces.body_weight_n,
      forces.video_start_s,
    )


def variants(cases: list[Case]) -> dict[str, list[Case]]:
  """Returns name -> cases, of which the first are as they are."""
  plates = min(len(c.contacts()) for c in cases)
  made = {'as it is': cases}
  for first, last in itertools.combinations(range(plates + 1), 2):
    if last - first < plates:
      name = f'plate {first + 1} alone' if last - first == 1 else f'plates {first + 1} to {last}'
      made[name] = [c.on_plates(first, last) for c in cases]
  made['left and right exchanged'] = [c.exchanged() for c in cases]
  for begin, end in ((0, 0.7), (0.3, 1), (0, 0.5), (0.5, 1), (0, 0.3), (0.7, 1)):
    made[f'{begin:.0%} to {end:.0%} of the video'] = [c.cut(begin, end) for c in cases]
  if plates == 4:
    made['first half, plates 3 and 4'] = [c.cut(0, 0.5).on_plates(2, 4) for c in cases]
  by_walk = {c.trial.force: c for c in cases}
  same: list[Case] = []
  others: list[Case] = []
  for case, other in itertools.product(cases, by_walk.values()):
    if case.trial.subject.name != other.trial.subject.name:
      others.append(case.with_forces_of(other))
    elif case.trial.force != other.trial.force:
      same.append(case.with_forces_of(other))
  made['forces of another walk of the person'] = same
  made['forces of another person'] = others
  return {name: made_cases for name, made_cases in made.items() if made_cases}


def settle(cases: list[Case], moved_px: float = 0.0) -> dict[str, Any]:
  """Measures how well the place of the plates in the picture decides between steps.

  Trials are taken together that were filmed from the same side; three of each side are known.

  Args:
    cases: whose trials have different names.
    moved_px: how far the camera is moved after these three.
  """
  left: list[Case] = []
  proposals: list[synchronization.Proposal] = []
  for side in conventions.LEGS:
    group = [c for c in cases if c.trial.camera == side]
    by_hand = [group[k] for k in (0, len(group) // 2, -1)] if len(group) > KNOWN else group
    known = [
      synchronization.place_px(c.estimate, c.leg_force, c.time_s, c.true_s) + moved_px
      for c in by_hand
    ]
    others = [c for c in group if all(c is not known_case for known_case in by_hand)]
    found = {c.trial.name: c.find() for c in others}
    left += others
    proposals += synchronization.settle_by_place(found, known).values()
  return measure(left, proposals)


def measure(cases: list[Case], proposals: list[synchronization.Proposal]) -> dict[str, Any]:
  """Returns counts, errors in milliseconds, and how often the uncertainty held."""
  good = [(p, c.true_s) for p, c in zip(proposals, cases, strict=True) if not p.problem]
  differences = np.array([p.video_start_s - true for p, true in good])
  right = np.abs(differences) <= WRONG_S
  off_ms = 1000 * np.abs(differences[right])
  within = off_ms <= [1000 * p.uncertainty_s for (p, _), is_right in zip(good, right, strict=True)
                      if is_right]  # fmt: skip
  result: dict[str, Any] = {
    'cases': len(cases),
    'proposed': len(good),
    'wrong': int((~right).sum()),
    'refused': dict(collections.Counter(p.problem for p in proposals if p.problem)),
    'misfit_pct_bw': _percentiles([p.misfit_pct_bw for p, _ in good]),
    'unusual': sum(p.unusual for p, _ in good),
    'error_ms': _percentiles(off_ms),
    'uncertainty_ms': _percentiles([1000 * p.uncertainty_s for p, _ in good]),
  }
  if right.any():
    result['bias_ms'] = round(1000 * float(differences[right].mean()), 1)
    result['within_uncertainty'] = round(float(np.mean(within)), 3)
  return result


def _percentiles(values: Any) -> list[float]:
  """Returns median, 95th percentile and maximum; nothing of nothing."""
  return [round(float(np.percentile(values, q)), 1) for q in (50, 95, 100)] if len(values) else []


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  flags.DEFINE_string('recordings', None, 'The recording set.', required=True)
  flags.DEFINE_string('runs', None, 'Folder of runs that hold each subject out.')
  flags.DEFINE_string('out', None, 'Folder for the result.', required=True)


def main(argv: list[str]) -> None:
  """Measures, prints a line for each variant, and writes the result."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  runs = pathlib.Path(flags.FLAGS.runs) if flags.FLAGS.runs else None
  cases = list(estimate_all(recordings.load(flags.FLAGS.recordings), runs))
  results = {}
  for name, made in variants(cases).items():
    results[name] = measure(made, [c.find() for c in made])
    if name.startswith('plate'):
      results[f'{name}, three known by hand'] = settle(made)
      results[f'{name}, the camera moved after these'] = settle(made, MOVED_PX)
  for name, result in results.items():
    print(f'{name}: {", ".join(f"{k} {v}" for k, v in result.items() if v)}')
  path = pathlib.Path(flags.FLAGS.out) / 'synchronization.json'
  atomic.write_json(path, results)
  print(f'written: {path}')


if __name__ == '__main__':
  define_flags()
  app.run(main)
