#!/usr/bin/env bash
# Every check: formatting, lint, types, tests. Makes its own environment first.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

ruff format --check .
ruff check .
mypy
lint-imports
# A file's tests share what they set up, so each file stays in one process. One more of these than
# there are cores, as they often wait for the commands that they start.
pytest tests --numprocesses=$(($(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses=4 \
  --dist=loadfile --no-loadscope-reorder --durations=15 "$@"
# The data set's own test needs TensorFlow, which must not be imported beside the others.
pytest datasets "$@"
