"""What `import fo_lib` costs over importing NumPy: medians of alternating processes.

usage: python -m benchmarks.import_time
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15
CODE = {
    "numpy": "import numpy",
    "numpy and fo_lib": "import numpy, fo_lib",
    "and its core": "import numpy; from fo_lib import gradients, minimize, problems, rules",
}


def seconds(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    times: dict[str, list[float]] = {name: [] for name in CODE}
    for _ in range(ROUNDS):
        for name, code in CODE.items():
            times[name].append(seconds(code))
    medians = {name: 1e3 * statistics.median(found) for name, found in times.items()}
    for name, median in medians.items():
        print(f"import {name:20} {median:6.0f} ms, {median - medians['numpy']:+5.0f} ms")
