"""Samples for a step: in which order, how many, and the mean of their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks
from .problem import FiniteSum, Problem

__all__ = [
    "batches",
    "in_blocks",
    "in_order",
    "mini_batch",
    "require_samples",
    "reshuffled",
    "shuffled_once",
    "with_replacement",
]

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]
Weights = Any
Estimate = Callable[[Weights, int], Weights]
Oracle = Callable[[Problem, int], Estimate]
Order = Callable[[int, int, int], "Rows | _Blocks"]


def reshuffled(n: int, seed: int, epoch: int) -> Rows:
    """Order: every sample once an epoch, in a new random order each epoch."""
    return np.random.default_rng([seed, epoch]).permutation(n)


def shuffled_once(n: int, seed: int, epoch: int) -> Rows:
    """Order: every sample once an epoch, in one random order for all epochs."""
    return np.random.default_rng([seed, 0]).permutation(n)


def with_replacement(n: int, seed: int, epoch: int) -> Rows:
    """Order: independent uniform draws; an epoch is ``n`` of them."""
    return np.random.default_rng([seed, epoch]).integers(n, size=n)


def in_order(n: int, seed: int, epoch: int) -> Rows:
    """Order: as the data are stored, the same in every epoch. Biased wherever they are sorted."""
    return np.arange(n)


def in_blocks(size: int) -> Order:
    """Order: blocks of neighbouring rows in random order, and the rows of each in random order; another each epoch.

    For data that do not fit into memory: it reads a file a block at a time, and unlike the others it is made as it is
    used, so that it takes memory for one block and the order of the blocks (:mod:`fo_lib.linear_models` makes that of
    all rows nevertheless). It mixes less than a full shuffle: the rows of a batch are from one block, or from a few.

    Parameters
    ----------
    size : int
        Rows in a block; the last of the file may be shorter.

    Returns
    -------
    function
        An order.

    Raises
    ------
    TypeError, ValueError
        If ``size`` is not a whole number from 1 on.
    """
    size = checks.count("size", size)
    return lambda n, seed, epoch: _Blocks(n, size, [seed, epoch])


MAKERS: tuple[object, ...] = (in_blocks,)  # they make an order, and are none


class _Blocks:
    """The rows of an epoch, made a block at a time."""

    def __init__(self, n: int, size: int, seed: list[int]) -> None:
        self.n, self.size, self.seed = n, size, seed
        self.blocks = np.random.default_rng(seed).permutation(-(-n // size))
        lengths = np.minimum(size, n - self.blocks * size)
        self.ends = np.cumsum(lengths)
        self.made, self.rows = -1, np.empty(0, np.int64)

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, wanted: slice) -> Rows:
        start, stop, _ = wanted.indices(self.n)
        k, parts = int(np.searchsorted(self.ends, start, side="right")), []
        while start < stop:
            first = int(self.ends[k - 1]) if k else 0
            parts.append(self._block(k)[start - first : stop - first])
            start, k = int(self.ends[k]), k + 1
        return np.concatenate(parts)

    def _block(self, k: int) -> Rows:
        if k != self.made:
            block = int(self.blocks[k])
            rows = np.arange(block * self.size, min((block + 1) * self.size, self.n))
            # from 1 on: a 0 at the end of a seed does not count
            self.made, self.rows = k, np.random.default_rng([*self.seed, block + 1]).permutation(rows)
        return self.rows


def require_samples(name: str, problem: Problem) -> FiniteSum:
    """Return a problem that has samples, or refuse it (TypeError)."""
    if not isinstance(problem, FiniteSum):
        raise TypeError(f"{name} needs a problem with samples (a FiniteSum), got {problem!r}")
    return problem


def _check_order(order: object) -> None:
    checks.function("order", order)
    checks.made("order", order, MAKERS)


def batches(n: int, size: int, order: Order, seed: int) -> Callable[[int], Rows]:
    """Return the rows of step ``t = 1, 2, ...``: the order of each epoch, cut into batches."""
    n = checks.count("n", n)
    size = checks.count("size", size, at_most=n, why="the number of samples")
    _check_order(order)
    steps = -(-n // size)
    rows: Rows | _Blocks = np.empty(0, np.int64)
    current = -1

    def batch(t: int) -> Rows:
        nonlocal rows, current
        epoch, k = divmod(t - 1, steps)
        if epoch != current:
            rows, current = _checked(order(n, seed, epoch), n), epoch
        return rows[k * size : (k + 1) * size]

    return batch


def _checked(rows: Rows | _Blocks, n: int) -> Rows | _Blocks:
    if isinstance(rows, _Blocks):
        return rows
    rows = np.asarray(rows)
    if rows.shape != (n,) or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n:
        raise ValueError(f"order must return {n} integers from 0 to {n - 1}, got shape {rows.shape} of {rows.dtype}")
    return rows


def mini_batch(size: int = 1, order: Order = reshuffled) -> Oracle:
    r"""Use the mean gradient over a batch of samples.

    .. math:: g_t = \frac1{|B_t|} \sum_{i \in B_t} \nabla \ell_i(w) + \lambda w

    Parameters
    ----------
    size : int
        Samples a batch. The last batch of an epoch is smaller if ``size`` does not divide ``n``.
    order : function
        ``order(n, seed, epoch)`` returns the rows of one epoch in the order of use: :func:`reshuffled`,
        :func:`shuffled_once`, :func:`with_replacement`, :func:`in_order`, :func:`in_blocks`, or your own.

    Returns
    -------
    function
        A gradient oracle.

    Raises
    ------
    TypeError, ValueError
        At once if ``size`` is not a whole number from 1 on; at the start of a run if it exceeds the number of samples
        or the problem has none.
    """
    size = checks.count("size", size)
    _check_order(order)

    def oracle(problem: Problem, seed: int) -> Estimate:
        samples = require_samples("mini_batch", problem)
        batch = batches(samples.n_samples, size, order, seed)
        return lambda w, t: samples.sample_grad(w, batch(t))

    return oracle
