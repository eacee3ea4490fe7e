"""Frank and Wolfe's method. The bounds of projected gradient descent are those of the proximal gradient method."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps

__all__ = ["frank_wolfe", "frank_wolfe_lower"]


@bound
def frank_wolfe(k: ArrayLike, *, L: float, D: float) -> Array:
    r"""Bound :math:`f(w_k) - f^\star` by :math:`2 L D^2 / (k + 2)`: convex, over a set of diameter :math:`D`.

    For ``k`` from 1 on, :math:`f` being :math:`L`-smooth on the set. For the steps :math:`2/(t + 1)`: Jaggi (2013),
    Theorem 1. For short steps: the chapter's proof.
    """
    L = checks.number("L", L, above=0.0)
    D = checks.number("D", D, above=0.0)
    return 2 * L * D**2 / (count_steps(k, first=1) + 2)


@bound
def frank_wolfe_lower(k: ArrayLike, *, d: int) -> Array:
    r"""Lower bound :math:`1/(k + 1) - 1/d` of the gap after ``k`` steps: :math:`\|w\|^2` on the simplex, from a corner.

    For ``k`` below ``d``, and every method that adds one corner a step to its mixture. Short steps attain it at every
    ``k``. Jaggi (2013), Lemma 3.
    """
    d = checks.count("d", d, at_least=2)
    steps = count_steps(k)
    if (steps >= d).any():
        raise ValueError(f"k must be < d = {d}, got {np.max(steps):g}")
    return 1 / (steps + 1) - 1 / d
