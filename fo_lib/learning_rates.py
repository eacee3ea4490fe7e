r"""The slot ``learning_rate`` of :func:`~fo_lib.loop.minimize`: a number, a schedule, or a line search.

A schedule is any function of the step number ``t = 1, 2, ...``. A line search is a :class:`LineSearch`: it sees the
problem and measures along the negative gradient, so that it goes with gradient descent and the full gradient only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks
from .memory import Memory, Remembering
from .problem import Problem
from .schedules import Schedule as Schedule
from .schedules import cosine, inverse, inverse_sqrt, one_cycle, step_decay

__all__ = [
    "LineSearch",
    "armijo",
    "barzilai_borwein",
    "cosine",
    "exact",
    "inverse",
    "inverse_sqrt",
    "one_cycle",
    "polyak",
    "step_decay",
]

Array = NDArray[np.floating[Any]]
Search = Callable[[Array, Array], float]


@dataclass(frozen=True)
class LineSearch:
    """A learning rate measured at each step.

    Parameters
    ----------
    prepare : function
        ``prepare(problem)`` returns ``search(w, g)``, the learning rate at weights ``w`` with gradient ``g``, both
        flat vectors. What it remembers from call to call belongs in arrays of a dict, ``search.memory``: a run with a
        folder then goes on from it.
    """

    prepare: Callable[[Problem], Search]


def exact() -> LineSearch:
    r"""Exact line search on a quadratic.

    .. math:: \alpha = \arg\min_a f(w - a g) = \frac{g^\top g}{g^\top H g}

    with :math:`H` the Hessian. On another function this is the step to the minimum of its quadratic model.

    Returns
    -------
    LineSearch
        For a problem with a ``hessian``; a run with another raises ValueError.

    Notes
    -----
    Cauchy (1847).
    """

    def prepare(problem: Problem) -> Search:
        hessian = problem.hessian
        if hessian is None:
            raise ValueError(f"exact line search needs a problem with a hessian, got {problem!r}")

        def search(w: Array, g: Array) -> float:
            if g @ g < np.finfo(g.dtype).tiny / np.finfo(g.dtype).eps:
                g = g / np.abs(g).max()  # its square underflows, and the ratio does not depend on its length
            return float(g @ g / (g @ hessian(w) @ g))

        return search

    return LineSearch(prepare)


def armijo(first: float = 1.0, *, shrink: float = 0.5, grow: float = 2.0, decrease: float = 1e-4) -> LineSearch:
    r"""Backtracking: the first of :math:`a, qa, q^2a, \dots` with sufficient decrease.

    .. math:: f(w - a g) \le f(w) - c \, a \|g\|^2

    Parameters
    ----------
    first : float
        :math:`a > 0` tried first in the first step.
    shrink : float
        :math:`q \in (0, 1)`.
    grow : float
        Later steps first try the last accepted :math:`a` times this factor :math:`\ge 1`.
    decrease : float
        :math:`c \in (0, 1)`.

    Returns
    -------
    LineSearch
        Its search raises ValueError if no step decreases the value: the gradient is then wrong, or rounding
        hides what is left to gain.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or outside its range.

    Notes
    -----
    Armijo (1966); Nocedal & Wright (2006), Algorithm 3.1.
    """
    first = checks.number("first", first, above=0.0)
    shrink = checks.number("shrink", shrink, above=0.0, below=1.0)
    grow = checks.number("grow", grow, at_least=1.0)
    decrease = checks.number("decrease", decrease, above=0.0, below=1.0)

    def prepare(problem: Problem) -> Search:
        memory: Memory = {"trial": np.array(first)}

        def search(w: Array, g: Array) -> float:
            value, slope, trial = problem.value(w), float(g @ g), float(memory["trial"])
            a = trial
            # rounding of the value hides a decrease below this allowance
            rounding = 10 * float(np.finfo(w.dtype).eps) * abs(value)
            while not problem.value(w - a * g) <= value - decrease * a * slope + rounding:
                a *= shrink
            # much was promised, and nothing that can be measured was found
            if decrease * a * slope < rounding < 1e-6 * decrease * trial * slope:
                raise ValueError(f"armijo found no step that decreases the value {value:.6g}: is grad right?")
            memory["trial"] = np.array(a * grow)
            return a

        return Remembering(search, memory)

    return LineSearch(prepare)


def polyak(minimum: float | None = None) -> LineSearch:
    r"""Polyak's step, for a problem whose minimum is known.

    .. math:: \alpha = \frac{f(w) - f^\star}{\|g\|^2}

    Parameters
    ----------
    minimum : float, optional
        :math:`f^\star`; by default that of the problem.

    Returns
    -------
    LineSearch
        A run raises ValueError where the minimum is not known, or the value falls below it.

    Notes
    -----
    Polyak (1969). With a minimum that is too low the step is too long and the run does not converge.
    With one that is too high a run on a convex function settles at that value, and does not notice.
    """
    if minimum is not None:
        minimum = checks.number("minimum", minimum)

    def prepare(problem: Problem) -> Search:
        best = problem.minimum if minimum is None else minimum
        if best is None:
            raise ValueError(f"polyak needs the minimum, and {problem!r} does not know it: pass minimum=...")

        memory: Memory = {"scale": np.array(abs(best))}

        def search(w: Array, g: Array) -> float:
            gap = problem.value(w) - best
            memory["scale"] = np.maximum(memory["scale"], gap)
            if gap < -1e-8 * memory["scale"]:
                raise ValueError(f"minimum must be a lower bound of the value, got {best!r} > {best + gap!r}")
            # at the solution rounding can leave the gap at zero or below: any tiny step will do
            return max(gap, float(np.finfo(w.dtype).tiny)) / float(g @ g)

        return Remembering(search, memory)

    return LineSearch(prepare)


def barzilai_borwein(first: float) -> LineSearch:
    r"""The long Barzilai-Borwein step, a secant estimate of the inverse curvature.

    .. math:: \alpha = \frac{s^\top s}{s^\top y}, \qquad s = w_t - w_{t-1}, \quad y = g_t - g_{t-1}

    Parameters
    ----------
    first : float
        Learning rate of the first step, and of any at which :math:`s^\top y \le 0` (negative curvature).

    Returns
    -------
    LineSearch
        The value need not decrease in each step.

    Raises
    ------
    TypeError, ValueError
        If ``first`` is not a positive number.

    Notes
    -----
    Barzilai & Borwein (1988).
    """
    first = checks.number("first", first, above=0.0)

    def prepare(problem: Problem) -> Search:
        memory: Memory = {}

        def search(w: Array, g: Array) -> float:
            rate = first
            if memory:
                s, y = w - memory["w"], g - memory["g"]
                curvature = float(s @ y)
                rate = float(s @ s) / curvature if curvature > 0 else first
            memory.update(w=w.copy(), g=g.copy())
            return rate

        return Remembering(search, memory)

    return LineSearch(prepare)
