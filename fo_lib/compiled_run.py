"""A run of the loop compiled by Numba, for a problem with a kernel: the same steps, to rounding."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import compiling
from .averages import Average
from .engine import Rule, Signature, memory_loop, signature
from .iteration import Ending, iterate
from .problem import Problem
from .trace import COLUMNS, Records

__all__ = ["CompiledRun"]

Array = NDArray[Any]
MANY = 1 << 22  # numbers that are recorded, for which there is room at once

# The slots of the loop. Its plan has a row for each step, or one row for all: the rule's hyperparameters in their
# order, then the weight of the mean.
kernel = compiling.slot  # of the problem: write its gradient into g and return its value


def _evaluate(w: Array, at: Array, g: Array, t: int, recorded: bool, data: Any) -> float:
    return float(kernel(at, g, *data))


def _evaluate_mean(w: Array, at: Array, g: Array, t: int, recorded: bool, data: Any) -> float:
    return float(kernel(at if recorded else w, g, *data))


def _no_draw(w: Array, g: Array, t: int, recorded: bool, data: Any) -> None:
    pass


def _draw(w: Array, g: Array, t: int, recorded: bool, data: Any) -> None:
    if recorded:
        kernel(w, g, *data)


def _no_blend(at: Array, w: Array, t: int, plan: Array, k: int) -> None:
    pass


def _blend(at: Array, w: Array, t: int, plan: Array, k: int) -> None:
    weight = plan[min(k, plan.shape[0] - 1), plan.shape[1] - 1]
    for i in range(at.size):
        at[i] += weight * (w[i] - at[i])


def _record(records: Any, made: int, t: int, value: float, norm: float, rate: float, at: Array) -> None:
    steps, values, norms, rates, points = records
    steps[made], values[made], norms[made], rates[made] = t, value, norm, rate
    for i in range(points.shape[1]):
        points[made, i] = at[i]


def _copy(source: Array, target: Array) -> None:
    for i in range(source.size):
        target[i] = source[i]


def _length(g: Array) -> float:
    total = 0.0
    for i in range(g.size):
        x = float(g[i])
        total += x * x
    return math.sqrt(total)


def _step_source(sig: Signature) -> str:
    """Write the step of a rule, the loop over memory in it: a call would cost more than the update of two weights."""
    states, numbers, loop = memory_loop(sig)
    lines = ["def _step(w, g, t, plan, k, state):", "  k = min(k, plan.shape[0] - 1)", "  t = number(t)"]
    lines += [f"  {name} = state[{i}]" for i, name in enumerate(states)]
    lines += [f"  {name} = number(plan[k, {i}])" for i, name in enumerate(numbers)]
    return "\n".join(lines) + f"\n{loop}  return plan[k, {list(sig.hyper).index('learning_rate')}]\n"


def _slots(rule: Rule, evaluate: Callable[..., float], dtype: type, averaged: bool) -> dict[str, Callable[..., Any]]:
    # a name of the library's: indices of a reader's functions are checked, which costs more than a step of two weights
    step: dict[str, Any] = {"__name__": __name__, "rule": compiling.jit(rule, dtype=dtype), "number": dtype}
    exec(_step_source(signature(rule)), step)
    return {
        "evaluate": compiling.bind(_evaluate_mean if averaged else _evaluate, kernel=evaluate),
        "draw": compiling.bind(_draw, kernel=evaluate) if averaged else _no_draw,
        "blend": _blend if averaged else _no_blend,
        "step": step["_step"],
        "record": _record,
        "copy": _copy,
        "length": _length,
    }


_loops: dict[tuple[Any, ...], Callable[..., Any]] = {}


def compiled(rule: Rule, evaluate: Callable[..., float], dtype: type, averaged: bool) -> Callable[..., Any]:
    """Compile :func:`iterate` for a rule and the kernel of a problem; kept under the text of both.

    Raises
    ------
    TypeError
        If one of them cannot be compiled safely.
    ImportError
        If Numba is not installed.
    """
    texts = compiling.text_of(rule, element_wise=True), compiling.text_of(evaluate)
    known = (*texts, dtype, averaged)
    if known not in _loops:
        loop = compiling.bind(iterate, **_slots(rule, evaluate, dtype, averaged))
        _loops[known] = compiling.jit(loop, cached=True)
    return _loops[known]


class CompiledRun:
    """A run of the compiled loop, over one vector of weights.

    Parameters
    ----------
    problem : Problem
        With a kernel.
    rule : function
        Element-wise.
    hyper : dict
        For each hyperparameter a number, or a function of the step number that returns a checked one.
    average : function, optional
        The weight of each step in the mean.
    records : Records
        Where it records.
    w : array
        The start, in which the run goes on.
    """

    def __init__(
        self, problem: Problem, rule: Rule, hyper: dict[str, Any], average: Average | None, records: Records, w: Array
    ) -> None:
        if problem.kernel is None:
            raise ValueError(f"compiled: problem {problem.name!r} has no kernel, the form that can be compiled")
        self.loop = compiled(rule, problem.kernel.evaluate, w.dtype.type, average is not None)
        self.problem, self.data, self.records = problem, problem.kernel.data, records
        self.plan = [*hyper.values(), 0.0 if average is None else average]
        self.state = tuple(np.zeros_like(w) for _ in signature(rule).state)
        self.w, self.at = w, w if average is None else w.copy()
        self.previous, self.g = w.copy(), np.empty_like(w)
        width, self.made = 0 if records.iterates is None else w.size, 0
        self.columns = [np.empty(0, np.int64), *[np.empty(0)] * 3, np.empty((0, width), w.dtype)]

    def arrays(self) -> dict[str, Array]:
        """All that the next steps and the trace depend on, by name."""
        own = {"w": self.w, "at": self.at, "previous": self.previous}
        states = {f"state {i}": s for i, s in enumerate(self.state)}
        return {**own, **states, **{name: c[: self.made] for name, c in zip(COLUMNS, self.columns, strict=True)}}

    def functions(self) -> dict[str, object]:
        """What was made of the arguments, and may remember: nothing."""
        return {}

    def take(self, _t: int, arrays: dict[str, Array]) -> None:
        """Go back to what was saved."""
        for name, a in self.arrays().items():
            if name not in COLUMNS:
                np.copyto(a, arrays[name])
        self.columns = self.records.table = [arrays[name] for name in COLUMNS]
        self.made = len(self.columns[0])

    def block(self, every: int, steps: int, tolerance: float, first: int, last: int, rate: float) -> Ending:
        """Make the steps of a block."""
        every = min(every, steps + 1)
        free = self._room(steps // every + 2, (last - first) // every + 2)
        if first == 0:
            self._compare(self._plan(0, 0))
        ending, t, made, rate = self._call(
            self.w, self.at, self.previous, self.g, (first, last, every, steps), tolerance, rate,
            self._plan(first, min(last, steps)), self.state, free, self.data,
        )  # fmt: skip
        self.made += made
        self.records.table = [column[: self.made] for column in self.columns]
        return ending, t, rate

    def _call(self, *arguments: Any) -> tuple[int, int, int, float]:
        from numba.core.errors import NumbaError

        try:
            result: tuple[int, int, int, float] = self.loop(*arguments)
        except NumbaError as error:
            raise TypeError(f"compiled: Numba cannot compile rule or problem {self.problem.name!r}: {error}") from error
        return result

    def _compare(self, plan: Array) -> None:
        """Refuse a kernel that is not the problem's function, as where ``dataclasses.replace`` changed the one only.

        Looked at beside the start, which may be a minimizer, with a gradient that is rounding error.
        """
        w = self.w + 0.1 * (1 + abs(self.w)) * np.cos(np.arange(self.w.size)).astype(self.w.dtype)
        expected = [self.problem.value(w), float(np.linalg.norm(self.problem.grad(w)))]
        columns = [np.empty(1, c.dtype) if c.ndim == 1 else np.empty((1, 0), c.dtype) for c in self.columns]
        arrays = w, w, w.copy(), np.empty_like(w)
        made = self._call(*arrays, (0, 1, 1, 0), 0.0, 0.0, plan, self.state, tuple(columns), self.data)[2]
        found = [float(column[0]) for column in columns[1:3]] if made else [np.inf, np.inf]
        same = np.allclose(found, expected, rtol=100 * float(np.sqrt(np.finfo(w.dtype).eps)), atol=1e-9)
        if np.isfinite(expected).all() and not same:
            raise ValueError(
                f"compiled: the kernel of problem {self.problem.name!r} must be its function, got value and gradient"
                f" norm {found} near the start instead of {expected}"
            )

    def _room(self, all_records: int, count: int) -> tuple[Array, ...]:
        """The free part of the columns of records, with room for so many; at once for a run that is not very long."""
        if self.made + count > len(self.columns[0]):
            at_first = min(all_records, MANY // (4 + self.columns[-1].shape[1]))
            size = max(self.made + count, 2 * self.made or at_first)
            new = [np.empty((size, *c.shape[1:]), c.dtype) for c in self.columns]
            for old, column in zip(self.columns, new, strict=True):
                column[: self.made] = old[: self.made]
            self.columns = new
        return tuple(column[self.made :] for column in self.columns)

    def _plan(self, first: int, last: int) -> Array:
        one = not any(map(callable, self.plan))
        steps = [first + 1] if one else range(first + 1, last + 1)
        columns = [[c(t) for t in steps] if callable(c) else [c] * len(steps) for c in self.plan]
        return np.array(columns, float).T.copy()
