r"""Skip-gram with negative sampling in the manner of word2vec.c: a step of gradient descent for each pair.

The loss is that of :mod:`fo_lib.skip_gram`. There a step is the work of many pairs at once, for any rule; here it is
one pair and one rule, compiled by Numba, and several times as fast on a processor.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks, compiling
from .compiling import prefetch
from .skip_gram import SkipGram, edges, keep_probability, noise_distribution, text_digest
from .text import Corpus, Vocabulary
from .training import train
from .word_vectors import WordVectors

__all__ = ["alias_table", "fit"]

Float = NDArray[np.floating[Any]]
Index = NDArray[np.int32]
WATCHED = 16  # the loss is the mean over every such pair: a logarithm costs as much as a dot product
TOKENS_AT_ONCE = 50_000  # for which random numbers are drawn


def alias_table(probabilities: Float) -> tuple[NDArray[np.float64], Index]:
    r"""Tables for drawing from a discrete distribution with one look: :math:`i`, or else its alias.

    Draw :math:`i` uniformly, and keep it with probability :math:`a_i`. What the alias tables of all others lend to
    :math:`i` adds up to :math:`p_i = \frac1n \big(a_i + \sum_{j: b_j = i} (1 - a_j)\big)`.

    Parameters
    ----------
    probabilities : array
        (n,) from 0 on; they need not add up to 1.

    Returns
    -------
    keep, alias : array
        (n,) the probabilities :math:`a`, float64, and the aliases :math:`b`, int32.

    Raises
    ------
    TypeError, ValueError
        If the probabilities are not finite, negative, or all 0.

    Notes
    -----
    Walker (1977), in the form of Vose (1991).
    """
    p = checks.array("probabilities", probabilities, ndim=1).astype(float)
    if p.min() < 0 or p.max() == 0:
        raise ValueError(f"probabilities must be numbers from 0 on, not all 0, got {probabilities!r}")
    p = p / p.max()  # whose sum is finite
    keep, alias = p * len(p) / p.sum(), np.arange(len(p), dtype=np.int32)
    poor, rich = [*np.flatnonzero(keep < 1)], [*np.flatnonzero(keep >= 1)]
    while poor and rich:
        low, high = poor.pop(), rich[-1]
        alias[low] = high
        keep[high] -= 1 - keep[low]
        if keep[high] < 1:
            poor.append(rich.pop())
    return np.minimum(keep, 1.0), alias


def fit(
    corpus: Corpus,
    vocabulary: Vocabulary,
    learning_rate: float = 0.05,
    *,
    dimension: int = 64,
    epochs: int = 4,
    negatives: int = 5,
    window: int = 5,
    sample: float = 1e-3,
    chunk: int = 2_000_000,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> SkipGram:
    r"""Learn word vectors pair by pair.

    For a word c, a word o near it and negatives :math:`n_1, \dots, n_K`, with labels 1 for o and 0 for the others,

    .. math::
        e_x = \alpha \, (y_x - \sigma(u_c \cdot v_x)), \qquad u_c \gets u_c + \sum_x e_x v_x, \qquad
        v_x \gets v_x + e_x u_c \quad (x = o, n_1, \dots, n_K)

    one x after the other, in float32. The learning rate falls linearly with the words read, to 1e-4 of its first value.
    A negative that is the context itself is passed over. The u start uniform within :math:`\pm 1/d`, as in gensim (the
    program has half of that, and learns a little less in the first epochs); the v start at 0.

    Parameters
    ----------
    corpus, vocabulary : Corpus, Vocabulary
        From :mod:`fo_lib.text`; a memory-mapped corpus is read in chunks, and memory stays flat.
    learning_rate : float
        :math:`\alpha` of the first pair.
    dimension, epochs, negatives : int
        Length of a vector, passes over the text, K.
    window, sample : int, float
        See :func:`fo_lib.skip_gram.pairs`, which draws the same pairs in another order.
    chunk : int
        Tokens of a round.
    seed : int
        All randomness is a function of it.
    folder, progress
        See :func:`~fo_lib.training.train`; its rounds are the chunks of all epochs.

    Returns
    -------
    SkipGram
        Its ``run.records["loss"]`` is the mean loss of a pair, chunk by chunk, over every sixteenth pair.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, a token is not in the vocabulary, or training diverges.
    ImportError
        If Numba is not installed.

    Notes
    -----
    Mikolov, Sutskever, Chen, Corrado and Dean (2013), and their program.
    """
    counts = {"dimension": dimension, "epochs": epochs, "negatives": negatives, "window": window, "chunk": chunk}
    counts = {name: checks.count(name, value) for name, value in counts.items()}
    rate = checks.number("learning_rate", learning_rate, above=0.0)
    seed = checks.count("seed", seed, at_least=0)
    rows = np.random.default_rng([seed, 0]).uniform(-1.0, 1.0, (len(vocabulary), dimension)) / dimension
    tables = _Table(rows.astype(np.float32)), _Table(np.zeros_like(rows, np.float32))
    keep = keep_probability(vocabulary.frequencies, sample)
    passes = _Passes(corpus, keep, alias_table(noise_distribution(vocabulary.counts)), tables, rate, counts, seed)
    settings: dict[str, Any] = {**counts, "learning_rate": rate, "sample": float(sample), "seed": seed}
    settings["text"] = text_digest(corpus, vocabulary)
    run = train(
        passes.round,
        tables,
        rounds=epochs * (len(passes.edges) - 1),
        folder=folder,
        settings=settings,
        progress=progress,
    )
    if run.diverged:
        raise ValueError(f"learning_rate must be smaller than {rate:g}: training {run.message}")
    vectors, contexts = (WordVectors(vocabulary.words, table.array) for table in tables)
    return SkipGram(vectors, contexts, run)


@dataclass
class _Table:
    """An array as a variable of :func:`~fo_lib.training.train`."""

    array: NDArray[np.float32]

    def numpy(self) -> NDArray[np.float32]:
        return self.array

    def assign(self, value: NDArray[np.float32]) -> None:
        self.array[:] = value


@dataclass
class _Passes:
    """A round: a chunk of the text in an epoch, in blocks for which random numbers are drawn."""

    corpus: Corpus
    keep: Float
    noise: tuple[Float, Index]
    tables: tuple[_Table, _Table]
    rate: float
    counts: dict[str, int]
    seed: int

    def __post_init__(self) -> None:
        self.edges = edges(self.corpus, self.counts["chunk"], len(self.keep))
        self.learn = compiling.jit(_learn, cached=True)

    def round(self, k: int) -> float:
        """Make the steps of round k and return the mean loss."""
        rng = np.random.default_rng([self.seed, k])
        epoch, i = divmod(k - 1, len(self.edges) - 1)
        starts = np.asarray(self.corpus.starts[self.edges[i] : self.edges[i + 1] + 1])
        cuts = np.searchsorted(starts, np.arange(starts[0], starts[-1], TOKENS_AT_ONCE))
        cuts = np.unique([*cuts, len(starts) - 1])
        totals = np.zeros(2)
        for a, b in itertools.pairwise(cuts):
            totals += self._block(starts[a : b + 1], epoch, rng)
        return float(totals[0] / max(totals[1], 1))

    def _block(self, starts: NDArray[Any], epoch: int, rng: np.random.Generator) -> tuple[float, int]:
        tokens = np.asarray(self.corpus.tokens[starts[0] : starts[-1]])
        kept = rng.random(len(tokens)) < self.keep[tokens]
        ends = np.concatenate([[0], np.cumsum(kept)])[starts - starts[0]]
        tokens, length = tokens[kept], np.diff(ends)
        place = np.arange(len(tokens)) - np.repeat(ends[:-1], length)
        reach = rng.integers(1, self.counts["window"] + 1, len(tokens))
        left, right = np.minimum(reach, place), np.minimum(reach, np.repeat(length, length) - 1 - place)
        draws = rng.integers(1 << 62, size=(int(left.sum() + right.sum()), self.counts["negatives"]))
        total = len(self.corpus.tokens) * self.counts["epochs"]
        read = (epoch * len(self.corpus.tokens) + starts[[0, -1]]) / total
        rates = self.rate * np.maximum(1e-4, 1 - read)
        words, contexts = (table.array for table in self.tables)
        result: tuple[float, int] = self.learn(
            tokens,
            left,
            right,
            draws,
            *self.noise,
            words,
            contexts,
            rates,
            np.empty(words.shape[1], np.float32),
            WATCHED,
        )
        return result


def _learn(
    tokens: Index, left: Index, right: Index, draws: NDArray[np.int64], keep: Float, alias: Index, words: Float,
    contexts: Float, rates: Float, change: Float, watched: int,
) -> tuple[float, int]:  # fmt: skip
    """Make a step for each pair; return the sum of the losses of those that are watched, and their number."""
    loss = 0.0
    _choose(draws, keep, alias)
    pair, last, flat = 0, draws.shape[0] - 1, contexts.reshape(-1)
    for i in range(len(tokens)):
        rate = np.float32(rates[0] + (rates[1] - rates[0]) * i / len(tokens))
        u = words[tokens[i]]
        for j in range(i - left[i], i + right[i] + 1):
            if j == i:
                continue
            _fetch(flat, draws[min(pair + 2, last)], len(u))
            change[:] = 0
            s = _towards(u, contexts[tokens[j]], rate, np.float32(1), change)
            look = pair % watched == 0
            if look:
                loss += np.logaddexp(0.0, -s)
            for k in range(draws.shape[1]):
                x = draws[pair, k]
                if x != tokens[j]:
                    s = _towards(u, contexts[x], rate, np.float32(0), change)
                    if look:
                        loss += np.logaddexp(0.0, s)
            for a in range(len(u)):
                u[a] += change[a]
            pair += 1
    return loss, -(-pair // watched)


def _choose(draws: NDArray[np.int64], keep: Float, alias: Index) -> None:
    for pair in range(draws.shape[0]):
        for k in range(draws.shape[1]):
            draws[pair, k] = _drawn(draws[pair, k], keep, alias)


def _fetch(flat: Float, rows: NDArray[np.int64], width: int) -> None:
    """Ask memory for the vectors of the negatives of a pair to come: they lie anywhere, and would be waited for."""
    for row in rows:
        prefetch(flat, row * width, row * width + width)


def _drawn(draw: int, keep: Float, alias: Index) -> int:
    """Turn 62 random bits into a word: the lower half chooses one, the upper half between it and its alias."""
    x = ((draw & 0x7FFFFFFF) * len(keep)) >> 31
    return x if (draw >> 31) * 2.0**-31 < keep[x] else int(alias[x])


def _towards(u: Float, v: Float, rate: Any, label: Any, change: Float) -> Any:
    """Move v by its gradient, add that of u to ``change``, and return the product of the two before."""
    s = np.float32(0)
    for a in range(len(u)):
        s += u[a] * v[a]
    e = rate * (label - np.float32(1) / (np.float32(1) + np.exp(-s)))
    for a in range(len(u)):
        change[a] += e * v[a]
        v[a] += e * u[a]
    return s
