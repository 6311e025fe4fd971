#!/usr/bin/env bash
# What a GPU does with grfjax, in under ten minutes once the environment is there: the tests that
# concern the device, then training steps in float32 and bfloat16, waiting for data, and two folds
# from start to end. The table goes to demo/gpu/gpu.md, to be pasted into docs/speed.md.
#
#   bash launch/gpu.sh                     on a machine with an NVIDIA card
#   bash launch/gpu.sh --size=quick        as little as shows that it runs, on any machine
#
#   --recordings=RAW   folds of this recording set, instead of a synthetic one
#   --out=DIR          another folder
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

if command -v nvidia-smi > /dev/null && ! python -c 'import jax_cuda12_plugin' 2> /dev/null; then
  echo 'Adding JAX for NVIDIA cards (CUDA 12) to the environment ...'
  python -m pip install --quiet --disable-pip-version-check -c launch/constraints.txt -e '.[cuda]'
fi
python -c 'import jax; print("devices:", jax.devices())'

tests='not run'
if [[ " $* " != *' --size=quick '* ]]; then
  # What layers multiply is compared with sums to the fifth digit, which a card rounds away unless
  # it is told not to.
  tests=passed
  JAX_DEFAULT_MATMUL_PRECISION=highest timeout 240 pytest -q -p no:cacheprovider \
    tests/{augmentation,conv3d,networks,optical_flow,random_bits,step,targets,winograd}_test.py ||
    tests='failed, or took over four minutes'
fi
# Memory as it is needed, so that PyTorch finds some too.
XLA_PYTHON_CLIENT_PREALLOCATE=false PYTHONPATH="$PWD:$PWD/launch:$PWD/launch/measure" \
  python launch/measure/gpu.py "$@"
echo "tests on the device: $tests"
[[ "$tests" != failed* ]]
