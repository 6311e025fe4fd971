# Makes .venv/ at the project's root and installs grfjax with its pinned versions. Sourced by the
# other scripts here. It installs again only when setup.cfg or the constraints have changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=""
for name in python3.11 python3.12 python3.13 python3; do
  if "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$name
    break
  fi
done
if [ -z "$python" ]; then
  echo 'grfjax needs Python 3.11 or newer with the venv module; none was found.' >&2
  exit 1
fi

wanted="$(cat setup.cfg pyproject.toml launch/constraints.txt | cksum) $PWD"
if [ ! -e .venv/installed ] || [ "$(cat .venv/installed)" != "$wanted" ]; then
  echo "Installing into $PWD/.venv (a few minutes the first time) ..."
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    -c launch/constraints.txt -e '.[build,train,app,docs,slurm,test]'
  echo "$wanted" > .venv/installed
fi
export PATH="$PWD/.venv/bin:$PATH"
export TF_CPP_MIN_LOG_LEVEL=2  # the tfds command imports TensorFlow, which greets at length
