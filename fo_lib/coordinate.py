r"""The lasso and the elastic net by coordinate descent, compiled, with a certificate of how good the weights are.

The objective is that of scikit-learn's ``Lasso`` and ``ElasticNet``,

.. math::
    P(w, b) = \frac{1}{2n} \sum_{i=1}^n (y_i - x_i^\top w - b)^2 + \lambda_1 \|w\|_1 + \frac{\lambda_2}{2} \|w\|^2,

where :math:`\lambda_1` is their ``alpha * l1_ratio`` and :math:`\lambda_2` their ``alpha * (1 - l1_ratio)``. The best
intercept :math:`b` makes the residual sum to zero: the same as to subtract the means from ``y`` and from the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from ._coordinate_kernels import smallest_gap
from ._coordinate_runs import Limits, Model, centred, data_of, refuse, solve, strengths
from .trace import Trace

__all__ = ["duality_gap", "largest_l1", "lasso", "path"]

Float = NDArray[np.float64]


def lasso(
    X: Any,
    y: ArrayLike,
    *,
    l1: float,
    l2: float = 0.0,
    intercept: bool = True,
    start: ArrayLike | None = None,
    tolerance: float = 1e-6,
    epochs: int = 100_000,
    every: int = 100,
    working_set: bool = True,
    compiled: bool = True,
) -> Trace:
    r"""Minimize over one weight at a time, in turn, until a duality gap says that it is enough.

    .. math::
        w_j \gets \frac{S(\frac1n x_j^\top r + q_j w_j, \lambda_1)}{q_j + \lambda_2}, \qquad q_j = \tfrac1n \|x_j\|^2,
        \quad r = y - Xw, \quad S(z, \lambda) = \operatorname{sign}(z) \max(|z| - \lambda, 0)

    with :math:`y` and the columns :math:`x_j` centred if there is an intercept.

    Parameters
    ----------
    X : array of shape (n, d)
        One sample a row; or a sparse matrix of SciPy. Taken as it is in float64 if its columns lie one after the other
        in memory (``order="F"``, CSC); otherwise it is copied. With an intercept, the entries of a sparse matrix are
        copied as well if it has a column without zeros. Not all zero.
    y : array of shape (n,)
        What is to be predicted.
    l1 : float
        :math:`\lambda_1 > 0`. From :func:`largest_l1` on, all weights are zero, to rounding.
    l2 : float
        :math:`\lambda_2 \ge 0`.
    intercept : bool
        Whether there is a :math:`b`; it is not penalized.
    start : array of shape (d,), optional
        First weights, zero by default. Those of constant columns (with an intercept; else of zero columns) do not
        count: they are set to zero.
    tolerance : float
        Stop where the duality gap is at most this share of the objective at zero weights.
    epochs : int
        Sweeps to make at most. A sweep is over the working set, or over all columns.
    every : int
        Record after so many sweeps at the latest. A record costs about as much as a sweep over all
        columns; with many weights on wide data, more.
    working_set : bool
        Sweep over the columns that are nearest to having a weight, until the gap on them is small beside that on all;
        then choose again. Otherwise sweep over all columns.
    compiled : bool
        Compile (needs Numba). False lets Python run the same source, and gives the same iterates to rounding.

    Returns
    -------
    Trace
        Steps are counted in sweeps; ``settings["intercept"]`` is :math:`b`. In each record the residual is computed
        anew from the weights, and from it value, gap and ``grad_norm``, the norm of the shortest subgradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.
    ImportError
        If Numba is not installed and ``compiled`` is true.

    Notes
    -----
    Friedman, Hastie & Tibshirani (2010), section 2.1, for the update; Massias, Gramfort & Salmon (2018) for working
    sets. See :func:`duality_gap` for the gap.

    Examples
    --------
    >>> import numpy as np
    >>> from fo_lib import coordinate
    >>> X, y = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]), [3.0, 1.0, -4.0]
    >>> trace = coordinate.lasso(X, y, l1=0.5, compiled=False)
    >>> trace.w.round(3)
    array([2.5, 0.5])
    """
    limits = Limits(tolerance, epochs, every, working_set)
    model = Model(X, y, intercept, compiled)
    return solve(model, *strengths(l1, l2), model.start(start), limits)


def path(
    X: Any,
    y: ArrayLike,
    *,
    l1: Sequence[float] | Float,
    l2: float = 0.0,
    intercept: bool = True,
    tolerance: float = 1e-6,
    epochs: int = 100_000,
    every: int = 100,
    working_set: bool = True,
    compiled: bool = True,
) -> list[Trace]:
    r"""Solve for many :math:`\lambda_1`, each from where the one before ended.

    Parameters
    ----------
    X, y, l2, intercept, tolerance, epochs, every, working_set, compiled
        As for :func:`lasso`.
    l1 : sequence of float
        In this order; from large to small is fast.

    Returns
    -------
    list of Trace
        One for each.

    Raises
    ------
    TypeError, ValueError, ImportError
        As :func:`lasso`.

    Notes
    -----
    Where dense columns are few for so many runs, their mean products with each other and with ``y`` are computed first,
    and sweeps and records use these: the iterates are the same, and a weight that stays costs next to nothing
    (Friedman, Hastie & Tibshirani, 2010, section 2.2). That takes a copy of ``X`` for a moment.
    """
    levels = [strengths(float(level), l2) for level in checks.array("l1", l1, ndim=1)]
    limits = Limits(tolerance, epochs, every, working_set)
    model = Model(X, y, intercept, compiled)
    model.prepare(len(levels))
    traces: list[Trace] = []
    w = model.start(None)
    for level in levels:
        traces.append(solve(model, *level, w, limits, known=bool(traces) and not traces[-1].diverged))
        w = traces[-1].w.copy()
    return traces


def largest_l1(X: Any, y: ArrayLike, *, intercept: bool = True) -> float:
    r"""Return the smallest :math:`\lambda_1` for which zero weights are best: :math:`\frac1n \|X^\top y\|_\infty`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    X, y = data_of(X, y)
    with np.errstate(over="ignore", invalid="ignore"):
        largest = float(abs(X.T @ centred(y, intercept)[0]).max() / len(y))
    return largest if np.isfinite(largest) else refuse("X", X)


def duality_gap(
    X: Any, y: ArrayLike, w: ArrayLike, *, l1: float, l2: float = 0.0, intercept: bool = True
) -> tuple[float, float]:
    r"""Return the objective at some weights, with the best intercept, and a bound on how far above its minimum that is.

    With :math:`c = \frac1n X^\top r - \lambda_2 w` and :math:`a = \frac1n \|r\|^2 + \lambda_2 \|w\|^2` it is

    .. math::
        G(w) = \min_{|s| \|c\|_\infty \le \lambda_1} \; \tfrac12 (1 - s)^2 a
        + \sum_j \bigl( \lambda_1 |w_j| - s\, w_j c_j \bigr) \;\ge\; P(w) - \min P ,

    the objective minus that of the dual problem at :math:`s\, r / n`. No term is negative.

    Parameters
    ----------
    X, y, l1, l2, intercept
        As for :func:`lasso`.
    w : array of shape (d,)
        The weights.

    Returns
    -------
    float, float
        Objective and gap.

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    X, y = data_of(X, y)
    l1, l2 = strengths(l1, l2)
    w = checks.array("w", w, shape=(X.shape[1],)).astype(np.float64)
    y, _ = centred(y, intercept)
    with np.errstate(over="ignore", invalid="ignore"):
        r = y - X @ w
        for _ in range(2 * intercept):  # twice: large columns would magnify what rounding leaves of a large mean
            r -= r.mean()
        c = X.T @ r / len(r) - l2 * w
        a, size, steepest = float(r @ r) / len(r) + l2 * float(w @ w), float(abs(w).sum()), float(abs(c).max())
        value = 0.5 * a + l1 * size
        if not np.isfinite(value + steepest):
            entries = X if isinstance(X, np.ndarray) else X.data
            if not np.isfinite(np.square(entries).sum()):
                refuse("X", X)
            raise ValueError("w must be a point where the objective is finite: here it is not")
    gap, _ = smallest_gap(a, float(w @ c), size, steepest, l1)
    return value, max(gap, 0.0)
