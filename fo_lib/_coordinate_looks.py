"""Where a run of :mod:`fo_lib.coordinate` stands, computed from nothing but the weights: as loops, like the sweeps.

The kinds of data are those of the sweeps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import compiling
from ._coordinate_kernels import smallest_gap

residual = slopes = energy = compiling.slot  # each has a function for each kind of data


def residual_dense(data: Any, w: Any, r: Any) -> None:
    """Compute ``r`` from nothing but the weights; the columns of those that are zero are not read."""
    columns, means, y = data
    n = r.size
    for i in range(n):
        r[i] = y[i]
    for j in range(w.size):
        u = w[j]
        if u != 0.0:
            x, mean = columns[j], means[j]
            for i in range(n):
                r[i] -= u * (x[i] - mean)


def residual_sparse(data: Any, w: Any, r: Any) -> None:
    """The same for sparse columns."""
    values, rows, begins, ends, means, y = data
    shift = 0.0
    for i in range(r.size):
        r[i] = y[i]
    for j in range(w.size):
        u = w[j]
        if u != 0.0:
            for q in range(begins[j], ends[j]):
                r[rows[q]] -= u * values[q]
            shift += u * means[j]
    for i in range(r.size):
        r[i] += shift


def residual_gram(data: Any, w: Any, r: Any) -> None:
    """The same for products."""
    products, with_y, _ = data
    for i in range(r.size):
        r[i] = with_y[i]
    for j in range(w.size):
        u = w[j]
        if u != 0.0:
            x = products[j]
            for i in range(r.size):
                r[i] -= u * x[i]


def slopes_dense(data: Any, r: Any, c: Any) -> None:
    """Fill in the mean product of every column with the residual."""
    columns, means, _ = data
    for j in range(c.size):
        x, mean, total = columns[j], means[j], 0.0
        for i in range(r.size):
            total += (x[i] - mean) * r[i]
        c[j] = total / r.size


def slopes_sparse(data: Any, r: Any, c: Any) -> None:
    """The same for sparse columns: a centred residual sums to zero, so that the product needs no mean."""
    values, rows, begins, ends, _, _ = data
    for j in range(c.size):
        total = 0.0
        for q in range(begins[j], ends[j]):
            total += values[q] * r[rows[q]]
        c[j] = total / r.size


def slopes_gram(data: Any, r: Any, c: Any) -> None:
    """Here they are known."""
    for i in range(r.size):
        c[i] = r[i]


def energy_dense(data: Any, w: Any, r: Any) -> tuple[float, float]:
    """Return the mean square of the residual, and its mean product with what the weights predict."""
    y = data[-1]
    n, rr, yr = r.size, 0.0, 0.0
    for i in range(n):
        rr += r[i] * r[i]
        yr += r[i] * y[i]
    return rr / n, (yr - rr) / n


energy_sparse = energy_dense


def energy_gram(data: Any, w: Any, r: Any) -> tuple[float, float]:
    """The same from products."""
    _, with_y, square = data
    wr, wy = 0.0, 0.0
    for j in range(w.size):
        wr += w[j] * r[j]
        wy += w[j] * with_y[j]
    return max(square - wy - wr, 0.0), wr


def look(data: Any, l1: float, l2: float, w: Any, r: Any, c: Any, anew: bool) -> tuple[float, float, float, float]:
    """Compute the residual and the slopes from nothing but the weights (or not ``anew``: for another ``l1``).

    Returns value, gap, the norm of the shortest subgradient, and the multiple of the slopes that the dual allows.
    """
    if anew:
        residual(data, w, r)
        slopes(data, r, c)
        for j in range(w.size):
            c[j] -= l2 * w[j]
    ww, size, product, steepest, squared = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(w.size):
        u = w[j]
        ww += u * u
        size += abs(u)
        product += u * c[j]
        steepest = max(steepest, abs(c[j]))
        short = c[j] - l1 if u > 0.0 else c[j] + l1 if u < 0.0 else max(abs(c[j]) - l1, 0.0)
        squared += short * short
    square = energy(data, w, r)[0] + l2 * ww
    gap, s = smallest_gap(square, product, size, steepest, l1)
    return 0.5 * square + l1 * size, max(gap, 0.0), np.sqrt(squared), s


def moments_dense(data: Any, squares: Any, centred: bool) -> None:
    """Fill in the mean of every column, and the mean square of what is left of it."""
    columns, means, y = data
    n = y.size
    for j in range(squares.size):
        x, mean, total = columns[j], 0.0, 0.0
        if centred:
            for i in range(n):
                mean += x[i]
            mean /= n
        for i in range(n):
            total += (x[i] - mean) ** 2
        means[j], squares[j] = mean, total / n


def moments_sparse(data: Any, squares: Any, centred: bool) -> None:
    """The same for sparse columns, whose other entries are zero."""
    values, _, begins, ends, means, y = data
    n = y.size
    for j in range(squares.size):
        mean = 0.0
        if centred:
            for q in range(begins[j], ends[j]):
                mean += values[q]
            mean /= n
        total = (n - (ends[j] - begins[j])) * mean**2
        for q in range(begins[j], ends[j]):
            total += (values[q] - mean) ** 2
        means[j], squares[j] = mean, total / n
