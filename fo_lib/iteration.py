"""The text of the loop, written once: :func:`~fo_lib.loop.minimize` runs it as Python, or compiled.

It reads its slots as globals: functions of Python, or functions that Numba compiles with it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .compiling import slot

__all__ = ["in_blocks", "iterate"]

Array = NDArray[np.floating[Any]]
Ending = tuple[int, int, float]
GOING_ON, TOLERANCE, DIVERGED = 0, 1, 2
SECONDS = 0.05  # about as long as a block takes


class Files(Protocol):
    """What a run goes on from, and is saved in."""

    def begin(self) -> Ending:
        """Where the run goes on."""

    def save(self, ending: int, t: int, rate: float, *, now: bool) -> None:
        """Save the run, if it is time, or ``now``."""


# The slots. w: the weights; at: where values are recorded, w itself or a mean; g: room for a gradient.
evaluate = slot  # write the gradient at `at` into g and return the value, of a recorded step
draw = slot  # replace that gradient by the estimate that the step uses, if it uses one
step = slot  # move w; return the learning rate
blend = slot  # draw the mean `at` towards w
record = copy = length = slot


def iterate(
    w: Array, at: Array, previous: Array, g: Array, clock: tuple[int, int, int, int], tolerance: float, rate: float,
    plan: Any, state: Any, records: Any, data: Any,
) -> tuple[int, int, int, float]:  # fmt: skip
    """Go from step ``first`` to ``last``; return how it ended and where, the records made, and the last rate."""
    first, last, every, steps = clock
    made, due = 0, min(-(-first // every) * every, steps)
    for t in range(first, last):
        recorded = t == due
        value = evaluate(w, at, g, t, recorded, data)
        norm = length(g)
        if not (math.isfinite(norm) and (math.isfinite(value) or not recorded)):
            return DIVERGED, t, made, rate
        if recorded:
            record(records, made, t, value, norm, rate, at)
            made, due = made + 1, min(t + every, steps)
            if norm <= tolerance and (tolerance > 0 or not g.any()):  # a norm can underflow
                return TOLERANCE, t, made, rate
        if t < steps:
            copy(at, previous)
            draw(w, g, t + 1, recorded, data)
            rate = step(w, g, t + 1, plan, t - first, state)
            blend(at, w, t + 1, plan, t - first)
    return GOING_ON, last, made, rate


def in_blocks(block: Callable[..., Ending], steps: int, progress: bool, files: Files | None = None) -> Ending:
    """Call ``block(first, last, rate)`` until the run ends: often enough for a bar, for Ctrl+C, and to be saved."""
    (ending, t, rate), size = (GOING_ON, 0, 0.0) if files is None else files.begin(), 64
    bar = _bar(t, steps + 1, progress)
    while ending == GOING_ON and t <= steps:
        first, began = t, time.perf_counter()
        ending, t, rate = block(first, min(first + size, steps + 1), rate)
        size = 2 * size if time.perf_counter() - began < SECONDS else max(size // 2, 1)
        if files is not None:
            files.save(ending, t, rate, now=ending != GOING_ON or t > steps)
        if bar is not None:
            bar.update(t - first)
    if bar is not None:
        bar.close()
    return ending, t, rate


def _bar(done: int, total: int, progress: bool) -> Any:
    if not progress:
        return None
    from tqdm.auto import tqdm

    return tqdm(initial=done, total=total, disable=None)
