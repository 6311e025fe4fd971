"""The packages of grfjax; all else that setuptools needs stands in setup.cfg."""

import setuptools

setuptools.setup(
  # Configurations and the data-set builder travel in the package; their source lies beside it.
  packages=[
    *setuptools.find_packages(include=['grfjax', 'grfjax.*']),
    'grfjax.configs',
    'grfjax.datasets.walking_grf',
  ],
  package_dir={
    'grfjax.configs': 'configs',
    'grfjax.datasets.walking_grf': 'datasets/walking_grf',
  },
)
