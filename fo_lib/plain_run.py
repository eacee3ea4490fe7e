"""A run of the loop as Python, with every slot that there is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import compiling
from .averages import Average
from .engine import Stepper, signature
from .iteration import Ending, iterate
from .layout import Layout
from .problem import Problem
from .prox import Operator, gradient_mapping
from .schedules import Schedule
from .trace import COLUMNS, Records
from .transforms import Transform

__all__ = ["ByArray", "PlainRun"]

Array = NDArray[np.floating[Any]]


def _length(g: Array) -> float:
    g = np.asarray(g, np.float64)
    return math.sqrt(g @ g)


class ByArray:
    """A rule on a flat vector: a rule of matrices is called for each array, any other once for all weights."""

    def __init__(self, rule: Callable[..., Any], layout: Layout, hyper: dict[str, float | Schedule]) -> None:
        signature(rule).require(*hyper)
        self.schedules = {name: value for name, value in hyper.items() if callable(value)}
        numbers: dict[str, Any] = {name: value for name, value in hyper.items() if not callable(value)}
        self.layout = layout if hasattr(rule, "state_shapes") else None
        self.steppers = [Stepper(rule, fused=None, **numbers) for _ in (layout.shapes if self.layout else [()])]

    def begin(self, w: Array) -> None:
        """Make the state of the rule."""
        for step, array in zip(self.steppers, [w] if self.layout is None else self.layout.arrays(w), strict=True):
            step.begin(array)

    def states(self) -> dict[str, Array]:
        """The state of the rule, by name."""
        return {f"state {i}.{j}": s for i, step in enumerate(self.steppers) for j, s in enumerate(step.state)}

    def take(self, t: int, arrays: dict[str, Array]) -> None:
        """Go on from the state after ``t`` steps."""
        for i, step in enumerate(self.steppers):
            step.t, step.state = t, [arrays[f"state {i}.{j}"] for j in range(len(step.state))]

    def __call__(self, w: Array, g: Array, t: int, rate: float) -> None:
        hyper = {name: schedule(t) for name, schedule in self.schedules.items()}
        if self.layout is None:
            self.steppers[0](w, g, learning_rate=rate, **hyper)
            return
        arrays, gradients = self.layout.arrays(w), self.layout.arrays(g)
        for step, array, gradient in zip(self.steppers, arrays, gradients, strict=True):
            step(array, gradient, learning_rate=rate, **hyper)


@dataclass(kw_only=True)
class PlainRun:
    """A run in Python over flat vectors: the slots of :func:`~fo_lib.iteration.iterate`."""

    problem: Problem
    stepper: ByArray
    rate: Callable[[int, Array, Array], float]
    estimate: Callable[[Array, int], Array] | None
    transform: Transform | None
    prox: Operator | None
    average: Average | None
    records: Records
    w: Array

    def __post_init__(self) -> None:
        self.at = self.w if self.average is None else self.w.copy()
        self.previous, self.g = self.w.copy(), np.empty_like(self.w)
        slots: dict[str, Callable[..., Any]] = {
            "evaluate": self._evaluate, "draw": self._draw, "step": self._step, "blend": self._blend,
            "record": self._record, "copy": lambda source, target: np.copyto(target, source),
            "length": _length if self.prox is None else self._length,
        }  # fmt: skip
        self.iterate = compiling.bind(iterate, **slots)
        self.stepper.begin(self.w)

    def functions(self) -> dict[str, object]:
        """What was made of the arguments, and may remember."""
        return {"estimate": self.estimate, "rate": self.rate}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that the next steps and the trace depend on, by name."""
        own = {"w": self.w, "at": self.at, "previous": self.previous}
        recorded = dict(zip(COLUMNS, self.records.columns(), strict=True))
        return {**own, **self.stepper.states(), **recorded}

    def take(self, t: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Go back to what was saved after ``t`` steps."""
        for name in ("w", "at", "previous"):
            np.copyto(getattr(self, name), arrays[name])
        self.stepper.take(t, arrays)
        self.records.take([arrays[name] for name in COLUMNS])

    def block(self, every: int, steps: int, tolerance: float, first: int, last: int, rate: float) -> Ending:
        """Make the steps of a block."""
        arrays, clock = (self.w, self.at, self.previous, self.g), (first, last, every, steps)
        ending, t, _, rate = self.iterate(*arrays, clock, tolerance, rate, None, None, None, None)
        return ending, t, rate

    def _evaluate(self, w: Array, at: Array, g: Array, t: int, recorded: bool, _data: None) -> float:
        g[:] = self.problem.grad(at) if recorded or self.estimate is None else self.estimate(w, t + 1)
        self.now = t, recorded
        return self.problem.value(at) if recorded else 0.0

    def _length(self, g: Array) -> float:
        """At a recorded step the norm of the gradient mapping, for the learning rate that led there."""
        t, recorded = self.now
        if self.prox is None or not recorded:
            return _length(g)
        exact = g.astype(np.float64)  # a step may be less than the rounding of float32
        return _length(gradient_mapping(self.prox, self.at, exact, self.rate(max(t, 1), self.at, g)))

    def _draw(self, w: Array, g: Array, t: int, recorded: bool, _data: None) -> None:
        if recorded and self.estimate is not None:
            g[:] = self.estimate(w, t)

    def _step(self, w: Array, g: Array, t: int, *_compiled: object) -> float:
        rate = self.rate(t, w, g)
        if self.transform is not None:
            g = np.asarray(self.transform(g), w.dtype)
        self.stepper(w, g, t, rate)
        if self.prox is not None:
            w[:] = self.prox(w, rate)
        return rate

    def _blend(self, at: Array, w: Array, t: int, *_compiled: object) -> None:
        if self.average is not None:
            at += self.average(t) * (w - at)

    def _record(self, _records: None, _made: int, t: int, value: float, norm: float, rate: float, at: Array) -> None:
        self.records.add(t, value, norm, rate, at)
