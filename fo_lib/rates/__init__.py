r"""Bounds of the theorems, one function each, as functions of the number of steps.

``k`` is a number of steps or an array of them; :math:`R = \|w_0 - w^\star\|` is the distance at the start and ``gap``
is :math:`f(w_0) - f^\star`. Arguments outside a theorem's assumptions raise an error.
"""

from .descent import (
    armijo,
    exact_line_search,
    gradient_descent_convex,
    gradient_descent_convex_textbook,
    gradient_descent_nonconvex,
    gradient_descent_pl,
    gradient_descent_strongly_convex,
    polyak_step,
)
from .stochastic import mini_batch_variance

__all__ = [
    "armijo",
    "exact_line_search",
    "gradient_descent_convex",
    "gradient_descent_convex_textbook",
    "gradient_descent_nonconvex",
    "gradient_descent_pl",
    "gradient_descent_strongly_convex",
    "mini_batch_variance",
    "polyak_step",
]
