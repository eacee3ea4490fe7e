"""Newton's method: how fast near a minimizer, from where, and how sure with damping."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound

__all__ = ["newton_basin", "newton_error", "self_concordant_decrease"]


@bound
def newton_error(error: ArrayLike, *, mu: float, M: float) -> Array:
    r"""Bound the error after a Newton step by :math:`\frac{M e^2}{2 (\mu - M e)}`, for the error e before it.

    The Hessian is Lipschitz with constant :math:`M` and its least eigenvalue at the minimizer is :math:`\mu`; e must be
    below :math:`\mu / M`. Attained by :math:`\frac\mu2 w^2 - \frac M6 |w|^3`. Nesterov (2018), Theorem 1.2.5.
    """
    mu = checks.number("mu", mu, above=0.0)
    M = checks.number("M", M, at_least=0.0)
    e = checks.array("error", error)
    if (e < 0).any() or (M * e >= mu).any():
        raise ValueError(f"error must be >= 0 and < mu / M, got {error!r}")
    return np.asarray(M * e**2 / (2 * (mu - M * e)))


@bound
def newton_basin(*, mu: float, M: float) -> float:
    r"""Radius :math:`\frac{2\mu}{3M}` within which Newton's method converges; constants as in :func:`newton_error`.

    Attained by the same function: from that distance it jumps to and fro for ever. Nesterov (2018), Theorem 1.2.5.
    """
    mu = checks.number("mu", mu, above=0.0)
    return 2 * mu / (3 * checks.number("M", M, above=0.0))


@bound
def self_concordant_decrease(decrement: ArrayLike) -> Array:
    r"""Decrease :math:`\delta - \log(1 + \delta)` of the value, at least, by a damped Newton step.

    For self-concordant functions, the Newton decrement :math:`\delta` and the length :math:`1/(1 + \delta)`. Attained
    by :math:`w - \log w` for :math:`w > 1`. Nesterov & Nemirovskii (1994).
    """
    delta = checks.array("decrement", decrement)
    if (delta < 0).any():
        raise ValueError(f"decrement must be >= 0, got {delta.min():g}")
    return np.asarray(delta - np.log1p(delta))
