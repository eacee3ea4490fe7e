r"""What an all-reduce costs in the model of latency and bandwidth: the first part of :mod:`fo_lib.planning`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks

__all__ = ["ALGORITHMS", "all_reduce_time", "crossover_bytes", "way"]

Array = NDArray[np.floating[Any]]


def _levels(p: Array) -> Array:
    return np.ceil(np.log2(p) - 1e-12)


# Messages one after the other, and bytes one after the other as a multiple of the vector, by the number of workers.
ALGORITHMS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "ring": (lambda p: 2 * (p - 1), lambda p: 2 * (p - 1) / p),
    "tree": (lambda p: 2 * _levels(p), lambda p: 2 * _levels(p)),
    "halving": (lambda p: 2 * _levels(p), lambda p: 2 * (p - 1) / p),
    "central": (lambda p: 2 * (p - 1), lambda p: 2 * (p - 1)),
}


def way(method: object) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """The two functions of a method; refuses an unknown one."""
    if not isinstance(method, str) or method not in ALGORITHMS:
        raise ValueError(f"method must be one of {list(ALGORITHMS)}, got {method!r}")
    return ALGORITHMS[method]


@np.errstate(over="ignore")
def all_reduce_time(
    workers: ArrayLike, nbytes: float, *, latency: float, bandwidth: float, method: str = "ring"
) -> Array:
    r"""Seconds to sum a vector over workers, so that all have the sum.

    .. math::
        \begin{aligned}
        \text{ring} &: 2(p-1)\,\alpha + 2\,\tfrac{p-1}{p}\,\tfrac V\beta \\
        \text{tree} &: 2 \lceil \log_2 p \rceil \bigl(\alpha + \tfrac V\beta\bigr) \\
        \text{halving} &: 2 \lceil \log_2 p \rceil\,\alpha + 2\,\tfrac{p-1}{p}\,\tfrac V\beta \\
        \text{central} &: 2 (p-1) \bigl(\alpha + \tfrac V\beta\bigr)
        \end{aligned}

    Parameters
    ----------
    workers : int or array of them
        :math:`p \ge 1`.
    nbytes : float
        :math:`V`, the bytes of the vector.
    latency, bandwidth : float
        :math:`\alpha` in seconds and :math:`\beta` in bytes a second, of one link.
    method : str
        ``"ring"``, ``"tree"``, ``"halving"`` (exact for powers of two) or ``"central"``.

    Returns
    -------
    array
        Of the shape of ``workers``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number within its range, or the method is unknown.

    Notes
    -----
    The model is that of Thakur, Rabenseifner & Gropp (2005), without the time for additions.
    """
    p = checks.array("workers", workers).astype(float)
    if p.min() < 1:
        raise ValueError(f"workers must be >= 1, got {p.min():g}")
    nbytes = checks.number("nbytes", nbytes, at_least=0.0)
    alpha, beta = checks.number("latency", latency, at_least=0.0), checks.number("bandwidth", bandwidth, above=0.0)
    messages, share = way(method)
    return np.asarray(messages(p) * alpha + share(p) * nbytes / beta)


def crossover_bytes(workers: int, *, latency: float, bandwidth: float) -> float:
    r"""Size of a vector beyond which a ring is faster than a tree that sends it in one piece.

    .. math:: V^\star = \alpha\beta\, \frac{p - 1 - \lceil \log_2 p \rceil}{\lceil \log_2 p \rceil - (p - 1)/p}

    Parameters
    ----------
    workers : int
        :math:`p \ge 2`.
    latency, bandwidth : float
        As in :func:`all_reduce_time`.

    Returns
    -------
    float
        Bytes; zero for two workers and for three, where the ring is never slower.
    """
    p = checks.count("workers", workers, at_least=2)
    alpha, beta = checks.number("latency", latency, at_least=0.0), checks.number("bandwidth", bandwidth, above=0.0)
    levels = float(_levels(np.array(float(p))))
    return alpha * beta * (p - 1 - levels) / (levels - (p - 1) / p)
