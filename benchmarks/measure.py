"""What every measure shares: runs in turns, their ratios, rows of the table, and the files that the page reads.

usage: python -m benchmarks.measure NAME FILE [ROUNDS]      (called by python -m benchmarks: one measure to FILE)

A ratio is the time of a reference over ours: another library, a copy of the same words, or a budget. So bigger is
better in every row, and a bar is met when the median of the ratios is at least the bar.
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

STORED = Path(__file__).resolve().parent.parent / "book" / "reference" / "stored"
PACKAGES = ["numpy", "numba", "scipy", "scikit-learn", "tensorflow-cpu", "tensorflow", "keras", "torch", "jax", "optax"]
PACKAGES += ["gensim"]
Row = dict[str, Any]


def seconds(function: Callable[[], object], repeats: int = 1) -> float:
    """The time of one call, as the mean of some."""
    begin = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - begin) / repeats


def in_turns(
    runs: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    turns: int = 1,
    repeats: int = 1,
    warm_up: int = 2,
    clock: Callable[[Callable[[], Any], int], float] = seconds,
) -> dict[str, list[float]]:
    """Seconds of each run in each round.

    In a round the runs take turns, so that what slows one slows all, and its number for each is the median of ``turns``
    times: what interrupts a single one does not count. ``clock(run, repeats)`` returns one time.
    """
    for function in runs.values():
        if warm_up:
            clock(function, warm_up)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        times: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(turns):
            names = list(runs) if turn % 2 else list(reversed(runs))  # nobody always runs after the same one
            for name in names:
                times[name].append(clock(runs[name], repeats))
        for name, found in times.items():
            taken[name].append(float(np.median(found)))
    return taken


def duration(taken: float) -> str:
    """A time in words, with three digits."""
    scale, unit = next((s, u) for s, u in ((1, "s"), (1e3, "ms"), (1e6, "µs")) if taken * s >= 1 or u == "µs")
    return f"{taken * scale:.3g} {unit}"


def range_of(values: Iterable[float]) -> list[float]:
    """The smallest value, the median and the largest."""
    return [float(q) for q in np.quantile(np.array(list(values), float), [0, 0.5, 1])]


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Low, median and high of their time over ours, round by round."""
    return range_of(a / b for a, b in zip(theirs, ours, strict=True))


def row(what: str, peer: str, found: Sequence[float] | None, bar: float | None, note: str = "", **more: Any) -> Row:
    """One line of the table; ``found`` is None where there is no measurement, and ``note`` then says why."""
    return {
        "what": what,
        "peer": peer,
        "ratio": None if found is None else list(found),
        "bar": bar,
        "note": note,
        **more,
    }


def met(line: Row) -> bool | None:
    """Whether a row meets its bar; None where it has none, or was not measured."""
    return None if line["ratio"] is None or line["bar"] is None else line["ratio"][1] >= line["bar"]


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, and the versions of Python and the packages."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "packages": versions,
    }


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    if about.is_file():
        for line in about.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def say(line: Row) -> str:
    """A row as text for the terminal."""
    words = {True: "met", False: "NOT MET", None: ""}[met(line)]
    if line["ratio"] is None:
        return f"{line['what']:46} {line['peer']:26} not measured: {line['note']}"
    low, median, high = line["ratio"]
    bar = "" if line["bar"] is None else f"bar {line['bar']:.3g}"
    return (
        f"{line['what']:46} {line['peer']:26} {median:8.3g} ({low:.3g} to {high:.3g})  {bar:10} {words}  {line['note']}"
    )


def main(measured: Callable[[int], list[Row]], rounds: int) -> None:
    """Run one measure alone, and print it: python -m benchmarks.NAME [ROUNDS]."""
    for line in measured(int(sys.argv[1]) if len(sys.argv) > 1 else rounds):
        print(say(line), flush=True)


def content(name: str, rows: Sequence[Row], taken: float) -> dict[str, Any]:
    """What is stored of a measure."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"measure": name, "date": today, "seconds": round(taken, 1), "machine": machine(), "rows": list(rows)}


def stored(name: str) -> Path:
    """The file of a measure that the page reads."""
    return STORED / f"benchmark-{name}.json"


def read(path: Path) -> dict[str, Any]:
    """What was written of a measure."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(path: Path, value: object) -> None:
    """Write JSON so that a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def hold(threads: int) -> None:
    """Hold this process to some cores: what else it starts (JAX's pool) asks how many it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def run(name: str, path: Path, rounds: int | None) -> None:
    """Import one measure, run it, and write what it found."""
    begin = time.perf_counter()
    module = importlib.import_module(f"benchmarks.{name}")
    rows = module.measure(rounds or module.ROUNDS)
    write(path, content(name, rows, time.perf_counter() - begin))


if __name__ == "__main__":
    hold(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
