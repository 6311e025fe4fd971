# shellcheck shell=bash
# Makes an environment with pinned versions and puts it first in PATH. Sourced by the other scripts
# here. It installs again only when setup.cfg or the constraints have changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${GRFJAX_ENVIRONMENT:-all}" in
  all)
    environment="$PWD/.venv" packages=(-e '.[build,train,app,docs,slurm,test]') optional=(opensim)
    install_size='3.9 GB, 3 to 18 minutes the first time'
    ;;
  # The extra `docs` alone: the site is made of sources, so that grfjax need not be installed.
  docs)
    environment="$PWD/build/docs_environment" packages=(mkdocs-material 'mkdocstrings[python]') optional=()
    install_size='170 MB, a minute or two'
    ;;
esac

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

wanted="$(cat setup.cfg pyproject.toml launch/constraints.txt | cksum) $environment"
if [ ! -e "$environment/installed" ] || [ "$(cat "$environment/installed")" != "$wanted" ]; then
  echo "Installing into $environment ($install_size) ..."
  [ -x "$environment/bin/python" ] || "$python" -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile \
    -c launch/constraints.txt "${packages[@]}"
  # OpenSim has wheels for Python 3.11 to 3.13, for x86-64 and for macOS 15 alone.
  [ ${#optional[@]} -eq 0 ] || "$environment/bin/python" -m pip install --quiet \
    --disable-pip-version-check --no-compile -c launch/constraints.txt "${optional[@]}" ||
    echo "pip could not install ${optional[*]}; tests that need it are skipped" >&2
  # On all cores, as pip does not, and without the packages' own tests. Some files in them are for
  # other versions of Python.
  "$environment/bin/python" -m compileall -qq -j 0 -x '/tests?/' "$environment/lib" || true
  echo "$wanted" > "$environment/installed"
fi
export PATH="$environment/bin:$PATH"
export TF_CPP_MIN_LOG_LEVEL=2  # the tfds command imports TensorFlow, which greets at length
