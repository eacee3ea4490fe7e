#!/bin/sh
# Create .venv, install the hashed lock and fo_lib itself. Run by make; safe to repeat.
set -eu
cd "$(dirname "$0")/.."

supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

find_python() {
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c "$supported" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: make PYTHON=/path/to/python3.12" >&2
    exit 1
}

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c "$supported"; then
    rm -rf .venv
    python=$(find_python)
    echo "Creating .venv with $("$python" --version) (the first time takes some minutes)"
    "$python" -m venv .venv
fi

# setuptools comes from the lock, so fo_lib is built without a second, unlocked download.
if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.txt
    uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
else
    pip=".venv/bin/python -m pip --disable-pip-version-check"
    $pip install --quiet --require-hashes -r requirements.txt
    $pip install --quiet --no-deps --no-build-isolation -e .
fi
touch .venv/.installed
