"""Leaving saddles, plateaus and wells: how fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, not_negative

__all__ = ["langevin_escape_rate", "plateau_steps", "saddle_growth"]


@bound
def saddle_growth(curvature: float, *, learning_rate: float, momentum: float = 0.0) -> float:
    r"""Factor by which heavy ball leaves a saddle along a direction of curvature :math:`-\gamma < 0`, step by step.

    The larger root of :math:`z^2 - (1 + \beta + \alpha\gamma) z + \beta`; without momentum :math:`1 + \alpha\gamma`.
    ``curvature`` is :math:`\gamma > 0`. Attained by the quadratic. O'Neill & Wright (2019).
    """
    gain = checks.number("learning_rate", learning_rate, above=0.0) * checks.number("curvature", curvature, above=0.0)
    beta = checks.number("momentum", momentum, at_least=0.0, below=1.0)
    half = (1 + beta + gain) / 2
    return float(half + np.sqrt(half**2 - beta))


@bound
def plateau_steps(start: ArrayLike, end: float, *, power: float, learning_rate: float) -> Array:
    r"""Least number of steps of gradient descent on :math:`-u^p/p` from ``start`` to ``end``.

    .. math:: \frac{r^{2-p} - R^{2-p}}{(p - 2)\,\alpha}, \qquad p = 2: \frac{\log(R/r)}{\log(1 + \alpha)}

    For p > 2 it is the time of the gradient flow, which gradient descent attains as r or the learning rate falls.
    """
    r = checks.array("start", start)
    R = checks.number("end", end, above=0.0)
    if (r <= 0).any() or (r > R).any():
        raise ValueError(f"start must be > 0 and <= end, got {start!r}")
    p = checks.number("power", power, at_least=2.0)
    alpha = checks.number("learning_rate", learning_rate, above=0.0)
    if p == 2:
        return np.asarray(np.log(R / r) / np.log1p(alpha))
    return np.asarray((r ** (2 - p) - R ** (2 - p)) / ((p - 2) * alpha))


@bound
def langevin_escape_rate(barrier: ArrayLike, *, bottom: float, top: float, temperature: float) -> Array:
    r"""Rate per unit of time (steps times learning rate) of leaving a well of one variable over a barrier.

    .. math:: \frac{\sqrt{f''(a)\, |f''(b)|}}{2\pi}\, e^{-\Delta f / T}

    ``bottom`` and ``top`` are the absolute curvatures at the bottom a and the top b, ``temperature`` is T, half the
    learning rate times the variance of the gradient. Asymptotic for small T. Kramers (1940).
    """
    height = not_negative("barrier", barrier)
    bottom = checks.number("bottom", bottom, above=0.0)
    top = checks.number("top", top, above=0.0)
    T = checks.number("temperature", temperature, above=0.0)
    return np.asarray(np.sqrt(bottom * top) / (2 * np.pi) * np.exp(-height / T))
