"""Builds the data set of a recording set, with the TFDS builder that comes with the package.

python -m grfjax.build --config=walker --recordings=RAW --data_dir=DATA

`tfds build`, which has more options, does the same in a checkout (`datasets/walking_grf`).
"""

from __future__ import annotations

import argparse
import os
import sys

from grfjax import errors, extras, shipped


def main() -> None:
  """Hands the build over to the command of TFDS."""
  parser = argparse.ArgumentParser(
    prog='grfjax build', description=(__doc__ or '').partition('\n')[0], allow_abbrev=False
  )
  parser.add_argument('--config', default='walker', help='How the pictures are cut; see check.')
  parser.add_argument('--recordings', required=True, help='The recording set.')
  parser.add_argument('--data_dir', required=True, help='Folder for data sets.')
  parser.add_argument('--overwrite', action='store_true', help='Replace the data set there.')
  parser.add_argument(
    '--beam_pipeline_options',
    help='Options of an Apache Beam pipeline, separated by commas, that builds the data set; by '
    'default it is built here. The data set does not depend on it.',
  )
  arguments = parser.parse_args()
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')  # TensorFlow greets at length
  try:
    with extras.needed('build'):
      import apache_beam  # noqa: F401
      import mlcroissant  # noqa: F401
      from tensorflow_datasets.scripts.cli import main as tfds_command
  except errors.InputError as error:
    sys.exit(f'grfjax.build: {errors.describe(error)}')
  options = arguments.beam_pipeline_options
  sys.argv = [
    'tfds', 'build', str(shipped.builder_folder()), f'--config={arguments.config}',
    f'--manual_dir={arguments.recordings}', f'--data_dir={arguments.data_dir}',
    *(['--overwrite'] if arguments.overwrite else []),
    *([f'--beam_pipeline_options={options}'] if options else []),
  ]  # fmt: skip
  tfds_command.launch_cli()


if __name__ == '__main__':
  main()
