"""What `import fo_lib` costs over importing NumPy, and how long the first compiled step takes.

usage: python -m benchmarks.import_time [ROUNDS]

Every run is a new process that has imported NumPy, and then reads the clock. The first step is that of
`Stepper(rules.adam, fused=True)`, with all that it imports. With a warm cache, Numba finds what an earlier process has
compiled; with a cold one, the folder of its cache is empty.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from benchmarks import measure as shared

ROUNDS = 9
BUDGETS = {"import": 0.05, "warm": 0.5, "cold": 2.0}
CODE = {
    "import fo_lib": "import fo_lib",
    "import its core": "from fo_lib import gradients, minimize, problems, rules",
    "import numba, for scale": "import numba",
    "first step": "from fo_lib import Stepper, rules; Stepper(rules.adam, fused=True)(w, w.copy())",
}
TIMED = """
import time, numpy as np
w = np.ones(100, np.float32)
begin = time.perf_counter()
{}
print(time.perf_counter() - begin)
"""


def seconds(what: str, cache: str) -> float:
    """The time that some code takes in a new process."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", TIMED.format(CODE[what])]
    return float(subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout)


def taken(what: str, rounds: int, *, warm: bool = True) -> list[float]:
    """The times of some processes; not of the first, which also reads packages from disk."""
    found = []
    with tempfile.TemporaryDirectory() as kept:
        for _ in range(rounds + 1):
            with tempfile.TemporaryDirectory() as empty:
                found.append(seconds(what, kept if warm else empty))
    return found[1:]


def budget(what: str, allowed: float, found: list[float]) -> shared.Row:
    """A row whose reference is a time that is allowed."""
    ratio = shared.ratio([allowed] * len(found), found)
    return shared.row(what, f"at most {allowed:g} s", ratio, 1.0, median(found))


def median(found: list[float]) -> str:
    return shared.duration(shared.range_of(found)[1])


def measure(rounds: int) -> list[shared.Row]:
    """Rows for imports and for the first step."""
    numba = median(taken("import numba, for scale", rounds))
    rows = [budget(what, BUDGETS["import"], taken(what, rounds)) for what in list(CODE)[:2]]
    for kind in ("warm", "cold"):
        found = taken("first step", rounds, warm=kind == "warm")
        rows.append(budget(f"first compiled step, {kind} cache", BUDGETS[kind], found))
        rows[-1]["note"] += f", of which {numba} import Numba"
    return rows


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
