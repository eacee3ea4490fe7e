"""Shorter messages: what a worker sends in the place of its gradient, in how many bits, and with which error.

A compressor is either *unbiased*, :math:`E\\,C(v) = v` with :math:`E\\|C(v) - v\\|^2 \\le \\omega \\|v\\|^2`, or a
*contraction*, :math:`E\\|C(v) - v\\|^2 \\le (1 - \\delta) \\|v\\|^2` with :math:`0 < \\delta \\le 1`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from .memory import Memory, Remembering
from .problem import Problem
from .sampling import Estimate, Oracle, Weights
from .team import Array, Team

__all__ = ["Compressor", "compressed", "dense", "plain_sign", "quantize", "random_k", "scaled_sign", "top_k"]

NUMBER = 32  # bits of a float32, which is what is sent


@dataclass(frozen=True)
class Compressor:
    r"""What is sent instead of a vector.

    Parameters
    ----------
    name : str
        For tables and figures.
    apply : function
        ``apply(v, rng)``: the vector that the receiver reads, of the shape and dtype of ``v``.
    bits : function
        ``bits(d)``: the length of the message for ``d`` numbers, indices and scales included.
    contraction : function, optional
        ``contraction(d)``: :math:`\delta`, if it is one.
    variance : function, optional
        ``variance(d)``: :math:`\omega`, if it is unbiased.
    """

    name: str
    apply: Callable[[Array, np.random.Generator], Array]
    bits: Callable[[int], int]
    contraction: Callable[[int], float] | None = None
    variance: Callable[[int], float] | None = None


def dense() -> Compressor:
    """Send everything: ``32 d`` bits, no error."""
    return Compressor("dense", lambda v, rng: v, lambda d: NUMBER * d, lambda d: 1.0, lambda d: 0.0)


def top_k(k: int) -> Compressor:
    r"""Send the ``k`` entries that are largest in absolute value, with their indices.

    Parameters
    ----------
    k : int
        How many; of equal ones the first.

    Returns
    -------
    Compressor
        :math:`k (32 + \lceil \log_2 d \rceil)` bits. A contraction with :math:`\delta = k/d`, attained where all
        entries are equal.

    Raises
    ------
    TypeError, ValueError
        If ``k`` is not a whole number from 1 on; in use, if there are fewer entries.
    """
    k = checks.count("k", k)

    def apply(v: Array, rng: np.random.Generator) -> Array:
        _fits(k, v.size)
        size = np.where(np.isnan(v), np.inf, np.abs(v))  # what is not a number is sent: divergence stays visible
        return _keep(v, np.argsort(-size, kind="stable")[:k])

    return Compressor(f"top-{k}", apply, lambda d: _fits(k, d) * (NUMBER + _index(d)), lambda d: _fits(k, d) / d)


def random_k(k: int, *, rescale: bool = False) -> Compressor:
    r"""Send ``k`` random entries; sender and receiver share the seed, so that no index need be sent.

    Parameters
    ----------
    k : int
        How many.
    rescale : bool
        Multiply them by :math:`d/k`.

    Returns
    -------
    Compressor
        ``32 k`` bits. As it is a contraction with :math:`\delta = k/d`; rescaled it is unbiased with
        :math:`\omega = d/k - 1`. Both are equalities, for every vector.

    Raises
    ------
    TypeError, ValueError
        If ``k`` is not a whole number from 1 on; in use, if there are fewer entries.
    """
    k = checks.count("k", k)

    def apply(v: Array, rng: np.random.Generator) -> Array:
        kept = _keep(v, rng.choice(v.size, _fits(k, v.size), replace=False))
        return kept * v.dtype.type(v.size / k) if rescale else kept

    if rescale:
        return Compressor(f"random-{k}", apply, lambda d: NUMBER * _fits(k, d), variance=lambda d: d / _fits(k, d) - 1)
    return Compressor(f"random-{k}", apply, lambda d: NUMBER * _fits(k, d), lambda d: _fits(k, d) / d)


def plain_sign() -> Compressor:
    """Send the signs alone, ``d`` bits: neither unbiased nor a contraction. Zero counts as positive."""
    return Compressor("sign", lambda v, rng: _signs(v), lambda d: d)


def scaled_sign() -> Compressor:
    r"""Send the signs, and the mean absolute value as their scale.

    .. math:: C(v) = \frac{\|v\|_1}{d} \operatorname{sign}(v)

    Returns
    -------
    Compressor
        :math:`d + 32` bits. On the vector :math:`v` it is a contraction with exactly
        :math:`\delta = \|v\|_1^2 / (d \|v\|_2^2)`, which is at least :math:`1/d`. Zero counts as positive.

    Notes
    -----
    Karimireddy et al. (2019).
    """
    return Compressor("scaled sign", lambda v, rng: np.abs(v).mean() * _signs(v), lambda d: d + NUMBER, lambda d: 1 / d)


def quantize(levels: int) -> Compressor:
    r"""Round each entry, as a part of the norm, at random to one of the two levels next to it (QSGD).

    .. math::
        C(v)_j = \|v\|\, \operatorname{sign}(v_j)\, \frac{l_j + b_j}{s}, \qquad
        l_j = \Bigl\lfloor \frac{s |v_j|}{\|v\|} \Bigr\rfloor, \qquad
        P(b_j = 1) = \frac{s |v_j|}{\|v\|} - l_j

    Parameters
    ----------
    levels : int
        :math:`s \ge 1`, without zero and without the sign.

    Returns
    -------
    Compressor
        :math:`d \lceil \log_2 (2s + 1) \rceil + 32` bits (a code of fixed length). Unbiased, with
        :math:`\omega = \min\{ d / 4s^2, \sqrt d / s \}`.

    Raises
    ------
    TypeError, ValueError
        If ``levels`` is not a whole number from 1 on.

    Notes
    -----
    Alistarh et al. (2017), who have :math:`d/s^2` for the first of the two.
    """
    s = checks.count("levels", levels)

    def apply(v: Array, rng: np.random.Generator) -> Array:
        norm = float(np.linalg.norm(v))
        if norm == 0:
            return v
        place = np.minimum(np.abs(v) * (s / norm), s)  # rounding may put it above the last level
        low = np.floor(place)
        return np.copysign((low + (rng.random(v.size) < place - low)) * (norm / s), v).astype(v.dtype)

    bits = math.ceil(math.log2(2 * s + 1))
    return Compressor(
        f"{bits} bits", apply, lambda d: bits * d + NUMBER, variance=lambda d: min(d / (4 * s * s), math.sqrt(d) / s)
    )


def compressed(
    workers: Sequence[ArrayLike], compressor: Compressor, *, size: int | None = None, feedback: bool = True
) -> Oracle:
    r"""Average what each worker sends of its gradient; with feedback, what was not sent is added to the next one.

    .. math::
        p_i = g_i(w) + e_i, \qquad g_t = \sum_i \frac{n_i}{n} C(p_i), \qquad e_i \gets p_i - C(p_i)

    The memory :math:`e_i` is in units of the gradient. At a constant learning rate that is the method of Karimireddy
    et al., who keep it in units of the weights; under a schedule the two differ, and under other rules than gradient
    descent the theorems do not hold.

    Parameters
    ----------
    workers : sequence of arrays of int
        The rows of each worker, from :func:`~fo_lib.team.shuffled_split`, :func:`~fo_lib.team.sorted_split`, or
        your own: together every sample, once.
    compressor : Compressor
        From this module.
    size : int, optional
        Samples of a worker's batch; by default all that it has.
    feedback : bool
        Keep what was not sent. Without it :math:`e_i = 0`.

    Returns
    -------
    function
        A gradient oracle. A step sends ``compressor.bits(d)`` bits from each worker; with feedback each remembers a
        vector.

    Raises
    ------
    TypeError, ValueError
        At once if ``compressor`` is none; at the start of a run if the problem has no samples, the rows are not a
        partition of them, or a worker has fewer than ``size``.

    Notes
    -----
    Seide et al. (2014); Stich, Cordonnier & Jaggi (2018); Karimireddy et al. (2019).
    """
    if not isinstance(compressor, Compressor):
        raise TypeError(f"compressor must be a Compressor, such as top_k(10), got {compressor!r}")

    def oracle(problem: Problem, seed: int) -> Estimate:
        team = Team("compressed", problem, workers, size, seed)
        memory: Memory = {str(i): np.zeros(team.layout.size, team.layout.dtype) for i in range(len(team))}

        def estimate(w: Weights, t: int) -> Weights:
            at, total = team.layout.flatten(w, "w"), np.zeros(team.layout.size)
            for i, share in enumerate(team.share):
                wanted = team.gradient(i, at, t) + memory[str(i)]
                sent = compressor.apply(wanted, np.random.default_rng([seed, t, i]))
                if feedback:
                    memory[str(i)] = wanted - sent
                total += share * sent
            return team.layout.unflatten(total.astype(team.layout.dtype))

        return Remembering(estimate, memory)

    return oracle


def _keep(v: Array, chosen: NDArray[np.integer[Any]]) -> Array:
    kept = np.zeros_like(v)
    kept[chosen] = v[chosen]
    return kept


def _signs(v: Array) -> Array:
    return np.where(v == 0, v.dtype.type(1), np.sign(v))  # NaN stays NaN


def _fits(k: int, d: int) -> int:
    return checks.count("k", k, at_most=d, why="the number of entries")


def _index(d: int) -> int:
    return (d - 1).bit_length()
