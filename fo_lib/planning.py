r"""How long a data-parallel step takes, and how many workers are worth having: a calculator.

A message of :math:`m` bytes takes :math:`\alpha + m/\beta` seconds, with the latency :math:`\alpha` and the bandwidth
:math:`\beta` of each worker's link, in both directions at once; pairs do not disturb each other. A step of a
batch of :math:`b` samples on :math:`p` workers computes for :math:`c\,b/p` seconds, has a fixed :math:`o`, and sums
:math:`V` bytes of gradients over the workers, by one of the ways of :mod:`fo_lib.all_reduce`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from ._message_times import ALGORITHMS, all_reduce_time, crossover_bytes, way

__all__ = [
    "ALGORITHMS",
    "Cluster",
    "Plan",
    "all_reduce_time",
    "best_workers",
    "crossover_bytes",
    "plan",
    "steps_to_target",
]

Array = NDArray[np.floating[Any]]


@np.errstate(over="ignore")
def steps_to_target(batch: ArrayLike, *, least: float, critical_batch: float) -> Array:
    r"""Steps that a batch needs, by the law of the critical batch size.

    .. math:: S(b) = S_{\min} \Bigl( 1 + \frac{b_{\mathrm{crit}}}{b} \Bigr)

    Parameters
    ----------
    batch : float or array
        :math:`b > 0`, samples of a step.
    least : float
        :math:`S_{\min} > 0`, steps with as many samples as one likes.
    critical_batch : float
        :math:`b_{\mathrm{crit}} \ge 0`; 0 if more samples are no help.

    Returns
    -------
    array
        Steps, not rounded.

    Notes
    -----
    McCandlish et al. (2018), section 2.
    """
    b = checks.array("batch", batch).astype(float)
    if b.min() <= 0:
        raise ValueError(f"batch must be > 0, got {b.min():g}")
    least = checks.number("least", least, above=0.0)
    return np.asarray(least * (1 + checks.number("critical_batch", critical_batch, at_least=0.0) / b))


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What the model knows of the workers, their network, and the network that they train.

    Parameters
    ----------
    parameters : float
        Numbers in a gradient.
    sample_seconds : float
        Seconds that one worker computes for one sample.
    latency, bandwidth : float
        Of a link: seconds, bytes a second.
    overhead : float
        Seconds of a step that no worker takes off another, such as the update.
    bytes_each : float
        Of one number of a gradient: 4 for float32, 2 for bfloat16.
    method : str
        How gradients are summed.
    overlap : float
        From 0 to 1: the share of computing during which gradients already travel.
    """

    parameters: float
    sample_seconds: float
    latency: float
    bandwidth: float
    overhead: float = 0.0
    bytes_each: float = 4.0
    method: str = "ring"
    overlap: float = 0.0

    def __post_init__(self) -> None:
        for name in ("parameters", "sample_seconds", "bandwidth", "bytes_each"):
            checks.number(name, getattr(self, name), above=0.0)
        for name in ("latency", "overhead"):
            checks.number(name, getattr(self, name), at_least=0.0)
        checks.number("overlap", self.overlap, at_least=0.0, at_most=1.0)
        way(self.method)

    def communicate(self, workers: ArrayLike) -> Array:
        """Seconds of one all-reduce."""
        return all_reduce_time(
            workers, self.parameters * self.bytes_each, latency=self.latency, bandwidth=self.bandwidth,
            method=self.method,
        )  # fmt: skip

    @np.errstate(over="ignore", invalid="ignore")
    def step(self, workers: ArrayLike, batch: ArrayLike) -> Array:
        """Seconds of a step of ``batch`` samples, of all workers together; more workers than samples share samples."""
        p, b = checks.array("workers", workers).astype(float), checks.array("batch", batch).astype(float)
        if b.min() <= 0:
            raise ValueError(f"batch must be > 0, got {b.min():g}")
        compute, wire = self.sample_seconds * b / p, self.communicate(p)
        seconds = np.asarray(self.overhead + compute + np.maximum(wire - self.overlap * compute, 0.0))
        if np.isnan(seconds).any():
            raise ValueError(f"batch must give a time within the range of floats, got {batch!r} for {self}")
        return seconds


@dataclass(frozen=True)
class Plan:
    """What the model predicts for a number of workers; all times in seconds.

    Attributes
    ----------
    workers : int
    batch : float
        Samples of a step, of all workers together.
    compute, communicate, overhead, step : float
        A step, and its parts. With overlap, ``communicate`` is what remains visible of it.
    epoch : float
        A pass over the samples, in steps of this batch; the last one may be smaller, and is counted in full.
    steps, target : float
        Steps until the target, and their time; NaN without a law for the steps.
    efficiency : float
        Time of one worker over ``workers`` times this one: for the target where there is a law, else for a step.
    """

    workers: int
    batch: float
    compute: float
    communicate: float
    overhead: float
    step: float
    epoch: float
    steps: float
    target: float
    efficiency: float


def _best_batch(cluster: Cluster, workers: int, critical_batch: float, limits: tuple[float, float]) -> float:
    """The minimum over b of (1 + critical / b) (fixed + c b / p), between limits, without overlap."""
    fixed = cluster.overhead + float(cluster.communicate(workers))
    free = math.sqrt(fixed * critical_batch * workers / cluster.sample_seconds)
    return float(np.clip(free, *limits))


def plan(
    cluster: Cluster, workers: int, *, samples: int, batch: float | None = None, least_steps: float | None = None,
    critical_batch: float | None = None,
) -> Plan:  # fmt: skip
    r"""Predict the times of a step, of an epoch and, with the law of the critical batch, of the whole training.

    Without a ``batch``, the one with which the target is reached soonest: with :math:`K = o + T_{\mathrm{sum}}(p)`

    .. math::
        S_{\min} \Bigl(1 + \frac{b_{\mathrm{crit}}}{b}\Bigr) \Bigl(K + \frac{c\,b}{p}\Bigr) \;\text{ is least at }\;
        b = \sqrt{\frac{K\, b_{\mathrm{crit}}\, p}{c}}, \;\text{ where it is }\;
        S_{\min} \Bigl( \sqrt K + \sqrt{\frac{c\, b_{\mathrm{crit}}}{p}} \Bigr)^2 ,

    kept between one sample a worker and all samples.

    Parameters
    ----------
    cluster : Cluster
        Workers, network and model.
    workers : int
        :math:`p`.
    samples : int
        Of an epoch.
    batch : float, optional
        Of all workers together; it may be left out where ``least_steps`` and ``critical_batch`` are known, and there is
        no overlap.
    least_steps, critical_batch : float, optional
        :math:`S_{\min}` and :math:`b_{\mathrm{crit}}` of :func:`steps_to_target`.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, or the batch is neither given nor can be chosen.
    """
    checks.instance("cluster", cluster, Cluster)
    p, n = checks.count("workers", workers), checks.count("samples", samples)
    if (least_steps is None) != (critical_batch is None):
        raise ValueError("least_steps and critical_batch must be given together, or neither")
    if batch is not None:
        b = alone = checks.number("batch", batch, above=0.0)
    elif critical_batch is None or cluster.overlap:
        raise ValueError("batch must be given where there is overlap, or no critical_batch")
    else:
        critical_batch = checks.number("critical_batch", critical_batch, above=0.0)
        b, alone = (_best_batch(cluster, q, critical_batch, (min(q, n), n)) for q in (p, 1))
    for name, value in (("least_steps", least_steps), ("critical_batch", critical_batch)):
        if value is not None:
            checks.number(name, value, above=0.0 if name == "least_steps" else -np.inf)
    step, first = float(cluster.step(p, b)), float(cluster.step(1, alone))
    if not (0 < first < math.inf and 0 < step < math.inf):
        raise ValueError(f"cluster and batch must give times within the range of floats, got {step} and {first} s")
    steps = target = math.nan
    ratio = first / step
    if least_steps is not None and critical_batch is not None:
        steps = float(steps_to_target(b, least=least_steps, critical_batch=critical_batch))
        target = steps * step
        if not target < math.inf:
            raise ValueError("least_steps and critical_batch must give times within the range of floats")
        ratio = float(steps_to_target(alone, least=least_steps, critical_batch=critical_batch)) * first / target
    compute, epoch = cluster.sample_seconds * b / p, math.ceil(n / b) * step
    visible = step - compute - cluster.overhead
    return Plan(p, b, compute, visible, cluster.overhead, step, epoch, steps, target, ratio / p)


def best_workers(cluster: Cluster, *, most: int, efficiency: float = 0.0, **settings: Any) -> Plan:
    r"""Return the plan of the number of workers that is fastest, or of the fastest that is efficient enough.

    .. math:: \text{ring, without overlap and law:}\quad p^\star = \sqrt{\frac{c\,b - 2V/\beta}{2\alpha}}

    Parameters
    ----------
    cluster : Cluster
        Workers, network and model.
    most : int
        Up to how many workers: every number up to 1,000, beyond them about 400 more, evenly on a logarithmic scale;
        with the method ``"halving"``, powers of two only.
    efficiency : float
        The least efficiency that is accepted; one worker always has 1.
    **settings
        Those of :func:`plan`.

    Returns
    -------
    Plan
        The fastest to the target where there is a law, else in a step; the fewest workers of those.
    """
    checks.instance("cluster", cluster, Cluster)
    most = checks.count("most", most)
    least = checks.number("efficiency", efficiency, at_least=0.0, at_most=1.0)
    tried = [2**k for k in range(most.bit_length())] if cluster.method == "halving" else _numbers(most)
    plans = [plan(cluster, p, **settings) for p in tried]
    good = [found for found in plans if found.efficiency >= least]
    return min(good, key=lambda found: (found.step if math.isnan(found.target) else found.target, found.workers))


def _numbers(most: int) -> list[int]:
    few = range(1, min(most, 1000) + 1)
    many = np.rint(np.geomspace(1000, most, 400)).astype(int).tolist() if most > 1000 else []
    return sorted({*few, *many})
