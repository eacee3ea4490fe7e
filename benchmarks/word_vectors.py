"""Words a second of skip-gram with negatives: fo_lib in TensorFlow against gensim with one worker.

usage: python -m benchmarks.word_vectors [ROUNDS]

Both learn from the glosses that ship with the package, with the same window, negatives, dimension and epochs, in
alternating runs; each at a rate at which it works well. The correlations say that neither is fast by learning less.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from gensim.models import Word2Vec

from fo_lib import datasets, rules, skip_gram, text
from fo_lib.word_vectors import WordVectors

EPOCHS, DIMENSION, SAMPLE = 2, 100, 1e-4
JUDGED = datasets.word_pairs("wordsim353"), datasets.word_pairs("simlex999")


def ours(vocabulary: text.Vocabulary, corpus: text.Corpus) -> WordVectors:
    options = {"dimension": DIMENSION, "epochs": EPOCHS, "sample": SAMPLE}
    return skip_gram.fit(corpus, vocabulary, rules.gradient_descent, 0.1, **options).vectors


def gensims(sentences: list[list[str]]) -> WordVectors:
    model = Word2Vec(
        sentences, vector_size=DIMENSION, window=5, min_count=5, sample=SAMPLE, workers=1, sg=1, negative=5,
        epochs=EPOCHS, alpha=0.05, seed=0,
    )  # fmt: skip
    return WordVectors(model.wv.index_to_key, model.wv.vectors)


def timed(learn: Callable[..., WordVectors], *data: object) -> tuple[float, list[float]]:
    begin = time.perf_counter()
    vectors = learn(*data)
    seconds = time.perf_counter() - begin
    return seconds, [vectors.similarity(pairs)[0] for pairs in JUDGED]


def main(rounds: int) -> None:
    lines = datasets.glosses().lines
    vocabulary = text.build_vocabulary(lines)
    corpus = text.encode(lines, vocabulary)
    sentences = [text.tokenize(line) for line in lines]
    read = EPOCHS * len(corpus.tokens)
    found = [(timed(gensims, sentences), timed(ours, vocabulary, corpus)) for _ in range(rounds)]
    for name, side in (("gensim", 0), ("fo_lib", 1)):
        seconds, quality = zip(*(pair[side] for pair in found), strict=True)
        words = np.median(read / np.array(seconds))
        print(f"{name}: {words / 1e3:.0f}k words a second, correlations {np.mean(quality, axis=0).round(3)}")
    ratios = [pair[0][0] / pair[1][0] for pair in found]
    low, median, high = np.quantile(ratios, [0, 0.5, 1])
    print(f"time of gensim / time of fo_lib = {median:.2f}  ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
