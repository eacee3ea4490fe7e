r"""One sample at a time, compiled: SGD, SAGA and SVRG for linear models, with dense or sparse data.

The objective is

.. math:: f(w) = \frac1n \sum_{i=1}^n \ell(x_i^\top w, y_i) + \frac\lambda2 \|w\|^2,

without an intercept: add a column of ones. The iterates are those of :func:`~fo_lib.loop.minimize` with the gradient
``mini_batch(1)``, ``saga()`` (without a regularizer) or ``svrg()``, and the steps are compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import checks
from ._linear_runs import Corrected, Descent, Loss, Model, Rates, model_of, run
from .finite_sums import log_loss, squared_loss
from .sampling import Order, reshuffled, with_replacement
from .schedules import Schedule
from .trace import Trace

__all__ = ["hinge_loss", "log_loss", "saga", "sgd", "squared_loss", "svrg"]


def hinge_loss(p: Any, y: Any) -> tuple[Any, Any]:
    r"""The hinge loss :math:`\max(0, 1 - yp)` of single numbers, and its slope: at the kink it is 0."""
    if y * p >= 1.0:
        return 0.0, 0.0
    return 1.0 - y * p, -y


_OF_LABELS = (log_loss, hinge_loss)
_CURVATURE = {log_loss: 0.25, squared_loss: 1.0}


def sgd(
    X: Any,
    y: ArrayLike,
    *,
    learning_rate: float | Schedule,
    loss: Loss = log_loss,
    l2: float = 0.0,
    average: int | None = None,
    epochs: int = 10,
    order: Order = reshuffled,
    start: ArrayLike | None = None,
    tolerance: float = 0.0,
    every: int = 1,
    seed: int = 0,
    compiled: bool = True,
) -> Trace:
    r"""Stochastic gradient descent with one sample a step.

    .. math:: w_t = w_{t-1} - \alpha_t \bigl(\ell'(x_i^\top w_{t-1}, y_i)\, x_i + \lambda w_{t-1}\bigr)

    Parameters
    ----------
    X : array of shape (n, d)
        One sample a row, float32 or float64; or a sparse matrix of SciPy: CSR is used as it is, others are converted.
    y : array of shape (n,)
        Labels -1 and 1, or 0 and 1 (read as -1 and 1), for ``log_loss`` and :func:`hinge_loss`; for other losses any
        numbers.
    learning_rate : float or function
        A number, or a schedule of the step number ``t = 1, 2, ...`` from :mod:`fo_lib.learning_rates` or your own. One
        that is arithmetic is called once an epoch with an array of steps, and for a check with some of them alone.
    loss : function
        ``loss(p, y)`` returns value and slope at a prediction: one from here, or your own. To be compiled it must be
        plain: no closure, and no globals but NumPy, ``abs`` and such.
    l2 : float
        :math:`\lambda \ge 0`.
    average : int, optional
        Report the mean of the iterates from this step on, as :func:`fo_lib.averages.uniform` does.
    epochs : int
        Passes over the data; each makes ``n`` steps.
    order : function
        ``order(n, seed, epoch)``, as in :func:`~fo_lib.gradients.mini_batch`.
    start : array of shape (d,), optional
        First weights, zero by default.
    tolerance : float
        Stop at a recorded epoch where the norm of the full gradient is at most this.
    every : int
        Record the start, every such epoch, and the last. Each record costs a pass over the data.
    seed : int
        All randomness of the run is a function of it.
    compiled : bool
        Compile (needs Numba). False lets Python run the same source, and gives the same iterates to rounding.

    Returns
    -------
    Trace
        Steps are counted in samples. Arithmetic is in float64; the weights have the dtype of ``X`` if it can hold
        them. After a divergence they are the last that were recorded.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, or the loss cannot be compiled safely.
    ImportError
        If Numba is not installed and ``compiled`` is true.

    Notes
    -----
    With sparse data a step costs the non-zeros of its row: the weights are a scale times a vector, and so is their mean
    (Bottou, 2012; Xu, 2011). Rows are fetched from memory before their turn comes.

    Examples
    --------
    >>> import numpy as np
    >>> from fo_lib import linear_models
    >>> X, y = np.array([[1.0, 2.0], [2.0, -1.0], [-1.0, 0.5]]), [1, 1, -1]
    >>> linear_models.sgd(X, y, l2=0.1, learning_rate=0.5, epochs=20, compiled=False)
    Trace(value=0.253816, grad_norm=0.0075: made all 60 steps)
    """
    model = model_of(X, y, loss, any(loss is known for known in _OF_LABELS), l2, compiled)
    first = None if average is None else checks.count("average", average)
    method = Descent(model, model.start(start), first)
    return run("sgd", method, Rates(learning_rate), epochs, order, tolerance, every, seed)


def saga(
    X: Any,
    y: ArrayLike,
    *,
    learning_rate: float | Schedule | None = None,
    loss: Loss = log_loss,
    l2: float = 0.0,
    epochs: int = 10,
    order: Order = with_replacement,
    start: ArrayLike | None = None,
    tolerance: float = 0.0,
    every: int = 1,
    seed: int = 0,
    compiled: bool = True,
) -> Trace:
    r"""SAGA: the slope of a sample is corrected by the last one that was seen of it.

    .. math::
        w_t = w_{t-1} - \alpha \Bigl((\ell'_i - s_i)\, x_i + \frac1n \sum_j s_j x_j + \lambda w_{t-1}\Bigr),
        \qquad \text{then} \quad s_i \gets \ell'_i = \ell'(x_i^\top w_{t-1}, y_i)

    Parameters
    ----------
    X, y, loss, l2, epochs, order, start, tolerance, every, seed, compiled
        As for :func:`sgd`. The guarantee is for draws with replacement.
    learning_rate : float or function, optional
        By default :math:`1 / (2 L_{\max} + \min(2 n \lambda, L_{\max}))`, with :math:`L_{\max}` the largest smoothness
        constant of a sample. Known for ``log_loss`` and ``squared_loss``.

    Returns
    -------
    Trace
        As from :func:`sgd`.

    Raises
    ------
    TypeError, ValueError, ImportError
        As :func:`sgd`; ValueError also if there is no default for the learning rate.

    Notes
    -----
    Defazio, Bach & Lacoste-Julien (2014), with the rates of their section 2. The table holds one number a sample,
    filled at the start. The gradient of the regularizer is used as it is, so that only losses need a correction;
    :func:`fo_lib.gradients.saga` corrects both, and has the same iterates if ``l2`` is 0. The proof needs no change:
    the loss of a sample is no more curved without the regularizer. Sparse data cost a step their non-zeros: what the
    mean adds to a weight is added when a row has its column (Schmidt, Le Roux & Bach, 2017, section 4).
    """
    model = model_of(X, y, loss, any(loss is known for known in _OF_LABELS), l2, compiled)
    if learning_rate is None:
        smooth = _largest_smoothness(model)
        learning_rate = 1 / (2 * smooth + min(2 * model.n * model.l2, smooth))
    method = Corrected(model, model.start(start), None)
    return run("saga", method, Rates(learning_rate), epochs, order, tolerance, every, seed)


def svrg(
    X: Any,
    y: ArrayLike,
    *,
    learning_rate: float | Schedule | None = None,
    inner: int | None = None,
    loss: Loss = log_loss,
    l2: float = 0.0,
    epochs: int = 10,
    order: Order = with_replacement,
    start: ArrayLike | None = None,
    tolerance: float = 0.0,
    every: int = 1,
    seed: int = 0,
    compiled: bool = True,
) -> Trace:
    r"""SVRG: the slope of a sample is corrected by what it was at an anchor, where the full gradient is known.

    .. math::
        w_t = w_{t-1} - \alpha \Bigl((\ell'(x_i^\top w_{t-1}, y_i) - \ell'(x_i^\top \tilde w, y_i))\, x_i
        + \frac1n \sum_j \ell'(x_j^\top \tilde w, y_j)\, x_j + \lambda w_{t-1}\Bigr)

    Every ``inner`` steps, beginning with the first, the anchor :math:`\tilde w` becomes the current iterate.

    Parameters
    ----------
    X, y, loss, l2, epochs, order, start, tolerance, every, seed, compiled
        As for :func:`saga`. An epoch is ``n`` steps; the passes at the anchors come on top.
    learning_rate : float or function, optional
        By default :math:`1 / (6 L_{\max})`, with :math:`L_{\max}` the largest smoothness constant of a sample. Known
        for ``log_loss`` and ``squared_loss``.
    inner : int, optional
        Steps between two anchors; by default twice the number of samples.

    Returns
    -------
    Trace
        As from :func:`sgd`.

    Raises
    ------
    TypeError, ValueError, ImportError
        As :func:`saga`.

    Notes
    -----
    Johnson & Zhang (2013), option I; :func:`fo_lib.gradients.svrg` has the same iterates. The default rate is the
    one of Kovalev, Horváth & Richtárik (2020), whose proof has anchors at random times, on average every ``n`` steps.
    The slopes at the anchor are kept, one number a sample, so that a step reads its row once.
    """
    model = model_of(X, y, loss, any(loss is known for known in _OF_LABELS), l2, compiled)
    stage = 2 * model.n if inner is None else checks.count("inner", inner)
    if learning_rate is None:
        learning_rate = 1 / (6 * _largest_smoothness(model))
    method = Corrected(model, model.start(start), stage)
    return run("svrg", method, Rates(learning_rate), epochs, order, tolerance, every, seed)


def _largest_smoothness(model: Model) -> float:
    """L_max, for a default of the learning rate."""
    if model.loss not in _CURVATURE:
        raise ValueError(
            "learning_rate must be given: the curvature of the losses is known for log_loss and squared_loss only"
        )
    largest = model.largest_row()
    if not 0.0 < largest < np.inf:
        raise ValueError("X must hold numbers whose squares are finite and not all zero")
    return _CURVATURE[model.loss] * largest + model.l2
