"""The loops of :mod:`fo_lib.linear_models`: one source, run by Python as it stands or compiled by Numba.

A dense matrix comes as ``X``; a sparse one as its values, their columns, and where each row begins and ends. Indices
are unsigned: a signed one may count from the end, and Numba would ask that at every access. All numbers but those of
the matrix are float64, and arrays are changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import compiling
from .compiling import prefetch, touch

Function = Callable[..., Any]

# Rows: far enough for memory to answer in time, near enough to stay in the first cache.
AHEAD = 4
FAR = 12  # for what is needed to find a row
# Of the scale of sparse weights. What is kept beside the weights loses this much of its precision.
LEAST = 1e-4

loss = compiling.slot  # value and slope by the prediction


def evaluate_dense(X: Any, y: Any, w: Any, slopes: Any, g: Any) -> Any:
    """Return the mean loss; fill in the slope of every sample, and add their mean gradient to ``g``."""
    n, d = X.shape
    value = 0.0
    for i in range(n):
        x = X[i]
        p = 0.0
        for j in range(d):
            p += w[j] * x[j]
        one, slopes[i] = loss(p, y[i])
        value += one
        c = slopes[i] / n
        for j in range(d):
            g[j] += c * x[j]
    return value / n


def evaluate_sparse(values: Any, cols: Any, begins: Any, ends: Any, y: Any, w: Any, slopes: Any, g: Any) -> Any:
    """The same for sparse rows."""
    n = y.size
    value = 0.0
    for i in range(n):
        ahead = min(i + AHEAD, n - 1)
        prefetch(values, begins[ahead], ends[ahead])
        prefetch(cols, begins[ahead], ends[ahead])
        p = 0.0
        for q in range(begins[i], ends[i]):
            p += w[cols[q]] * values[q]
        one, slopes[i] = loss(p, y[i])
        value += one
        c = slopes[i] / n
        for q in range(begins[i], ends[i]):
            g[cols[q]] += c * values[q]
    return value / n


def sgd_dense(X: Any, y: Any, order: Any, rates: Any, l2: float, w: Any, total: Any, skip: int) -> None:
    """Make a step for each sample in ``order``; add the iterates to ``total``, all but the first ``skip``."""
    n, d = order.size, w.size
    flat = X.reshape(-1)
    for k in range(n):
        far, ahead = order[min(k + FAR, n - 1)], order[min(k + AHEAD, n - 1)]
        touch(y, far)
        prefetch(flat, ahead * d, ahead * d + d)
        i, rate = order[k], rates[k]
        x = X[i]
        p = 0.0
        for j in range(d):
            p += w[j] * x[j]
        c = rate * loss(p, y[i])[1]
        shrink = 1.0 - rate * l2
        for j in range(d):
            w[j] = shrink * w[j] - c * x[j]
        if k >= skip:
            for j in range(d):
                total[j] += w[j]


def sgd_sparse(
    values: Any, cols: Any, begins: Any, ends: Any, y: Any, order: Any, rates: Any, l2: float, w: Any, total: Any,
    skip: int,
) -> None:  # fmt: skip
    """The same, with iterates ``s w`` and their sum ``total + f w``: a step touches the columns of its row only."""
    n = order.size
    s, f = 1.0, 0.0
    for k in range(n):
        far, ahead = order[min(k + FAR, n - 1)], order[min(k + AHEAD, n - 1)]
        touch(begins, far)
        touch(ends, far)
        touch(y, far)
        prefetch(values, begins[ahead], ends[ahead])
        prefetch(cols, begins[ahead], ends[ahead])
        i, rate = order[k], rates[k]
        p = 0.0
        for q in range(begins[i], ends[i]):
            p += w[cols[q]] * values[q]
        c = rate * loss(s * p, y[i])[1]
        s *= 1.0 - rate * l2
        if abs(s) < LEAST:
            for j in range(w.size):
                total[j] += f * w[j]
                w[j] *= s
            s, f = 1.0, 0.0
        c /= s
        for q in range(begins[i], ends[i]):
            w[cols[q]] -= c * values[q]
        if k >= skip:
            c *= f
            for q in range(begins[i], ends[i]):
                total[cols[q]] += c * values[q]
            f += s
    for j in range(w.size):
        total[j] += f * w[j]
        w[j] *= s


def corrected_dense(
    X: Any, y: Any, order: Any, rates: Any, l2: float, w: Any, slopes: Any, g: Any, share: float
) -> None:
    """Make steps with the slope of a sample corrected by the one kept in ``slopes``, whose mean gradient is ``g``.

    SAGA keeps the new slope, and its ``share`` of the mean is ``1/n``; SVRG keeps the old one, and ``share`` is 0.
    """
    n, d = order.size, w.size
    flat = X.reshape(-1)
    for k in range(n):
        far, ahead = order[min(k + FAR, n - 1)], order[min(k + AHEAD, n - 1)]
        touch(y, far)
        touch(slopes, far)
        prefetch(flat, ahead * d, ahead * d + d)
        i, rate = order[k], rates[k]
        x = X[i]
        p = 0.0
        for j in range(d):
            p += w[j] * x[j]
        slope = loss(p, y[i])[1]
        c = slope - slopes[i]
        shrink, step, change = 1.0 - rate * l2, rate * c, share * c
        for j in range(d):
            w[j] = shrink * w[j] - step * x[j] - rate * g[j]
            g[j] += change * x[j]
        if share > 0.0:
            slopes[i] = slope


def corrected_sparse(
    values: Any, cols: Any, begins: Any, ends: Any, y: Any, order: Any, rates: Any, l2: float, w: Any, slopes: Any,
    g: Any, share: float,
) -> None:  # fmt: skip
    """The same with iterates ``s w``. What ``g`` adds to a weight waits until a row has its column.

    Till then the weight owes ``g`` times what ``drift``, the sum of ``rate / s``, has grown by since it was paid.
    """
    n, d = order.size, w.size
    s, drift = 1.0, 0.0
    state = np.empty((d, 4))  # weight, g, drift when paid: in one line of the cache
    for j in range(d):
        state[j, 0], state[j, 1], state[j, 2] = w[j], g[j], 0.0
    for k in range(n):
        far, ahead = order[min(k + FAR, n - 1)], order[min(k + AHEAD, n - 1)]
        touch(begins, far)
        touch(ends, far)
        touch(y, far)
        touch(slopes, far)
        prefetch(values, begins[ahead], ends[ahead])
        prefetch(cols, begins[ahead], ends[ahead])
        i, rate = order[k], rates[k]
        p = 0.0
        for q in range(begins[i], ends[i]):
            j = cols[q]
            p += (state[j, 0] - (drift - state[j, 2]) * state[j, 1]) * values[q]
        slope = loss(s * p, y[i])[1]
        c = slope - slopes[i]
        s *= 1.0 - rate * l2
        # in a run that diverges the scale may grow, and all that drift grows by would be lost beside what it was
        if abs(s) < LEAST or abs(s) > 1.0 / LEAST:
            for j in range(d):
                state[j, 0] = s * (state[j, 0] - (drift - state[j, 2]) * state[j, 1])
                state[j, 2] = 0.0
            s, drift = 1.0, 0.0
        drift += rate / s
        step, change = rate / s * c, share * c
        for q in range(begins[i], ends[i]):
            j = cols[q]
            state[j, 0] -= (drift - state[j, 2]) * state[j, 1] + step * values[q]
            state[j, 1] += change * values[q]
            state[j, 2] = drift
        if share > 0.0:
            slopes[i] = slope
    for j in range(d):
        w[j] = s * (state[j, 0] - (drift - state[j, 2]) * state[j, 1])
        g[j] = state[j, 1]


_compiled: dict[tuple[Function, compiling.Text], Function] = {}


def specialize(kernel: Function, chosen: Function, compiled: bool) -> Function:
    """Return a loop with its loss put in."""
    bound = compiling.bind(kernel, loss=chosen)
    if not compiled:
        return bound
    known = kernel, compiling.text_of(chosen)
    if known not in _compiled:
        _compiled[known] = compiling.jit(bound, cached=True)
    return _compiled[known]
