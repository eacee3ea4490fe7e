"""What the losses of single batches show of the order of the data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .check import check
from .evidence import Evidence

__all__ = ["CHECKS"]

Array = NDArray[np.float64]

BATCHES = 8  # with fewer in an epoch, nothing is said
ALIKE = 0.5  # correlation
SIGNIFICANT = 6.0  # standard errors
SORTED = 4.0  # standard errors


def repetition(losses: Array) -> tuple[float, float]:
    """How much one epoch resembles the next, batch by batch: the mean correlation, and in standard errors.

    Compared are the changes from batch to batch, because any two epochs share their trend.
    """
    changes = np.diff(losses, axis=1)
    pairs = [np.corrcoef(a, b)[0, 1] for a, b in pairwise(changes) if a.std() and b.std()]
    if not pairs:
        return 0.0, 0.0
    mean = float(np.mean(pairs))
    return mean, mean * float(np.sqrt(len(pairs) * changes.shape[1] / 1.5))  # 1.5: changes of white noise


def neighbours(losses: Array) -> float:
    """How much a batch's loss resembles that of the batch before, once each epoch's linear trend is taken off."""
    t = np.arange(losses.shape[1])
    rest = np.array([row - np.polyval(np.polyfit(t, row, 1), t) for row in losses])
    norm = float(np.sum(rest**2))
    rounding = 1e-20 * float(np.sum(losses**2))
    return float(np.sum(rest[:, 1:] * rest[:, :-1]) / norm) if norm > rounding else 0.0


def _epochs(e: Evidence) -> Array | None:
    """The epochs after the first, in which the loss falls too fast to compare batches."""
    assert e.batch_loss is not None
    later = e.batch_loss[1:]
    return later if later.shape[0] >= 2 and later.shape[1] >= BATCHES else None


@check(
    "data not shuffled", "batch_loss",
    remedy="shuffle once before training, and draw a new order in each epoch",
)  # fmt: skip
def sorted_data(e: Evidence) -> str | None:
    losses = _epochs(e)
    if losses is None or repetition(losses)[1] < SIGNIFICANT:
        return None
    if neighbours(losses) < SORTED / np.sqrt(losses.shape[1]):  # a repeated order has one epoch's worth of evidence
        return None
    return (
        f"the loss of a batch resembles that of the batch before (correlation {neighbours(losses):.2f}), and its"
        f" changes come back in the next epoch (correlation {repetition(losses)[0]:.2f}): like stands by like"
    )


@check(
    "one permutation repeated", "batch_loss",
    remedy="draw the order yourself, anew in each epoch, or use tf.data's shuffle(reshuffle_each_iteration=True)",
)  # fmt: skip
def repeated(e: Evidence) -> str | None:
    losses = _epochs(e)
    if losses is None or sorted_data.look(e):
        return None
    mean, errors = repetition(losses)
    if mean < ALIKE or errors < SIGNIFICANT:
        return None
    return (
        f"the losses of the {losses.shape[1]} batches repeat from epoch to epoch (correlation of their changes"
        f" {mean:.2f}, {errors:.0f} standard errors from 0): every epoch has the same batches in the same order"
    )


CHECKS = (sorted_data, repeated)
