"""A Keras callback that records what :func:`~fo_lib.diagnosis.diagnose` needs: :class:`Watch`. Needs Keras 3."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from .snapshot import Snapshot, take

__all__ = ["Watch"]


class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Look at the model on a few samples before and after every epoch, and at the loss of every batch.

    Parameters
    ----------
    x, y : array
        Samples of the training data, with their labels, as ``fit`` gets them: a batch or two.

    Raises
    ------
    TypeError, ValueError
        At the start of ``fit``, if ``x`` and ``y`` are not arrays of numbers of one length, or the model has no loss or
        several outputs; and after a batch, if its training step reports no ``loss``.

    Examples
    --------
    ::

        watch = Watch(x_train[:256], y_train[:256])
        model.fit(x_train, y_train, epochs=5, callbacks=[watch])
        print(diagnose(watch))
    """

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.x, self.y = x, y
        self.snapshots: list[Snapshot] = []
        self.epochs: list[list[float]] = []
        self.history = keras.callbacks.History()

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002 (Keras passes it)
        """Take the first snapshot."""
        self.snapshots, self.epochs = [take(self.model, self.x, self.y)], []
        self.history = keras.callbacks.History()
        self.history.set_model(self.model)
        self.history.on_train_begin()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002 (Keras passes it)
        """Begin a row of batch losses."""
        self.epochs.append([])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002 (Keras passes it)
        """Note the loss of a batch: Keras gives the mean of the epoch so far."""
        if "loss" not in (logs or {}):
            raise ValueError(f"the training step must report a 'loss' to a Watch, got {sorted(logs or {})}")
        mean, before = float((logs or {})["loss"]), sum(self.epochs[-1])
        self.epochs[-1].append(mean * (len(self.epochs[-1]) + 1) - before)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Take a snapshot, and note the epoch."""
        rate = float(np.asarray(getattr(self.model.optimizer, "learning_rate", np.nan)))
        self.history.on_epoch_end(epoch, {**(logs or {}), "learning_rate": rate})
        self.snapshots.append(take(self.model, self.x, self.y, epoch + 1))

    @property
    def batch_loss(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The losses of whole batches, one row an epoch."""
        width = min(map(len, self.epochs), default=1) - 1  # the last batch may be smaller
        return np.array([row[:width] for row in self.epochs])
