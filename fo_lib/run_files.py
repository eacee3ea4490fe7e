"""What :func:`~fo_lib.loop.minimize` saves in a folder while it runs, and how it goes on from there."""

from __future__ import annotations

import os
import time
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .checkpoints import Checkpoints
from .iteration import GOING_ON, Ending
from .memory import Memories, fingerprint

__all__ = ["RunFiles"]

Arrays = dict[str, NDArray[Any]]
SECONDS = 1.0  # between two checkpoints, at least


class Resumable(Protocol):
    """A run that can be saved between two steps."""

    def arrays(self) -> Arrays:
        """All that the next steps and the trace depend on, by name."""

    def take(self, t: int, arrays: Arrays) -> None:
        """Go back to what was saved after ``t`` steps."""

    def functions(self) -> dict[str, object]:
        """What it calls besides its arguments."""


class RunFiles:
    """The checkpoints of one run.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    run : Resumable
        What is saved.
    arguments : dict
        Of the run, to be compared as far as they can be named. What they remember is saved as well.
    """

    def __init__(self, folder: str | os.PathLike[str], run: Resumable, arguments: dict[str, Any]) -> None:
        self.checkpoints, self.run, self.due = Checkpoints(folder, keep=2), run, -np.inf
        self.settings = {name: fingerprint(value) for name, value in arguments.items()}
        self.memory = Memories({**arguments, **run.functions()})

    def begin(self) -> Ending:
        """Take what is in the folder; where there is nothing, write the start, to see at once that this is possible.

        Raises
        ------
        ValueError
            If the folder holds the run of other arguments, or nothing but damaged files.
        OSError
            If the folder cannot be written to.
        """
        saved = self.checkpoints.latest()
        if saved is None:
            self.save(GOING_ON, 0, 0.0)
            return GOING_ON, 0, 0.0
        theirs, forms = saved.settings.get("minimize"), saved.settings.get("forms")
        if not isinstance(theirs, dict) or not isinstance(forms, dict):
            raise ValueError(
                f"folder must hold a run of minimize, or none: {self.checkpoints.folder} holds another one's"
            )
        if theirs != self.settings:
            pairs = {k: (theirs.get(k), self.settings.get(k)) for k in sorted({*theirs, *self.settings})}
            differ = "; ".join(f"{k}={now!r} instead of {old!r}" for k, (old, now) in pairs.items() if old != now)
            raise ValueError(f"folder {str(self.checkpoints.folder)!r} must hold the same run, got another: {differ}")
        arrays = {name: _array(a, *form) for (name, form), a in zip(forms.items(), saved.arrays, strict=True)}
        self.memory.take(arrays)
        self.run.take(saved.step, arrays)
        return saved.settings["ending"], saved.step, saved.settings["rate"]

    def save(self, ending: int, t: int, rate: float, *, now: bool = False) -> None:
        """Write a checkpoint if it is time, or ``now``: at most once a second, and for a tenth of the time."""
        began = time.monotonic()
        if not now and began < self.due:
            return
        arrays = {**self.memory.arrays(), **self.run.arrays()}
        forms = {name: _form(a) for name, a in arrays.items()}
        settings = {"minimize": self.settings, "forms": forms, "ending": ending, "rate": float(rate)}
        self.checkpoints.save(t, [_bytes(a) for a in arrays.values()], settings)
        ended = time.monotonic()
        self.due = ended + max(SECONDS, 9 * (ended - began))


def _form(a: NDArray[Any]) -> tuple[str, tuple[int, ...], str]:
    """What is to be known of an array besides its bytes; sums depend on the order in memory."""
    return a.dtype.str, a.shape, "F" if a.flags.f_contiguous and not a.flags.c_contiguous else "C"


def _bytes(a: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of an array: they may be NaN."""
    return np.frombuffer(a.tobytes(order="F" if _form(a)[2] == "F" else "C"), np.uint8)


def _array(content: NDArray[np.uint8], dtype: str, shape: list[int], order: Any) -> NDArray[Any]:
    return np.frombuffer(content.tobytes(), dtype).reshape(shape, order=order).copy(order="K")
