"""Words a second of skip-gram with negatives: fo_lib against gensim with one worker, and the loss on other lines.

usage: python -m benchmarks.word_vectors [ROUNDS]

All learn from the same 19 of 20 glosses that ship with the package, with the same window, negatives, dimension and
epochs, in alternating runs, and are judged by the loss of fixed pairs and negatives from the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gensim.models import Word2Vec

from benchmarks import measure as shared
from fo_lib import datasets, rules, skip_gram, text, word2vec

Tables = tuple[np.ndarray, np.ndarray]  # of words and of contexts, in the order of the vocabulary
ROUNDS = 3
EPOCHS, DIMENSION, SAMPLE = 2, 100, 1e-4
OPTIONS: dict[str, Any] = {"dimension": DIMENSION, "epochs": EPOCHS, "sample": SAMPLE}
WORSE = 1.005  # the loss may be so many times gensim's, which differs as much between seeds


def in_tensorflow(vocabulary: text.Vocabulary, corpus: text.Corpus) -> Tables:
    learned = skip_gram.fit(corpus, vocabulary, rules.gradient_descent, 0.1, **OPTIONS)
    return learned.vectors.vectors, learned.contexts.vectors


def compiled(vocabulary: text.Vocabulary, corpus: text.Corpus) -> Tables:
    learned = word2vec.fit(corpus, vocabulary, 0.05, **OPTIONS)
    return learned.vectors.vectors, learned.contexts.vectors


def made(sentences: list[list[str]]) -> Word2Vec:
    """A model of gensim's that has its vocabulary, as ours has before the clock starts, and has not learned."""
    model = Word2Vec(
        vector_size=DIMENSION, window=5, min_count=5, sample=SAMPLE, workers=1, sg=1, negative=5, epochs=EPOCHS,
        alpha=0.05, min_alpha=0.05e-4, seed=0,
    )  # fmt: skip
    model.build_vocab(sentences)
    return model


def gensims(vocabulary: text.Vocabulary, sentences: list[list[str]], model: Word2Vec) -> Tables:
    model.train(sentences, total_examples=model.corpus_count, epochs=EPOCHS)
    rows = [model.wv.key_to_index[word] for word in vocabulary.words]
    return model.wv.vectors[rows], model.syn1neg[rows]


OURS: dict[str, tuple[Callable[..., Tables], float]] = {
    "skip-gram, compiled": (compiled, 2.0),
    "skip-gram, TensorFlow": (in_tensorflow, 0.5),
}


def judge(vocabulary: text.Vocabulary, lines: list[str]) -> Callable[[Tables], float]:
    """The mean loss of a pair of lines that nobody has learned from, as a function of the tables."""
    corpus, rng = text.encode(lines, vocabulary), np.random.default_rng(1)
    everything = (0, len(corpus.starts) - 1)
    centers, contexts = skip_gram.pairs(corpus, vocabulary.frequencies, everything, rng, sample=SAMPLE)
    noise = skip_gram.noise_distribution(vocabulary.counts)
    negatives = rng.choice(len(vocabulary), (len(centers), 5), p=noise)

    def loss(tables: Tables) -> float:
        u, v = tables[0][centers], tables[1]
        total = np.logaddexp(0, -np.einsum("ij,ij->i", u, v[contexts]))
        for column in negatives.T:
            total += np.logaddexp(0, np.einsum("ij,ij->i", u, v[column])) * (column != contexts)
        return float(total.mean())

    return loss


def measure(rounds: int) -> list[shared.Row]:
    """A row for the compiled program, and one for the TensorFlow of the chapter."""
    lines = list(datasets.glosses().lines)
    learning = [line for i, line in enumerate(lines) if i % 20]
    vocabulary = text.build_vocabulary(learning)
    corpus, loss = text.encode(learning, vocabulary), judge(vocabulary, lines[::20])
    sentences = [text.tokenize(line) for line in learning]
    learned: dict[str, Tables] = {}
    runs = {name: lambda n=name, f=f: learned.update({n: f(vocabulary, corpus)}) for name, (f, _) in OURS.items()}
    models = [made(sentences) for _ in range(rounds)]
    runs["gensim"] = lambda: learned.update(gensim=gensims(vocabulary, sentences, models.pop()))
    compiled(vocabulary, text.encode(learning[:1000], vocabulary))  # compile
    taken = shared.in_turns(runs, rounds, warm_up=0)
    rows, theirs = [], loss(learned["gensim"])
    for name, (_, bar) in OURS.items():
        words = EPOCHS * len(corpus.tokens) / np.median(taken[name]) / 1e3
        ours = loss(learned[name])
        assert ours <= WORSE * theirs, f"{name} is worse: {ours} against {theirs}"
        note = f"{words:.0f}k words a second; loss on other lines {ours:.3f}, gensim's {theirs:.3f}"
        rows.append(shared.row(name, "gensim", shared.ratio(taken["gensim"], taken[name]), bar, note))
    return rows


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
