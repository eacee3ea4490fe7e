#!/bin/sh
# Install the extra `peers` beside the lock. Run by make; safe to repeat.
set -eu
cd "$(dirname "$0")/.."

locked=$(mktemp)
trap 'rm -f "$locked"' EXIT
grep '^[A-Za-z0-9]' requirements.txt | sed 's/ *\\$//; s/\[[^]]*\]//' > "$locked" # constraints: no hashes, no extras
.venv/bin/python -m pip --disable-pip-version-check install --quiet --no-build-isolation -c "$locked" -e '.[peers]'
