"""Gradients that come late: computed at weights that others have changed since."""

from __future__ import annotations

import numpy as np

from . import checks
from .gradients import full
from .layout import Layout
from .memory import Memory, Remembering
from .problem import Problem
from .sampling import Estimate, Oracle, Weights

__all__ = ["stale"]


def stale(delay: int, gradient: Oracle = full, *, random: bool = False) -> Oracle:
    r"""Use the gradient at the weights of some steps ago.

    .. math:: g_t = \hat\nabla f(w_{t - 1 - \tau}), \qquad w_{-1} = w_{-2} = \dots = w_0

    That is what :math:`\tau + 1` equally fast workers do who do not wait for each other: between the moment when one
    reads the weights and the moment when its gradient is applied, each of the others has changed them once.

    Parameters
    ----------
    delay : int
        :math:`\tau \ge 0`.
    gradient : function
        The oracle whose gradients are late.
    random : bool
        Draw each delay anew, uniformly from :math:`0, \dots, \tau` and independently of the samples.

    Returns
    -------
    function
        A gradient oracle. Memory: :math:`\tau + 1` weights.

    Raises
    ------
    TypeError, ValueError
        If ``delay`` is not a whole number from 0 on, or ``gradient`` cannot be called.

    Notes
    -----
    Agarwal & Duchi (2011); Lian et al. (2015) for functions that are not convex.
    """
    delay = checks.count("delay", delay, at_least=0)
    checks.function("gradient", gradient)

    def oracle(problem: Problem, seed: int) -> Estimate:
        layout, inner = Layout(problem.start), gradient(problem, seed)
        memory: Memory = {}  # the weights of the last steps, by the remainder of the step's number

        def key(t: int) -> str:
            return f"past {t % (delay + 1)}"

        def estimate(w: Weights, t: int) -> Weights:
            memory[key(t)] = layout.flatten(w, "w")
            # the 1 keeps the draw apart from those of the samples
            late = int(np.random.default_rng([seed, t, 1]).integers(delay + 1)) if random else delay
            while key(t - late) not in memory:  # the run is younger than that
                late -= 1
            return inner(layout.unflatten(memory[key(t - late)]), t)

        return Remembering(estimate, memory)

    return oracle
