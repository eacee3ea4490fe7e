"""Mirror descent: regret, relative smoothness, and EM for the weights of a mixture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps, not_negative

__all__ = ["experts_regret", "mirror_descent_regret", "mixture_em", "relative_smoothness"]


@bound
def mirror_descent_regret(
    dual_norms: ArrayLike, *, divergence: float, sigma: float = 1.0, learning_rate: float | None = None
) -> float:
    r"""Bound :math:`\frac{D}{\alpha} + \frac{\alpha}{2\sigma} \sum_t \|g_t\|_*^2` of the regret of mirror descent.

    ``divergence`` is :math:`D = D_h(u, w_0)` for the point :math:`u` compared with, ``sigma`` the strong convexity of
    the mirror map in the norm to which :math:`\|\cdot\|_*` is dual, ``dual_norms`` one number for each round. By
    default :math:`\alpha = \sqrt{2 \sigma D / \sum_t \|g_t\|_*^2}`, which gives
    :math:`\sqrt{2 D \sum_t \|g_t\|_*^2 / \sigma}`. Beck & Teboulle (2003), section 4; attained by
    :math:`h(w) = \frac\sigma2 \|w\|^2` on linear losses.
    """
    squares = float(np.sum(not_negative("dual_norms", dual_norms) ** 2))
    D = checks.number("divergence", divergence, at_least=0.0)
    sigma = checks.number("sigma", sigma, above=0.0)
    if learning_rate is None:
        return float(np.sqrt(2 * D * squares / sigma))
    rate = checks.number("learning_rate", learning_rate, above=0.0)
    return D / rate + rate / (2 * sigma) * squares


@bound
def experts_regret(T: ArrayLike, *, d: int, width: float = 2.0) -> Array:
    r"""Bound :math:`\frac{b - a}{2} \sqrt{2 T \ln d}` of the regret of exponentiated gradient against ``d`` experts.

    Losses in :math:`[a, b]`, of ``width`` :math:`b - a`; uniform start; constant rate
    :math:`\frac{2}{b - a} \sqrt{2 \ln d / T}`. Random signs force nearly as much on every method. Cesa-Bianchi & Lugosi
    (2006), Theorem 2.2.
    """
    d = checks.count("d", d, at_least=2)
    half = checks.number("width", width, above=0.0) / 2
    return np.asarray(half * np.sqrt(2 * count_steps(T, name="T") * np.log(float(d))))


@bound
def relative_smoothness(k: ArrayLike, *, L: float, divergence: float) -> Array:
    r"""Bound :math:`f(w_k) - f(u)` by :math:`L\, D_h(u, w_0) / k`: convex, ``L``-smooth relative to the mirror map.

    Constant rate :math:`1/L`, ``k`` from 1 on. Linear functions on the simplex come as near to it as one likes.
    Bauschke, Bolte & Teboulle (2017); Lu, Freund & Nesterov (2018), Theorem 3.1.
    """
    L = checks.number("L", L, above=0.0)
    D = checks.number("divergence", divergence, at_least=0.0)
    return np.asarray(L * D / count_steps(k, first=1))


@bound
def mixture_em(k: ArrayLike, *, divergence: float) -> Array:
    r"""Bound :math:`F(w_k) - F^\star` by :math:`\mathrm{KL}(w^\star, w_0) / (k + 1)`: EM for the weights of a mixture.

    :math:`F` is the mean negative log-likelihood. Attained at ``k`` = 0 where components do not overlap, and
    approached for every ``k``; from uniform weights at most :math:`\ln d / (k + 1)`.
    """
    return np.asarray(checks.number("divergence", divergence, at_least=0.0) / (count_steps(k) + 1))
