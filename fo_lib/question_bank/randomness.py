"""Questions on mini-batches, stochastic gradient descent, averaging and variance reduction."""

from __future__ import annotations

from ._question import Template, one_of

__all__ = ["QUESTIONS"]


def _stage(L: float, mu: float, share: float, m: int) -> float:
    rate = share / L
    return 1 / (mu * rate * (1 - 2 * L * rate) * m) + 2 * L * rate / (1 - 2 * L * rate)


QUESTIONS = (
    Template(
        "mini-batches/variance",
        "The gradients of {n} samples have the mean squared distance {variance} from their mean. What is that"
        " of the mean gradient of {b} of them, drawn at random without replacement?",
        one_of(n=(20, 50, 100), b=(4, 5, 8, 10), variance=(2.0, 3.0, 9.0)),
        lambda n, b, variance: variance / b * (n - b) / (n - 1),
        "Without replacement it must be zero for a batch of all samples.",
        "Drawing without replacement takes away the share (b - 1) / (n - 1) of the variance.",
    ),
    Template(
        "mini-batches/size",
        "A batch of {b} out of very many samples gives a gradient of standard deviation {deviation}. Which"
        " batch size gives {wanted}?",
        one_of(b=(16, 32, 64), deviation=(0.8, 1.6, 3.2), wanted=(0.1, 0.2, 0.4)),
        lambda b, deviation, wanted: round(b * (deviation / wanted) ** 2),
        "The standard deviation falls with the root of the batch size.",
        "Half the noise costs four times the samples.",
        whole=True,
    ),
    Template(
        "stochastic-gradient-descent/ball",
        "SGD with the constant rate {rate} on ({h}/2) w^2, with gradient noise of standard deviation {sigma}. To"
        " which value does the mean of w^2"
        " settle?",
        one_of(rate=(0.1, 0.2, 0.3), h=(0.5, 1.0, 2.0, 4.0), sigma=(0.5, 1.0, 2.0)),
        lambda rate, h, sigma: rate * sigma**2 / (h * (2 - rate * h)),
        "Let the mean square v satisfy v = (1 - rate h)^2 v + rate^2 sigma^2.",
        "Nearly proportional to the rate, as long as the rate is far from 2 / h.",
    ),
    Template(
        "stochastic-gradient-descent/inverse",
        "The rate {c}/k on w^2/2, with gradient noise of standard deviation {sigma}. To which value does k"
        " times the mean of w^2 tend?",
        one_of(c=(0.75, 1.0, 1.5, 2.0, 3.0), sigma=(0.5, 1.0, 2.0, 3.0)),
        lambda c, sigma: (c * sigma) ** 2 / (2 * c - 1),
        "Put v_k = a / k into the recursion and compare the terms in 1 / k^2.",
        "Best at c = 1; half of that would not converge at this speed at all.",
    ),
    Template(
        "reading-bottou/rate",
        "Bottou's schedule alpha_0 / (1 + lambda alpha_0 k), with {first} for alpha_0 and {l2:g} for lambda. What is"
        " the learning rate of SGD with one sample a step after {passes} passes over {n} samples?",
        one_of(first=(0.25, 0.5, 1.0, 2.0), l2=(1e-3, 1e-4, 1e-5), passes=(1, 2, 5, 10), n=(1000, 10_000, 60_000)),
        lambda first, l2, passes, n: first / (1 + l2 * first * passes * n),
        "How many steps are that? In the end the rate is about 1 / (lambda k).",
        "The larger alpha_0, the sooner the schedule forgets it.",
    ),
    Template(
        "averaging-and-variance-reduction/stage",
        "SVRG, all samples {L}-smooth, mu = {mu}, the rate {share}/L and {m} inner steps. Which factor does its"
        " theorem give for the expected gap in a stage?",
        one_of(L=(1.0, 2.0, 5.0), mu=(0.05, 0.1, 0.2), share=(0.05, 0.1, 0.15), m=(2000, 4000, 8000)),
        _stage,
        "Two terms: one falls with the number of inner steps, the other is 2 L alpha / (1 - 2 L alpha).",
        "The second term does not go away with more inner steps: only a smaller rate makes it smaller.",
    ),
    Template(
        "averaging-and-variance-reduction/steps",
        "Gradient noise of standard deviation {sigma} and curvature {h}: after how many steps is the mean"
        " square of the averaged iterate"
        " {goal:g}, at its asymptotic rate?",
        one_of(sigma=(1.0, 2.0, 3.0), h=(0.5, 1.0, 2.0), goal=(1e-3, 1e-4)),
        lambda sigma, h, goal: round((sigma / h) ** 2 / goal),
        "Polyak and Ruppert: k times the mean square tends to sigma^2 / h^2.",
        "No learning rate occurs in it: that is what averaging is for.",
        whole=True,
    ),
)
