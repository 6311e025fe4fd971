#!/usr/bin/env bash
# Builds the documentation as a site into build/site/; warnings are errors.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

NO_MKDOCS_2_WARNING=true python -m mkdocs build --strict --quiet "$@"
echo "The site: $PWD/build/site/index.html"
echo 'To search it, serve it: python -m http.server --directory build/site'
