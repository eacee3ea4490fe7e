r"""Objectives that know themselves: value, gradient, curvature and, where there is one, the solution.

Each function returns a :class:`~fo_lib.problems.Problem`; those that average a loss over samples
return a :class:`~fo_lib.problems.FiniteSum`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from .finite_sums import huber, least_squares, logistic, softmax_regression
from .problem import FiniteSum, Kernel, Problem, from_functions, solve

__all__ = [
    "FiniteSum",
    "Kernel",
    "Problem",
    "from_functions",
    "huber",
    "least_squares",
    "logistic",
    "nesterov_worst_case",
    "quadratic",
    "rosenbrock",
    "softmax_regression",
    "solve",
]

Array = NDArray[np.floating[Any]]


def quadratic(
    spectrum: ArrayLike, *, minimizer: ArrayLike | None = None, start: ArrayLike | None = None, seed: int | None = None
) -> Problem:
    r"""Quadratic bowl with a chosen spectrum.

    .. math:: f(w) = \tfrac12 (w - w^\star)^\top A (w - w^\star)

    Parameters
    ----------
    spectrum : array of shape (d,), or (d, d)
        The eigenvalues of :math:`A`, all positive or zero; or the symmetric matrix itself.
    minimizer : array of shape (d,), optional
        :math:`w^\star`; the origin by default.
    start : array of shape (d,), optional
        By default :math:`w^\star + (1, \dots, 1)`.
    seed : int, optional
        Rotate the axes by a random orthogonal matrix; without it :math:`A` is diagonal.

    Returns
    -------
    Problem
        With ``L``, ``mu`` (the extreme eigenvalues), ``hessian``, ``minimizer`` and ``minimum``.

    Raises
    ------
    TypeError, ValueError
        If the spectrum is empty, not finite, negative or zero throughout, the matrix is not symmetric, or a shape
        does not match.
    """
    given = np.array(checks.array("spectrum", spectrum), float)
    d = len(np.atleast_1d(given))
    A = checks.array("spectrum", np.diag(given) if given.ndim == 1 else given, shape=(d, d))
    if not np.allclose(A, A.T, rtol=0, atol=1e-12 * float(np.abs(A).max())):
        raise ValueError(f"spectrum must be eigenvalues or a symmetric matrix, got {spectrum!r}")
    eigenvalues = np.sort(given) if given.ndim == 1 else np.linalg.eigvalsh(A)
    if seed is not None:
        rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
        Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
        A = Q @ A @ Q.T
    L = float(eigenvalues[-1])
    if L <= 0 or eigenvalues[0] < -1e-12 * L:
        raise ValueError(f"spectrum must hold eigenvalues >= 0, not all zero, got {eigenvalues}")
    best = np.zeros(d) if minimizer is None else np.array(checks.array("minimizer", minimizer, shape=(d,)))
    first = best + 1.0 if start is None else np.array(checks.array("start", start, shape=(d,)))
    return Problem(
        kernel=Kernel(_evaluate_quadratic, (A, best, 0.0)),
        value=lambda w: float(0.5 * (w - best) @ A @ (w - best)),
        grad=lambda w: A @ (w - best),
        start=first,
        name="quadratic",
        L=L,
        mu=max(float(eigenvalues[0]), 0.0),
        hessian=lambda w: A,
        minimizer=best,
        minimum=0.0,
    )


def _evaluate_quadratic(w: Array, g: Array, A: Array, best: Array, minimum: float) -> float:
    total = 0.0
    for i in range(w.size):
        slope = 0.0
        for j in range(w.size):
            slope += A[i, j] * (w[j] - best[j])
        g[i] = slope
        total += slope * (w[i] - best[i])
    return minimum + 0.5 * total


def rosenbrock() -> Problem:
    r"""Rosenbrock's curved valley: not convex, one minimizer at (1, 1).

    .. math:: f(x, y) = (1 - x)^2 + 100 (y - x^2)^2

    Returns
    -------
    Problem
        Starting at (-1.2, 1), as in Rosenbrock (1960). The gradient is not Lipschitz, so there is no ``L``.
    """

    def value(w: Array) -> float:
        x, y = w
        return float((1 - x) ** 2 + 100 * (y - x * x) ** 2)

    def grad(w: Array) -> Array:
        x, y = w
        return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)], w.dtype)

    def hessian(w: Array) -> Array:
        x, y = w
        return np.array([[2 - 400 * y + 1200 * x * x, -400 * x], [-400 * x, 200.0]])

    return Problem(
        kernel=Kernel(_evaluate_rosenbrock),
        value=value,
        grad=grad,
        start=np.array([-1.2, 1.0]),
        name="Rosenbrock",
        hessian=hessian,
        minimizer=np.ones(2),
        minimum=0.0,
    )


def _evaluate_rosenbrock(w: Array, g: Array) -> float:
    x, y = w[0], w[1]
    g[0], g[1] = -2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)
    return float((1 - x) ** 2 + 100 * (y - x * x) ** 2)


def nesterov_worst_case(k: int, L: float = 1.0) -> Problem:
    r"""The quadratic on which no first-order method is fast for its first ``k`` steps.

    .. math:: f(w) = \frac L8 \left( w_1^2 + \sum_{i=1}^{2k} (w_i - w_{i+1})^2 + w_{2k+1}^2 - 2 w_1 \right)

    in dimension :math:`2k + 1`, started at zero: each gradient step reaches one more coordinate.

    Parameters
    ----------
    k : int
        Number of steps for which the lower bound holds.
    L : float
        Upper bound of the curvature (the spectrum comes close to it and stays below).

    Returns
    -------
    Problem
        With ``minimizer`` and ``minimum``.

    Raises
    ------
    TypeError, ValueError
        If ``k`` is not a whole number from 1 on, or ``L`` is not positive.

    Notes
    -----
    Nesterov (2018), section 2.1.2.
    """
    d = 2 * checks.count("k", k) + 1
    L = checks.number("L", L, above=0.0)
    T = L / 4 * (2 * np.eye(d) - np.eye(d, k=1) - np.eye(d, k=-1))
    b = np.zeros(d)
    b[0] = L / 4
    best = 1 - np.arange(1, d + 1) / (d + 1)
    minimum = float(-0.5 * b @ best)
    return Problem(
        kernel=Kernel(_evaluate_quadratic, (T, best, minimum)),
        value=lambda w: float(0.5 * w @ T @ w - b @ w),
        grad=lambda w: T @ w - b,
        start=np.zeros(d),
        name="Nesterov's worst case",
        L=L,
        mu=float(np.linalg.eigvalsh(T)[0]),
        hessian=lambda w: T,
        minimizer=best,
        minimum=minimum,
    )
