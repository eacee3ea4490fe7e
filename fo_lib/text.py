"""From text to numbers: words, a vocabulary, arrays of tokens, windows.

Text is any iterable of lines, such as :func:`~fo_lib.datasets.glosses` or :func:`~fo_lib.datasets.text_lines`, and is
read once or twice, never held.
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import checks

__all__ = [
    "Corpus",
    "Vocabulary",
    "build_vocabulary",
    "encode",
    "tokenize",
    "windows",
]

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def tokenize(line: str) -> list[str]:
    """Split a line into words: letters in lower case, with an apostrophe inside kept.

    Made for alphabets that are written without combining marks, or whose accents Unicode composes with their letters;
    for others pass a tokenizer of your own.

    Examples
    --------
    >>> tokenize("The dog's 2 bones, cut wafer-thin")
    ['the', "dog's", 'bones', 'cut', 'wafer', 'thin']
    """
    checks.instance("line", line, str)
    return _WORD.findall(unicodedata.normalize("NFC", line).lower().replace("\u2019", "'"))


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
    min_count = checks.count("min_count", min_count)
    if size is not None:
        size = checks.count("size", size)
    checks.function("tokenize", tokenize)
    counter: Counter[str] = Counter()
    for line in _several(lines):
        if not isinstance(line, str):
            raise TypeError(f"lines must hold strings, got {line!r}")
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
    where = checks.path("folder", folder)
    paths = where / "tokens.int32", where / "starts.int64"
    partial = [path.with_name(path.name + ".partial") for path in paths]
    try:
        with partial[0].open("wb") as tokens_file, partial[1].open("wb") as starts_file:
            _write(lines, vocabulary, tokenize, tokens_file, starts_file)
        for new, path in zip(partial, paths, strict=True):
            new.replace(path)
    finally:
        for new in partial:
            new.unlink(missing_ok=True)
    return Corpus(np.memmap(paths[0], np.int32, mode="r"), np.memmap(paths[1], np.int64, mode="r"))


def _write(
    lines: Iterable[str],
    vocabulary: Vocabulary,
    tokenize: Callable[[str], Sequence[str]],
    tokens: IO[bytes],
    starts: IO[bytes],
) -> None:
    checks.instance("vocabulary", vocabulary, Vocabulary)
    checks.function("tokenize", tokenize)
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
    if not hasattr(lines, "__iter__") or getattr(lines, "ndim", 1) == 0:
        raise TypeError(f"lines must be an iterable of lines, got {type(lines).__name__}")
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
    checks.instance("tokens", tokens, np.ndarray)
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise TypeError(f"tokens must be an array of whole numbers, (n,), got {tokens.dtype} {tokens.shape}")
    length = checks.count("length", length, at_most=len(tokens), why="the number of tokens")
    rows = len(tokens) // length
    return tokens[: rows * length].reshape(rows, length)
