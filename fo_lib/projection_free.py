r"""Frank and Wolfe's method: linear problems over a set instead of projections onto it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks
from .problem import Problem, flat, prepared
from .schedules import Schedule
from .sets import Set
from .trace import Records, Trace

__all__ = ["frank_wolfe", "shrinking_step"]

Array = NDArray[np.floating[Any]]
Choose = Callable[[int, Array, Array, float], float]
NOTHING = 1e-14  # a weight that is left over by rounding


def shrinking_step(t: int) -> float:
    r"""The step :math:`\gamma_t = \frac{2}{t + 1}`: the first corner replaces the start. Jaggi (2013), Algorithm 1."""
    return 2 / (t + 1)


class Mixture:
    """The corners of which the point of a run is a mean, and their weights, which sum to 1."""

    def __init__(self, start: Array) -> None:
        self.corners = {start.tobytes(): start}
        self.weights = {start.tobytes(): 1.0}

    def worst(self, g: Array) -> tuple[Array, float]:
        """The corner in use where ``g @ corner`` is largest, and its weight."""
        key = max(self.corners, key=lambda key: float(g @ self.corners[key]))
        return self.corners[key], self.weights[key]

    def move(self, corner: Array, step: float) -> None:
        """Move towards a corner, or with a negative step away from it; forget what has no weight left."""
        weights = {key: (1 - step) * weight for key, weight in self.weights.items()}
        key = corner.tobytes()
        weights[key] = weights.get(key, 0.0) + step
        self.corners[key] = corner
        kept = {key: weight for key, weight in weights.items() if weight > NOTHING}
        total = sum(kept.values())
        self.weights = {key: weight / total for key, weight in kept.items()}
        self.corners = {key: self.corners[key] for key in self.weights}

    def point(self) -> Array:
        """The mean of the corners: in their hull, whatever the rounding errors of the steps have been."""
        return np.asarray(np.array(list(self.weights.values())) @ np.array(list(self.corners.values())))


def frank_wolfe(
    problem: Problem,
    over: Set,
    *,
    learning_rate: Schedule | None = None,
    away: bool = False,
    start: Any = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
) -> Trace:
    r"""Minimize a smooth function over a bounded convex set, without projections.

    .. math::
        s_t = \arg\min_{s \in C} \nabla f(w_{t-1})^\top s, \qquad w_t = w_{t-1} + \gamma_t (s_t - w_{t-1})

    Parameters
    ----------
    problem : Problem
        With a gradient.
    over : Set
        From :mod:`fo_lib.sets`, with a ``corner``.
    learning_rate : function, optional
        :math:`\gamma_t \in (0, 1]` as a function of the step number, such as :func:`shrinking_step`. By default the
        short step: along a direction :math:`d` the minimizer of the upper bound that ``problem.L`` gives,
        :math:`\gamma = \min\left(\gamma_{\max}, \frac{-\nabla f^\top d}{L \|d\|^2}\right)`.
    away : bool
        Also move away from the worst corner in use, the start among them, where that promises more. With short steps.
        All corners in use are kept: for sets with finitely many.
    start : array, optional
        A point of the set, by default the problem's start.
    steps : int
        Steps to make at most.
    tolerance : float
        Stop at a recorded step where the gap is at most this.
    every : int
        Record step 0 and every such step after it, and the last.
    iterates : bool
        Record the weights too.

    Returns
    -------
    Trace
        Its ``gap`` is :math:`\nabla f(w)^\top (w - s)`: for a convex function at least :math:`f(w) - f^\star`. Its
        ``grad_norm`` is that of the gradient itself, which on a set need not become small.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, the set is not bounded, ``start`` is not in it, or the
        problem has no ``L`` and no learning rate is given.

    Notes
    -----
    Frank & Wolfe (1956); Jaggi (2013), Algorithm 1. With away steps: Lacoste-Julien & Jaggi (2015), Algorithm 1.
    """
    layout, w, (steps, every, tolerance) = prepared(problem, start, steps, every, tolerance)
    if not isinstance(over, Set):
        raise TypeError(f"over must be a Set (see fo_lib.sets), got {type(over).__name__}")
    corner = over.corner
    if corner is None:
        raise ValueError(f"over must be a bounded set, got {over!r}")
    if learning_rate is None and problem.L is None:
        raise ValueError(f"learning_rate must be given: problem {problem.name!r} has no known L")
    if learning_rate is not None:
        checks.function("learning_rate", learning_rate)
        if away:
            raise ValueError("away=True takes short steps only: learning_rate must be left out")
    if over.value(layout.unflatten(w)) > 0:
        raise ValueError(f"start must be a point of {over!r}, got {start!r}")
    records = Records(iterates)
    with np.errstate(over="ignore", invalid="ignore"):
        w, reason, message = _run(
            flat(problem, layout), lambda g: layout.flatten(corner(layout.unflatten(g)), "corner(g)"),
            _chooser(problem.L, learning_rate), Mixture(w) if away else None, w, records,
            steps=steps, tolerance=tolerance, every=every,
        )  # fmt: skip
    return records.trace(layout.unflatten(w), reason, message, rule="frank_wolfe", stochastic=False, L=problem.L)


def _chooser(L: float | None, schedule: Schedule | None) -> Choose:
    """The step along ``d`` at step ``t``, at most ``longest``."""
    if schedule is not None:
        return lambda t, g, d, longest: checks.number(f"learning_rate({t})", schedule(t), above=0.0, at_most=1.0)
    return lambda t, g, d, longest: min(longest, float(-(g @ d) / ((L or 1.0) * (d @ d)))) if d.any() else 0.0


def _run(
    problem: Problem, corner: Callable[[Array], Array], choose: Choose, used: Mixture | None, w: Array,
    records: Records, *, steps: int, tolerance: float, every: int,
) -> tuple[Array, str, str]:  # fmt: skip
    rate = 0.0
    for k in range(steps + 1):
        g = problem.grad(w)
        recorded = k % every == 0 or k == steps
        value = problem.value(w) if recorded else 0.0
        if not (np.isfinite(value) and np.isfinite(g).all()):
            if k == 0:
                raise ValueError("start must be a point where value and gradient are finite: here they are not")
            return w, "diverged", f"diverged: value or gradient no longer finite at step {k}"
        s = corner(g)
        gap = max(float(g @ (w - s)), 0.0)
        if recorded:
            records.add(k, value, float(np.linalg.norm(g)), rate, w, gap)
            if gap <= tolerance:
                return w, "tolerance", f"the gap reached the tolerance {tolerance:g} at step {k}"
        if k < steps:
            target, d, sign, longest = s, s - w, 1, 1.0
            if used is not None:
                worst, weight = used.worst(g)
                if g @ (worst - w) > gap:  # never at the worst itself, which alone has the weight 1
                    target, d, sign, longest = worst, w - worst, -1, weight / (1 - weight)
            rate = choose(k + 1, g, d, longest)
            w = w + rate * d
            if used is not None:
                used.move(target, sign * rate)
                w = used.point().astype(w.dtype)
    return w, "steps", f"made all {steps} steps"
