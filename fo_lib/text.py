"""From text to numbers: words, a vocabulary, arrays of tokens, windows; and files of word vectors.

Text is any iterable of lines, such as :func:`~fo_lib.datasets.glosses` or :func:`~fo_lib.datasets.text_lines`, and is
read once or twice, never held.
"""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks

__all__ = [
    "Corpus",
    "Vocabulary",
    "build_vocabulary",
    "encode",
    "load_word2vec",
    "save_word2vec",
    "tokenize",
    "windows",
]

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def tokenize(line: str) -> list[str]:
    """Split a line into words: letters of any alphabet in lower case, with an apostrophe inside kept.

    Examples
    --------
    >>> tokenize("The dog's 2 bones, cut wafer-thin")
    ['the', "dog's", 'bones', 'cut', 'wafer', 'thin']
    """
    return _WORD.findall(line.lower())


@dataclass(frozen=True)
class Vocabulary:
    """Words, the most frequent first, and how often each occurred: made by :func:`build_vocabulary`."""

    words: tuple[str, ...]
    counts: NDArray[np.int64]

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each word, which is its place in ``words``."""
        return {word: i for i, word in enumerate(self.words)}

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """The counts divided by their sum."""
        return np.asarray(self.counts / self.counts.sum())

    def __len__(self) -> int:
        return len(self.words)


class Corpus(NamedTuple):
    """The ``tokens`` (n,) int32 of all lines in one array; line i is ``tokens[starts[i]:starts[i + 1]]``."""

    tokens: NDArray[np.int32]
    starts: NDArray[np.int64]


def build_vocabulary(
    lines: Iterable[str],
    *,
    min_count: int = 5,
    size: int | None = None,
    tokenize: Callable[[str], Sequence[str]] = tokenize,
) -> Vocabulary:
    """Count the words of a text.

    Parameters
    ----------
    lines : iterable of str
        Read once.
    min_count : int
        Leave out words that occur less often.
    size : int, optional
        Keep at most this many. Words of one frequency stay in the order in which they came.
    tokenize : function
        From a line to its words.

    Raises
    ------
    TypeError, ValueError
        If ``lines`` is one string instead of several, or no word occurs often enough.
    """
    checks.count("min_count", min_count)
    if size is not None:
        checks.count("size", size)
    counter: Counter[str] = Counter()
    for line in _several(lines):
        counter.update(tokenize(line))
    kept = [(word, count) for word, count in counter.most_common(size) if count >= min_count]
    if not kept:
        most = counter.most_common(1)
        raise ValueError(
            f"lines must hold a word that occurs {min_count} times or more (min_count), got {len(counter)} words"
            + (f", the most frequent {most[0][1]} times" if most else "")
        )
    return Vocabulary(tuple(word for word, _ in kept), np.array([count for _, count in kept], np.int64))


def encode(
    lines: Iterable[str],
    vocabulary: Vocabulary,
    *,
    tokenize: Callable[[str], Sequence[str]] = tokenize,
    folder: str | os.PathLike[str] | None = None,
) -> Corpus:
    """Replace the words of a text by their numbers. Words that are not in the vocabulary are left out.

    Parameters
    ----------
    lines : iterable of str
        Read once, in order.
    vocabulary : Vocabulary
        Whose numbers to use.
    tokenize : function
        That of the vocabulary.
    folder : path, optional
        Write the two arrays there, as ``tokens.int32`` and ``starts.int64``, and return them memory-mapped: a text of
        any size then takes no memory. By default they are made in memory.

    Raises
    ------
    TypeError, ValueError
        If ``lines`` is one string, or no word of it is in the vocabulary.
    """
    if folder is None:
        tokens, starts = io.BytesIO(), io.BytesIO()
        _write(lines, vocabulary, tokenize, tokens, starts)
        return Corpus(np.frombuffer(tokens.getvalue(), np.int32), np.frombuffer(starts.getvalue(), np.int64))
    paths = Path(folder) / "tokens.int32", Path(folder) / "starts.int64"
    with paths[0].open("wb") as tokens_file, paths[1].open("wb") as starts_file:
        _write(lines, vocabulary, tokenize, tokens_file, starts_file)
    return Corpus(np.memmap(paths[0], np.int32, mode="r"), np.memmap(paths[1], np.int64, mode="r"))


def _write(
    lines: Iterable[str],
    vocabulary: Vocabulary,
    tokenize: Callable[[str], Sequence[str]],
    tokens: IO[bytes],
    starts: IO[bytes],
) -> None:
    index, end = vocabulary.index, 0
    starts.write(np.int64(0).tobytes())
    for line in _several(lines):
        numbers = [index[word] for word in tokenize(line) if word in index]
        tokens.write(np.array(numbers, np.int32).tobytes())
        end += len(numbers)
        starts.write(np.int64(end).tobytes())
    if end == 0:
        raise ValueError(f"lines must hold words of the vocabulary ({vocabulary.words[0]!r}, ...), got none")


def _several(lines: Iterable[str]) -> Iterable[str]:
    if isinstance(lines, (str, bytes)):
        raise TypeError(f"lines must be an iterable of lines, got one {type(lines).__name__}: pass [line]")
    return lines


def windows(tokens: NDArray[np.integer[Any]], length: int) -> NDArray[np.integer[Any]]:
    """Cut an array of tokens into rows of equal length; what is left over at the end is dropped.

    Parameters
    ----------
    tokens : array
        (n,) whole numbers, memory-mapped or not: the rows are a view.
    length : int
        Tokens in a row, at most n.

    Raises
    ------
    TypeError, ValueError
        If ``tokens`` is no 1-D array of whole numbers, or shorter than one row.
    """
    tokens = np.asanyarray(tokens)
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise TypeError(f"tokens must be an array of whole numbers, (n,), got {tokens.dtype} {tokens.shape}")
    checks.count("length", length, at_most=len(tokens), why="the number of tokens")
    rows = len(tokens) // length
    return tokens[: rows * length].reshape(rows, length)


def save_word2vec(
    path: str | os.PathLike[str], words: Sequence[str], vectors: ArrayLike, *, binary: bool = False
) -> None:
    """Write word vectors in the format of word2vec, which gensim and others read.

    Parameters
    ----------
    path : str or path
        Replaced when all is written, not before.
    words : sequence of str
        All different, without white space.
    vectors : array_like
        (number of words, d) finite numbers; stored as float32, exactly in both formats.
    binary : bool
        The smaller of the two formats.

    Raises
    ------
    TypeError, ValueError
        If a word is no string, empty, double or holds white space; if the vectors are not finite or do not fit.
    """
    array = checks.array("vectors", vectors, ndim=2).astype("<f4")
    checks.array("vectors", array)  # float32 has a smaller range
    if len(words) != len(array):
        raise ValueError(f"words must be as many as the vectors, {len(array)}, got {len(words)}")
    for word in words:
        if not isinstance(word, str) or word.split() != [word]:
            raise ValueError(f"words must be strings without white space, got {word!r}")
    if len(set(words)) != len(words):
        raise ValueError(f"words must all be different, got {Counter(words).most_common(1)[0][0]!r} twice")
    partial = Path(path).with_name(Path(path).name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(f"{len(array)} {array.shape[1]}\n".encode())
            for word, row in zip(words, array, strict=True):
                numbers = row.tobytes() if binary else " ".join(map(str, row)).encode()
                file.write(word.encode() + b" " + numbers + b"\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_word2vec(path: str | os.PathLike[str]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Read word vectors in the format of word2vec, text or binary: words and (number of words, d) float32.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if its first line is not two numbers, or it holds other than they say.
    """
    content = Path(path).read_bytes()
    header, _, body = content.partition(b"\n")
    try:
        count, d = (int(number) for number in header.split())
    except ValueError:
        raise ValueError(f"{path} must begin with the number of words and of dimensions, got {header[:40]!r}") from None
    return _plain(body, count, d) or _binary(str(path), body, count, d)


def _plain(body: bytes, count: int, d: int) -> tuple[tuple[str, ...], NDArray[np.float32]] | None:
    """The vectors of a text file; None if it is not one."""
    rows = [row.split(b" ") for row in body.rstrip(b"\n").split(b"\n")]
    if len(rows) != count or any(len(row) != 1 + d for row in rows):
        return None
    try:
        return tuple(row[0].decode() for row in rows), np.array([row[1:] for row in rows], np.float32)
    except ValueError:
        return None


def _binary(path: str, body: bytes, count: int, d: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    words, vectors, at = [], np.empty((count, d), np.float32), 0
    for i in range(count):
        space = body.find(b" ", at)
        end = space + 1 + 4 * d
        if space < 0 or end > len(body):
            raise ValueError(f"{path} must hold {count} vectors of {d} numbers, got {i}")
        words.append(body[at:space].lstrip(b"\n").decode(errors="replace"))
        vectors[i] = np.frombuffer(body, "<f4", d, space + 1)
        at = end
    if body[at:].strip():
        raise ValueError(f"{path} must hold {count} vectors of {d} numbers, got more: {body[at : at + 20]!r}")
    return tuple(words), vectors
