"""Momentum, Nesterov's acceleration, and what no first-order method can beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, constants, count_steps, of_one_shape

__all__ = [
    "first_order_lower",
    "heavy_ball",
    "heavy_ball_decay",
    "heavy_ball_variance",
    "nesterov_convex",
    "nesterov_decay",
    "nesterov_quadratic",
    "nesterov_strongly_convex",
    "nesterov_variance",
]


@bound
def heavy_ball(k: ArrayLike, *, L: float, mu: float) -> Array:
    r"""Bound :math:`\|w_k - w^\star\| / R` by :math:`(1 + k(1 + \rho)) \rho^k`: quadratics, tuned momentum.

    Learning rate :math:`4/(\sqrt L + \sqrt\mu)^2`, momentum :math:`\rho^2`, no velocity at the start, and
    :math:`\rho = (\sqrt\kappa - 1)/(\sqrt\kappa + 1)`. Attained at every ``k`` along a direction of curvature
    :math:`L`. Not a bound for other functions. The rate :math:`\rho`: Polyak (1964).
    """
    L, mu = constants(L, mu)
    rho = (np.sqrt(L) - np.sqrt(mu)) / (np.sqrt(L) + np.sqrt(mu))
    steps = count_steps(k)
    return np.asarray((1 + steps * (1 + rho)) * rho**steps)


@bound
def heavy_ball_decay(step_curvature: ArrayLike, *, momentum: float) -> Array:
    r"""Decay per step on a direction of curvature :math:`\lambda`: the larger root, in size, of the recurrence.

    .. math:: z^2 - (1 + \beta - \alpha\lambda) z + \beta = 0

    A function of ``step_curvature``, :math:`\alpha\lambda \ge 0`. It is :math:`\sqrt\beta` where the roots are complex,
    and at least 1 outside :math:`0 < \alpha\lambda < 2(1 + \beta)`. Polyak (1964).
    """
    beta = checks.number("momentum", momentum, at_least=0.0, below=1.0)
    h = checks.array("step_curvature", step_curvature)
    if (h < 0).any():
        raise ValueError(f"step_curvature must be >= 0, got {h.min():g}")
    half = np.abs(1 + beta - h) / 2
    return np.asarray(np.maximum(half + np.sqrt(np.maximum(half**2 - beta, 0)), np.sqrt(beta)))


@bound
def heavy_ball_variance(curvature: float, *, learning_rate: ArrayLike, momentum: ArrayLike, variance: float) -> Array:
    r"""Stationary variance of the weight, on a quadratic of one weight and curvature :math:`h`, under gradient noise.

    .. math:: \frac{\alpha \sigma^2 (1 + \beta)}{h (1 - \beta) (2 (1 + \beta) - \alpha h)}

    The noise is independent from step to step, with mean 0 and the given ``variance`` :math:`\sigma^2`;
    :math:`0 \le \beta < 1` and :math:`0 < \alpha h < 2 (1 + \beta)`.
    """
    h = checks.number("curvature", curvature, above=0.0)
    variance = checks.number("variance", variance, at_least=0.0)
    alpha, beta = checks.array("learning_rate", learning_rate), checks.array("momentum", momentum)
    of_one_shape(learning_rate=alpha, momentum=beta)
    if (beta < 0).any() or (beta >= 1).any():
        raise ValueError(f"momentum must be >= 0 and < 1, got {momentum!r}")
    if (alpha <= 0).any() or (alpha * h >= 2 * (1 + beta)).any():
        raise ValueError(f"learning_rate must be > 0 and < 2 (1 + momentum) / curvature, got {learning_rate!r}")
    return np.asarray(alpha * variance * (1 + beta) / (h * (1 - beta) * (2 * (1 + beta) - alpha * h)))


@bound
def nesterov_convex(k: ArrayLike, *, L: float, R: float) -> Array:
    r"""Bound :math:`f(x_k) - f^\star` by :math:`2 L R^2 / (k + 1)^2`: convex, step :math:`1/L`, growing momentum.

    The momentum is :math:`(t - 1)/(t + 2)`. Huber's function attains the share :math:`(k + 1)^2 / ((k + 2)(k + 3))`.
    Nesterov (1983); with this constant Beck & Teboulle (2009), Theorem 4.4.
    """
    L = checks.number("L", L, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return 2 * L * R**2 / (count_steps(k) + 1) ** 2


@bound
def nesterov_strongly_convex(k: ArrayLike, *, L: float, mu: float, gap: float, R: float) -> Array:
    r"""Bound :math:`f(x_k) - f^\star` by :math:`(1 - 1/\sqrt\kappa)^k (f(x_0) - f^\star + \tfrac\mu2 R^2)`.

    Step :math:`1/L`, constant momentum :math:`(\sqrt\kappa - 1)/(\sqrt\kappa + 1)`. Nesterov (2018), section 2.2.
    """
    L, mu = constants(L, mu)
    gap = checks.number("gap", gap, at_least=0.0)
    R = checks.number("R", R, at_least=0.0)
    return np.asarray((1 - np.sqrt(mu / L)) ** count_steps(k) * (gap + mu / 2 * R**2))


@bound
def nesterov_quadratic(k: ArrayLike, *, L: float, mu: float) -> Array:
    r"""Bound :math:`\|x_k - w^\star\| / R` by :math:`(1 + k/\sqrt\kappa)(1 - 1/\sqrt\kappa)^k`: quadratics only.

    Step :math:`1/L`, momentum :math:`(\sqrt\kappa - 1)/(\sqrt\kappa + 1)`. Attained at every ``k`` along a direction
    of curvature :math:`\mu`.
    """
    L, mu = constants(L, mu)
    s, steps = np.sqrt(mu / L), count_steps(k)
    return np.asarray((1 + steps * s) * (1 - s) ** steps)


@bound
def nesterov_decay(step_curvature: ArrayLike, *, momentum: float) -> Array:
    r"""Decay per step on a direction of curvature :math:`\lambda`: the larger root, in size, of the recurrence.

    .. math:: z^2 - (1 - \alpha\lambda)(1 + \beta) z + (1 - \alpha\lambda) \beta = 0

    A function of ``step_curvature``, :math:`\alpha\lambda \ge 0`. At least 1 outside
    :math:`0 < \alpha\lambda < (2 + 2\beta)/(1 + 2\beta)`.
    """
    beta = checks.number("momentum", momentum, at_least=0.0, below=1.0)
    h = checks.array("step_curvature", step_curvature)
    if (h < 0).any():
        raise ValueError(f"step_curvature must be >= 0, got {h.min():g}")
    half, product = (1 - h) * (1 + beta) / 2, (1 - h) * beta
    real = np.abs(half) + np.sqrt(np.maximum(half**2 - product, 0))
    return np.asarray(np.where(half**2 < product, np.sqrt(np.maximum(product, 0)), real))


@bound
def nesterov_variance(curvature: float, *, learning_rate: ArrayLike, momentum: ArrayLike, variance: float) -> Array:
    r"""Stationary variance of :math:`x_k`, on a quadratic of one weight and curvature :math:`h`, under gradient noise.

    .. math:: \frac{\alpha \sigma^2 (1 + c\beta)}{h (1 - c\beta) (1 + c + 2c\beta)}, \qquad c = 1 - \alpha h

    The noise is independent from step to step, with mean 0 and the given ``variance`` :math:`\sigma^2`;
    :math:`0 \le \beta < 1` and :math:`0 < \alpha h < (2 + 2\beta)/(1 + 2\beta)`.
    """
    h = checks.number("curvature", curvature, above=0.0)
    variance = checks.number("variance", variance, at_least=0.0)
    alpha, beta = checks.array("learning_rate", learning_rate), checks.array("momentum", momentum)
    of_one_shape(learning_rate=alpha, momentum=beta)
    if (beta < 0).any() or (beta >= 1).any():
        raise ValueError(f"momentum must be >= 0 and < 1, got {momentum!r}")
    if (alpha <= 0).any() or (alpha * h * (1 + 2 * beta) >= 2 + 2 * beta).any():
        raise ValueError(
            f"learning_rate must be > 0 and < (2 + 2 momentum) / (1 + 2 momentum) / curvature, got {learning_rate!r}"
        )
    c = 1 - alpha * h
    return np.asarray(alpha * variance * (1 + c * beta) / (h * (1 - c * beta) * (1 + c + 2 * c * beta)))


@bound
def first_order_lower(k: ArrayLike, *, L: float, R: float) -> Array:
    r"""Lower bound :math:`3 L R^2 / (32 (k + 1)^2)` of the gap after ``k`` steps, on the worst function for that ``k``.

    For every method whose steps stay in the span of the gradients seen. Nesterov (2018), Theorem 2.1.7.
    """
    L = checks.number("L", L, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return 3 * L * R**2 / (32 * (count_steps(k, first=1) + 1) ** 2)
