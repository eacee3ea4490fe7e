"""Fewer and smaller messages: late gradients, and gradients at a distance from where they are used."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps

__all__ = ["delay_best", "delay_limit", "feedback_error", "gradients_elsewhere", "local_drift", "local_drift_alike"]


@bound
def delay_limit(delay: int) -> float:
    r"""Learning rate times curvature below which gradients that are ``delay`` steps late converge.

    .. math:: a h < 2 \sin \frac{\pi}{2 (2\tau + 1)}

    The limit itself, like anything above it, does not converge.
    """
    return 2 * math.sin(math.pi / (2 * (2 * checks.count("delay", delay, at_least=0) + 1)))


@bound
def delay_best(delay: int) -> tuple[float, float]:
    r"""Learning rate times curvature with the best decay a step for one curvature, and that decay.

    .. math:: a h = \frac{\tau^\tau}{(\tau + 1)^{\tau + 1}}, \qquad \frac{\tau}{\tau + 1}
    """
    tau = checks.count("delay", delay, at_least=0)
    return (tau / (tau + 1)) ** tau / (tau + 1), tau / (tau + 1)


@bound
def feedback_error(contraction: float) -> float:
    r"""Largest memory of error feedback, in units of the largest gradient, in the mean square.

    .. math:: \frac{\sqrt{1 - \delta}}{1 - \sqrt{1 - \delta}} \le \frac2\delta
    """
    kept = math.sqrt(1 - checks.number("contraction", contraction, above=0.0, at_most=1.0))
    return kept / (1 - kept)


@bound
def local_drift(local: int, *, gradient: float) -> float:
    r"""Root mean square distance of the workers from their mean in local SGD, over the learning rate.

    .. math:: G \sqrt{\frac{(H - 1)(2H - 1)}{6}}, \qquad E\|g_i\|^2 \le G^2
    """
    H = checks.count("local", local)
    return checks.number("gradient", gradient, at_least=0.0) * math.sqrt((H - 1) * (2 * H - 1) / 6)


@bound
def local_drift_alike(local: int, *, workers: int, variance: float) -> float:
    r"""The same for workers with one and the same convex function and independent noise, at a rate of at most 2 / L.

    .. math:: \sqrt{\Bigl(1 - \frac1m\Bigr) \frac{H - 1}{2} \sigma^2}
    """
    H, m = checks.count("local", local), checks.count("workers", workers)
    return math.sqrt((1 - 1 / m) * (H - 1) / 2 * checks.number("variance", variance, at_least=0.0))


@bound
def gradients_elsewhere(k: ArrayLike, *, gap: float, L: float, rate: float, variance: float, distance: float) -> Array:
    r"""Mean of the first ``k`` squared gradient norms when gradients are computed ``rate * distance`` away.

    .. math:: \frac{2 (f(w_0) - f^\star)}{a k} + a L \sigma^2 + a^2 L^2 D^2, \qquad a \le \frac1L

    ``variance`` is that of the step's gradient (a mean over workers), ``distance`` is :math:`D`.
    """
    L = checks.number("L", L, above=0.0)
    a = checks.number("rate", rate, above=0.0, at_most=1 / L)
    sigma2 = checks.number("variance", variance, at_least=0.0)
    D = checks.number("distance", distance, at_least=0.0)
    bound: Array = 2 * checks.number("gap", gap, at_least=0.0) / (a * count_steps(k, 1)) + a * L * sigma2
    return bound + (a * L * D) ** 2
