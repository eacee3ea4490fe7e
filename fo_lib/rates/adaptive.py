"""Adaptive methods: regret of Adagrad and of online gradient descent."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

__all__ = ["adagrad_regret", "online_gradient_descent_regret"]


def _gradients(gradients: ArrayLike) -> np.ndarray:
    return checks.array("gradients", gradients, ndim=2)


def adagrad_regret(gradients: ArrayLike, *, width: float, learning_rate: float | None = None) -> float:
    r"""Bound of Adagrad's regret on a box: :math:`(\frac{D^2}{2\alpha} + \alpha) \sum_i \|g_{1:T,i}\|`.

    For convex losses on a box of side ``width`` :math:`D`, with projection and ``epsilon=0``. ``gradients`` is the
    array of shape (T, d) of those used. By default :math:`\alpha = D / \sqrt 2`, which gives
    :math:`\sqrt 2 D \sum_i \|g_{1:T,i}\|`. Duchi, Hazan & Singer (2011), Theorem 5, diagonal case.
    """
    norms = np.linalg.norm(_gradients(gradients), axis=0)
    D = checks.number("width", width, above=0.0)
    rate = D / np.sqrt(2) if learning_rate is None else checks.number("learning_rate", learning_rate, above=0.0)
    return float((D**2 / (2 * rate) + rate) * norms.sum())


def online_gradient_descent_regret(gradients: ArrayLike, *, diameter: float) -> float:
    r"""Bound :math:`D_2 \sqrt{\sum_t \|g_t\|^2}` of online gradient descent's regret at the best constant rate.

    For convex losses on a convex set of ``diameter`` :math:`D_2`; the best rate,
    :math:`D_2 / \sqrt{\sum_t \|g_t\|^2}`, is known in hindsight only. Zinkevich (2003), Theorem 1, with a constant
    rate.
    """
    D = checks.number("diameter", diameter, above=0.0)
    return float(D * np.linalg.norm(_gradients(gradients)))
