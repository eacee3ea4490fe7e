"""Data larger than memory: files of known rows, orders that read blocks, and what memory is in use."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks

__all__ = ["Memory", "Synthetic", "evict", "groups", "memory", "pages", "shuffle_buffer"]

PAGE = 4096  # bytes that a processor maps at a time
BLOCK = 4096  # rows of a synthetic file that are drawn together
Rows = NDArray[np.int64]
Array = NDArray[np.float32]


class Synthetic(NamedTuple):
    r"""A data set of any size in which every row is a function of seed and row, so that a file of it can be checked.

    .. math:: y_i = \langle x_i, w^\star \rangle + \tfrac12 z_i, \qquad x_i \sim N(0, I_d), \quad z_i \sim N(0, 1)

    Attributes
    ----------
    rows, features : int
        n and d. A row of the file is d features and the label, all float32.
    seed : int
        From 0.
    """

    rows: int
    features: int
    seed: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return 4 * self.rows * (self.features + 1)

    @property
    def weights(self) -> Array:
        r"""Return :math:`w^\star`, (d,) float32."""
        return np.random.default_rng([self.seed, 0]).standard_normal(self.features, np.float32)

    @property
    def blocks(self) -> int:
        """How many blocks of 4,096 rows there are; the last may be shorter."""
        return -(-self.rows // BLOCK)

    def block(self, k: int) -> Array:
        """Return rows 4096 k to 4096 (k + 1), (rows, d + 1) float32.

        Raises
        ------
        TypeError, ValueError
            If ``rows``, ``features`` or ``seed`` is not a whole number, or ``k`` not one from 0 to ``blocks - 1``.
        """
        _check(self)
        k = checks.count("k", k, at_least=0, at_most=self.blocks - 1, why="blocks - 1")
        size = min(BLOCK, self.rows - k * BLOCK)
        drawn = np.random.default_rng([self.seed, k + 1]).standard_normal((size, self.features + 1), np.float32)
        # a plain sum: the last bits of a product of matrices depend on how it is cut up
        drawn[:, -1] = (drawn[:, :-1] * self.weights).sum(1, dtype=np.float64) + 0.5 * drawn[:, -1]
        return drawn

    def write(self, path: str | os.PathLike[str]) -> Array:
        """Write all rows to a file, block by block, and map it into memory.

        Parameters
        ----------
        path : path
            Of the file: the rows one after the other, and nothing else. It has its name when it is whole.

        Returns
        -------
        array
            As :meth:`open`.

        Raises
        ------
        TypeError, ValueError
            If ``rows``, ``features`` or ``seed`` is not a whole number, or out of its range.
        OSError
            If the disk has no room for it: with the bytes that are needed, and those that are free.
        """
        _check(self)
        path = checks.path("path", path)
        free = shutil.disk_usage(path.parent).free
        if free < 1.05 * self.nbytes:
            words = f"path must be on a disk with {1.05 * self.nbytes:.0f} bytes free, got one with {free}"
            raise OSError(errno.ENOSPC, words, str(path))
        partial = path.with_name(path.name + ".partial")
        try:
            with partial.open("wb") as file:
                for k in range(self.blocks):
                    file.write(self.block(k).astype("<f4").tobytes())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return self.open(path)

    def open(self, path: str | os.PathLike[str]) -> Array:
        """Map a file of these rows into memory: nothing is read before it is used.

        Returns
        -------
        array
            (n, d + 1) float32, a read-only ``numpy.memmap``.

        Raises
        ------
        ValueError
            If the file has another size.
        OSError
            If there is no such file.
        """
        size = checks.path("path", path).stat().st_size
        if size != self.nbytes:
            raise ValueError(f"path must be a file of {self.nbytes} bytes, got one of {size}: {path}")
        return np.memmap(path, "<f4", "r", shape=(self.rows, self.features + 1))

    def damaged(self, data: ArrayLike, among: Iterable[int] | None = None) -> list[int]:
        """Compare rows with what they must be.

        Parameters
        ----------
        data : array
            (n, d + 1), such as a file mapped into memory.
        among : iterable of int, optional
            Which blocks; by default all.

        Returns
        -------
        list of int
            The blocks that differ in a bit, most often none.

        Raises
        ------
        ValueError
            If ``data`` has another shape.
        """
        found = data if isinstance(data, np.ndarray) else np.asarray(data)
        if found.shape != (self.rows, self.features + 1):
            raise ValueError(f"data must have shape {(self.rows, self.features + 1)}, got {found.shape}")
        looked_at = range(self.blocks) if among is None else among
        return [k for k in looked_at if not np.array_equal(found[k * BLOCK : (k + 1) * BLOCK], self.block(k))]


def _check(shape: Synthetic) -> None:
    for name, least in (("rows", 1), ("features", 1), ("seed", 0)):
        checks.count(name, getattr(shape, name), at_least=least)


class Memory(NamedTuple):
    """Bytes of this process that are in memory.

    Attributes
    ----------
    anonymous : int
        Its own: arrays, objects. What must stay flat.
    file : int
        Pages of files that are mapped, those of folders in memory (tmpfs) included. The system takes pages of a file on
        a disk back when it needs room, and nothing is lost.
    """

    anonymous: int
    file: int


def memory() -> Memory:
    """Return what this process has in memory, as Linux tells it.

    Raises
    ------
    OSError
        If the system has no ``/proc/self/status``.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    sizes = {name: words.split() for name, _, words in (line.partition(":") for line in lines)}
    anonymous, file, shared = (1024 * int(sizes[name][0]) for name in ("RssAnon", "RssFile", "RssShmem"))
    return Memory(anonymous, file + shared)


def evict(path: str | os.PathLike[str]) -> None:
    """Ask the system to drop a file from its cache, so that the next reading is one from the disk.

    Pages that a process has mapped stay: close the map first.

    Raises
    ------
    OSError
        If there is no such file, or the system cannot be asked (macOS, Windows).
    """
    if not hasattr(os, "posix_fadvise"):
        raise OSError(errno.ENOTSUP, "path must be on a system with posix_fadvise, got one without", str(path))
    with checks.path("path", path).open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def pages(rows: ArrayLike, row_bytes: int, *, page: int = PAGE) -> int:
    r"""How many different pages of a file hold some of its rows: a fact that depends on no machine.

    .. math:: \Bigl| \bigcup_i \{ \lfloor i r / P \rfloor, \dots, \lfloor ((i + 1) r - 1) / P \rfloor \} \Bigr|

    Parameters
    ----------
    rows : array
        Whole numbers from 0.
    row_bytes, page : int
        r and P.

    Raises
    ------
    TypeError, ValueError
        If ``rows`` are no whole numbers from 0, or none, or a size is not a whole number from 1 on.
    """
    size, page = checks.count("row_bytes", row_bytes), checks.count("page", page)
    wanted = checks.array("rows", rows, ndim=1)
    i = np.unique(checks.labels("rows", wanted, n=wanted.size))
    first, last = i * size // page, ((i + 1) * size - 1) // page
    behind = np.concatenate([[-1], last[:-1]])  # rows are in order, so a page that is counted already is the last one
    return int(np.sum(last - np.maximum(first, behind + 1) + 1))


def shuffle_buffer(n: int, size: int, *, seed: int) -> Rows:
    """The order in which a shuffle buffer gives out the rows 0 to n - 1, which come in as they are stored.

    Parameters
    ----------
    n, size : int
        Rows, and how many of them the buffer holds. Each step gives out one of those in it at random, and the next row
        takes its place; in the end the buffer runs empty.
    seed : int
        From 0.

    Returns
    -------
    array
        (n,) int64, a permutation.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a whole number, or out of its range.
    """
    n, size = checks.count("n", n), checks.count("size", size)
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    size = min(size, n)
    places = rng.integers(size, size=n - size).tolist()
    buffer, out = list(range(size)), []
    for row, place in enumerate(places, start=size):
        out.append(buffer[place])
        buffer[place] = row
    return np.concatenate([np.array(out, np.int64), rng.permutation(np.array(buffer, np.int64))])


def groups(n: int, block: int, together: int, *, seed: int, epoch: int) -> Iterator[Rows]:
    """Shuffle in two levels: blocks in random order, then the rows of a few blocks, taken together, in random order.

    Only the order of the blocks and the rows of one group are in memory. With ``together=1`` it mixes as
    :func:`fo_lib.gradients.in_blocks` does.

    Parameters
    ----------
    n, block, together : int
        Rows; neighbours that make a block; blocks that are mixed.
    seed, epoch : int
        From 0; all is a function of them.

    Yields
    ------
    array
        (rows of the group,) int64. All groups together are the rows 0 to n - 1.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not a whole number, or out of its range.
    """
    n, block, together = (checks.count(*pair) for pair in (("n", n), ("block", block), ("together", together)))
    start = [checks.count("seed", seed, at_least=0), checks.count("epoch", epoch, at_least=0)]

    def made() -> Iterator[Rows]:
        rng = np.random.default_rng(start)
        order = rng.permutation(-(-n // block))
        for first in range(0, len(order), together):
            parts = [np.arange(k * block, min((k + 1) * block, n)) for k in order[first : first + together].tolist()]
            yield rng.permutation(np.concatenate(parts))

    return made()
