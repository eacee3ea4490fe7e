r"""Losses averaged over samples: linear models for regression and classification.

Each is

.. math:: f(w) = \frac1n \sum_{i=1}^n \ell(x_i^\top w, y_i) + \frac\lambda2 \|w\|^2

with its own loss :math:`\ell(p, y)` of a prediction :math:`p`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks, compiling
from .problem import FiniteSum, Kernel

__all__ = ["huber", "huber_loss", "least_squares", "log_loss", "logistic", "softmax_regression", "squared_loss"]

Array = NDArray[np.floating[Any]]
Rows = Any  # integers, or the slice of everything
EVERY_ROW = slice(None)


@dataclass(frozen=True)
class _Loss:
    """A loss of prediction and target, of arrays or of single numbers: value and first derivative by the prediction,
    second derivative, a bound of it, and what the loss needs to know besides."""

    value_and_slope: Callable[..., tuple[Any, Any]]
    curvature: Callable[[Array, Array], Array]
    max_curvature: float
    parameters: tuple[float, ...] = ()


def _sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), accurate in both tails and without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -z)))


def squared_loss(p: Any, y: Any) -> tuple[Any, Any]:
    r"""Half the square of the residual, :math:`\tfrac12 (p - y)^2`, and its slope :math:`p - y`."""
    return 0.5 * (p - y) ** 2, p - y


def log_loss(p: Any, y: Any) -> tuple[Any, Any]:
    r"""The logistic loss :math:`\log(1 + e^{-y p})` and its slope :math:`-y / (1 + e^{y p})`, without overflow."""
    z = p * y
    e = np.exp(-abs(z))
    return np.maximum(-z, 0.0) + np.log1p(e), -y * (e + (1.0 - e) * (z <= 0)) / (1.0 + e)


def huber_loss(p: Any, y: Any, threshold: float) -> tuple[Any, Any]:
    r"""Huber's loss of the residual :math:`r = p - y`, and its slope: :math:`r` cut off at :math:`\pm\tau`."""
    r = p - y
    size = np.minimum(abs(r), threshold)
    return size * (abs(r) - 0.5 * size), np.maximum(np.minimum(r, threshold), -threshold)


_SQUARED = _Loss(squared_loss, curvature=lambda p, y: np.ones_like(p), max_curvature=1.0)
_LOGISTIC = _Loss(log_loss, curvature=lambda p, y: _sigmoid(p) * _sigmoid(-p), max_curvature=0.25)


def _largest_eigenvalue(X: Array) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        gram = X.T @ X / len(X)
    if not np.isfinite(gram).all() or not gram.any():
        raise ValueError("X must hold numbers whose squares are finite and not all zero")
    return float(np.linalg.eigvalsh(gram)[-1])


def _linear(name: str, X: Array, y: Array, loss: _Loss, l2: float) -> FiniteSum:
    n, d = X.shape
    y = y.astype(X.dtype)
    largest = _largest_eigenvalue(X)
    row_norms = np.einsum("ij,ij->i", X, X)

    def value_and_slope(p: Array, targets: Array) -> tuple[Array, Array]:
        return loss.value_and_slope(p, targets, *loss.parameters)

    def sample_grad(w: Array, rows: Rows) -> Array:
        slope = value_and_slope(X[rows] @ w, y[rows])[1]
        g: Array = slope @ X[rows] / len(slope) + l2 * w
        return g

    def hessian(w: Array) -> Array:
        H: Array = (X.T * loss.curvature(X @ w, y)) @ X / n + l2 * np.eye(d, dtype=X.dtype)
        return H

    return FiniteSum(
        kernel=Kernel(compiling.bind(_evaluate, loss=loss.value_and_slope), (X, y, l2, *loss.parameters)),
        value=lambda w: float(np.mean(value_and_slope(X @ w, y)[0]) + 0.5 * l2 * w @ w),
        grad=lambda w: sample_grad(w, EVERY_ROW),
        start=np.zeros(d, X.dtype),
        name=name,
        L=loss.max_curvature * largest + l2,
        mu=l2,
        hessian=hessian,
        n_samples=n,
        sample_grad=sample_grad,
        L_max=loss.max_curvature * float(row_norms.max()) + l2,
    )


loss = compiling.slot


def _evaluate(w: Array, g: Array, X: Array, y: Array, l2: float, *parameters: float) -> float:
    """One pass over the samples for both value and gradient, where NumPy makes three."""
    n, d = X.shape
    total, square = 0.0, 0.0
    for j in range(d):
        g[j] = n * l2 * w[j]
        square += w[j] * w[j]
    for i in range(n):
        p = 0.0
        for j in range(d):
            p += X[i, j] * w[j]
        value, slope = loss(p, y[i], *parameters)
        total += value
        for j in range(d):
            g[j] += slope * X[i, j]
    for j in range(d):
        g[j] /= n
    return float(total / n + 0.5 * l2 * square)


def _samples(X: ArrayLike, y: ArrayLike, l2: float) -> tuple[Array, Array, float]:
    X = checks.array("X", X, ndim=2)
    return X, checks.array("y", y, shape=(len(X),)), checks.number("l2", l2, at_least=0.0)


def least_squares(X: ArrayLike, y: ArrayLike, *, l2: float = 0.0) -> FiniteSum:
    r"""Linear regression; with ``l2 > 0``, ridge regression.

    .. math:: f(w) = \frac1{2n} \|X w - y\|^2 + \frac\lambda2 \|w\|^2

    Parameters
    ----------
    X : array of shape (n, d)
        One sample a row, float32 or float64. There is no intercept: center the data, or add a column of ones.
    y : array of shape (n,)
        Targets.
    l2 : float
        :math:`\lambda \ge 0`.

    Returns
    -------
    FiniteSum
        ``L`` and ``mu`` are the extreme eigenvalues of :math:`X^\top X / n + \lambda I`, both exact; with the
        ``minimizer`` (of least norm) and the ``minimum``.

    Raises
    ------
    TypeError, ValueError
        If the data are empty, not finite, not numbers, or of different lengths, or ``l2`` is negative.
    """
    X, y, l2 = _samples(X, y, l2)
    n, d = X.shape
    problem = _linear("least squares", X, y, _SQUARED, l2)
    with np.errstate(over="ignore"):
        if not np.isfinite(np.square(y.astype(X.dtype)).sum()):
            raise ValueError(f"y must hold numbers whose squares are finite, in {X.dtype} as X")
    A = X.astype(float).T @ X.astype(float) / n
    # the pseudo-inverse of X where there is no ridge: squaring X first would lose half the digits
    best = np.linalg.lstsq(A + l2 * np.eye(d), X.T @ y / n, rcond=None)[0] if l2 else np.linalg.lstsq(X, y)[0]
    best = best.astype(X.dtype)
    mu = max(float(np.linalg.eigvalsh(A)[0]), 0.0) + l2
    return replace(problem, mu=mu, minimizer=best, minimum=problem.value(best))


def logistic(X: ArrayLike, y: ArrayLike, *, l2: float = 0.0) -> FiniteSum:
    r"""Logistic regression for two classes.

    .. math:: f(w) = \frac1n \sum_i \log(1 + e^{-y_i x_i^\top w}) + \frac\lambda2 \|w\|^2, \quad y_i = \pm 1

    Parameters
    ----------
    X : array of shape (n, d)
        One sample a row, float32 or float64. There is no intercept: add a column of ones.
    y : array of shape (n,)
        Labels -1 and 1, or 0 and 1 (read as -1 and 1).
    l2 : float
        :math:`\lambda \ge 0`.

    Returns
    -------
    FiniteSum
        ``L`` is :math:`\lambda_{\max}(X^\top X) / 4n + \lambda`, attained at ``w = 0``; ``mu`` is :math:`\lambda`.

    Raises
    ------
    TypeError, ValueError
        If the data are empty, not finite, not numbers, or of different lengths, a label is another number, or ``l2``
        is negative.
    """
    X, y, l2 = _samples(X, y, l2)
    signs = np.where(checks.labels("y", y, n=len(X), allowed=(-1, 0, 1)) > 0, 1.0, -1.0)
    if 0 in y and -1 in y:
        raise ValueError("y must hold the labels -1 and 1, or 0 and 1, got -1, 0 and 1")
    return _linear("logistic regression", X, signs, _LOGISTIC, l2)


def huber(X: ArrayLike, y: ArrayLike, *, threshold: float, l2: float = 0.0) -> FiniteSum:
    r"""Regression with Huber's loss: quadratic for small residuals, linear for large ones.

    .. math::
        \ell(p, y) = \begin{cases} \tfrac12 (p - y)^2 & |p - y| \le \tau \\
        \tau |p - y| - \tfrac12 \tau^2 & \text{otherwise} \end{cases}

    Parameters
    ----------
    X : array of shape (n, d)
        One sample a row. ``[[1.0]]`` with ``y = [0.0]`` is Huber's function of one variable.
    y : array of shape (n,)
        Targets.
    threshold : float
        :math:`\tau > 0`, in the units of ``y``.
    l2 : float
        :math:`\lambda \ge 0`.

    Returns
    -------
    FiniteSum
        ``L`` is :math:`\lambda_{\max}(X^\top X) / n + \lambda`; ``mu`` is :math:`\lambda`.

    Raises
    ------
    TypeError, ValueError
        If the data are empty, not finite, not numbers, or of different lengths, ``threshold`` is not positive, or
        ``l2`` is negative.

    Notes
    -----
    Huber (1964).
    """
    X, y, l2 = _samples(X, y, l2)
    tau = checks.number("threshold", threshold, above=0.0)
    loss = _Loss(huber_loss, lambda p, y: (np.abs(p - y) <= tau).astype(p.dtype), 1.0, parameters=(tau,))
    return _linear("Huber regression", X, y, loss, l2)


def softmax_regression(X: ArrayLike, y: ArrayLike, *, classes: int | None = None, l2: float = 0.0) -> FiniteSum:
    r"""Softmax (multinomial logistic) regression, the weights being a matrix and a vector.

    .. math:: f(W, b) = \frac1n \sum_i -\log \mathrm{softmax}(W^\top x_i + b)_{y_i} + \frac\lambda2 \|W\|^2

    Parameters
    ----------
    X : array of shape (n, d)
        One sample a row, float32 or float64.
    y : array of shape (n,)
        Labels 0, 1, ..., k - 1.
    classes : int, optional
        :math:`k`; by default the largest label plus one.
    l2 : float
        :math:`\lambda \ge 0`; the biases are not penalized.

    Returns
    -------
    FiniteSum
        With weights ``[W, b]`` of shapes (d, k) and (k,), zero at the start. ``L`` is Böhning's bound
        :math:`\lambda_{\max}([X\,1]^\top [X\,1]) / 2n + \lambda`.

    Raises
    ------
    TypeError, ValueError
        If the data are empty, not finite, not numbers, or of different lengths, a label is outside its range, or ``l2``
        is negative.

    Notes
    -----
    The bound of the curvature: Böhning (1992).
    """
    X, y, l2 = _samples(X, y, l2)
    n, d = X.shape
    if classes is None and np.max(y) >= n:
        raise ValueError(f"y must hold labels below the number of samples, {n}, or pass classes=; got {np.max(y)}")
    k = int(np.max(y)) + 1 if classes is None else checks.count("classes", classes, at_least=2)
    y = checks.labels("y", y, n=n, allowed=range(k))
    X1 = np.column_stack([X, np.ones(n, X.dtype)])
    largest = _largest_eigenvalue(X1)

    def value(w: list[Array]) -> float:
        W, b = w
        Z = X @ W + b
        return float(np.mean(_log_sum_exp(Z) - Z[np.arange(n), y]) + 0.5 * l2 * np.vdot(W, W))

    def sample_grad(w: list[Array], rows: Rows) -> list[Array]:
        W, b = w
        Z, targets = X[rows] @ W + b, y[rows]
        R = np.exp(Z - _log_sum_exp(Z)[:, None])  # probabilities, then residuals
        R[np.arange(len(R)), targets] -= 1
        R /= len(R)
        return [X[rows].T @ R + l2 * W, R.sum(0)]

    return FiniteSum(
        value=value,
        grad=lambda w: sample_grad(w, EVERY_ROW),
        start=[np.zeros((d, k), X.dtype), np.zeros(k, X.dtype)],
        name="softmax regression",
        L=0.5 * largest + l2,
        n_samples=n,
        sample_grad=sample_grad,
        L_max=0.5 * float(np.einsum("ij,ij->i", X1, X1).max()) + l2,
    )


def _log_sum_exp(Z: Array) -> Array:
    """log(sum(exp(Z), axis=1)) without overflow."""
    top = Z.max(1)
    return np.asarray(top + np.log(np.exp(Z - top[:, None]).sum(1)))
