r"""Mirror descent: gradient steps in a geometry that fits the set, such as multiplicative ones on the simplex.

A mirror map :math:`h` is strictly convex; its gradient maps weights to dual ones, where the step is made. What it
measures in place of half the squared distance is its Bregman divergence,

.. math:: D_h(u, w) = h(u) - h(w) - \nabla h(w)^\top (u - w) .
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks
from .averages import Average
from .problem import Problem, prepared, read_only
from .schedules import Schedule, as_schedule
from .sets import Set, simplex
from .trace import Records, Trace

__all__ = ["Mirror", "entropy", "euclidean", "mirror_descent", "p_norm"]

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Mirror:
    r"""A mirror map :math:`h`, and a convex set in its geometry.

    Parameters
    ----------
    to_dual : function
        ``to_dual(w)``, that is :math:`\nabla h(w)`.
    to_primal : function
        ``to_primal(theta)``: its inverse.
    project : function
        ``project(theta)``: the dual of the point of the set nearest to ``to_primal(theta)`` in the divergence. In dual
        weights, since a weight that is too small for a float has a logarithm that is not.
    divergence : function
        ``divergence(u, w)``: :math:`D_h(u, w)`, a float.
    corner : function or None
        ``corner(g)``: a point of the set where ``g @ w`` is least; None where the set is not bounded.
    name : str
        What messages call it.
    """

    to_dual: Callable[[Array], Array]
    to_primal: Callable[[Array], Array]
    project: Callable[[Array], Array]
    divergence: Callable[[Array, Array], float]
    corner: Callable[[Array], Array] | None
    name: str

    def step(self, theta: Array, g: Array, learning_rate: float) -> Array:
        """One step, from dual weights to dual weights."""
        return self.project(theta - learning_rate * g)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def entropy() -> Mirror:
    r"""The negative entropy on the simplex: a step multiplies each weight, and divides all by their sum.

    .. math:: h(w) = \sum_i w_i \ln w_i - w_i, \qquad D_h(u, w) = \sum_i u_i \ln \frac{u_i}{w_i} - u_i + w_i, \qquad
        w^+_i = \frac{w_i e^{-\alpha g_i}}{\sum_j w_j e^{-\alpha g_j}}

    Returns
    -------
    Mirror
        Its dual weights are logarithms, :math:`-\infty` for a weight of exactly zero, which stays zero.

    Notes
    -----
    Exponentiated gradient: Kivinen & Warmuth (1997).
    """
    return Mirror(
        to_dual=_logarithm,
        to_primal=np.exp,
        project=_normalized,
        divergence=_relative_entropy,
        corner=simplex().corner,
        name="entropy",
    )


def _logarithm(w: Array) -> Array:
    if not (w >= 0).all():  # so that NaN is refused, too
        raise ValueError(f"w must be >= 0 in every entry, got {w.min():g}")
    if not w.any():
        raise ValueError("w must have a positive entry, got zeros only; for a run pass start=...")
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(w))


def _normalized(theta: Array) -> Array:
    """Logarithms of weights that sum to 1; the largest first, so that no exponential overflows."""
    theta = theta - theta.max()
    return np.asarray(theta - np.log(np.exp(theta).sum()))


def _relative_entropy(u: Array, w: Array) -> float:
    used = u > 0
    if (u < 0).any() or (w < 0).any() or (w[used] == 0).any():
        return float("inf")
    return float(np.sum(u[used] * (np.log(u[used]) - np.log(w[used]))) - u.sum() + w.sum())


def euclidean(over: Set) -> Mirror:
    r"""Half the squared length, :math:`h(w) = \frac12 \|w\|^2`: mirror descent is then projected gradient descent.

    Parameters
    ----------
    over : Set
        From :mod:`fo_lib.sets`.

    Returns
    -------
    Mirror

    Raises
    ------
    TypeError
        If ``over`` is not a set.
    """
    if not isinstance(over, Set):
        raise TypeError(f"over must be a Set (see fo_lib.sets), got {type(over).__name__}")
    return Mirror(_same, _same, over.project, lambda u, w: float(np.sum((u - w) ** 2)) / 2, over.corner, "euclidean")


def _same(w: Array) -> Array:
    return w


def p_norm(p: float) -> Mirror:
    r"""Half the squared p-norm, on all of space; between the Euclidean map and, for p near 1, one like the entropy's.

    .. math:: h(w) = \tfrac12 \|w\|_p^2, \qquad \nabla h(w)_i = \mathrm{sign}(w_i)\, \frac{|w_i|^{p-1}}{\|w\|_p^{p-2}}

    Parameters
    ----------
    p : float
        :math:`1 < p \le 2`; :math:`h` is :math:`(p-1)`-strongly convex in the p-norm.

    Returns
    -------
    Mirror

    Raises
    ------
    TypeError, ValueError
        If ``p`` is not such a number.

    Notes
    -----
    Grove, Littlestone & Schuurmans (2001). The inverse of the map for p is that for q, :math:`1/p + 1/q = 1`.
    """
    p = checks.number("p", p, above=1.0, at_most=2.0)
    to_dual, to_primal = _slope_of_norm(p), _slope_of_norm(p / (p - 1))

    def divergence(u: Array, w: Array) -> float:
        largest = float(max(np.abs(u).max(), np.abs(w).max()))
        if largest == 0:
            return 0.0
        u, w = u / largest, w / largest  # D is homogeneous of degree 2
        # h(w) is half of w @ to_dual(w): Euler's identity
        scaled = float(u @ to_dual(u) / 2 + w @ to_dual(w) / 2 - to_dual(w) @ u)
        return largest * (largest * scaled)

    return Mirror(to_dual, to_primal, _same, divergence, None, f"p_norm({p:g})")


def _slope_of_norm(p: float) -> Callable[[Array], Array]:
    def slope(w: Array) -> Array:
        largest = np.abs(w).max()
        if largest == 0:
            return np.zeros_like(w)
        size = np.abs(w) / largest  # so that no power overflows
        return np.asarray(largest * np.sign(w) * size ** (p - 1) * np.sum(size**p) ** (2 / p - 1))

    return slope


def mirror_descent(
    problem: Problem,
    mirror: Mirror,
    *,
    learning_rate: float | Schedule,
    average: Average | None = None,
    start: Any = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
) -> Trace:
    r"""Minimize a convex function over the set of a mirror map.

    .. math:: w_{t} = \arg\min_{u \in C} \; \alpha_t\, g_t^\top u + D_h(u, w_{t-1}), \qquad g_t = \nabla f(w_{t-1})

    Parameters
    ----------
    problem : Problem
        Of weights that are one vector; ``grad`` may return any subgradient.
    mirror : Mirror
        :func:`entropy`, :func:`euclidean`, :func:`p_norm`, or your own.
    learning_rate : float or function
        :math:`\alpha_t > 0`: a number, or a function of the step number.
    average : function, optional
        From :mod:`fo_lib.averages`: all that is recorded is then of a mean of the iterates, which the steps do not see.
        It leaves out the start: ``averages.uniform()`` is the mean of :math:`w_1, \dots, w_t`, while bounds by the
        regret of t rounds are for that of :math:`w_0, \dots, w_{t-1}`.
    start : array, optional
        First weights, by default the problem's. With :func:`entropy` they are divided by their sum.
    steps : int
        Steps to make at most.
    tolerance : float
        Stop at a recorded step where the gap is at most this; where the set is not bounded, the gradient norm, which
        stays positive if the minimum is on the boundary of the set.
    every : int
        Record step 0 and every such step after it, and the last.
    iterates : bool
        Record the weights too.

    Returns
    -------
    Trace
        If the set is bounded its ``gap`` is :math:`\max_{u \in C} \nabla f(w)^\top (w - u)`, for a convex function at
        least :math:`f(w) - f^\star`. After a divergence ``w`` are the weights where it was seen.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, or value or gradient are not finite at the start.

    Notes
    -----
    Nemirovski & Yudin (1983); in this form Beck & Teboulle (2003), section 3.
    """
    layout, w, (steps, every, tolerance) = prepared(problem, start, steps, every, tolerance)
    if not layout.single or len(layout.shapes[0]) != 1:
        raise ValueError(f"problem must be of weights that are one vector, got shapes {layout.shapes}")
    if not isinstance(mirror, Mirror):
        raise TypeError(f"mirror must be a Mirror, such as entropy() or euclidean(over), got {type(mirror).__name__}")
    if average is not None:
        checks.function("average", average)
    records = Records(iterates)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        w, reason, message = _run(
            problem, mirror, mirror.project(mirror.to_dual(w)),
            as_schedule("learning_rate", learning_rate, above=0.0), average, records,
            steps=steps, tolerance=tolerance, every=every,
        )  # fmt: skip
    return records.trace(
        w, reason, message, rule="mirror_descent", mirror=mirror.name, stochastic=False, L=problem.L
    )  # fmt: skip


def _run(
    problem: Problem, mirror: Mirror, theta: Array, schedule: Schedule, average: Average | None, records: Records,
    *, steps: int, tolerance: float, every: int,
) -> tuple[Array, str, str]:  # fmt: skip
    w = shown = mirror.to_primal(theta)
    rate, corner = 0.0, mirror.corner
    for k in range(steps + 1):
        g = problem.grad(read_only(w))
        if k % every == 0 or k == steps:
            slope = g if average is None else problem.grad(read_only(shown))
            value, norm = float(problem.value(read_only(shown))), float(np.linalg.norm(slope))
            if not (np.isfinite(value) and np.isfinite(norm)):
                if k == 0:
                    raise ValueError("start must be a point where value and gradient are finite: here they are not")
                message = f"diverged: value or gradient no longer finite at step {k}, learning_rate={rate:g}"
                return shown, "diverged", message
            gap = None if corner is None else max(float(slope @ (shown - corner(slope))), 0.0)
            records.add(k, value, norm, rate, shown, gap)
            if (norm if gap is None else gap) <= tolerance:
                word = "gradient norm" if gap is None else "gap"
                return shown, "tolerance", f"the {word} reached the tolerance {tolerance:g} at step {k}"
        if k < steps:
            rate = schedule(k + 1)
            theta = mirror.step(theta, g, rate)
            w = mirror.to_primal(theta)
            if average is None:
                shown = w
            else:
                share = checks.number(f"average({k + 1})", average(k + 1), above=0.0, at_most=1.0)
                shown = shown + share * (w - shown)
    return shown, "steps", f"made all {steps} steps"
