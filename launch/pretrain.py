"""Rebuilds the networks that come with grfjax by the recipes in their about.json.

    python launch/pretrain.py [--networks=recurrent,mochizuki3d] [--size=quick] [--work=DIR]
      [--out=DIR] [--recordings=RAW]

Each recipe is a list of commands: synthesis, or degraded copies -> build -> training -> export.
Before the export the network is tried on the synthetic people that about.json names with its
errors, who are synthesised and built too. A stage that is done is skipped, one that was cut short
goes on where its command can. The folder of a stage is named after all that it depends on, so that
networks share data sets, and a changed recipe never meets old files. `launch/pretrain.sh` makes
the environment first, and hands the stages to SLURM with --slurm.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import re
import shlex
import statistics
import sys
from typing import Any

import jax
from absl import app, flags, logging

from grfjax import errors, loso
from grfjax.data import voxel_dataset
from grfjax.evaluation import held_out_estimates
from grfjax.inference import foot_estimates, trained_run
from grfjax.io import atomic, run_folder, signals
from grfjax.training import metrics_log

# Kind of stage -> (beginning of its command in a recipe, what is run, the flag of its output).
KINDS = {
  'synth': ('python -m grfjax.synth ', ('grfjax.synth',), '--out'),
  'degrade': ('python -m grfjax.degrade ', ('grfjax.degrade',), '--out'),
  'build': ('tfds build ', ('tensorflow_datasets.scripts.cli.main', 'build'), '--data_dir'),
  'train': ('python -m grfjax.train ', ('grfjax.train',), '--workdir'),
  'export': ('python -m grfjax.pretrained ', ('grfjax.pretrained',), '--out'),
}
# What --size=quick appends: it shows that every stage runs, and trains nothing of use.
QUICK = {
  'synth': ('--subjects=3', '--trials=1'),
  'train': ('--config.steps=2', '--config.batch=2', '--config.log_every=1'),
}
BATCH = 128  # voxels that are estimated in one call


@dataclasses.dataclass(frozen=True)
class Stage:
  """A step of a network's recipe.

  Attributes:
    network: its name; where networks share the stage, that of the first.
    text: the command as the recipe has it.
    kind: 'synth', 'degrade', 'build', 'train', 'measure' or 'export'.
    command: a module and its arguments; empty for 'measure', which is done here.
    out: its output.
    done: a file that is written when it has succeeded.
    inputs: the stages whose outputs it needs.
  """

  network: str
  text: str
  kind: str
  command: tuple[str, ...]
  out: pathlib.Path
  done: pathlib.Path
  inputs: tuple[Stage, ...]


@dataclasses.dataclass(frozen=True)
class Options:
  """What the stages of all networks share.

  Attributes:
    work: the folder of data sets and runs.
    out: the folder of the networks that are made.
    recordings: the recording set that stands for RAW in a recipe, or ''.
    size: 'full', or 'quick' for a run through all stages that trains nothing of use.
    multihost: whether several processes run a stage together: a training, under srun.
  """

  work: pathlib.Path
  out: pathlib.Path
  recordings: str
  size: str
  multihost: bool = False


def read_about(network: str) -> dict[str, Any]:
  """Returns the about.json of a network that comes along."""
  return run_folder.read_json(run_folder.require(run_folder.RunFolder.find(network).about))


def errors_of(about: dict[str, Any]) -> dict[str, float]:
  """Returns the errors in an about.json: whose -> % BW, or % of body height of where feet are."""
  return about['mae_pct_bh' if 'mae_pct_bh' in about else 'mae_pct_bw']


def commands(network: str, size: str) -> list[str]:
  """Returns the recipe of a network that comes along, in that size."""
  return [in_size(text, size) for text in read_about(network)['commands']]


def kind_of(command: str) -> str:
  """Returns the kind of stage that a command of a recipe is."""
  return next(kind for kind, (start, *_) in KINDS.items() if command.startswith(start))


def in_size(command: str, size: str) -> str:
  """Returns a command of a recipe as a size has it."""
  more = QUICK.get(kind_of(command), ()) if size == 'quick' else ()
  return ' '.join([command, *more])


def synthetic_people(network: str) -> dict[str, str]:
  """Returns whom a network's errors are measured on: text in about.json -> flags of the synthesis.

  Those whom it was trained on, and measured walkers, are not among them.
  """
  found = {text: re.search(r'\((--[^)]*)\)', text) for text in errors_of(read_about(network))}
  return {text: match[1] for text, match in found.items() if match}


class _Recipe:
  """Makes stages of commands, in which names such as RUN1 stand for the outputs of earlier ones."""

  def __init__(self, network: str, options: Options):
    self._network, self._options = network, options
    self._made: dict[str, Stage] = {}  # by name

  def add(self, text: str, *more_inputs: Stage) -> Stage:
    """Returns the stage of a command.

    Its output is named after the command and, through them, those of its inputs: what two networks
    share is the same stage, and a changed recipe never meets old files.
    """
    kind = kind_of(text)
    start, module, output_flag = KINDS[kind]
    pairs = [word.partition('=') for word in shlex.split(text.removeprefix(start))]
    (name,) = (value for flag, _, value in pairs if flag == output_flag)
    pairs = [pair for pair in pairs if pair[0] != output_flag]
    inputs = [self._made[value] for _, _, value in pairs if value in self._made]
    folders = {key: str(stage.out) for key, stage in self._made.items()}
    folders['RAW'] = self._options.recordings
    identity = [
      flag + (self._made[value].out.name if value in self._made else folders.get(value, value))
      for flag, _, value in pairs
    ]
    if kind == 'export':
      identity.append(str(self._options.out))
    digest = hashlib.sha256('\n'.join(identity).encode()).hexdigest()
    own = self._options.work / f'{kind}_{digest[:8]}'
    out = self._options.out / self._network if kind == 'export' else own
    arguments = [flag + equals + folders.get(value, value) for flag, equals, value in pairs]
    command = (*module, *arguments, f'{output_flag}={out}')
    done = own.with_name(f'{own.name}.done')
    stage = Stage(self._network, text, kind, command, out, done, (*inputs, *more_inputs))
    self._made[name] = stage
    return stage


def plan_network(network: str, options: Options, begun_from: tuple[Stage, ...]) -> list[Stage]:
  """Returns the stages of a network, in order.

  Args:
    network: its name.
    options: of all networks.
    begun_from: what must have been exported before it is trained.
  """
  recipe = _Recipe(network, options)
  *made, export = commands(network, options.size)
  stages = [recipe.add(text, *begun_from) for text in made]
  run, data = stages[-1], []
  build = next(text for text in made if kind_of(text) == 'build')
  for number, people in enumerate(synthetic_people(network).values()):
    synthesis = f'python -m grfjax.synth --out=OTHERS{number} {people}'
    others = f'--manual_dir=OTHERS{number} --data_dir=OTHERS_DATA{number}'
    stages.append(recipe.add(in_size(synthesis, options.size)))
    stages.append(recipe.add(re.sub(r'--manual_dir=.*', others, build)))
    data.append(stages[-1])
  errors_file = run.out.with_name(f'{run.out.name}_errors.json')
  measured = Stage(network, 'its errors', 'measure', (), errors_file, errors_file, (run, *data))
  return [*stages, measured, recipe.add(export, measured)]


def plan(networks: list[str], options: Options) -> list[Stage]:
  """Returns the stages of several networks, those they share once, in an order that works.

  A network that starts from others which are exported to where grfjax looks for them waits for
  these.
  """
  stages: dict[pathlib.Path, Stage] = {}
  for network in networks:
    config = run_folder.read_json(run_folder.RunFolder.find(network).config)
    exported = [run_folder.BUNDLED_ROOT / name for name in config['model_init'].split(',')]
    begun_from = tuple(stages[path] for path in exported if path in stages)
    for stage in plan_network(network, options, begun_from):
      stages.setdefault(stage.out, stage)
  return list(stages.values())


def measure(stage: Stage) -> None:
  """Measures the errors of a trained network, and writes them to the stage's output.

  Those on other people are means over them: of the mean absolute error of the vertical force over
  stance frames, % BW; of a network that finds feet, of where the sole is along the picture, % of
  body height.

  Raises:
    InputError: the run or a data set cannot be used.
  """
  run = run_folder.RunFolder(stage.inputs[0].out)
  finds_feet = 'mae_pct_bh' in read_about(stage.network)
  trained = foot_estimates.load(run) if finds_feet else trained_run.load(run.path)
  while_training = 'sole_ahead_pct_bh' if finds_feet else 'mae_pct_bw'
  errors_by_text = {
    text: metrics_log.read_log(run.metrics)[-1][while_training]
    for text in errors_of(read_about(stage.network))
    if 'while training' in text
  }
  for text, data in zip(synthetic_people(stage.network), stage.inputs[1:], strict=True):
    dataset = voxel_dataset.Dataset(str(data.out), trained.clip.name)
    errors_by_text[text] = statistics.fmean(
      _error(trained, dataset, subject) for subject in dataset.subjects
    )
  parameters = sum(p.size for p in jax.tree.leaves(trained.params))
  name = 'mae_pct_bh' if finds_feet else 'mae_pct_bw'
  rounded = {text: round(float(error), 1) for text, error in errors_by_text.items()}
  atomic.write_json(stage.out, {'parameters': parameters, name: rounded})


def _error(
  trained: trained_run.TrainedRun | foot_estimates.FeetNetwork,
  dataset: voxel_dataset.Dataset,
  subject: str,
) -> float:
  """Returns the error of a network on one subject, as `measure` says."""
  if isinstance(trained, foot_estimates.FeetNetwork):
    return foot_estimates.error_pct_bh(trained, dataset, subject)
  estimates = held_out_estimates.estimate_subject(
    dataset, subject, trained.model, trained.estimate, trained.params, BATCH
  )
  return estimates.sums().result()['mae_pct_bw']


def describe(stage: Stage, size: str) -> None:
  """Writes the about.json of an exported network: what it is, its recipe, its errors."""
  run, measured = stage.inputs[0], stage.inputs[-1]
  about = read_about(stage.network)
  about.pop('machine', None)
  about['commands'] = commands(stage.network, size)
  about['steps'] = trained_steps(run)
  about |= run_folder.read_json(measured.out)
  atomic.write_json(run_folder.RunFolder(stage.out).about, about)


def trained_steps(stage: Stage) -> int:
  """Returns for how many steps a network was trained, all runs that it started from included."""
  before = sum(trained_steps(one) for one in stage.inputs if one.kind == 'train')
  return before + run_folder.read_json(run_folder.RunFolder(stage.out).done)['step']


def run_stage(stage: Stage, options: Options) -> None:
  """Runs a stage whose inputs are there, and notes that it has succeeded.

  Raises:
    InputError: its network cannot be measured.
    OSError: a file cannot be written.
  """
  if stage.kind == 'measure':
    measure(stage)
  else:
    together = ['--multihost'] if options.multihost and stage.kind == 'train' else []
    loso.run_command(options.work, *stage.command, *together)
  if stage.kind == 'export':
    describe(stage, options.size)
  if stage.done != stage.out:
    atomic.write_text(stage.done, f'{stage.text}\n')


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_list(
    'networks', [], 'Which ones; all, but for those that need --recordings where it is not given.'
  )
  flags.DEFINE_enum('size', 'full', ['full', 'quick'], 'quick: all stages, with next to no data.')
  flags.DEFINE_string('work', 'demo/pretrain', 'Folder of data sets and runs.')
  flags.DEFINE_string('out', '', 'Folder of the networks that are made; WORK/networks.')
  flags.DEFINE_string('recordings', '', 'The recording set that a recipe calls RAW.')
  flags.DEFINE_bool(
    'multihost', False, 'Train together with the other processes of this job, which srun starts.'
  )
  flags.DEFINE_string('stage', '', 'The only stage to run now, by the name of its output.')


def planned(values: Any) -> tuple[list[Stage], Options]:
  """Returns the stages that the flags ask for, and what they share.

  Args:
    values: the flags.

  Raises:
    ValueError: there is no such network, or its recipe needs recordings that are not given.
  """
  need_recordings = {
    name for name in run_folder.BUNDLED if any('=RAW' in c for c in read_about(name)['commands'])
  }
  known = [n for n in run_folder.BUNDLED if values.recordings or n not in need_recordings]
  networks = values.networks or known
  for name in networks:
    if name not in known:
      hint = '; it needs --recordings=RAW' if name in need_recordings else ''
      raise ValueError(f'--networks: {name} is none of {", ".join(known)}{hint}')
  work = pathlib.Path(values.work)
  out = pathlib.Path(values.out or work / 'networks')
  options = Options(work, out.absolute(), values.recordings, values.size, values.multihost)
  in_order = [name for name in run_folder.BUNDLED if name in networks]
  return plan(in_order, options), options


def main(argv: list[str]) -> None:
  """Runs the stages that the flags describe."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  try:
    stages, options = planned(flags.FLAGS)
    if only := flags.FLAGS.stage:
      stages = [stage for stage in stages if stage.out.name == only]
    for number, stage in enumerate(stages, start=1):
      state = 'done before' if stage.done.exists() else f'into {stage.out}'
      print(f'-- {number} of {len(stages)}, {stage.network}: {stage.text}, {state}', flush=True)
      if not stage.done.exists():
        run_stage(stage, options)
  except (ValueError, OSError) as error:
    sys.exit(f'pretrain: {errors.describe(error)}')


if __name__ == '__main__':
  define_flags()
  signals.run(main, 'pretrain', grace_s=signals.GRACE_S + 1)  # the stage at work is waited for
