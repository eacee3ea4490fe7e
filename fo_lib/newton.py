r"""Newton's method for functions that know their Hessian, and the parts that it is put together from.

A step is a direction, made of gradient and Hessian, times a length. The plain method takes the whole of
:func:`newton_direction`; what repairs it far from a minimizer replaces one of the two:

===============================  ==============================================================
:func:`backtracking`             a length that decreases the value
:func:`self_concordant`          a length for barrier functions that needs no value
:func:`saddle_free_direction`    a direction that leaves saddles
:func:`trust_region_step`        a direction that is never longer than a radius, wherever one is
===============================  ==============================================================

Quasi-Newton methods are SciPy's (``scipy.optimize.minimize``); :func:`two_loop` is their inner step, for those who
want to see it or to feed it pairs of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from .problem import Problem
from .trace import Records, Trace

__all__ = [
    "NoStep",
    "backtracking",
    "full_step",
    "newton_direction",
    "newton_method",
    "saddle_free_direction",
    "self_concordant",
    "trust_region_step",
    "two_loop",
]

Array = NDArray[np.floating[Any]]
Direction = Callable[[Array, Array], Array]
Length = Callable[[Problem, Array, Array, Array], float]
ROUNDING = 1e-12  # relative to the largest eigenvalue: what counts as zero
SHORTEST = 1e-100  # of the lengths that backtracking tries


class NoStep(np.linalg.LinAlgError):
    """There is no step to make from here: :func:`newton_method` reports it as a divergence, unless it is the first."""


def newton_direction(g: Array, H: Array) -> Array:
    """Return :math:`-H^{-1} g`; a singular Hessian raises a LinAlgError, which is a ValueError."""
    try:
        return np.linalg.solve(H, -g)
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError("hessian must be invertible") from None


def saddle_free_direction(g: Array, H: Array) -> Array:
    r"""Return :math:`-|H|^{-1} g`, where :math:`|H|` has the absolute values of the eigenvalues of :math:`H`.

    Always a direction of descent. An eigenvalue that is zero up to rounding raises a LinAlgError. Dauphin et al.
    (2014).
    """
    values, Q = np.linalg.eigh(H)
    size = np.abs(values)
    if size.min() <= ROUNDING * size.max():
        raise np.linalg.LinAlgError(
            f"hessian must be invertible, and has eigenvalues of size {size.min():.3g} and {size.max():.3g}"
        )
    return np.asarray(-Q @ ((Q.T @ g) / size))


def trust_region_step(g: Array, H: Array, radius: float) -> Array:
    r"""Return a minimizer of the quadratic model in a ball, for any symmetric Hessian, singular or indefinite.

    .. math:: \min_s \; g^\top s + \tfrac12 s^\top H s \quad \text{subject to} \quad \|s\| \le \Delta

    Parameters
    ----------
    g : array of shape (d,)
        The gradient.
    H : array of shape (d, d)
        The Hessian.
    radius : float
        :math:`\Delta > 0`.

    Returns
    -------
    array of shape (d,)
        :math:`s = -(H + \nu I)^{-1} g` with the least :math:`\nu \ge 0` for which :math:`H + \nu I` is positive
        semidefinite and the step fits; where that leaves room at a negative curvature (the "hard case"), lengthened
        along it.

    Raises
    ------
    TypeError, ValueError
        If the radius is not a positive number, or ``g`` and ``H`` are not finite, or do not fit together.

    Notes
    -----
    Moré & Sorensen (1983), here by one eigendecomposition and bisection.
    """
    radius = checks.number("radius", radius, above=0.0)
    H = checks.array("H", H, ndim=2)
    H, g = checks.array("H", H, shape=(len(H), len(H))), checks.array("g", g, shape=(len(H),))
    with np.errstate(over="ignore", invalid="ignore"):
        if not (np.isfinite(np.linalg.norm(H)) and np.isfinite(np.linalg.norm(g))):
            raise ValueError("g and H must hold numbers whose squares have a finite sum")
    values, Q = np.linalg.eigh(H)
    c = Q.T @ g
    gaps, least = values - values[0], max(float(values[0]), 0.0)  # H + nu I has the eigenvalues gaps + shift
    tiny = ROUNDING * np.abs(values).max()
    flat = gaps + least <= tiny  # with the least shift these directions have no curvature
    if np.linalg.norm(c[flat]) <= ROUNDING * np.linalg.norm(c):
        s = -np.where(flat, 0.0, c) / np.where(flat, 1.0, gaps + least)
        length = float(np.linalg.norm(s))
        if length <= radius:
            room = math.sqrt(radius - length) * math.sqrt(radius + length)  # no square overflows
            s[0] += room if values[0] < -tiny else 0.0
            return np.asarray(Q @ s)
    low, high = least, float(np.linalg.norm(c)) / radius + least
    while low < (middle := 0.5 * (low + high)) < high:
        too_long = np.linalg.norm(c / (gaps + middle)) > radius
        low, high = (middle, high) if too_long else (low, middle)
    return np.asarray(Q @ (-c / (gaps + high)))


def full_step(problem: Problem, w: Array, g: Array, s: Array) -> float:
    """Length 1: the plain method. Quadratic convergence near a minimizer, no guarantee elsewhere."""
    return 1.0


def backtracking(problem: Problem, w: Array, g: Array, s: Array) -> float:
    r"""First of the lengths :math:`1, \frac12, \frac14, \dots` with sufficient decrease.

    .. math:: f(w + a s) \le f(w) + 10^{-4} a\, g^\top s

    A direction that does not go downhill raises a ValueError, one without any sufficient decrease a :class:`NoStep`.
    Near the minimum, where the decrease drowns in rounding, a rise by :math:`10^{-14} |f(w)|` is accepted. Nocedal &
    Wright (2006), Algorithm 3.1.
    """
    value, slope, length = problem.value(w), _slope(g, s), 1.0
    allowed = value + 1e-14 * abs(value)
    while not problem.value(w + length * s) <= allowed + 1e-4 * length * slope:
        length /= 2
        if length < SHORTEST:
            raise NoStep("no length decreases the value along the direction")
    return length


def self_concordant(problem: Problem, w: Array, g: Array, s: Array) -> float:
    r"""Length :math:`1/(1 + \delta)`, with the Newton decrement :math:`\delta = \sqrt{-g^\top s}`.

    For self-concordant functions and :func:`newton_direction`: it never leaves the domain and decreases the value by at
    least :math:`\delta - \log(1 + \delta)`. A direction that does not go downhill raises a ValueError. Nesterov &
    Nemirovskii (1994).
    """
    return float(1 / (1 + np.sqrt(-_slope(g, s))))


def _slope(g: Array, s: Array) -> float:
    slope = float(g @ s)
    if not np.isfinite(slope):
        raise NoStep(f"the direction has slope {slope:.3g}: it is not finite")
    if slope > 0 or (slope == 0 and not s.any()):
        raise ValueError(
            f"direction must go downhill, and has slope {slope:.3g}: the Hessian is not positive definite here"
            " (saddle_free_direction and trust_region_step do not need that)"
        )
    return slope


def newton_method(
    problem: Problem,
    *,
    direction: Direction = newton_direction,
    length: Length = backtracking,
    start: ArrayLike | None = None,
    steps: int = 100,
    tolerance: float = 0.0,
    iterates: bool = False,
) -> Trace:
    r"""Minimize a function by Newton's method or one of its repairs.

    .. math:: w_{k+1} = w_k + a_k s_k, \qquad s_k = -\nabla^2 f(w_k)^{-1} \nabla f(w_k)

    Parameters
    ----------
    problem : Problem
        With a ``hessian``; the weights are one vector.
    direction : function
        ``direction(g, H)`` returns :math:`s_k`: :func:`newton_direction`, :func:`saddle_free_direction`, your own, or
        ``lambda g, H: trust_region_step(g, H, radius)``.
    length : function
        ``length(problem, w, g, s)`` returns :math:`a_k`: :func:`backtracking`, :func:`full_step`,
        :func:`self_concordant` or your own.
    start : array of shape (d,), optional
        First weights, by default the problem's.
    steps : int
        Steps to make at most.
    tolerance : float
        Stop where the gradient norm is at most this.
    iterates : bool
        Record the weights too.

    Returns
    -------
    Trace
        Its ``learning_rate`` holds the lengths. A run that diverges returns one too, be it to where values are not
        finite, the Hessian is singular, or no length decreases the value.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, the problem has no Hessian or one of the wrong shape,
        value, gradient or Hessian are not finite at the start, the Hessian is singular there, or ``direction`` or
        ``length`` raise it.

    Examples
    --------
    >>> from fo_lib import newton, problems
    >>> newton.newton_method(problems.rosenbrock(), tolerance=1e-8)
    Trace(value=3.74398e-21, grad_norm=4.5e-10: the gradient norm reached the tolerance 1e-08 at step 21)

    Notes
    -----
    Nocedal & Wright (2006), chapter 3.
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem (see problems.from_functions), got {type(problem).__name__}")
    if problem.hessian is None:
        raise ValueError(f"problem must have a hessian: {problem.name!r} has none (dataclasses.replace adds one)")
    checks.function("direction", direction)
    checks.function("length", length)
    steps = checks.count("steps", steps, at_least=0)
    tolerance = checks.number("tolerance", tolerance, at_least=0.0)
    w = checks.array("problem.start", problem.start, ndim=1)
    w = w.copy() if start is None else checks.array("start", start, shape=w.shape).copy()
    records = Records(iterates)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is reported by the trace
        w, reason, message = _run(problem, problem.hessian, direction, length, w, records, steps, tolerance)
    return records.trace(w, reason, message, rule="newton_method", stochastic=False, L=problem.L)


def _run(
    problem: Problem, hessian: Callable[[Array], Array], direction: Direction, length: Length, w: Array,
    records: Records, steps: int, tolerance: float,
) -> tuple[Array, str, str]:  # fmt: skip
    last, a = w, 0.0
    for k in range(steps + 1):
        value, g, H = problem.value(w), problem.grad(w), hessian(w)
        norm = float(np.linalg.norm(g))
        if np.shape(H) != (len(w), len(w)):
            raise ValueError(f"hessian must return shape {(len(w), len(w))}, got {np.shape(H)}")
        if not (np.isfinite(value) and np.isfinite(norm * norm) and np.isfinite(H).all()):
            if k == 0:
                raise ValueError(
                    "start must be a point where value, gradient and Hessian are finite: here they are not"
                )
            return last, "diverged", f"diverged: value, gradient or Hessian no longer finite at step {k}"
        records.add(k, value, norm, a, w)
        if norm <= tolerance and (tolerance > 0 or not g.any()):  # a norm can underflow
            return w, "tolerance", f"the gradient norm reached the tolerance {tolerance:g} at step {k}"
        if k < steps:
            try:
                s = np.asarray(direction(g, H))
                if s.shape != w.shape:
                    raise ValueError(f"direction must return an array of shape {w.shape}, got {s.shape}")
                a = checks.number(f"length of step {k + 1}", length(problem, w, g, s), at_least=0.0)
            except np.linalg.LinAlgError as error:
                if k == 0:
                    raise
                return w, "diverged", f"diverged: no step possible at step {k}: {error}"
            last, w = w, w + a * s
    return w, "steps", f"made all {steps} steps"


@np.errstate(over="ignore", invalid="ignore")
def two_loop(g: Array, pairs: Sequence[tuple[Array, Array]]) -> Array:
    r"""Return the direction :math:`-Bg` of L-BFGS, without forming the matrix :math:`B` that stands for :math:`H^{-1}`.

    It is the identity times :math:`s^\top y / y^\top y` of the last pair, updated by BFGS with each pair in
    turn, so that :math:`B y = s` for the last.

    Parameters
    ----------
    g : array of shape (d,)
        The gradient.
    pairs : sequence of pairs of arrays
        Steps and the changes of the gradient along them, :math:`(s, y)`, the oldest first. With no pair it is
        :math:`-g`.

    Returns
    -------
    array of shape (d,)

    Raises
    ------
    TypeError, ValueError
        If ``g`` is no finite vector, or a pair is not one of its length, with :math:`s^\top y > 0`.

    Notes
    -----
    Nocedal & Wright (2006), Algorithm 7.4.
    """
    g = checks.array("g", g, ndim=1)
    pairs = checks.several("pairs", pairs)
    for i, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or [np.shape(a) for a in pair] != [g.shape, g.shape]:
            raise TypeError(f"pairs[{i}] must be two vectors of shape {g.shape}, got {pair!r}")
    products = [float(s @ y) for s, y in pairs]
    if wrong := [product for product in products if not product > 0]:
        raise ValueError(f"pairs must have s @ y > 0, got {wrong[0]:.3g}: the measured curvature is not positive")
    q, shares = g, []
    for (s, y), sy in zip(reversed(pairs), reversed(products), strict=True):
        shares.append(float(s @ q) / sy)
        q = q - shares[-1] * y
    r = q * (products[-1] / float(pairs[-1][1] @ pairs[-1][1])) if products else q
    for (s, y), sy, share in zip(pairs, products, reversed(shares), strict=True):
        r = r + (share - float(y @ r) / sy) * s
    if not np.isfinite(r).all():
        raise ValueError("g and pairs must hold numbers whose products are finite")
    return -r
