#!/usr/bin/env bash
# Every check: formatting, lint, types, tests. Makes its own environment first.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

ruff format --check .
ruff check .
# What keeps one core busy runs beside the tests, and is shown after them. The data set's own test
# is there as it needs TensorFlow, which must not be imported in the others' processes.
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
trap 'kill 0' INT # Ctrl-C does not reach what is in the background
(mypy && lint-imports && pytest datasets "$@") > "$log" 2>&1 &
beside=$!
# A file's tests share what they set up, so each file stays in one process. One more of these than
# there are cores, as they often wait for the commands that they start.
failed=0
pytest tests --numprocesses=$(($(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses=4 \
  --dist=loadfile --no-loadscope-reorder --durations=15 "$@" || failed=$?
wait "$beside" || failed=$?
cat "$log"
exit "$failed"
