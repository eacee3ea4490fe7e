"""Gradients from samples: variance of a batch, stochastic gradient descent, Kaczmarz."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, constants, count_steps

__all__ = [
    "kaczmarz",
    "mini_batch_variance",
    "reshuffling_floor",
    "sgd_additive_noise",
    "sgd_finite_sum",
    "sgd_inverse_rate",
    "sgd_stationary_variance",
]


@bound
def mini_batch_variance(b: ArrayLike, *, n: int, variance: float) -> Array:
    r"""Variance of a mean over ``b`` of ``n`` samples, no sample twice: :math:`\frac{\sigma^2}{b}\frac{n-b}{n-1}`.

    :math:`\sigma^2` is the mean squared deviation over the ``n`` samples (divided by ``n``). Cochran (1977),
    Theorem 2.2.
    """
    n = checks.count("n", n, at_least=2)
    variance = checks.number("variance", variance, at_least=0.0)
    size = checks.array("b", b)
    if (size < 1).any() or (size > n).any():
        raise ValueError(f"b must be from 1 to n = {n}, got {b!r}")
    return variance / size * (n - size) / (n - 1)


@bound
def sgd_additive_noise(k: ArrayLike, *, L: float, mu: float, learning_rate: float, R: float, variance: float) -> Array:
    r"""Bound :math:`E\|w_k - w^\star\|^2` by :math:`q^k R^2 + (1 - q^k) \frac{\alpha \sigma^2}{\mu (2 - \alpha\mu)}`.

    With :math:`q = (1 - \alpha\mu)^2`, for stochastic gradients whose noise has conditional mean zero and variance at
    most :math:`\sigma^2` in all entries together; :math:`\mu`-strongly convex, :math:`L`-smooth functions and
    :math:`0 < \alpha \le 2/(L + \mu)`. Attained by the quadratic of curvature :math:`\mu` with noise of variance
    exactly :math:`\sigma^2`.
    """
    L, mu = constants(L, mu)
    rate = checks.number("learning_rate", learning_rate, above=0.0, at_most=2 / (L + mu))
    R = checks.number("R", R, at_least=0.0)
    floor = sgd_stationary_variance(rate, curvature=mu, variance=variance)
    q = (1 - rate * mu) ** (2 * count_steps(k))
    return q * R**2 + (1 - q) * floor


@bound
def sgd_stationary_variance(learning_rate: float, *, curvature: float, variance: float) -> float:
    r"""Variance :math:`\frac{\alpha \sigma^2}{h (2 - \alpha h)}` of SGD at rest on a quadratic of curvature h.

    Exact, for a constant learning rate below :math:`2/h` and additive noise of variance :math:`\sigma^2`.
    """
    h = checks.number("curvature", curvature, above=0.0)
    rate = checks.number("learning_rate", learning_rate, above=0.0, below=2 / h)
    return rate * checks.number("variance", variance, at_least=0.0) / (h * (2 - rate * h))


@bound
def sgd_finite_sum(k: ArrayLike, *, mu: float, L_max: float, learning_rate: float, R: float, variance: float) -> Array:
    r"""Bound :math:`E\|w_k - w^\star\|^2` by :math:`(1 - \alpha\mu)^k R^2 + 2\alpha\sigma_\star^2/\mu`: samples.

    For a mean of convex, :math:`L_{\max}`-smooth losses that is :math:`\mu`-strongly convex, one uniformly drawn sample
    a step and :math:`0 < \alpha \le 1/(2 L_{\max})`; :math:`\sigma_\star^2` is the mean squared norm of the sample
    gradients
    **at the minimizer**, so that the second term vanishes under interpolation. Needell, Srebro & Ward (2016), Theorem
    2.1, with other constants.
    """
    L_max, mu = constants(L_max, mu, "L_max")
    rate = checks.number("learning_rate", learning_rate, above=0.0, at_most=1 / (2 * L_max))
    R = checks.number("R", R, at_least=0.0)
    variance = checks.number("variance", variance, at_least=0.0)
    return (1 - rate * mu) ** count_steps(k) * R**2 + 2 * rate * variance / mu


@bound
def sgd_inverse_rate(c: float, *, curvature: float, variance: float) -> float:
    r"""Limit :math:`\frac{c^2 \sigma^2}{2 c h - 1}` of :math:`k \, E(w_k - w^\star)^2`: learning rate :math:`c/k`.

    On a quadratic of one variable with curvature :math:`h` and additive noise, for :math:`c h > 1/2`; least, with
    :math:`\sigma^2/h^2`, at :math:`c = 1/h`. Chung (1954).
    """
    h = checks.number("curvature", curvature, above=0.0)
    c = checks.number("c", c, above=1 / (2 * h))
    return c**2 * checks.number("variance", variance, at_least=0.0) / (2 * c * h - 1)


@bound
def reshuffling_floor(learning_rate: float, *, n: int, curvature: float, variance: float) -> float:
    r"""Mean squared distance at the ends of epochs, at rest: quadratics of one curvature, a fresh order each epoch.

    For :math:`\ell_i(w) = \frac h2 (w - a_i)^2`, :math:`\sigma^2` the variance of the :math:`a_i` (divided by n) and
    :math:`q = 1 - \alpha h`, :math:`0 < \alpha < 1/h`, it is exactly

    .. math::
        \frac{\alpha^2 h^2 \sigma^2}{(n - 1)(1 - q^{2n})} \left[ n \sum_{j<n} q^{2j} - \Bigl( \sum_{j<n} q^j \Bigr)^2
        \right] = \frac{n (n + 1)}{24} (\alpha h)^3 \sigma^2 + O(\alpha^4).
    """
    n = checks.count("n", n, at_least=2)
    h = checks.number("curvature", curvature, above=0.0)
    rate = checks.number("learning_rate", learning_rate, above=0.0, below=1 / h)
    variance = checks.number("variance", variance, at_least=0.0)
    powers = (1 - rate * h) ** np.arange(n)
    spread = float(n * np.sum((powers - powers.mean()) ** 2))  # the bracket, without its cancellation
    return (rate * h) ** 2 * variance * spread / ((n - 1) * -float(np.expm1(2 * n * np.log1p(-rate * h))))


@bound
def kaczmarz(k: ArrayLike, *, smallest_singular_value: float, frobenius_norm: float) -> Array:
    r"""Bound :math:`E\|w_k - w^\star\|^2 / R^2` by :math:`(1 - s_{\min}^2 / \|X\|_F^2)^k`: randomized Kaczmarz.

    For a consistent system of full column rank whose rows are drawn in proportion to their squared norms; the first
    step attains it from a start along the last right singular vector. Strohmer & Vershynin (2009), Theorem 2.
    """
    norm = checks.number("frobenius_norm", frobenius_norm, above=0.0)
    least = checks.number("smallest_singular_value", smallest_singular_value, above=0.0, at_most=norm)
    return (1 - (least / norm) ** 2) ** count_steps(k)
