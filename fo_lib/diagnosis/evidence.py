"""The records of a run in one form, whatever made them: :class:`Evidence`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..trace import Trace
from .snapshot import Snapshot

__all__ = ["SERIES", "Evidence", "from_history", "from_series", "from_trace"]

Array = NDArray[np.float64]

SERIES = ("loss", "validation_loss", "grad_norm", "learning_rate", "step_length", "batch_loss")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a run. Whatever was not recorded, or is not finite while the loss is, is None.

    Series end before the first loss that is not finite.

    Parameters
    ----------
    loss, validation_loss, grad_norm, learning_rate : array of shape (n,), optional
        One entry for each recorded step or epoch.
    step_length : array of shape (n,), optional
        How far the weights moved since the entry before (0 in the first).
    batch_loss : array of shape (epochs, batches), optional
        The loss of each batch.
    broke_at : int, optional
        The first entry with a loss that is not finite.
    every : int
        Steps between two entries.
    settings : mapping
        As in :class:`~fo_lib.Trace`.
    snapshots : sequence of Snapshot, optional
        A network with data, from time to time.
    """

    loss: Array | None = None
    validation_loss: Array | None = None
    grad_norm: Array | None = None
    learning_rate: Array | None = None
    step_length: Array | None = None
    batch_loss: Array | None = None
    broke_at: int | None = None
    every: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    snapshots: Sequence[Snapshot] | None = None


def from_trace(trace: Trace) -> Evidence:
    """Read what :func:`~fo_lib.loop.minimize` returned."""
    steps = None
    if trace.iterates is not None:
        lengths = np.linalg.norm(np.diff(trace.iterates, axis=0), axis=1)
        steps = np.concatenate([[0.0], lengths])
    return Evidence(
        loss=trace.value,
        grad_norm=trace.grad_norm,
        learning_rate=trace.learning_rate,
        step_length=steps,
        broke_at=len(trace.step) if trace.diverged else None,
        every=int(trace.step[1] - trace.step[0]) if len(trace.step) > 1 else 1,
        settings={"size": np.size(np.concatenate([np.ravel(w) for w in _arrays(trace.w)])), **trace.settings},
    )


def _arrays(weights: Any) -> Sequence[Any]:
    return weights if isinstance(weights, list) else [weights]


def from_series(series: Mapping[str, ArrayLike]) -> Evidence:
    """Read the records of a loop of one's own, by name.

    Raises
    ------
    TypeError, ValueError
        If a name is not known, or a series is not one of numbers or of another length than the first.
    """
    if unknown := [name for name in series if name not in SERIES]:
        raise ValueError(f"run must hold series named {', '.join(SERIES)}, got {', '.join(map(repr, unknown))}")
    arrays = {name: _numbers(name, values) for name, values in series.items()}
    rows = {name: values for name, values in arrays.items() if name != "batch_loss"}
    lengths = {name: len(values) for name, values in rows.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"run must hold series of one length, got {lengths}")
    losses = [rows[name] for name in ("loss", "validation_loss") if name in rows] or list(rows.values())
    broken = [int(np.argmin(np.isfinite(values))) for values in losses if not np.isfinite(values).all()]
    broke_at = min(broken, default=None)
    whole = {name: values[:broke_at] for name, values in rows.items() if np.isfinite(values[:broke_at]).all()}
    cut: dict[str, Any] = {} if broke_at == 0 else whole
    if "batch_loss" in arrays:
        finite = np.isfinite(arrays["batch_loss"]).all(axis=1)
        cut["batch_loss"] = arrays["batch_loss"][: None if finite.all() else int(np.argmin(finite))]
    return Evidence(broke_at=broke_at, **cut)


def _numbers(name: str, values: ArrayLike) -> Array:
    wanted = 2 if name == "batch_loss" else 1
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array of numbers, got {values!r}") from None
    if array.ndim != wanted or array.size == 0:
        raise ValueError(f"{name} must be a non-empty array of {wanted} dimension(s), got shape {array.shape}")
    return array


def from_history(history: Any, snapshots: Sequence[Snapshot] = (), batch_loss: ArrayLike | None = None) -> Evidence:
    """Read a Keras ``History``, with what a :class:`~fo_lib.diagnosis.Watch` saw besides."""
    logs = history.history
    if "loss" not in logs:
        raise ValueError("run is a History without any loss: was fit called, for one epoch at least?")
    series: dict[str, Any] = {"loss": logs["loss"]}
    for name, key in (("validation_loss", "val_loss"), ("learning_rate", "learning_rate")):
        if len(logs.get(key, ())) == len(logs["loss"]):  # not with validation_freq=2
            series[name] = logs[key]
    if batch_loss is not None and np.size(batch_loss):
        series["batch_loss"] = batch_loss
    norms = [shot.gradient_norm for shot in snapshots[1:]]
    if len(norms) == len(logs["loss"]) and np.isfinite(norms).all():
        series["grad_norm"] = norms
    read = from_series(series)
    return Evidence(**{**read.__dict__, "snapshots": tuple(snapshots) or None})
