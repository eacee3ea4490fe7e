"""Show that the book repeats: three executions of every chapter in different settings, and two builds of the site.

usage: python -m tools.reproducible [chapters] [site]      (default: both; about an hour and a half)

Chapters run as tools/notebook.env says, then with other numbers of threads, then with another hash seed and time zone;
each time all outputs are compared with the stored ones. The site is built in two folders of different names, and the
two must be the same, byte by byte.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.build_book import INPUTS, ROOT, build

SETTINGS: dict[str, dict[str, str]] = {
    "as written": {},
    "other numbers of threads": {
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    },
    "another hash seed and time zone": {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu"},
}
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=600", "-p", "no:cacheprovider"]


def chapters() -> list[str]:
    """Execute every chapter in each setting; return the settings in which an output differs."""
    failed = []
    for name, setting in SETTINGS.items():
        print(f"Chapters, {name}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadscope", *NBVAL, str(ROOT / "book")]
        if subprocess.run(command, cwd=ROOT, env={**os.environ, **setting}, check=False).returncode:
            failed.append(f"chapters, {name}")
    return failed


def contents(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def site() -> list[str]:
    """Build the site twice; return the files that differ."""
    sites = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("one", "another"):
            print(f"Site, {name}", flush=True)
            source = Path(folder) / name
            for part in INPUTS:
                copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
                source.mkdir(exist_ok=True)
                copy(ROOT / part, source / part)
            if build(source):
                return ["the site does not build"]
            sites.append(contents(source / "_build" / "html"))
    names = sorted(sites[0].keys() | sites[1].keys())
    return [f"site, {name}" for name in names if sites[0].get(name) != sites[1].get(name)]


PARTS = {"chapters": chapters, "site": site}


def main() -> None:
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.exit(f"There are the parts {', '.join(PARTS)}, not {', '.join(unknown)}.")
    differing = [what for name in chosen for what in PARTS[name]()]
    if differing:
        sys.exit("\n".join(["Different:", *differing]))
    print("All the same")


if __name__ == "__main__":
    main()
