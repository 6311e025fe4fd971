#!/usr/bin/env bash
# Builds the documentation as a site into build/site/; warnings are errors. It needs an environment
# of 170 MB, which it makes in a minute or two, and then 15 s.
set -euo pipefail
GRFJAX_ENVIRONMENT=docs
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

NO_MKDOCS_2_WARNING=true python -m mkdocs build --strict --quiet "$@"
echo "The site: $PWD/build/site/index.html"
echo 'To search it, serve it: python3 -m http.server --directory build/site'
