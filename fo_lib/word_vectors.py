"""Vectors of words, however they were learned: neighbours, tests of similarity and analogy, files of word2vec."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from .datasets import WordPairs

__all__ = ["WordVectors", "load_word2vec"]


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors.

    Parameters
    ----------
    words : sequence of str
        All different, without white space.
    vectors : array_like
        (number of words, d) finite numbers; kept as float32.

    Raises
    ------
    TypeError, ValueError
        If a word is no string, empty, double or holds white space; if the vectors are not finite or do not fit.
    """

    words: Sequence[str]
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            array = checks.array("vectors", self.vectors, ndim=2).astype(np.float32)
        checks.array("vectors", array)  # float32 has a smaller range
        words = tuple(checks.several("words", self.words))
        if len(words) != len(array):
            raise ValueError(f"words must be as many as the vectors, {len(array)}, got {len(words)}")
        for word in words:
            if not isinstance(word, str) or word.split() != [word]:
                raise ValueError(f"words must be strings without white space, got {word!r}")
        if len(set(words)) != len(words):
            raise ValueError(f"words must all be different, got {Counter(words).most_common(1)[0][0]!r} twice")
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "vectors", array)

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def unit(self) -> NDArray[np.float32]:
        """The vectors at length 1 (a vector of zeros stays as it is)."""
        wide = self.vectors.astype(np.float64)  # squares of float32 overflow from 1e20 on
        norms = np.linalg.norm(wide, axis=1, keepdims=True)
        return (wide / np.where(norms > 0, norms, 1)).astype(np.float32)

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        """The vector of a word; ValueError if it is not among them."""
        if word not in self.index:
            raise ValueError(f"word must be one of the {len(self.words)} that have a vector, got {word!r}")
        row: NDArray[np.float32] = self.vectors[self.index[word]]
        return row

    def nearest(self, query: str | ArrayLike, count: int = 10) -> list[tuple[str, float]]:
        """Return the words whose vectors have the largest cosines with that of a word, or with a vector.

        Parameters
        ----------
        query : str or array_like
            A word, which is not returned itself, or a vector (d,), such as a sum of others.
        count : int
            How many.

        Raises
        ------
        TypeError, ValueError
            If the word has no vector, or the vector another length.
        """
        count = checks.count("count", count)
        vector = self[query] if isinstance(query, str) else checks.array("query", query, shape=self.vectors.shape[1:])
        wide = vector.astype(np.float64) / (np.abs(vector).max() or 1.0)
        cosines = self.unit @ (wide / (np.linalg.norm(wide) or 1.0)).astype(np.float32)
        if isinstance(query, str):
            cosines[self.index[query]] = -np.inf
        order = np.argsort(-cosines, kind="stable")[: min(count, len(cosines) - isinstance(query, str))]
        return [(self.words[i], float(cosines[i])) for i in order]

    def similarity(self, pairs: WordPairs) -> tuple[float, int]:
        """Return Spearman's rank correlation of the cosines with people's judgements, and the number of pairs used.

        A pair with a word that has no vector is left out; needs SciPy.

        Parameters
        ----------
        pairs : WordPairs
            Such as :func:`~fo_lib.datasets.word_pairs` returns.

        Raises
        ------
        ValueError
            If fewer than three pairs have both their vectors.
        """
        from scipy.stats import spearmanr

        both = zip(pairs.first, pairs.second, pairs.scores, strict=True)
        known = [(self.index[a], self.index[b], score) for a, b, score in both if a in self.index and b in self.index]
        if len(known) < 3:
            raise ValueError(f"pairs must hold three pairs of words that have vectors, got {len(known)}")
        a, b, scores = (np.array(column) for column in zip(*known, strict=True))
        cosines = np.einsum("ij,ij->i", self.unit[a], self.unit[b])
        return float(spearmanr(cosines, scores).statistic), len(known)

    def analogy(self, questions: Iterable[tuple[str, str, str, str]]) -> tuple[float, int]:
        """Return the share of analogies solved, and how many had all four vectors.

        The answer to a : b = c : ? is the word, other than these three, whose vector has the largest cosine with
        b - a + c, of vectors of length 1 (Mikolov, Yih and Zweig, 2013).

        Parameters
        ----------
        questions : iterable of (str, str, str, str)
            a, b, c and the right answer.

        Raises
        ------
        ValueError
            If no question has all its vectors.
        """
        rows = [[self.index[w] for w in four] for four in questions if all(w in self.index for w in four)]
        if not rows:
            raise ValueError("questions must hold one whose four words have vectors, got none")
        right = 0
        for start in range(0, len(rows), 256):  # few at a time: each needs a cosine with every word
            a, b, c, d = np.array(rows[start : start + 256]).T
            cosines = (self.unit[b] - self.unit[a] + self.unit[c]) @ self.unit.T
            for given in (a, b, c):
                cosines[np.arange(len(a)), given] = -np.inf
            right += int((cosines.argmax(1) == d).sum())
        return right / len(rows), len(rows)

    def save(self, path: str | os.PathLike[str], *, binary: bool = False) -> None:
        """Write the vectors in the format of word2vec, which gensim and others read; exactly, in both its forms.

        Parameters
        ----------
        path : str or path
            Replaced when all is written, not before.
        binary : bool
            The smaller of the two forms.
        """
        target = checks.path("path", path)
        partial = target.with_name(target.name + ".partial")
        try:
            with partial.open("wb") as file:
                file.write(f"{len(self.words)} {self.vectors.shape[1]}\n".encode())
                for word, row in zip(self.words, self.vectors.astype("<f4"), strict=True):
                    numbers = row.tobytes() if binary else " ".join(map(str, row)).encode()
                    file.write(word.encode() + b" " + numbers + b"\n")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def load_word2vec(path: str | os.PathLike[str]) -> WordVectors:
    """Read vectors in the format of word2vec, text or binary.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if its first line is not two numbers, or it holds other than they say.
    """
    content = checks.path("path", path).read_bytes()
    header, _, body = content.partition(b"\n")
    try:
        count, d = (int(number) for number in header.split())
    except ValueError:
        raise ValueError(f"{path} must begin with the number of words and of dimensions, got {header[:40]!r}") from None
    words, vectors = _plain(body, count, d) or _binary(str(path), body, count, d)
    try:
        return WordVectors(words, vectors)
    except ValueError as error:
        raise ValueError(f"{path} must hold words and their vectors: {error}") from error


def _plain(body: bytes, count: int, d: int) -> tuple[list[str], NDArray[np.float32]] | None:
    """The words and vectors of a text file; None if it is not one."""
    rows = [row.rstrip().split(b" ") for row in body.rstrip(b"\n").split(b"\n")]
    if len(rows) != count or any(len(row) != 1 + d for row in rows):
        return None
    try:
        return [row[0].decode() for row in rows], np.array([row[1:] for row in rows], np.float32)
    except ValueError:
        return None


def _binary(path: str, body: bytes, count: int, d: int) -> tuple[list[str], NDArray[np.float32]]:
    if count < 1 or d < 1 or count * (4 * d + 1) > len(body):
        raise ValueError(f"{path} must hold {count} vectors of {d} numbers, got {len(body)} bytes for them")
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
    return words, vectors
