r"""Skip-gram with negative sampling: what is drawn, and a model that learns word vectors from it.

For a word c and a word o near it, and K words n drawn from the noise distribution, the loss is

.. math::
    -\log \sigma(u_c \cdot v_o) - \sum_{k=1}^{K} \log \sigma(-u_c \cdot v_{n_k}),

with one vector u and one vector v for each word of the vocabulary (Mikolov, Sutskever, Chen, Corrado and Dean, 2013,
equation 4, with the names of the two turned round: their input vector is u). The u are the word vectors.
:func:`fit` needs TensorFlow, the rest NumPy only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import checks, rules
from .text import Corpus, Vocabulary
from .training import Run, train
from .word_vectors import WordVectors

__all__ = ["SkipGram", "edges", "fit", "keep_probability", "noise_distribution", "pairs", "text_digest"]

Index = NDArray[np.int32]
Float = NDArray[np.float64]


def keep_probability(frequencies: Float, sample: float = 1e-3) -> Float:
    r"""Probability with which an occurrence of each word is kept: :math:`\min(1, \sqrt{s/f} + s/f)`.

    This is the formula of the program word2vec.c. The paper (section 2.3) has :math:`\sqrt{s/f}`.

    Parameters
    ----------
    frequencies : array
        (V,) shares of the words among all, above 0.
    sample : float
        s; a word of this frequency or a somewhat higher one is always kept.

    Raises
    ------
    TypeError, ValueError
        If ``sample`` or a frequency is not a number above 0.
    """
    shares = checks.array("frequencies", frequencies)
    if shares.min() <= 0:
        raise ValueError(f"frequencies must be > 0 in every entry, got {shares.min():g}")
    with np.errstate(over="ignore"):
        ratio = checks.number("sample", sample, above=0.0) / shares
    return np.asarray(np.minimum(1, np.sqrt(ratio) + ratio))


def noise_distribution(counts: NDArray[Any], power: float = 0.75) -> Float:
    """Probabilities of the words as negatives, proportional to ``counts ** power`` (section 2.2 of the paper).

    Parameters
    ----------
    counts : array
        (V,) how often each word occurs.
    power : float
        From 0 (all alike) to 1 (as they occur).

    Raises
    ------
    TypeError, ValueError
        If ``power`` is not within 0..1, or the counts are not numbers from 0 on, not all 0.
    """
    often = checks.array("counts", counts)
    if often.min() < 0 or not often.any():
        raise ValueError(f"counts must be >= 0, and not all 0, got {counts!r}")
    weights = often ** checks.number("power", power, at_least=0.0, at_most=1.0)
    return np.asarray(weights / weights.sum())


def pairs(
    corpus: Corpus,
    frequencies: Float,
    lines: tuple[int, int],
    rng: np.random.Generator,
    *,
    window: int = 5,
    sample: float = 1e-3,
) -> tuple[Index, Index]:
    """Draw the pairs of some lines of a text: words, and words near them, in random order.

    Frequent words are thinned first, so that those around them come nearer. Each word then looks as far as a reach
    drawn from 1 to ``window``, within its line, as in word2vec.c.

    Parameters
    ----------
    corpus : Corpus
        From :func:`~fo_lib.text.encode`.
    frequencies : array
        (V,) shares of the words, ``vocabulary.frequencies``.
    lines : (int, int)
        First line, and the one after the last.
    rng : Generator
        Source of all randomness.
    window : int
        The longest reach.
    sample : float
        See :func:`keep_probability`.

    Returns
    -------
    centers, contexts : array
        (number of pairs,) int32.
    """
    window = checks.count("window", window)
    checks.instance("corpus", corpus, Corpus)
    checks.instance("rng", rng, np.random.Generator)
    if not isinstance(lines, (tuple, list)) or len(lines) != 2:
        raise TypeError(f"lines must be the first and the end, got {lines!r}")
    last = checks.count("lines[1]", lines[1], at_most=len(corpus.starts) - 1, why="the number of lines")
    lines = checks.count("lines[0]", lines[0], at_least=0, at_most=last - 1), last
    shares = checks.array("frequencies", frequencies, ndim=1)
    starts = np.asarray(corpus.starts[lines[0] : lines[1] + 1])
    tokens = np.asarray(corpus.tokens[starts[0] : starts[-1]])
    line = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    if tokens.max(initial=0) >= len(shares):
        raise ValueError(f"frequencies must be as many as the words, got {len(shares)} for word {tokens.max()}")
    kept = rng.random(len(tokens)) < keep_probability(shares.astype(np.float64), sample)[tokens]
    tokens, line = tokens[kept], line[kept]
    reach = rng.integers(1, window + 1, len(tokens))
    found = [(tokens[:0], tokens[:0])]
    for offset in range(1, min(window, len(tokens)) + 1):
        same = line[:-offset] == line[offset:]
        left, right = tokens[:-offset], tokens[offset:]
        forward, back = same & (reach[:-offset] >= offset), same & (reach[offset:] >= offset)
        found += [(left[forward], right[forward]), (right[back], left[back])]
    centers, contexts = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = rng.permutation(len(centers))
    return centers[order], contexts[order]


class SkipGram(NamedTuple):
    """What :func:`fit` learned: the word vectors, those of the words as contexts, and how it went."""

    vectors: WordVectors
    contexts: WordVectors
    run: Run


def fit(
    corpus: Corpus,
    vocabulary: Vocabulary,
    rule: Callable[..., Any] = rules.gradient_descent,
    learning_rate: float = 0.1,
    *,
    dimension: int = 64,
    epochs: int = 4,
    batch_size: int = 1024,
    negatives: int = 5,
    shared: int = 64,
    window: int = 5,
    sample: float = 1e-3,
    lazy: bool = True,
    chunk: int = 2_000_000,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **hyper: float,
) -> SkipGram:
    r"""Learn word vectors by skip-gram with negative sampling, in TensorFlow.

    The loss of a batch is the **sum** over its pairs, so that a learning rate means what it means where pairs come one
    by one. It falls linearly with the words read, to 1e-4 of its first value, as in word2vec.c. The negatives of a
    batch are ``shared`` draws, each counted ``negatives / shared`` times: the expected gradient is the same, and one
    product of matrices does the work. A negative that is the context itself does not count.

    Parameters
    ----------
    corpus, vocabulary : Corpus, Vocabulary
        From :mod:`fo_lib.text`; a memory-mapped corpus is read in chunks, and memory stays flat.
    rule : function
        From :mod:`fo_lib.rules`.
    learning_rate : float
        Of the first batch.
    dimension, epochs, batch_size : int
        Length of a vector, passes over the text, pairs in a step.
    negatives, shared : int
        K of the formula, and the draws of a batch that stand for it.
    window, sample : int, float
        See :func:`pairs`.
    lazy : bool
        Change only the rows of the words in the batch (see :func:`fo_lib.keras.optimizer`); False makes the step of the
        dense gradient, which moves every row.
    chunk : int
        Tokens whose pairs are drawn, shuffled and held at a time.
    seed : int
        All randomness is a function of it.
    folder, progress
        See :func:`~fo_lib.training.train`; its rounds are the chunks of all epochs.
    **hyper
        Hyperparameters of the rule.

    Returns
    -------
    SkipGram
        Its ``run.records["loss"]`` is the mean loss of a pair, chunk by chunk. Look at it, or at ``run.message``:
        vectors can blow up and stay finite, and their cosines hardly show it.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, a token is not in the vocabulary, or training diverges.
    ImportError
        If TensorFlow is not installed.
    """
    from ._skip_gram_tensorflow import Model

    counts = {"dimension": dimension, "batch_size": batch_size, "negatives": negatives, "shared": shared}
    counts = {name: checks.count(name, value) for name, value in counts.items()}
    rate = checks.number("learning_rate", learning_rate, above=0.0)
    batches = _Batches(
        corpus, vocabulary, rate, batch_size, shared, window, sample, checks.count("seed", seed, at_least=0),
        checks.count("epochs", epochs), edges(corpus, checks.count("chunk", chunk), len(vocabulary)),
    )  # fmt: skip
    model = Model(len(vocabulary), dimension, rule, rate, lazy, negatives / shared, seed, hyper)
    settings = {"rule": rule.__name__, "learning_rate": rate, "epochs": int(epochs), "window": int(window)}
    settings.update(counts, sample=float(sample), lazy=lazy, seed=int(seed), **hyper)
    settings.update(text=text_digest(corpus, vocabulary), chunks=len(batches.edges) - 1)
    run = train(
        lambda k: model.train(*batches.drawn(k)),
        model.variables,
        rounds=batches.rounds,
        folder=folder,
        settings=settings,
        progress=progress,
    )
    if run.diverged:
        raise ValueError(f"learning_rate must be smaller than {rate:g} for {rule.__name__}: training {run.message}")
    vectors, contexts = (WordVectors(vocabulary.words, a) for a in model.tables())
    return SkipGram(vectors, contexts, run)


@dataclass
class _Batches:
    """The batches of each round, which is a chunk of the text in an epoch."""

    corpus: Corpus
    vocabulary: Vocabulary
    rate: float
    batch_size: int
    shared: int
    window: int
    sample: float
    seed: int
    epochs: int
    edges: list[int]  # the lines where chunks begin, and the end

    def __post_init__(self) -> None:
        self.noise = np.cumsum(noise_distribution(self.vocabulary.counts))
        self.rounds = self.epochs * (len(self.edges) - 1)

    def drawn(self, k: int) -> tuple[Index, Index, Index, Float]:
        """Draw round k: words and words near them (steps, batch_size), negatives (steps, shared), rates (steps,)."""
        rng = np.random.default_rng([self.seed, k])
        i = (k - 1) % (len(self.edges) - 1)
        lines = (self.edges[i], self.edges[i + 1])
        found = pairs(self.corpus, self.vocabulary.frequencies, lines, rng, window=self.window, sample=self.sample)
        steps = len(found[0]) // self.batch_size
        if steps == 0:
            raise ValueError(f"batch_size must be at most the pairs of a chunk, {len(found[0])}, got {self.batch_size}")
        centers, contexts = (side[: steps * self.batch_size].reshape(steps, self.batch_size) for side in found)
        noise = np.searchsorted(self.noise, rng.random((steps, self.shared)) * self.noise[-1]).astype(np.int32)
        begin, end = (float(self.corpus.starts[line]) / len(self.corpus.tokens) for line in lines)
        epoch = (k - 1) // (len(self.edges) - 1)
        read = (epoch + begin + (end - begin) * np.arange(steps) / steps) / self.epochs
        return centers, contexts, noise, self.rate * np.maximum(1e-4, 1 - read)


def edges(corpus: Corpus, chunk: int, size: int) -> list[int]:
    """The lines where chunks begin, and the end: chunks as equal as lines allow, so that none is too short.

    Raises
    ------
    ValueError
        If there is no token, or one that is not below ``size``.
    """
    checks.instance("corpus", corpus, Corpus)
    chunk, size = checks.count("chunk", chunk), checks.count("size", size)
    tokens = corpus.tokens
    if len(tokens) == 0:
        raise ValueError("corpus must hold tokens, got none")
    for extreme in (int(np.min(tokens)), int(np.max(tokens))):
        if not 0 <= extreme < size:
            raise ValueError(f"corpus must hold tokens from 0 to {size - 1}, the vocabulary's, got {extreme}")
    total = int(corpus.starts[-1])
    cuts = np.searchsorted(corpus.starts, np.linspace(0, total, -(-total // chunk) + 1)[:-1])
    return sorted({*map(int, cuts), len(corpus.starts) - 1})


def text_digest(corpus: Corpus, vocabulary: Vocabulary) -> str:
    """What tells one text from another, so that a run is not resumed on the wrong one."""
    checks.instance("corpus", corpus, Corpus)
    checks.instance("vocabulary", vocabulary, Vocabulary)
    digest = hashlib.sha256(" ".join(vocabulary.words).encode())
    digest.update(vocabulary.counts.tobytes())
    for start in range(0, len(corpus.tokens), 1_000_000):
        digest.update(np.asarray(corpus.tokens[start : start + 1_000_000], np.int32).tobytes())
    return digest.hexdigest()
