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
        "data-parallel/workers",
        "A batch takes one worker {seconds} s. The gradient has {megabytes} MB, a link carries {gigabytes} GB a second"
        " and has a latency of {milliseconds} ms. With which real number of workers on a ring is a step shortest?",
        one_of(seconds=(1, 2, 5), megabytes=(20, 100, 400), gigabytes=(1, 5, 12.5), milliseconds=(0.05, 0.1, 0.5)),
        lambda seconds, megabytes, gigabytes, milliseconds: math.sqrt(
            (seconds - 2 * megabytes / 1000 / gigabytes) / (2 * milliseconds / 1000)
        ),
        "The derivative of A / p + 2 (p - 1) alpha + 2 (p - 1) / p V / beta is zero there. All in seconds.",
        "Four times the batch is worth little more than twice the workers.",
    ),
    Template(
        "data-parallel/ring",
        "Gradients of {megabytes} MB are summed by {p} workers on a ring. Links have {gigabytes} GB a second and a"
        " latency of {microseconds} microseconds. How many milliseconds does it take?",
        one_of(megabytes=(10, 80, 500), p=(4, 16, 100), gigabytes=(1, 2, 10), microseconds=(5, 20, 100)),
        lambda megabytes, p, gigabytes, microseconds: 2 * (p - 1) * (microseconds / 1000 + megabytes / gigabytes / p),
        "2 (p - 1) messages one after the other, each of a p-th of the vector.",
        "What each worker sends hardly depends on their number; the messages that wait for each other do.",
    ),
    Template(
        "data-parallel/steps",
        "A training needs {least} steps with as many samples as one likes, and its critical batch size is {critical}."
        " How many samples does it take in all with a batch of {b}, by the law of McCandlish et al.?",
        one_of(least=(1000, 2000, 5000), critical=(100, 400, 1000), b=(50, 200, 3000)),
        lambda least, critical, b: least * (b + critical),
        "Samples are batch times steps, and the steps are S_min (1 + b_crit / b).",
        "The least number of samples is S_min b_crit; what the batch adds to it buys fewer steps.",
        whole=True,
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
    Template(
        "fewer-messages/limit",
        "Workers do not wait for each other. Every gradient of a quadratic with L = {L} is {delay} steps late. Below"
        " which learning rate does gradient descent converge?",
        one_of(L=(0.5, 2, 10, 40), delay=(1, 2, 4, 9, 20)),
        lambda L, delay: 2 * math.sin(math.pi / (2 * (2 * delay + 1))) / L,
        "Learning rate times L must be below 2 sin(pi / (2 (2 tau + 1))).",
        "For long delays about 1.57 / (tau + 1/2), over L.",
    ),
    Template(
        "fewer-messages/rest",
        "Two workers have the functions w^2 / 2 and {h} (w - {c})^2 / 2. Each makes {local} local steps of gradient"
        " descent with the learning rate {rate} between two rounds, in which their weights are averaged. Where do they"
        " come to rest?",
        one_of(h=(2, 3, 5), c=(-2, 1, 4), rate=(0.05, 0.1, 0.3), local=(2, 3, 10)),
        lambda h, c, rate, local: (
            c * (1 - (1 - rate * h) ** local) / (2 - (1 - rate) ** local - (1 - rate * h) ** local)
        ),
        "Weigh each minimizer by one minus (1 - rate times curvature) to the power of the local steps.",
        "The minimizer is h c / (1 + h); with very many local steps it would be c / 2.",
    ),
    Template(
        "large-scale/trials",
        "How many random trials does it take to have one in the best {share} % of all settings with a probability of at"
        " least {sure} %?",
        one_of(share=(1, 2, 5, 10), sure=(80, 90, 95, 99)),
        lambda share, sure: math.ceil(math.log(1 - sure / 100) / math.log(1 - share / 100)),
        "All n of them miss with probability (1 - q)^n.",
        "The number of knobs plays no part.",
        whole=True,
    ),
    Template(
        "large-scale/halving",
        "Successive halving starts with {eta}^{k} settings, keeps one in {eta} at each rung, and the first rung is"
        " after {r} steps. Runs are resumed. How many steps are made in all, until the last one has made {eta}^{k}"
        " times {r}?",
        one_of(eta=(2, 3, 4), k=(2, 3, 4), r=(10, 50, 200)),
        lambda eta, k, r: eta**k * r + k * (eta - 1) * eta ** (k - 1) * r,
        "The first rung costs n r steps, each later one (1 - 1 / eta) n r.",
        "Training all of them to the end would cost n^2 r.",
        whole=True,
    ),
    Template(
        "large-scale/late",
        "With what probability does a row come out of a shuffle buffer of {size} rows more than {late} places late, far"
        " from both ends of the file?",
        one_of(size=(10, 100, 1000), late=(10, 50, 200)),
        lambda size, late: (1 - 1 / size) ** (size + late),
        "From B - 1 places before its own on it stays with probability 1 - 1 / B in each step.",
        "A delay without a limit: geometric.",
    ),
)
