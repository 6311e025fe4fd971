#!/usr/bin/env bash
# Every check: formatting, lint, types, tests. Makes its own environment first.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

ruff format --check .
ruff check .
mypy
# The data set's own test needs TensorFlow, which must not be imported beside the others.
pytest tests --durations=15 "$@"
pytest datasets "$@"
