"""Tuning: what a batch, a schedule, a search and a number of seeds buy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps, not_negative, of_one_shape

__all__ = [
    "batch_efficiency",
    "expected_best",
    "grid_hit",
    "noisy_quadratic",
    "random_hit",
    "two_batch_estimates",
    "wrong_winner",
]


@bound
def batch_efficiency(b: ArrayLike, *, noise_scale: float) -> Array:
    r"""Best learning rate, and best decrease per step, of a batch of ``b``, as shares of those of the full gradient.

    .. math:: \frac{1}{1 + b_{\mathrm{noise}} / b}

    Exact for a step on a quadratic. McCandlish et al. (2018), eq. 2.6 and 2.7.
    """
    size = count_steps(b, first=1, name="b")
    noise_scale = checks.number("noise_scale", noise_scale, at_least=0.0)
    return np.asarray(1 / (1 + noise_scale / size))


@bound
def two_batch_estimates(small: ArrayLike, big: ArrayLike, *, sizes: tuple[int, int]) -> tuple[Array, Array]:
    r"""Unbiased estimates of :math:`\|g\|^2` and :math:`\mathrm{tr}\, \Sigma` from squared norms of batch gradients.

    .. math::
        \frac{b' \|g_{B'}\|^2 - b \|g_B\|^2}{b' - b}, \qquad \frac{\|g_B\|^2 - \|g_{B'}\|^2}{1/b - 1/b'}

    ``small`` and ``big`` are the squared norms, of batches of ``sizes`` :math:`b < b'` drawn independently of samples.
    McCandlish et al. (2018), appendix A.1.
    """
    if not isinstance(sizes, (tuple, list)) or len(sizes) != 2:
        raise TypeError(f"sizes must be two numbers, of the small batch and the big one, got {sizes!r}")
    B = checks.count("sizes[1]", sizes[1])
    b = checks.count("sizes[0]", sizes[0], at_most=B - 1, why="sizes[1] - 1")
    of_small, of_big = not_negative("small", small), not_negative("big", big)
    of_one_shape(small=of_small, big=of_big)
    return np.asarray((B * of_big - b * of_small) / (B - b)), np.asarray((of_small - of_big) / (1 / b - 1 / B))


@bound
def noisy_quadratic(learning_rates: ArrayLike, *, curvature: float, variance: float, start: float) -> Array:
    r"""Expected squared error of SGD on :math:`\frac h2 w^2` with gradient noise of variance :math:`\sigma^2`.

    .. math:: v_t = (1 - \alpha_t h)^2 v_{t-1} + \alpha_t^2 \sigma^2

    ``start`` is :math:`v_0 = w_0^2`. Returns :math:`v_0, v_1, \dots`. Exact.
    """
    h = checks.number("curvature", curvature, at_least=0.0)
    noise = checks.number("variance", variance, at_least=0.0)
    errors = [checks.number("start", start, at_least=0.0)]
    for rate in map(float, checks.array("learning_rates", learning_rates, ndim=1)):
        errors.append((1 - rate * h) ** 2 * errors[-1] + rate**2 * noise)  # floats: infinity without a word
    return np.array(errors)


@bound
def random_hit(n: ArrayLike, *, share: float) -> Array:
    r"""Probability that ``n`` random trials hit a set of the given share: :math:`1 - (1 - q)^n`.

    Exact. Bergstra & Bengio (2012).
    """
    trials = count_steps(n, name="n")
    q = checks.number("share", share, at_least=0.0, at_most=1.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # q = 1
        return np.where(trials == 0, 0.0, -np.expm1(trials * np.log1p(-q)))


@bound
def grid_hit(n: ArrayLike, *, share: float, dimensions: int) -> Array:
    r"""Probability that a grid of ``n`` trials hits a slab of the given width at an unknown place of one axis.

    .. math:: \min(1,\; q \, \lfloor n^{1/d} \rfloor)

    Exact for a place uniform on the axis, closed to a circle.
    """
    d = checks.count("dimensions", dimensions)
    q = checks.number("share", share, at_least=0.0, at_most=1.0)
    values = np.floor(count_steps(n, name="n") ** (1 / d) + 1e-9)  # 27 ** (1 / 3) is less than 3 in floating point
    return np.asarray(np.minimum(1.0, q * values))


@bound
def expected_best(scores: Sequence[float] | Array, n: int) -> float:
    r"""Unbiased estimate of the expected least score of ``n`` trials, from the scores of N >= n trials.

    .. math:: \sum_{i=1}^{N-n+1} s_{(i)} \binom{N-i}{n-1} \Big/ \binom Nn

    with :math:`s_{(1)} \le s_{(2)} \le \dots`: the mean over all subsets of n. Dodge et al. (2019) draw subsets with
    replacement, which is biased.
    """
    ordered = np.sort(checks.array("scores", scores, ndim=1))
    N = len(ordered)
    n = checks.count("n", n, at_most=N, why="the number of scores")
    weights = [math.comb(N - i, n - 1) / math.comb(N, n) for i in range(1, N + 1)]
    return float(np.dot(ordered, weights))


@bound
def wrong_winner(n: ArrayLike, *, difference: float, deviation: float, correlation: float = 0.0) -> Array:
    r"""Probability that the worse of two methods has the better mean over ``n`` seeds.

    .. math:: \Phi\left(-\frac{\delta \sqrt n}{s \sqrt{2 (1 - \varrho)}}\right)

    for normal scores of standard deviation s whose means differ by :math:`\delta`; :math:`\varrho` is the correlation
    of the two scores of one seed. Exact.
    """
    seeds = count_steps(n, first=1, name="n")
    difference = checks.number("difference", difference, at_least=0.0)
    deviation = checks.number("deviation", deviation, above=0.0)
    correlation = checks.number("correlation", correlation, at_least=-1.0, below=1.0)
    z = difference * np.sqrt(seeds) / (deviation * math.sqrt(2 * (1 - correlation)))
    return np.asarray(np.vectorize(lambda x: 0.5 * math.erfc(x / math.sqrt(2)), otypes=[float])(z))
