"""From which size on is a compiled Adam step faster than NumPy's? Medians of ratios of alternating runs.

usage: python -m benchmarks.fused_step
"""

from __future__ import annotations

import time

import numpy as np

from fo_lib import Stepper, rules

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
ROUNDS = 15


def seconds(step: Stepper, w: np.ndarray, g: np.ndarray, repeats: int) -> float:
    begin = time.perf_counter()
    for _ in range(repeats):
        step(w, g)
    return time.perf_counter() - begin


def ratios(size: int, dtype: type) -> list[float]:
    """Time of NumPy over time of the compiled pass, one ratio for each pair of runs."""
    rng = np.random.default_rng(0)
    w, g = (rng.standard_normal(size).astype(dtype) for _ in range(2))
    numpy, fused = (Stepper(rules.adam, fused=choice) for choice in (False, True))
    repeats = max(1, 200_000 // size)
    seconds(fused, w, g, 1)  # compile
    return [seconds(numpy, w, g, repeats) / seconds(fused, w, g, repeats) for _ in range(ROUNDS)]


if __name__ == "__main__":
    for dtype in (np.float32, np.float64):
        for size in SIZES:
            found = ratios(size, dtype)
            low, median, high = np.quantile(found, [0, 0.5, 1])
            print(f"{np.dtype(dtype)}  {size:>9,} weights  NumPy / fused = {median:5.2f}  ({low:.2f} to {high:.2f})")
