"""The loops of :mod:`fo_lib.coordinate`: one source, run by Python as it stands or compiled by Numba.

Data come in three kinds, each a tuple of arrays. *Dense*: the columns, one a row of ``columns``. *Sparse*: values,
their rows, and where each column begins and ends. *Gram*: mean products of the columns with each other and with ``y``.
With an intercept all columns count with their mean subtracted, which is done on the way (of sparse ones without zeros,
before: their means are then zero); without one the means are zero. ``r`` is the residual; of the kind Gram, its mean
product with every column. ``squares`` are the mean squares of the columns. Indices are unsigned: a signed one may count
from the end, and Numba would ask that at every access.
"""

from __future__ import annotations

from typing import Any

from . import compiling

sweep = energy = compiling.slot  # each has a function for each kind of data


def soft_threshold(z: float, level: float) -> float:
    """Return the minimizer of (w - z)^2 / 2 + level |w|: z, nearer to zero by the level or there."""
    if z > level:
        return z - level
    if z < -level:
        return z + level
    return 0.0


def best_weight(slope: float, square: float, weight: float, l1: float, l2: float) -> float:
    """Return the minimizer over one weight, from the mean product of its column with the residual."""
    return soft_threshold(slope + square * weight, l1) / (square + l2)


def sweep_dense(data: Any, squares: Any, chosen: Any, l1: float, l2: float, w: Any, r: Any) -> float:
    """Minimize over each chosen weight in turn, in place; return the largest slope of the smooth part that was met."""
    columns, means, _ = data
    n, steepest = r.size, 0.0
    for k in range(chosen.size):
        j = chosen[k]
        x, mean = columns[j], means[j]
        slope = 0.0
        for i in range(n):
            slope += (x[i] - mean) * r[i]
        slope /= n
        steepest = max(steepest, abs(slope - l2 * w[j]))
        new = best_weight(slope, squares[j], w[j], l1, l2)
        change = new - w[j]
        if change != 0.0:
            w[j] = new
            for i in range(n):
                r[i] -= change * (x[i] - mean)
    return steepest


def sweep_sparse(data: Any, squares: Any, chosen: Any, l1: float, l2: float, w: Any, r: Any) -> float:
    """Do the same: an update touches the entries of its column only, and what the means add waits in ``shift``.

    A centred residual sums to zero, so that the product with it needs no mean.
    """
    values, rows, begins, ends, means, _ = data
    n, steepest, shift = r.size, 0.0, 0.0
    for k in range(chosen.size):
        j = chosen[k]
        slope = 0.0
        for q in range(begins[j], ends[j]):
            slope += values[q] * r[rows[q]]
        slope = slope / n + shift * means[j]
        steepest = max(steepest, abs(slope - l2 * w[j]))
        new = best_weight(slope, squares[j], w[j], l1, l2)
        change = new - w[j]
        if change != 0.0:
            w[j] = new
            for q in range(begins[j], ends[j]):
                r[rows[q]] -= change * values[q]
            shift += change * means[j]
    for i in range(n):
        r[i] += shift
    return steepest


def sweep_gram(data: Any, squares: Any, chosen: Any, l1: float, l2: float, w: Any, r: Any) -> float:
    """Do the same: a weight that stays costs next to nothing."""
    products = data[0]
    steepest = 0.0
    for k in range(chosen.size):
        j = chosen[k]
        steepest = max(steepest, abs(r[j] - l2 * w[j]))
        new = best_weight(r[j], squares[j], w[j], l1, l2)
        change = new - w[j]
        if change != 0.0:
            w[j] = new
            x = products[j]
            for i in range(r.size):
                r[i] -= change * x[i]
    return steepest


def smallest_gap(square: float, product: float, size: float, steepest: float, l1: float) -> tuple[float, float]:
    r"""Return the smallest gap over the multiples s of the residual that the dual problem allows, and that multiple.

    .. math:: \tfrac12 (1 - s)^2 a + \lambda_1 \|w\|_1 - s\, w^\top c, \qquad |s| \|c\|_\infty \le \lambda_1,

    for ``square`` :math:`a = \frac1n \|r\|^2 + \lambda_2 \|w\|^2`, ``product`` :math:`w^\top c`, ``size``
    :math:`\|w\|_1` and ``steepest`` :math:`\|c\|_\infty`, with :math:`c = \frac1n X^\top r - \lambda_2 w`.
    """
    s = 1.0
    if square > 0.0:
        s += product / square
    if abs(s) * steepest > l1:
        s = l1 / steepest if s > 0.0 else -l1 / steepest
    return 0.5 * square * (1.0 - s) ** 2 + l1 * size - s * product, s


def descend(
    data: Any, squares: Any, chosen: Any, l1: float, l2: float, w: Any, r: Any, target: float, most: int
) -> int:
    """Sweep over the chosen weights until the gap, as if there were no others, seems to be the target.

    It is computed from slopes met on the way, so that it costs no product: an estimate, for others to check. Returns
    the number of sweeps.
    """
    for done in range(1, most + 1):
        steepest = sweep(data, squares, chosen, l1, l2, w, r)
        ww, size = 0.0, 0.0
        for k in range(chosen.size):
            u = w[chosen[k]]
            ww += u * u
            size += abs(u)
        rr, product = energy(data, w, r)
        if smallest_gap(rr + l2 * ww, product - l2 * ww, size, steepest, l1)[0] <= target:
            return done
    return most
