"""Questions on images, words and language models."""

from __future__ import annotations

import math

from ._question import Template, one_of

__all__ = ["QUESTIONS"]


QUESTIONS = (
    Template(
        "image-classification/error",
        "A model is right on {share:.1%} of {n} test images. What is the standard error of that share?",
        one_of(share=(0.8, 0.85, 0.9, 0.95), n=(1000, 2000, 10000)),
        lambda share, n: math.sqrt(share * (1 - share) / n),
        "The variance of one answer, right or wrong, is p (1 - p).",
        "Two models on other images each have one; on the same images compare them image by image.",
    ),
    Template(
        "word-embeddings/negatives",
        "Three words occur {a}, {b} and {c} times. Negatives are drawn in proportion to the counts to the power"
        " 3/4. With which probability is the last"
        " word drawn?",
        one_of(a=(1000, 5000, 20000), b=(200, 500), c=(1, 5, 20)),
        lambda a, b, c: c**0.75 / (a**0.75 + b**0.75 + c**0.75),
        "Raise first, then divide by the sum.",
        "The rare word is drawn more often than its share of the text: that is what the power is for.",
    ),
    Template(
        "language-models/perplexity",
        "A model assigns the probabilities {a}, {b} and {c} to three tokens of a text. What is its mean loss in nats?",
        one_of(a=(0.5, 0.25, 0.1), b=(0.2, 0.05, 0.01), c=(0.9, 0.4, 0.02)),
        lambda a, b, c: -math.log(a * b * c) / 3,
        "The mean of the negative logarithms, not the logarithm of the mean.",
        "Its exponential is the perplexity: over how many tokens one would have to guess.",
    ),
    Template(
        "language-models/rare",
        "A token is in every {n}th batch, exactly, with a gradient of the same size. Long after the start, how"
        " many times faster does Adam with beta1 = 0, beta2 = {beta2} and epsilon = 0 move its weight than gradient"
        " descent does, both relative to a token that is in all batches?",
        one_of(n=(10, 50, 100, 1000), beta2=(0.9, 0.99, 0.999)),
        lambda n, beta2: math.sqrt((1 - beta2**n) / (1 - beta2)),
        "What has v become when the token comes back after n steps? A geometric series.",
        "About the root of n while n is small, and never more than 1 / sqrt(1 - beta2).",
    ),
    Template(
        "your-own-problem/rows",
        "Two models differ by {gap} in mean loss. The difference on a single test row has the standard"
        " deviation {deviation}. With how many test rows is the gap two standard"
        " errors?",
        one_of(gap=(0.01, 0.02, 0.05, 0.1), deviation=(0.2, 0.4, 0.8)),
        lambda gap, deviation: round((2 * deviation / gap) ** 2),
        "The standard error of the mean difference is its deviation over the root of the number of rows.",
        "Half the gap needs four times the rows.",
        whole=True,
    ),
)
