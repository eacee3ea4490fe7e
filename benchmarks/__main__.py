"""Run the measures, each in its own process, and store what they found for the page of benchmarks.

usage: python -m benchmarks [NAME ...]      (make bench; default: every measure)

A measure that fails, or takes too long, becomes a row that says so. One alone, printed and not stored, is run by
python -m benchmarks.NAME
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure as shared

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Measure:
    """A file of this folder: what it is about, how many threads it has, and how many minutes it may take."""

    title: str
    threads: int = 1
    minutes: float = 5


MEASURES = {
    "step": Measure("One step of a rule"),
    "step_threads": Measure("One step on two threads", threads=2),
    "keras_step": Measure("A step of fit in Keras"),
    "loop": Measure("Steps a second of the loop"),
    "one_sample": Measure("One-sample SGD for linear models"),
    "variance_reduction": Measure("SAGA and SVRG for linear models"),
    "word_vectors": Measure("Word vectors"),
    "lasso": Measure("Lasso", minutes=8),
    "import_time": Measure("Import and first call"),
    "memory": Measure("Memory of an epoch"),
    "compiled_epoch": Measure("An epoch as one graph", threads=2),
    "book": Measure("Building the book", threads=2, minutes=10),
    "page_speed": Measure("Loading a chapter", threads=2),
    "live_figures": Measure("Following a slider", threads=2),
}
PARTS = ("__init__", "__main__", "measure")  # files here that are no measures


def environment(threads: int) -> dict[str, str]:
    """Variables that hold every library to a number of threads."""
    counts = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"),
        str(threads),
    )
    # a thread of OpenMP that waits actively, as PyTorch's do, takes a core from whoever has the next turn
    counts["OMP_WAIT_POLICY"] = "passive"
    return {**os.environ, **counts, "TF_NUM_INTEROP_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "3"}


def fault(name: str, why: str) -> list[shared.Row]:
    """The row of a measure that could not be made."""
    return [shared.row(MEASURES[name].title, "", None, None, why)]


def run(name: str, minutes: float | None = None) -> list[shared.Row]:
    """Run one measure in its own process; store and return its rows."""
    begin, threads = time.perf_counter(), MEASURES[name].threads
    minutes = MEASURES[name].minutes if minutes is None else minutes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.measure", name, str(path)]
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment(threads), check=False, capture_output=True, text=True,
                timeout=60 * minutes,
            )  # fmt: skip
            if path.is_file():
                found = shared.read(path)
            else:
                lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
                found = shared.content(name, fault(name, f"failed: {lines[-1]}"), time.perf_counter() - begin)
        except subprocess.TimeoutExpired:
            found = shared.content(name, fault(name, f"took more than {minutes:g} minutes"), 60 * minutes)
    shared.write(shared.stored(name), {**found, "title": MEASURES[name].title, "threads": threads})
    rows: list[shared.Row] = found["rows"]
    return rows


def main(names: list[str]) -> None:
    """Run the measures that are named, and say what came out."""
    if unknown := sorted(set(names) - set(MEASURES)):
        sys.exit(f"no such measure: {', '.join(unknown)}. There are: {', '.join(MEASURES)}")
    for number, name in enumerate(names, start=1):
        begin = time.perf_counter()
        print(f"[{number}/{len(names)}] {name}", flush=True)
        for line in run(name):
            print(f"  {shared.say(line)}", flush=True)
        print(f"  {time.perf_counter() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(MEASURES))
