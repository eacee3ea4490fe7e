"""Checkpoints that are whole or are known not to be: one file each, with its length and SHA-256 in its first line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks

__all__ = ["Checkpoints", "Saved"]

MAGIC = b"fo_lib checkpoint 1"
HEADER = 200  # bytes: more than the first line can have


class Saved(NamedTuple):
    """A checkpoint read back.

    Attributes
    ----------
    step : int
        After this step it was written.
    arrays : list of arrays
        Bit for bit as they were.
    settings : dict
        As JSON gives them back.
    """

    step: int
    arrays: list[NDArray[Any]]
    settings: dict[str, Any]


class Checkpoints:
    """The checkpoints of a run in a folder, ``step-00000050.ckpt`` and so on.

    Parameters
    ----------
    folder : path
        Made if it is not there. On a cluster: on a disk that all workers see.
    keep : int
        Keep this many of the newest, at least 2: should the newest be damaged, there is another.

    Attributes
    ----------
    damaged : list of str
        What :meth:`latest` passed over, and why.

    Raises
    ------
    TypeError, ValueError
        If ``keep`` is not a whole number from 2 on.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 3) -> None:
        self.keep = checks.count("keep", keep, at_least=2)
        self.folder = checks.path("folder", folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.damaged: list[str] = []

    def paths(self) -> list[Path]:
        """The files there are, damaged or not, the newest last."""
        return sorted(
            (p for p in self.folder.glob("step-*.ckpt") if p.stem[5:].isdigit()), key=lambda p: int(p.stem[5:])
        )

    def save(self, step: int, arrays: Sequence[ArrayLike], settings: Mapping[str, Any] | None = None) -> Path:
        """Write one under a temporary name, see it onto the disk, and only then give it its name.

        Parameters
        ----------
        step : int
            From 0.
        arrays : sequence of arrays
            Of finite numbers: float, int or bool, any shape.
        settings : mapping, optional
            What the run depends on, as JSON can hold it.

        Returns
        -------
        path
            Of the file. Older ones than the ``keep`` newest are removed, and so are those of later steps: of a run
            that began from a checkpoint before them.

        Raises
        ------
        TypeError, ValueError
            If an array has another kind of numbers, or NaN or infinity: a run that resumes from it would be lost.
        OSError
            If the disk is full, or does not take it for another reason: with the number of the system's error, the
            bytes that were needed, and what is left to go on from. What was there before is untouched.
        """
        step = checks.count("step", step, at_least=0)
        content = _packed(step, [_storable(i, step, np.asarray(a)) for i, a in enumerate(arrays)], settings or {})
        path = self.folder / f"step-{step:08d}.ckpt"
        partial = path.with_suffix(".partial")
        try:
            _write(partial, content)
            partial.replace(path)
            _sync_folder(self.folder)
        except OSError as error:
            raise self._refused(error, path, len(content)) from error
        finally:
            partial.unlink(missing_ok=True)
        self._prune(path)
        return path

    def latest(self) -> Saved | None:
        """Read the newest one that is whole.

        Returns
        -------
        Saved or None
            None if there is none at all.

        Raises
        ------
        ValueError
            If there are some, and all are damaged.
        """
        self.damaged = []
        for path in reversed(self.paths()):
            try:
                return _unpacked(path)
            except ValueError as error:
                self.damaged.append(f"{path} is damaged: {error}")
        if self.damaged:
            raise ValueError(f"{self.folder} must hold a whole checkpoint, or none: {'; '.join(self.damaged)}")
        return None

    def _prune(self, newest: Path) -> None:
        paths = self.paths()
        now = paths.index(newest)
        for path in [*paths[: max(0, now + 1 - self.keep)], *paths[now + 1 :]]:
            path.unlink(missing_ok=True)

    def _refused(self, error: OSError, path: Path, needed: int) -> OSError:
        free = shutil.disk_usage(self.folder).free
        left = [p.name for p in self.paths() if p != path]
        rest = f"the last one before it, {left[-1]}, is untouched" if left else "there is none before it"
        words = f"{error.strerror}: the checkpoint needs {needed} bytes, {free} are free on its disk; {rest}"
        return OSError(error.errno, words, str(path))


def _storable(i: int, step: int, a: NDArray[Any]) -> NDArray[Any]:
    if a.dtype.kind not in "fiub":
        raise TypeError(f"arrays must hold float, int or bool, got dtype {a.dtype} in arrays[{i}]")
    if a.dtype.kind == "f" and not np.isfinite(a).all():
        bad = int(a.size - np.isfinite(a).sum())
        raise ValueError(
            f"arrays must be finite, got {bad} of {a.size} entries that are not in arrays[{i}] of step {step}"
        )
    return a


def _packed(step: int, arrays: list[NDArray[Any]], settings: Mapping[str, Any]) -> bytes:
    kinds = [[a.dtype.str, list(a.shape)] for a in arrays]
    try:
        meta = json.dumps({"step": step, "arrays": kinds, "settings": dict(settings)})
    except TypeError as error:
        raise TypeError(f"settings must be what JSON can hold, got {settings!r}: {error}") from None
    rest = b"".join([meta.encode(), b"\n", *(a.tobytes() for a in arrays)])
    return b"%s %d %s\n%s" % (MAGIC, len(rest), hashlib.sha256(rest).hexdigest().encode(), rest)


def _unpacked(path: Path) -> Saved:
    """Read a file back (ValueError if it is not what was written)."""
    content = path.read_bytes()
    first, _, rest = content.partition(b"\n")
    words = first[:HEADER].split(b" ")
    if b" ".join(words[:-2]) != MAGIC or not words[-2].isdigit():
        raise ValueError("it does not begin as a checkpoint does")
    if len(rest) != int(words[-2]):
        raise ValueError(f"it has {len(rest)} of {int(words[-2])} bytes")
    if hashlib.sha256(rest).hexdigest().encode() != words[-1]:
        raise ValueError("its bytes are not those that were written")
    meta_line, _, data = rest.partition(b"\n")
    meta, arrays, at = json.loads(meta_line), [], 0
    for kind, shape in meta["arrays"]:
        dtype, size = np.dtype(kind), int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(data, dtype, size, at).reshape(shape))
        at += size * dtype.itemsize
    return Saved(meta["step"], arrays, meta["settings"])


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """See the new name onto the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
