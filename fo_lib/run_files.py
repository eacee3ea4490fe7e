"""What :func:`~fo_lib.loop.minimize` saves in a folder while it runs, and how it goes on from there."""

from __future__ import annotations

import functools
import inspect
import os
import time
import zlib
from collections.abc import Iterator
from types import FunctionType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .checkpoints import Checkpoints
from .iteration import GOING_ON, Ending
from .memory import Memories

__all__ = ["RunFiles", "named"]

Arrays = dict[str, NDArray[Any]]
SECONDS = 1.0  # between two checkpoints, at least


class Resumable(Protocol):
    """A run that can be saved between two steps."""

    def arrays(self) -> Arrays:
        """All that the next steps and the trace depend on, by name."""

    def take(self, t: int, arrays: Arrays) -> None:
        """Go back to what was saved after ``t`` steps."""


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
        self.settings = {name: named(value) for name, value in arguments.items()}
        self.memory = Memories(arguments)

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
        theirs = saved.settings["run"]
        if theirs != self.settings:
            pairs = {k: (theirs.get(k), self.settings.get(k)) for k in sorted({*theirs, *self.settings})}
            differ = "; ".join(f"{k}={now!r} instead of {old!r}" for k, (old, now) in pairs.items() if old != now)
            raise ValueError(f"folder {str(self.checkpoints.folder)!r} must hold the same run, got another: {differ}")
        arrays = dict(zip(saved.settings["names"], (a.copy() for a in saved.arrays), strict=True))
        self.memory.take(arrays)
        self.run.take(saved.step, arrays)
        return saved.settings["ending"], saved.step, saved.settings["rate"]

    def save(self, ending: int, t: int, rate: float, *, now: bool = False) -> None:
        """Write a checkpoint if it is time, or ``now``: at most once a second, and for a tenth of the time.

        What is not finite is not saved: the run went on to it from the last checkpoint, and would do so again.
        """
        began = time.monotonic()
        if not now and began < self.due:
            return
        arrays = {**self.memory.arrays(), **self.run.arrays()}
        if all(np.isfinite(a).all() for a in arrays.values()):
            settings = {"run": self.settings, "names": list(arrays), "ending": ending, "rate": rate}
            self.checkpoints.save(t, list(arrays.values()), settings)
        ended = time.monotonic()
        self.due = ended + max(SECONDS, 9 * (ended - began))


def named(value: Any) -> Any:
    """An argument as a checkpoint can name it: a function by its name and the numbers and functions it was made of."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.number):
        return value.item()
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {zlib.crc32(value.tobytes()):08x}"
    return ", ".join(_parts(value, set()))


def _parts(value: Any, seen: set[int]) -> Iterator[str]:
    if id(value) in seen:
        return
    seen.add(id(value))
    yield getattr(value, "__qualname__", type(value).__qualname__)
    for part in _inside(value):
        if isinstance(part, (bool, int, float, str)):
            yield repr(part)
        elif callable(part):
            yield from _parts(part, seen)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, FunctionType):
        return [*inspect.getclosurevars(value).nonlocals.values(), *(value.__defaults__ or ())]
    return list(getattr(value, "__dict__", {}).values())
