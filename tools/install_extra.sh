#!/bin/sh
# Install an extra of pyproject.toml beside the lock: sh tools/install_extra.sh NAME. Run by make; safe to repeat.
set -eu
cd "$(dirname "$0")/.."

locked=$(mktemp)
trap 'rm -f "$locked"' EXIT
grep '^[A-Za-z0-9]' requirements.txt | sed 's/ *\\$//; s/\[[^]]*\]//' > "$locked" # constraints: no hashes, no extras
.venv/bin/python -m pip --disable-pip-version-check install --quiet --no-build-isolation -c "$locked" -e ".[$1]"
