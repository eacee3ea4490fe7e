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
        "Differences of less than about two of these say little about two models.",
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
        "A token is in every {n}th batch, exactly. How many times faster does Adam with beta1 = 0 and beta2 ="
        " {beta2} move its weight than gradient descent"
        " does, both relative to a token that is in all batches?",
        one_of(n=(10, 50, 100, 1000), beta2=(0.9, 0.99, 0.999)),
        lambda n, beta2: math.sqrt((1 - beta2**n) / (1 - beta2)),
        "What has v become when the token comes back after n steps? A geometric series.",
        "About the root of n while n is small, and never more than 1 / sqrt(1 - beta2).",
    ),
)
