"""One weight, one sample or one worker at a time: coordinate descent and ascent, saddle points, consensus."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, constants, count_steps

__all__ = [
    "consensus",
    "coordinate_descent",
    "coordinate_descent_convex",
    "dual_coordinate_ascent",
    "saddle_point_gap",
]


@bound
def coordinate_descent(k: ArrayLike, *, mu: float, L_sum: float) -> Array:
    r"""Bound the expected gap, relative to the first, by :math:`(1 - \mu/L_{\text{sum}})^k`: random coordinates.

    For steps :math:`1/L_i` along coordinate :math:`i` on a function that is :math:`\mu`-strongly convex (or only
    satisfies the Polyak-Łojasiewicz inequality) and has curvature at most :math:`L_i` along it: with probabilities in
    proportion to :math:`L_i`, :math:`L_{\text{sum}}` is their sum. With equal ones it is :math:`d`, and :math:`\mu`
    is that of the norm :math:`\|v\|_L^2 = \sum_i L_i v_i^2`. Attained by diagonal quadratics. Nesterov (2012).
    """
    L_sum = checks.number("L_sum", L_sum, above=0.0)
    mu = checks.number("mu", mu, above=0.0, at_most=L_sum)
    return (1 - mu / L_sum) ** count_steps(k)


@bound
def coordinate_descent_convex(k: ArrayLike, *, d: int, R: float, gap: float) -> Array:
    r"""Bound the expected gap by :math:`\frac{d}{d+k} (\frac12 R^2 + f(w_0) - f^\star)`: convex, equal probabilities.

    :math:`R^2 = \sum_i L_i (w_{0,i} - w^\star_i)^2`, and ``gap`` is that of the start. Lu & Xiao (2015).
    """
    d = checks.count("d", d)
    R = checks.number("R", R, at_least=0.0)
    gap = checks.number("gap", gap, at_least=0.0)
    return d / (d + count_steps(k)) * (R**2 / 2 + gap)


@bound
def dual_coordinate_ascent(t: ArrayLike, *, n: int, l2: float, square: float, gamma: float = 1.0) -> Array:
    r"""Bound the expected dual gap, relative to the first, by :math:`(1 - s/n)^t`,
    :math:`s = \frac{\lambda n \gamma}{\max_i \|x_i\|^2 + \lambda n \gamma}`.

    For ``t`` samples drawn at random, ``square`` the largest :math:`\|x_i\|^2` and losses with curvature at most
    :math:`1/\gamma`. The duality gap is expected to be at most :math:`n/s` times as large. Shalev-Shwartz & Zhang
    (2013).
    """
    n = checks.count("n", n)
    for name, value in (("l2", l2), ("square", square), ("gamma", gamma)):
        checks.number(name, value, above=0.0)
    s = l2 * n * gamma / (square + l2 * n * gamma)
    return (1 - s / n) ** count_steps(t, name="t")


@bound
def saddle_point_gap(k: ArrayLike, *, squared_distance: float) -> Array:
    r"""Bound :math:`\mathcal L(\bar x_k, z) - \mathcal L(x, \bar z_k)` by :math:`\frac{1}{2k} \|u - u_0\|_M^2`.

    Of the means of the first ``k`` iterates of Chambolle and Pock's method; ``squared_distance`` is
    :math:`\|u - u_0\|_M^2 = \frac1\tau \|x - x_0\|^2 + \frac1\sigma \|z - z_0\|^2 - 2 (z - z_0)^\top K (x - x_0)`.
    Chambolle & Pock (2016), Theorem 1. There are instances with :math:`\frac{k}{k+1}` of it.
    """
    squared_distance = checks.number("squared_distance", squared_distance, at_least=0.0)
    return squared_distance / (2 * count_steps(k, first=1))


@bound
def consensus(penalty: ArrayLike, *, mu: float, L: float) -> Array:
    r"""Return the factor of consensus ADMM per round: :math:`\max\{\frac{L}{L+\rho}, \frac{\rho}{\rho+\mu}\}`.

    For the distance of :math:`s_i = x_i + u_i` from its limit, each :math:`f_i` being :math:`\mu`-strongly convex and
    :math:`L`-smooth. The best penalty is :math:`\sqrt{\mu L}`. Attained by quadratics. After Giselsson & Boyd (2017).
    """
    L, mu = constants(L, mu)
    rho = checks.array("penalty", penalty)
    if (rho <= 0).any():
        raise ValueError(f"penalty must be > 0 in every entry, got {rho.min():g}")
    return np.asarray(np.maximum(L / (L + rho), rho / (rho + mu)))
