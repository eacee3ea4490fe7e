"""Gradient descent with constant steps and with line searches."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, constants, count_steps

__all__ = [
    "armijo",
    "exact_line_search",
    "gradient_descent_convex",
    "gradient_descent_convex_textbook",
    "gradient_descent_nonconvex",
    "gradient_descent_pl",
    "gradient_descent_strongly_convex",
    "polyak_step",
]


@bound
def gradient_descent_convex(k: ArrayLike, *, L: float, R: float) -> Array:
    r"""Bound :math:`f(w_k) - f^\star` by :math:`L R^2 / (4k + 2)`: convex, :math:`L`-smooth, step :math:`1/L`.

    Attained by Huber's function with its kink at :math:`R / (2k + 1)`. Drori & Teboulle (2014), Theorem 3.1.
    """
    L = checks.number("L", L, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return L * R**2 / (4 * count_steps(k) + 2)


@bound
def gradient_descent_convex_textbook(k: ArrayLike, *, L: float, R: float) -> Array:
    r"""Bound :math:`f(w_k) - f^\star` by :math:`2 L R^2 / (k + 4)`, as the textbook has it: step :math:`1/L`.

    Nesterov (2018), Corollary 2.1.2.
    """
    L = checks.number("L", L, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return 2 * L * R**2 / (count_steps(k) + 4)


@bound
def gradient_descent_strongly_convex(k: ArrayLike, *, L: float, mu: float, learning_rate: float) -> Array:
    r"""Bound :math:`\|w_k - w^\star\| / R` by :math:`\rho^k`, :math:`\rho = \max(|1 - \alpha\mu|, |1 - \alpha L|)`.

    For :math:`\mu`-strongly convex, :math:`L`-smooth functions and any :math:`0 < \alpha \le 2/L`; attained on a
    quadratic. Best at :math:`\alpha = 2/(L + \mu)`, where :math:`\rho = (\kappa - 1)/(\kappa + 1)`. Polyak (1987),
    section 1.4.
    """
    L, mu = constants(L, mu)
    learning_rate = checks.number("learning_rate", learning_rate, above=0.0, at_most=2 / L)
    return max(abs(1 - learning_rate * mu), abs(1 - learning_rate * L)) ** count_steps(k)


@bound
def gradient_descent_pl(k: ArrayLike, *, L: float, mu: float, gap: float) -> Array:
    r"""Bound :math:`f(w_k) - f^\star` by :math:`(1 - \mu/L)^k (f(w_0) - f^\star)`: no convexity, step :math:`1/L`.

    Under the Polyak-Lojasiewicz inequality :math:`\tfrac12 \|\nabla f(w)\|^2 \ge \mu (f(w) - f^\star)`. Polyak
    (1963); Karimi, Nutini & Schmidt (2016), Theorem 1.
    """
    L, mu = constants(L, mu)
    gap = checks.number("gap", gap, at_least=0.0)
    return gap * (1 - mu / L) ** count_steps(k)


@bound
def gradient_descent_nonconvex(k: ArrayLike, *, L: float, gap: float) -> Array:
    r"""Bound :math:`\min_{i < k} \|\nabla f(w_i)\|^2` by :math:`2 L (f(w_0) - f^\star) / k`: :math:`L`-smooth only.

    Step :math:`1/L`, for ``k`` from 1 on. Nesterov (2018), section 1.2.3.
    """
    L = checks.number("L", L, above=0.0)
    gap = checks.number("gap", gap, at_least=0.0)
    return 2 * L * gap / count_steps(k, first=1)


@bound
def exact_line_search(k: ArrayLike, *, L: float, mu: float, gap: float) -> Array:
    r"""Bound :math:`f(w_k) - f^\star` by :math:`((L - \mu)/(L + \mu))^{2k} (f(w_0) - f^\star)`.

    For steepest descent with exact line search on a quadratic; attained from :math:`w_0 - w^\star = (1/\mu, 1/L)`.
    Kantorovich (1948); Luenberger & Ye (2008), section 8.2.
    """
    L, mu = constants(L, mu)
    gap = checks.number("gap", gap, at_least=0.0)
    return gap * ((L - mu) / (L + mu)) ** (2 * count_steps(k))


@bound
def armijo(k: ArrayLike, *, L: float, gap: float, first: float, shrink: float = 0.5, decrease: float = 1e-4) -> Array:
    r"""Bound :math:`\min_{i < k} \|\nabla f(w_i)\|^2` by :math:`(f(w_0) - f^\star) / (c \, \underline{\alpha} k)`.

    For backtracking on an :math:`L`-smooth function, with every accepted step at least
    :math:`\underline{\alpha} = \min(a_0, 2q(1 - c)/L)`, for ``k`` from 1 on. Armijo (1966); Nocedal & Wright (2006),
    section 3.1.
    """
    L = checks.number("L", L, above=0.0)
    gap = checks.number("gap", gap, at_least=0.0)
    first = checks.number("first", first, above=0.0)
    shrink = checks.number("shrink", shrink, above=0.0, below=1.0)
    decrease = checks.number("decrease", decrease, above=0.0, below=1.0)
    return gap / (decrease * min(first, 2 * shrink * (1 - decrease) / L) * count_steps(k, first=1))


@bound
def polyak_step(k: ArrayLike, *, L: float, R: float) -> Array:
    r"""Bound :math:`\min_{i < k} f(w_i) - f^\star` by :math:`2 L R^2 / (3k)`: convex, :math:`L`-smooth, Polyak's step.

    For ``k`` from 1 on. A third of the usual :math:`2 L R^2 / k` of Hazan & Kakade (2019), since both the gap and the
    gradient shorten the distance. Polyak (1969).
    """
    L = checks.number("L", L, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return 2 * L * R**2 / (3 * count_steps(k, first=1))
