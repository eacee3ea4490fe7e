"""The proximal gradient method. With acceleration (FISTA) the bounds are those of Nesterov's method."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps

__all__ = ["proximal_gradient", "proximal_gradient_slope", "proximal_gradient_strongly_convex"]


@bound
def proximal_gradient(k: ArrayLike, *, L: float, R: float) -> Array:
    r"""Bound :math:`F(w_k) - F^\star` by :math:`L R^2 / (4k)`: :math:`F = f + h` convex, step :math:`1/L`.

    For ``k`` from 1 on, :math:`f` being :math:`L`-smooth. Attained by :math:`f = 0` and :math:`h = c|w|` with
    :math:`c = LR/(2k)`. The textbook has twice as much. Teboulle & Vaisbourd (2023).
    """
    L = checks.number("L", L, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return L * R**2 / (4 * count_steps(k, first=1))


@bound
def proximal_gradient_slope(k: ArrayLike, *, L: float, R: float) -> Array:
    r"""Bound the shortest subgradient of :math:`F` at :math:`w_k`, and the gradient mapping there, by :math:`L R / k`.

    Under the assumptions of :func:`proximal_gradient`. The bound of the subgradient is attained by :math:`f = 0` and
    :math:`h = c|w|` with :math:`c = LR/k`, for the subgradient that the step makes.
    """
    L = checks.number("L", L, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return L * R / count_steps(k, first=1)


@bound
def proximal_gradient_strongly_convex(
    k: ArrayLike, *, L: float, mu: float, learning_rate: float, nu: float = 0.0
) -> Array:
    r"""Bound :math:`\|w_k - w^\star\| / R` by the ``k``-th power of a factor: :math:`f` or :math:`h` strongly convex.

    .. math:: \frac{\max(|1 - \alpha\mu|, |1 - \alpha L|)}{1 + \alpha\nu}

    For :math:`\mu`-strongly convex, :math:`L`-smooth :math:`f`, :math:`\nu`-strongly convex :math:`h` and
    :math:`0 < \alpha \le 2/L`, if :math:`f + h` has a minimizer. Either constant may be 0, as :math:`\mu` is with more
    weights than samples; if both are, the bound is 1. Attained by quadratics.
    """
    L = checks.number("L", L, above=0.0)
    mu = checks.number("mu", mu, at_least=0.0, at_most=L)
    nu = checks.number("nu", nu, at_least=0.0)
    learning_rate = checks.number("learning_rate", learning_rate, above=0.0, at_most=2 / L)
    step = max(abs(1 - learning_rate * mu), abs(1 - learning_rate * L))
    return (step / (1 + learning_rate * nu)) ** count_steps(k)
