"""Which rows a step uses, and which of them a worker: functions of seed and step, whatever happened before."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import checks
from ..training import batch_order

__all__ = ["feed", "rows", "shard"]

Rows = NDArray[np.int64]


def rows(n: int, batch_size: int, *, seed: int, step: int) -> Rows:
    r"""The rows of the batch of one step, those of all workers together.

    .. math:: B_t = \text{row } (t - 1) \bmod k \text{ of the batches of epoch } \lfloor (t - 1) / k \rfloor,
        \qquad k = \lfloor n / b \rfloor

    An epoch is :func:`fo_lib.training.batch_order`: a new permutation for each. The number of workers plays no part.

    Parameters
    ----------
    n, batch_size : int
        Samples, and how many of them make a batch, at most n. What is left over at the end of an epoch is dropped.
    seed : int
        From 0.
    step : int
        From 1.

    Returns
    -------
    array
        (batch_size,) int64, read-only.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a whole number, or out of its range.

    Examples
    --------
    >>> rows(6, 3, seed=0, step=1).tolist()
    [3, 2, 5]
    """
    n = checks.count("n", n)
    batch_size = checks.count("batch_size", batch_size, at_most=n, why="the number of samples")
    epoch, k = divmod(checks.count("step", step) - 1, n // batch_size)
    batch: Rows = _epoch(n, batch_size, checks.count("seed", seed, at_least=0), epoch)[k]
    return batch


@functools.lru_cache(maxsize=2)
def _epoch(n: int, batch_size: int, seed: int, epoch: int) -> Rows:
    """One epoch, kept because its steps ask for it one after the other."""
    made = batch_order(n, batch_size, seed=seed, epoch=epoch)
    made.flags.writeable = False
    return made


def shard(batch: Rows, worker: int, workers: int) -> Rows:
    """A worker's share of a batch: neighbours in it, and as many as the others have, or one more.

    Parameters
    ----------
    batch : array
        What :func:`rows` returned.
    worker, workers : int
        Which one, from 0, of how many; at most as many as the batch has rows.

    Returns
    -------
    array
        (b,) int64. The shares of all workers, one after the other, are the batch.

    Raises
    ------
    TypeError, ValueError
        If ``worker`` or ``workers`` is not a whole number, or out of its range.
    """
    checks.instance("batch", batch, np.ndarray)
    if batch.ndim == 0:
        raise ValueError("batch must have rows, got a single number")
    workers = checks.count("workers", workers, at_most=len(batch), why="the rows of a batch")
    worker = checks.count("worker", worker, at_least=0, at_most=workers - 1, why="they count from 0")
    return batch[worker * len(batch) // workers : (worker + 1) * len(batch) // workers]


def feed(
    arrays: Sequence[Any],
    batch_size: int,
    *,
    seed: int,
    first: int = 1,
    last: int,
    worker: int = 0,
    workers: int = 1,
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Go through the steps from ``first`` to ``last``, with a worker's share of each batch.

    Parameters
    ----------
    arrays : sequence of arrays
        Inputs, labels, ...: with a length and rows that a list of indices selects, such as NumPy's, or a
        ``numpy.memmap`` of a file, of which only the rows that are used are read.
    batch_size, seed
        See :func:`rows`.
    first, last : int
        Steps, from 1; a resumed run begins where it was.
    worker, workers : int
        See :func:`shard`.

    Yields
    ------
    step : int
    batch : tuple of arrays
        The same rows of each of ``arrays``.

    Raises
    ------
    TypeError, ValueError
        At once if ``arrays`` are none, or have different lengths, or another argument is out of its range.
    """
    lengths = [len(a) if hasattr(a, "__len__") else 0 for a in checks.several("arrays", arrays)]
    if 0 in lengths:
        raise ValueError("arrays must have rows, got one without")
    if len(set(lengths)) != 1:
        raise ValueError(f"arrays must be one or more, all of one length, got lengths {lengths}")
    first, last = checks.count("first", first), checks.count("last", last, at_least=0)
    shard(rows(lengths[0], batch_size, seed=seed, step=first), worker, workers)  # refuse now, not in the first step

    def steps() -> Iterator[tuple[int, tuple[Any, ...]]]:
        for step in range(first, last + 1):
            mine = shard(rows(lengths[0], batch_size, seed=seed, step=step), worker, workers)
            yield step, tuple(a[mine] for a in arrays)

    return steps()
