#!/bin/sh
# Renew the hashed lists that plain pip installs from. Needs uv on the path.
set -eu
cd "$(dirname "$0")/.."
common="--quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11"
# shellcheck disable=SC2086
uv pip compile $common --extra platform pyproject.toml -o requirements/platform.txt "$@"
# shellcheck disable=SC2086
uv pip compile $common --group dev -c requirements/platform.txt -o requirements/dev.txt "$@"
# shellcheck disable=SC2086
echo 'hatchling>=1.25
editables>=0.5' | uv pip compile $common -o requirements/build.txt - "$@"
