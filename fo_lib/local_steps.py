"""Local SGD, or federated averaging: workers make steps of their own, and then average their weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from . import checks
from .problem import Problem
from .sampling import Estimate, Oracle, Weights
from .schedules import Schedule, as_schedule
from .team import Array, Team

__all__ = ["local_sgd"]


def local_sgd(
    workers: Sequence[ArrayLike],
    local: int,
    *,
    rate: float | Schedule,
    size: int | None = None,
    active: int | None = None,
) -> Oracle:
    r"""Send what ``local`` steps of each worker have changed, instead of a gradient.

    In round :math:`t` every worker starts from :math:`w_{t-1}`, makes :math:`H` steps on its own samples with the
    learning rate :math:`a`, and the mean change is what the loop gets for a gradient:

    .. math::
        w_{i, h+1} = w_{i,h} - a\, g_i(w_{i,h}), \qquad
        g_t = w_{t-1} - \sum_i \frac{n_i}{n} w_{i, H} .

    Under gradient descent with ``learning_rate=1`` the new weights are the mean of the workers': local SGD, or FedAvg.
    Any other rule or rate is a step of the *server* with that difference: momentum, Adam.

    Parameters
    ----------
    workers : sequence of arrays of int
        The rows of each worker, from :func:`~fo_lib.team.shuffled_split`, :func:`~fo_lib.team.sorted_split`, or
        your own: together every sample, once.
    local : int
        :math:`H`, steps between two rounds. With 1 the change is ``rate`` times a batch gradient.
    rate : float or function
        :math:`a`, the learning rate of the workers: a number, or a function of the round.
    size : int, optional
        Samples of a worker's batch, drawn anew in each local step; by default all that it has.
    active : int, optional
        How many workers, drawn anew in each round, take part; by default all. The mean is over those.

    Returns
    -------
    function
        A gradient oracle. A step of the loop is a round: :math:`H` gradients of each worker, and :math:`d` numbers
        from it.

    Raises
    ------
    TypeError, ValueError
        At once if a number is out of its range; at the start of a run if the problem has no samples, the rows are not
        a partition of them, or a worker has fewer than ``size``.

    Notes
    -----
    McMahan et al. (2017), Algorithm 1; Stich (2019). Seen as a gradient: Reddi et al. (2021), Algorithm 1.
    """
    local = checks.count("local", local)
    schedule = as_schedule("rate", rate, above=0.0)
    if active is not None:
        active = checks.count("active", active)

    def oracle(problem: Problem, seed: int) -> Estimate:
        team = Team("local_sgd", problem, workers, size, seed)
        if active is not None:
            checks.count("active", active, at_most=len(team), why="the number of workers")

        def end(worker: int, w: Array, t: int) -> Array:
            v, a = w, schedule(t)
            for h in range(1, local + 1):
                v = v - a * team.gradient(worker, v, (t - 1) * local + h)
            return v

        def estimate(w: Weights, t: int) -> Weights:
            start = team.layout.flatten(w, "w")
            chosen = range(len(team)) if active is None else _draw(len(team), active, seed, t)
            share = team.share[list(chosen)] / team.share[list(chosen)].sum()
            ends = [s * (start - end(i, start, t)) for i, s in zip(chosen, share, strict=True)]
            return team.layout.unflatten(np.sum(ends, axis=0).astype(team.layout.dtype))

        return estimate

    return oracle


def _draw(workers: int, active: int, seed: int, t: int) -> list[int]:
    drawn = np.random.default_rng([seed, t]).choice(workers, active, replace=False)
    return sorted(int(i) for i in drawn)
