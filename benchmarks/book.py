"""How long the book takes to build, and how that grows with the number of chapters.

usage: python -m benchmarks.book [ROUNDS]

The book is built from clean in a copy, as `make book` does: the whole, and with a half and a quarter of the chapters of
each part. What those leave out is missing for references of the others, so that no build stops at warnings here. How
long each chapter runs is what `make test` shows; that takes too long to be measured here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks import measure as shared
from tools.build_book import build_environment

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 1
BUDGET = 60.0
PARTS = {"a quarter": 0.25, "a half": 0.5, "all": 1.0}
SKIPPED = shutil.ignore_patterns(".*", "_build", "__pycache__")


def shortened(contents: dict[str, Any], share: float) -> tuple[dict[str, Any], int]:
    """A table of contents with a share of the chapters of each part, and their number."""
    parts = [{**p, "chapters": p["chapters"][: max(1, round(share * len(p["chapters"])))]} for p in contents["parts"]]
    return {**contents, "parts": parts}, sum(len(part["chapters"]) for part in parts)


def seconds(source: Path) -> float:
    """The time of a strict build from clean, or of one that goes on after warnings."""
    begin = time.perf_counter()
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(source), "--all", "-q"]
    subprocess.run(command, env=build_environment(), check=False, capture_output=True)
    if not (source / "_build" / "html" / "index.html").is_file():
        raise RuntimeError(f"no book was built in {source}")
    return time.perf_counter() - begin


def measure(rounds: int) -> list[shared.Row]:
    """The whole book against its budget, and the time of a chapter in the whole against that in a half."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    taken: dict[str, list[float]] = {part: [] for part in PARTS}
    chapters = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        shutil.copytree(ROOT, copy, ignore=SKIPPED)
        for _ in range(rounds):
            for part, share in PARTS.items():
                toc, chapters[part] = shortened(contents, share)
                (copy / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")
                shutil.rmtree(copy / "_build", ignore_errors=True)
                taken[part].append(seconds(copy))
    whole = taken["all"]
    sizes = ", ".join(f"{chapters[part]} chapters {shared.range_of(taken[part])[1]:.0f} s" for part in PARTS)
    each = {part: [t / chapters[part] for t in found] for part, found in taken.items()}
    linear = shared.ratio(each["a half"], each["all"])
    growth = "linear growth keeps it at 1 or above: what every build costs is shared by more chapters"
    return [
        shared.row("make book", f"at most {BUDGET:.0f} s", shared.ratio([BUDGET] * rounds, whole), 1.0, sizes),
        shared.row("build time of a chapter", "the same in half the book", linear, 0.9, growth),
        shared.row("make test", "at most 25 minutes", None, 1.0, "too long to be measured here: CI shows it"),
    ]


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
