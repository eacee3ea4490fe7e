"""Workers who share a problem: which samples are whose, and what each of them computes.

All of them live in this process, one after the other. What they draw is a function of the seed, the worker and the
step, so that a run repeats bit for bit. (Workers that are processes of their own: :mod:`fo_lib.workers`.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from .layout import Layout
from .problem import FiniteSum, Problem
from .sampling import batches, require_samples, reshuffled

__all__ = ["Team", "mean_of", "shuffled_split", "sorted_split"]

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]
Weights = Any


def shuffled_split(n: int, workers: int, seed: int = 0) -> list[Rows]:
    """Deal ``n`` samples out at random: all workers see alike data.

    Parameters
    ----------
    n, workers : int
        Samples and workers; the parts differ by one sample at most.
    seed : int
        Of the deal.

    Returns
    -------
    list of arrays of int
        The rows of each worker.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or there are more workers than samples.
    """
    workers = checks.count("workers", workers, at_most=checks.count("n", n), why="the number of samples")
    order = np.random.default_rng(checks.count("seed", seed, at_least=0)).permutation(n)
    return np.array_split(order, workers)


def sorted_split(labels: ArrayLike, workers: int) -> list[Rows]:
    """Sort by label, then cut: every worker sees a class or two. The hardest split that there is in daily use.

    Parameters
    ----------
    labels : array of shape (n,)
        What to sort by.
    workers : int
        How many parts; they differ by one sample at most.

    Returns
    -------
    list of arrays of int
        The rows of each worker.

    Raises
    ------
    TypeError, ValueError
        If the labels are not one vector of numbers, or there are more workers than samples.
    """
    order = np.argsort(checks.array("labels", labels, ndim=1), kind="stable")
    workers = checks.count("workers", workers, at_most=len(order), why="the number of samples")
    return np.array_split(order, workers)


def mean_of(parts: Sequence[Problem]) -> FiniteSum:
    r"""The mean of problems, each of which can be given to a worker as if it were a sample.

    .. math:: f(w) = \frac1m \sum_{i=1}^m f_i(w)

    Parameters
    ----------
    parts : sequence of Problem
        All of weights of the same shape and dtype. The start is that of the first.

    Returns
    -------
    FiniteSum
        ``L`` and ``mu`` are the means of those of the parts (bounds: the mean may be flatter), ``L_max`` the largest.

    Raises
    ------
    TypeError, ValueError
        If there is none, one is no problem, or the shapes differ.
    """
    parts = checks.several("parts", parts)
    if not parts or not all(isinstance(part, Problem) for part in parts):
        raise TypeError(f"parts must be a sequence of at least one Problem, got {parts!r}")
    layout = Layout(parts[0].start)
    if any(Layout(part.start).shapes != layout.shapes for part in parts):
        raise ValueError(f"parts must have weights of one shape, {layout.say()}")
    smooth = [part.L for part in parts if part.L is not None]
    known = len(smooth) == len(parts)

    def sample_grad(w: Weights, rows: Rows) -> Weights:
        chosen = [layout.flatten(parts[i].grad(w)) for i in rows]
        return layout.unflatten(np.mean(chosen, axis=0, dtype=layout.dtype))

    return FiniteSum(
        value=lambda w: float(np.mean([part.value(w) for part in parts])),
        grad=lambda w: sample_grad(w, np.arange(len(parts))),
        start=parts[0].start,
        name=f"mean of {len(parts)}",
        L=float(np.mean(smooth)) if known else None,
        mu=float(np.mean([part.mu for part in parts])),
        n_samples=len(parts),
        sample_grad=sample_grad,
        L_max=max(smooth) if known else None,
    )


class Team:
    """Workers with samples of their own, each with a stream of batches. Weights and gradients are flat vectors here.

    Parameters
    ----------
    name : str
        Who asks, for messages.
    problem : FiniteSum
        What they share.
    workers : sequence of arrays of int
        The rows of each worker: together every sample, once.
    size : int or None
        Samples a batch; None for all that a worker has.
    seed : int
        Of the batches.

    Raises
    ------
    TypeError, ValueError
        If the problem has no samples, the rows are not a partition of them, or a worker has fewer than ``size``.
    """

    def __init__(self, name: str, problem: Problem, workers: Sequence[ArrayLike], size: int | None, seed: int) -> None:
        self.samples, self.layout = require_samples(name, problem), Layout(problem.start)
        self.rows = _partition(workers, self.samples.n_samples)
        self.share = np.array([len(rows) for rows in self.rows]) / self.samples.n_samples
        self.batch = None
        if size is not None:
            seeds = np.random.SeedSequence(seed).generate_state(len(self.rows))
            self.batch = [
                batches(len(rows), size, reshuffled, int(s)) for rows, s in zip(self.rows, seeds, strict=True)
            ]

    def __len__(self) -> int:
        return len(self.rows)

    def gradient(self, worker: int, w: Array, t: int) -> Array:
        """The gradient of one worker at ``w``, over its batch of step ``t = 1, 2, ...``."""
        rows = self.rows[worker] if self.batch is None else self.rows[worker][self.batch[worker](t)]
        return self.layout.flatten(self.samples.sample_grad(self.layout.unflatten(w), rows))


def _partition(workers: Sequence[ArrayLike], n: int) -> list[Rows]:
    if not isinstance(workers, (list, tuple)) or not workers:
        raise TypeError(f"workers must be a list of rows, one array for each worker, got {workers!r}")
    rows = [np.asarray(part) for part in workers]
    for i, part in enumerate(rows):
        if part.ndim != 1 or part.size == 0 or part.dtype.kind not in "iu":
            raise ValueError(f"workers[{i}] must be a non-empty vector of integers, got {part!r}")
    found = np.sort(np.concatenate(rows))
    if not np.array_equal(found, np.arange(n)):
        raise ValueError(f"workers must share the {n} samples, each exactly once; got {found.size} rows")
    return rows
