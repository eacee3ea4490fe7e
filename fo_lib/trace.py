"""What a run did: :class:`Trace`, and the lists from which it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "Records", "Trace"]

COLUMNS = ("step", "value", "grad_norm", "learning_rate", "iterates")  # of what is recorded

Array = NDArray[np.floating[Any]]
Weights = Any


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a run did, in arrays with one entry for each recorded step; every number in them is finite.

    Parameters
    ----------
    step : array of int
        The recorded steps: 0 is the start.
    value : array of float
        The objective there.
    grad_norm : array of float
        The norm of its full gradient there, whichever gradient the steps used. Where the objective has a part that is
        known by its prox: of the gradient mapping (see :func:`~fo_lib.loop.minimize`), but for
        :func:`~fo_lib.projection_free.frank_wolfe`, which records that of the gradient.
    learning_rate : array of float
        The learning rate of the step that led there (0 at step 0, where none did).
    w : array or list of arrays
        The last weights, of the structure of the start. After a divergence: the last with a finite gradient.
    iterates : array of shape (len(step), number of weights), optional
        The weights at the recorded steps, flat, where asked for.
    gap : array of float, optional
        A certificate, of methods that have one: the objective is at most this far above its minimum.
    reason : str
        ``"steps"`` (all were made), ``"tolerance"`` (the gradient norm, or the gap, reached it) or ``"diverged"``.
    message : str
        The reason in words: at which step, and what limit was broken where one is known.
    settings : mapping
        What was run: ``rule`` (its name), its hyperparameters other than the learning rate (the default where one
        followed a schedule), ``stochastic`` (whether steps used another gradient than the full one) and ``L`` (the
        problem's, where known).
    """

    step: NDArray[np.int64]
    value: NDArray[np.float64]
    grad_norm: NDArray[np.float64]
    learning_rate: NDArray[np.float64]
    w: Weights
    iterates: Array | None
    reason: str
    message: str
    gap: NDArray[np.float64] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def diverged(self) -> bool:
        """Whether the run was stopped because a value or a gradient was no longer finite."""
        return self.reason == "diverged"

    def __repr__(self) -> str:
        return f"Trace(value={self.value[-1]:.6g}, grad_norm={self.grad_norm[-1]:.2g}: {self.message})"


class Records:
    """What a run records while it goes on: row by row, or as columns of a compiled run."""

    def __init__(self, iterates: bool) -> None:
        self.rows: list[tuple[int, float, float, float]] = []
        self.iterates: list[Array] | None = [] if iterates else None
        self.gaps: list[float] = []
        self.table: list[NDArray[Any]] | None = None

    def add(self, step: int, value: float, grad_norm: float, rate: float, w: Array, gap: float | None = None) -> None:
        """Record a step."""
        self.rows.append((step, value, grad_norm, rate))
        if gap is not None:
            self.gaps.append(gap)
        if self.iterates is not None:
            self.iterates.append(w.copy())

    def columns(self) -> list[NDArray[Any]]:
        """What was recorded so far, as arrays: steps, values, gradient norms, rates, iterates."""
        if self.table is not None:
            return self.table
        return [*(np.array([row[i] for row in self.rows]) for i in range(4)), np.array(self.iterates or [])]

    def take(self, columns: list[NDArray[Any]]) -> None:
        """Go on from what was recorded before."""
        self.rows = list(zip(*(column.tolist() for column in columns[:4]), strict=True))
        self.iterates = None if self.iterates is None else list(columns[4])

    def trace(self, w: Weights, reason: str, message: str, **settings: Any) -> Trace:
        """Return what was recorded, as arrays, with what was run."""
        step, value, grad_norm, rate, iterates = self.columns()
        return Trace(
            step=step, value=value, grad_norm=grad_norm, learning_rate=rate, w=w,
            iterates=None if self.iterates is None else iterates, reason=reason, message=message,
            gap=np.array(self.gaps) if self.gaps else None, settings=settings,
        )  # fmt: skip
