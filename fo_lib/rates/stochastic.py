"""Gradients from samples."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array

__all__ = [
    "mini_batch_variance",
]


def mini_batch_variance(b: ArrayLike, *, n: int, variance: float) -> Array:
    r"""Variance of a mean over ``b`` of ``n`` samples, no sample twice: :math:`\frac{\sigma^2}{b}\frac{n-b}{n-1}`.

    :math:`\sigma^2` is the mean squared deviation over the ``n`` samples (divided by ``n``). Cochran (1977),
    Theorem 2.2.
    """
    n = checks.count("n", n, at_least=2)
    checks.number("variance", variance, at_least=0.0)
    size = checks.array("b", b)
    if (size < 1).any() or (size > n).any():
        raise ValueError(f"b must be from 1 to n = {n}, got {b!r}")
    return variance / size * (n - size) / (n - 1)
