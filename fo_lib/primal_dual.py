r"""Two functions that meet through a matrix, and many functions that must agree: methods that know each by its prox.

:func:`chambolle_pock` minimizes :math:`f(x) + g(Kx)`, of which the operators of :math:`f` and :math:`g` are known and
that of the sum is not. :func:`consensus_admm` minimizes :math:`\sum_i f_i(w) + h(w)`, each :math:`f_i` on a worker of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from ._primal_dual_runs import Log, best_bound, matrix_of, norm_of, rates_of, refuse_false_gap, shaped, value_of
from .problem import read_only
from .prox import Operator, conjugate
from .trace import Trace

__all__ = ["chambolle_pock", "consensus_admm"]

Array = NDArray[np.floating[Any]]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # divergence is reported by the trace
def chambolle_pock(
    f: Operator,
    g: Operator,
    K: Any,
    *,
    norm: float | None = None,
    primal_rate: float | None = None,
    dual_rate: float | None = None,
    dual_value: Callable[[Array], float] | None = None,
    average: bool = False,
    start: ArrayLike | None = None,
    dual_start: ArrayLike | None = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
) -> Trace:
    r"""Minimize :math:`f(x) + g(Kx)`, both convex, by the operators of the two and products with a matrix.

    .. math::
        x_{k+1} = \mathrm{prox}_{\tau f}(x_k - \tau K^\top z_k), \qquad
        z_{k+1} = \mathrm{prox}_{\sigma g^*}(z_k + \sigma K (2 x_{k+1} - x_k))

    Parameters
    ----------
    f, g : Prox, Set or function
        ``f(x, rate)`` and ``g(v, rate)`` are the operators. Values are those of their ``value``; a set counts as zero.
    K : array of shape (m, d), sparse matrix, or anything with ``shape``, ``K @ x`` and ``K.T @ z``
        The coupling.
    norm : float, optional
        A bound of its largest singular value: what is below the norm of a column is refused, other wrong bounds are
        not noticed. By default this is computed for an array, and bounded by the root of the largest row sum times the
        largest column sum, of absolute values, for a sparse matrix.
    primal_rate, dual_rate : float, optional
        :math:`\tau, \sigma > 0` with :math:`\tau\sigma \|K\|^2 \le 1`. One that is not given is as large as the other
        allows; with none given both are :math:`1/\|K\|`.
    dual_value : function, optional
        ``dual_value(z)``: a lower bound of the minimum, finite at the first :math:`z`. The gap of the trace is the
        value minus the best bound so far. It needs ``f`` and ``g`` with a ``value``: sets and bare operators have none.
    average : bool
        Report the mean of all iterates from step 1 on: what the ergodic theorem speaks of. Such a run stops by the gap
        or after all steps.
    start : array of shape (d,), optional
        First :math:`x`, zero by default.
    dual_start : array of shape (m,), optional
        First :math:`z`, zero by default.
    steps : int
        Steps to make at most.
    tolerance : float
        Stop at a recorded step where the gap, or without ``dual_value`` the residual (``grad_norm``), is at most this.
    every : int
        Record step 0 and every such step after it, and the last.
    iterates : bool
        Record :math:`x` too.

    Returns
    -------
    Trace
        Its ``grad_norm`` is :math:`\|M(u_{k-1} - u_k)\|` with :math:`u = (x, z)` and
        :math:`M = \begin{pmatrix} I/\tau & -K^\top \\ -K & I/\sigma \end{pmatrix}`, of the iterates: how far
        :math:`u_k` is from satisfying the conditions of optimality. At step 0, to which no step led, it is that of
        step 1. ``settings["dual"]`` is the last :math:`z`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, the rates are too large, the start is not finite, a bound
        of ``dual_value`` is above a value, or means without a gap have a ``tolerance``.

    Notes
    -----
    Chambolle & Pock (2011), Algorithm 1 with theta = 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fo_lib import primal_dual, prox
    >>> def near(x, rate):  # half the squared distance from (3, 0)
    ...     return (x + rate * np.array([3.0, 0.0])) / (1 + rate)
    >>> difference = np.array([[-1.0, 1.0]])
    >>> primal_dual.chambolle_pock(near, prox.l1(1.0), difference, steps=100).w.round(3)
    array([2., 1.])
    """
    near, dual = shaped("f", f), conjugate(shaped("g", g))
    if dual_value is not None:
        checks.function("dual_value", dual_value)
        refuse_false_gap(f, g)
    K = matrix_of(K)
    tau, sigma = rates_of(norm_of(K, norm), primal_rate, dual_rate)
    rows, columns = K.shape
    x = shown = checks.array("start", np.zeros(columns) if start is None else start, shape=(columns,)).copy()
    z = shown_z = checks.array("dual_start", np.zeros(rows) if dual_start is None else dual_start, shape=(rows,)).copy()
    log, best = Log(steps, tolerance, every, iterates), -np.inf
    if average and dual_value is None:
        checks.number("tolerance, for means without dual_value,", tolerance, at_least=0.0, at_most=0.0)
        log.tolerance = -1.0  # the residual is that of the iterates
    k = 0
    while True:  # until the log ends it
        if k > 0:
            before = x, z
            x, z = _step(near, dual, K, tau, sigma, x, z)
            shown = shown + (x - shown) / k if average else x
            shown_z = shown_z + (z - shown_z) / k if average else z
        if log.wants(k):
            ends = (before, (x, z)) if k > 0 else ((x, z), _step(near, dual, K, tau, sigma, x, z))
            dx, dz = ends[0][0] - ends[1][0], ends[0][1] - ends[1][1]
            residual = float(np.hypot(np.linalg.norm(dx / tau - K.T @ dz), np.linalg.norm(dz / sigma - K @ dx)))
            value, gap = value_of(f, shown) + value_of(g, K @ shown), None
            if dual_value is not None and np.isfinite(value) and np.isfinite(residual):
                best = best_bound(float(dual_value(read_only(shown_z))), best, value, k)
                gap = max(value - best, 0.0)
            if log.ends(k, value, residual, tau, shown, shown_z, gap):
                break
        k += 1
    return log.trace(rule="chambolle_pock", primal_rate=tau, dual_rate=sigma)


def _step(f: Operator, dual: Operator, K: Any, tau: float, sigma: float, x: Array, z: Array) -> tuple[Array, Array]:
    """One step of Chambolle and Pock's method; ``dual`` is the operator of the conjugate of g."""
    x_next = f(x - tau * (K.T @ z), tau)
    z_next = dual(z + sigma * (K @ (2 * x_next - x)), sigma)
    return x_next, z_next


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # divergence is reported by the trace
def consensus_admm(
    operators: Sequence[Operator],
    *,
    value: Callable[[Array], float],
    start: ArrayLike,
    penalty: float,
    prox: Operator | None = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
) -> Trace:
    r"""Minimize :math:`\sum_i f_i(w) + h(w)`, all convex, by rounds in which each worker sees its own :math:`f_i` only.

    .. math::
        x_i \gets \mathrm{prox}_{f_i/\rho}(z - u_i), \qquad
        z \gets \mathrm{prox}_{h/(m\rho)}\Bigl(\frac1m \sum_i (x_i + u_i)\Bigr), \qquad
        u_i \gets u_i + x_i - z

    Parameters
    ----------
    operators : sequence of functions
        For each of the :math:`m` workers ``operator(v, rate)``, the proximal operator of its :math:`f_i`.
    value : function
        ``value(w)``: the sum of all :math:`f_i`. For the record only; the method does not use it.
    start : array
        First :math:`z`; all :math:`u_i` are zero.
    penalty : float
        :math:`\rho > 0`.
    prox : Prox, Set or function, optional
        The operator of :math:`h`. Where it has a ``value``, that is part of the objective.
    steps : int
        Rounds to make at most.
    tolerance : float
        Stop at a recorded round where the residual (``grad_norm``) is at most this.
    every : int
        Record round 0 and every such round after it, and the last.
    iterates : bool
        Record :math:`z` too.

    Returns
    -------
    Trace
        Of :math:`z`. Its ``grad_norm`` combines, as the root of their squares' sum, :math:`\rho` times the primal
        residual and the dual residual of the round that follows,
        :math:`\sqrt{\sum_i \|x_i - z\|^2}` and :math:`\rho \sqrt m\, \|z - z^{\text{before}}\|`: both are zero at a
        minimizer only. ``settings["primal_residual"]`` and ``settings["dual_residual"]`` hold them one by one,
        ``settings["dual"]`` the last :math:`u_i`, one a row.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, an operator returns another shape, or the start is not
        finite.

    Notes
    -----
    Boyd, Parikh, Chu, Peleato & Eckstein (2011), section 7.1.1; with :math:`h`, section 7.1.2.

    Examples
    --------
    >>> from fo_lib import primal_dual
    >>> def near(c):  # half the squared distance from c
    ...     return lambda v, rate: (v + rate * c) / (1 + rate)
    >>> primal_dual.consensus_admm([near(1.0), near(4.0)], value=lambda w: 0.0, start=[0.0], penalty=1.0, steps=50).w
    array([2.5])
    """
    if callable(operators):
        raise TypeError(f"operators must be a sequence of functions, got the single {type(operators).__name__}")
    workers = [shaped(f"operators[{i}]", op) for i, op in enumerate(checks.several("operators", operators))]
    if not workers:
        raise ValueError("operators must hold at least one function, got none")
    together = None if prox is None else shaped("prox", prox)
    checks.function("value", value)
    rho = checks.number("penalty", penalty, above=0.0)
    z = checks.array("start", start).copy()
    u = np.zeros((len(workers), *z.shape))
    log = Log(steps, tolerance, every, iterates)
    primal, dual = [], []
    k = 0
    while True:  # until the log ends it
        x, z_next, u_next = _round(workers, together, rho, z, u)
        if log.wants(k):
            ends = float(np.linalg.norm(x - z_next)), rho * float(np.sqrt(len(workers)) * np.linalg.norm(z_next - z))
            whole = float(value(read_only(z))) + (0.0 if prox is None else value_of(prox, z))
            last = log.ends(k, whole, float(np.hypot(rho * ends[0], ends[1])), 1 / rho, z, u)
            if log.reason != "diverged":
                primal.append(ends[0])
                dual.append(ends[1])
            if last:
                break
        z, u, k = z_next, u_next, k + 1
    residuals = {"primal_residual": np.array(primal), "dual_residual": np.array(dual)}
    return log.trace(rule="consensus_admm", penalty=rho, **residuals)


def _round(
    operators: list[Operator], prox: Operator | None, rho: float, z: Array, u: Array
) -> tuple[Array, Array, Array]:
    """One round: each worker by itself, then the mean, then each worker's account of the disagreement."""
    x = np.array([operator(z - own, 1 / rho) for operator, own in zip(operators, u, strict=True)])
    z_next = (x + u).mean(0)
    if prox is not None:
        z_next = prox(z_next, 1 / (len(operators) * rho))
    return x, z_next, u + x - z_next
