"""The slot ``transform`` of :func:`~fo_lib.loop.minimize`: what is done to a gradient before the rule sees it.

A transform is any function ``transform(g)`` of the flat gradient of all weights that returns another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks

__all__ = ["clip_norm", "clip_value"]

Array = NDArray[np.floating[Any]]
Transform = Callable[[Array], Array]


def clip_norm(limit: float) -> Transform:
    r"""Shorten a gradient that is longer than a limit; keep its direction.

    .. math:: g \gets g \min\left(1, \frac{c}{\|g\|_2}\right)

    Parameters
    ----------
    limit : float
        :math:`c > 0`, in the units of the gradient.

    Returns
    -------
    function
        A transform. The norm is taken over all weights together (the "global norm").

    Raises
    ------
    TypeError, ValueError
        If ``limit`` is not a positive number.

    Notes
    -----
    Pascanu, Mikolov & Bengio (2013), Algorithm 1.
    """
    limit = checks.number("limit", limit, above=0.0)

    def transform(g: Array) -> Array:
        largest = np.abs(g).max()
        if largest == 0:
            return g
        direction = g / largest  # first, so that no square overflows
        norm = float(np.linalg.norm(direction))
        return direction * (limit / norm) if largest > limit / norm else g

    return transform


def clip_value(limit: float) -> Transform:
    r"""Clip each entry of a gradient to :math:`[-c, c]`, which may turn its direction.

    Parameters
    ----------
    limit : float
        :math:`c > 0`, in the units of the gradient.

    Returns
    -------
    function
        A transform.

    Raises
    ------
    TypeError, ValueError
        If ``limit`` is not a positive number.
    """
    limit = checks.number("limit", limit, above=0.0)
    return lambda g: np.clip(g, -limit, limit)
