"""Rounding, and clipped descent where the curvature grows with the gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps, not_negative

__all__ = ["clipped_descent", "compensated_summation", "naive_summation", "relaxed_smoothness", "stall_point"]


@bound
def stall_point(increment: float, *, precision: int) -> float:
    r"""Value :math:`2^p\, 2^{\lceil \log_2 d \rceil}` at which adding d again and again comes to a halt.

    For a binary format of ``precision`` p significant bits (float64 53, float32 24, float16 11, bfloat16 8), a positive
    normal ``increment`` d, a start at zero, and rounding to nearest with ties to even, unless the range ends before.
    """
    d = checks.number("increment", increment, above=0.0)
    p = checks.count("precision", precision, at_least=2)
    fraction, exponent = np.frexp(d)  # d = fraction 2^exponent, 1/2 <= fraction < 1
    return float(np.ldexp(1.0, p + int(exponent) - int(fraction == 0.5)))


@bound
def naive_summation(n: ArrayLike, *, precision: int) -> Array:
    r"""Bound :math:`(n - 1) u` of the error of a sum of n numbers, one after the other, over :math:`\sum_i |x_i|`.

    :math:`u = 2^{-p}`, any n, rounding to nearest, no overflow. Attained to leading order by :math:`1, u, u, \dots`
    Rump (2012), Jeannerod & Rump (2013).
    """
    bound: Array = (count_steps(n, first=1, name="n") - 1) * 2.0 ** -checks.count("precision", precision, at_least=2)
    return bound


@bound
def compensated_summation(n: ArrayLike, *, precision: int, condition: float = 1.0) -> Array:
    r"""Bound :math:`u + (1 + u)(n - 1)(n - 2) u^2 C` of the relative error of Neumaier's compensated sum.

    :math:`C = \sum_i |x_i| / |\sum_i x_i|` is the ``condition`` of the sum and :math:`u = 2^{-p}`. Neumaier (1974);
    Ogita, Rump & Oishi (2005) with slightly other constants.
    """
    C = checks.number("condition", condition, at_least=1.0)
    u, k = 2.0 ** -checks.count("precision", precision, at_least=2), count_steps(n, first=2, name="n")
    bound: Array = u + (1 + u) * (k - 1) * (k - 2) * u**2 * C
    return bound


def _relaxed(L0: float, L1: float) -> tuple[float, float]:
    return checks.number("L0", L0, at_least=0.0), checks.number("L1", L1, above=0.0)


@bound
def relaxed_smoothness(length: ArrayLike, *, gradient: float, L0: float, L1: float) -> Array:
    r"""Bound :math:`(L_0 + L_1 \|g\|) (e^{L_1 t} - 1 - L_1 t) / L_1^2` of what f exceeds its tangent by at distance t.

    For :math:`\|\nabla^2 f\| \le L_0 + L_1 \|\nabla f\|`, with ``gradient`` the norm :math:`\|g\|` at the point of the
    tangent. Attained by :math:`e^w`, uphill. The condition is that of Zhang, He, Sra & Jadbabaie
    (2020).
    """
    L0, L1 = _relaxed(L0, L1)
    g = checks.number("gradient", gradient, at_least=0.0)
    t = L1 * not_negative("length", length)
    bound: Array = (L0 + L1 * g) * (np.expm1(t) - t) / L1**2
    return bound


@bound
def clipped_descent(k: ArrayLike, *, gap: float, L0: float, L1: float, mu: float, R: float) -> Array:
    r"""Bound :math:`(1 - (3 - e) \min\{\frac{1}{2 L_1 R}, \frac{\mu}{L_0}\})^k` times the gap at the start.

    For steps :math:`w - g / (L_0 + L_1 \|g\|)`, a :math:`\mu`-strongly convex f with
    :math:`\|\nabla^2 f\| \le L_0 + L_1 \|\nabla f\|`, and R the largest distance from the minimizer of points that are
    not above the start. No exponential of R, unlike gradient descent at the inverse of the largest curvature.
    """
    L0, L1 = _relaxed(L0, L1)
    L0 = checks.number("L0", L0, above=0.0)
    first = checks.number("gap", gap, at_least=0.0)
    far = 1 / (2 * L1 * checks.number("R", R, above=0.0))
    near = checks.number("mu", mu, above=0.0, at_most=L0) / L0
    bound: Array = first * (1 - (3 - np.e) * min(far, near)) ** count_steps(k)
    return bound
