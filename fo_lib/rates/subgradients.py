"""Subgradient methods: bounds for functions that need not have a gradient everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps

__all__ = [
    "polyak_sharp",
    "subgradient_best",
    "subgradient_steps",
    "subgradient_strongly_convex",
    "subgradient_strongly_convex_uniform",
]


@bound
def subgradient_steps(learning_rates: ArrayLike, *, G: float, R: float) -> Array:
    r"""Bound :math:`\min_{i < k} f(w_i) - f^\star` for any ``learning_rates``: an array, for k = 1, 2, ...

    .. math:: \frac{R^2 + G^2 \sum_{i < k} \alpha_i^2}{2 \sum_{i < k} \alpha_i}

    For convex functions whose subgradients have norm at most ``G``; the mean of the iterates with the learning rates
    as weights has the same bound. Shor (1985), Nesterov (2018), section 3.2.3.
    """
    G = checks.number("G", G, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    rates = checks.array("learning_rates", learning_rates, ndim=1).astype(float)
    if (rates <= 0).any():
        raise ValueError(f"learning_rates must be > 0 in every entry, got {rates.min():g}")
    return np.asarray((R**2 + G**2 * np.cumsum(rates**2)) / (2 * np.cumsum(rates)))


@bound
def subgradient_best(k: ArrayLike, *, G: float, R: float) -> Array:
    r"""Bound :math:`\min_{i < k} f(w_i) - f^\star` by :math:`GR / \sqrt k`, for ``k`` subgradients of norm at most G.

    Constant learning rate :math:`R / (G \sqrt k)`, or Polyak's step, which knows neither G nor R. In k dimensions or
    more no method whose points lie in the span of the subgradients seen has a smaller bound. Drori & Teboulle (2016).
    """
    G = checks.number("G", G, above=0.0)
    R = checks.number("R", R, at_least=0.0)
    return np.asarray(G * R / np.sqrt(count_steps(k, first=1)))


@bound
def subgradient_strongly_convex(k: ArrayLike, *, G: float, mu: float) -> Array:
    r"""Bound :math:`f(\bar w) - f^\star` by :math:`2 G^2 / (\mu (k + 1))`: mean with weights 1, 2, ..., k.

    :math:`\mu`-strongly convex, the learning rate of step t is :math:`2 / (\mu (t + 1))`. Lacoste-Julien, Schmidt &
    Bach (2012).
    """
    G = checks.number("G", G, above=0.0)
    mu = checks.number("mu", mu, above=0.0)
    return np.asarray(2 * G**2 / (mu * (count_steps(k, first=1) + 1)))


@bound
def subgradient_strongly_convex_uniform(k: ArrayLike, *, G: float, mu: float) -> Array:
    r"""Bound :math:`f(\bar w) - f^\star` by :math:`G^2 (1 + \ln k) / (2 \mu k)`: mean with equal weights.

    :math:`\mu`-strongly convex, the learning rate of step t is :math:`1 / (\mu t)`. Shalev-Shwartz, Singer, Srebro &
    Cotter (2011).
    """
    G = checks.number("G", G, above=0.0)
    mu = checks.number("mu", mu, above=0.0)
    steps = count_steps(k, first=1)
    return np.asarray(G**2 * (1 + np.log(steps)) / (2 * mu * steps))


@bound
def polyak_sharp(k: ArrayLike, *, G: float, sharpness: float) -> Array:
    r"""Bound :math:`\|w_k - w^\star\| / R` by :math:`(1 - s^2 / G^2)^{k/2}`: Polyak's step on a sharp function.

    Sharp: :math:`f(w) - f^\star \ge s \|w - w^\star\|` for all w, with ``sharpness`` :math:`0 < s \le G`. Attained by
    :math:`\max_j v_j^\top w`, with the corners :math:`v_j` of a regular hexagon. Polyak (1969).
    """
    G = checks.number("G", G, above=0.0)
    s = checks.number("sharpness", sharpness, above=0.0, at_most=G)
    return np.asarray((1 - (s / G) ** 2) ** (count_steps(k) / 2))
