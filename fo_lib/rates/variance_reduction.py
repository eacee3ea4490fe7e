"""Averages of iterates, SVRG and SAGA."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, constants, count_steps

__all__ = ["polyak_ruppert", "saga", "svrg_stage"]


@bound
def polyak_ruppert(k: ArrayLike, *, curvature: float, learning_rate: float, R: float, variance: float) -> Array:
    r"""Mean square :math:`E \bar w_k^2` of the mean of k iterates on a quadratic of one variable, at a constant rate.

    With :math:`q = 1 - \alpha h`, :math:`0 < \alpha < 2/h`, additive noise of variance :math:`\sigma^2` and k from 1
    on, exactly

    .. math::
        \left( \frac{R\, q (1 - q^k)}{\alpha h k} \right)^2 + \frac{\sigma^2}{h^2 k} \cdot \frac1k \sum_{i=1}^k (1 -
        q^i)^2 .

    The first term forgets the start like :math:`1/k^2` only; the second tends to :math:`\sigma^2 / (h^2 k)`, whatever
    the learning rate. Polyak & Juditsky (1992) for the limit.
    """
    h = checks.number("curvature", curvature, above=0.0)
    rate = checks.number("learning_rate", learning_rate, above=0.0, below=2 / h)
    R = checks.number("R", R, at_least=0.0)
    variance = checks.number("variance", variance, at_least=0.0)
    steps, q = count_steps(k, first=1), 1 - rate * h
    bias = R * q * (1 - q**steps) / (rate * h * steps)
    # the sum of (1 - q^i)^2 = 1 - 2 q^i + q^(2i), in closed form
    total = steps - 2 * q * (1 - q**steps) / (1 - q) + q**2 * (1 - q ** (2 * steps)) / (1 - q**2)
    square: Array = bias**2 + variance * total / (h * steps) ** 2
    return square


@bound
def svrg_stage(*, L_max: float, mu: float, learning_rate: float, inner: int) -> float:
    r"""Factor by which a stage of SVRG shrinks the expected gap, as a bound.

    .. math:: \frac{1}{\mu \alpha (1 - 2 L_{\max} \alpha) m} + \frac{2 L_{\max} \alpha}{1 - 2 L_{\max} \alpha}

    For convex, :math:`L_{\max}`-smooth samples, a :math:`\mu`-strongly convex mean, :math:`\alpha < 1/(2 L_{\max})`,
    ``inner`` steps m, and the new anchor drawn from the iterates of the stage. Johnson & Zhang (2013), Theorem 1.
    """
    L_max, mu = constants(L_max, mu, "L_max")
    rate = checks.number("learning_rate", learning_rate, above=0.0, below=1 / (2 * L_max))
    m = checks.count("inner", inner)
    return (1 / (mu * rate * m) + 2 * L_max * rate) / (1 - 2 * L_max * rate)


@bound
def saga(k: ArrayLike, *, n: int, L_max: float, mu: float, learning_rate: float) -> Array:
    r"""Bound :math:`E V_k / V_0` by :math:`\max(1 - \alpha\mu, 1 - \frac{1}{2n})^k`: SAGA.

    :math:`V = \|w - w^\star\|^2 + 4 \alpha^2 \sum_i \|G_i - \nabla \ell_i(w^\star)\|^2`, for convex,
    :math:`L_{\max}`-smooth samples, a :math:`\mu`-strongly convex mean and :math:`\alpha \le 1/(6 L_{\max})`. After
    Defazio, Bach & Lacoste-Julien (2014), with a simpler Lyapunov function.
    """
    L_max, mu = constants(L_max, mu, "L_max")
    rate = checks.number("learning_rate", learning_rate, above=0.0, at_most=1 / (6 * L_max))
    return max(1 - rate * mu, 1 - 1 / (2 * checks.count("n", n))) ** count_steps(k)
