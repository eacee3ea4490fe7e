"""The only loop: :func:`minimize` runs any rule with any learning rate, gradient, transform and prox."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks, learning_rates, rules
from .averages import Average, exponential, polynomial, uniform
from .engine import Stepper, signature
from .gradients import full, mini_batch, noisy, saga, svrg
from .layout import Layout
from .learning_rates import LineSearch, Schedule
from .problem import Problem, flat, read_only
from .sampling import Oracle
from .trace import Records, Trace
from .transforms import Transform, clip_norm, clip_value

__all__ = ["Trace", "minimize"]

Array = NDArray[np.floating[Any]]
Weights = Any
Prox = Callable[[Weights, float], Weights]

# They make what a slot takes, and are not it.
FACTORIES = (clip_norm, clip_value, exponential, mini_batch, noisy, polynomial, saga, svrg, uniform)


def minimize(
    problem: Problem,
    rule: Callable[..., Any] = rules.gradient_descent,
    *,
    learning_rate: float | Schedule | LineSearch | None = None,
    gradient: Oracle = full,
    transform: Transform | None = None,
    prox: Prox | None = None,
    average: Average | None = None,
    start: Weights = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
    seed: int = 0,
    progress: bool = False,
    **hyper: float | Schedule,
) -> Trace:
    r"""Minimize a problem by a first-order method.

    Step ``t = 1, 2, ...`` is

    .. math::
        g_t = T(\hat\nabla f(w_{t-1})), \qquad
        w_t = \mathrm{prox}_{\alpha_t}(\mathrm{rule}(w_{t-1}, g_t, \dots; \alpha_t)).

    Parameters
    ----------
    problem : Problem
        From :mod:`fo_lib.problems`, or of your own functions by :func:`~fo_lib.problems.from_functions`.
    rule : function
        From :mod:`fo_lib.rules` or :mod:`fo_lib.matrix_rules`, or your own of the same form.
    learning_rate : float, function or LineSearch, optional
        A number, a schedule of the step number, or a line search (gradient descent with the full gradient only).
        By default the rule's own.
    gradient : function
        A gradient oracle from :mod:`fo_lib.gradients`.
    transform : function, optional
        Applied to the flat gradient before the rule (see :mod:`fo_lib.transforms`).
    prox : function, optional
        ``prox(w, learning_rate)`` returns new weights: a proximal operator or a projection.
    average : function, optional
        From :mod:`fo_lib.averages`: all that is recorded is then of a mean of the iterates, which the steps do not see.
    start : array or list of arrays, optional
        First weights, by default the problem's. Copied; float32 and float64 are kept, integers become float64.
    steps : int
        Steps to make at most.
    tolerance : float
        Stop at a recorded step where the norm of the **full** gradient is at most this.
    every : int
        Record step 0 and every such step after it, and the last. A recorded step costs a value and, where steps use
        another, a full gradient.
    iterates : bool
        Record the weights too.
    seed : int
        All randomness of the run is a function of it.
    progress : bool
        Show a bar (needs tqdm; quiet where the output is not a terminal).
    **hyper : float or function
        Hyperparameters of the rule, such as ``momentum=0.9``: numbers, or functions of the step number.

    Returns
    -------
    Trace
        A run that diverges returns one too: see its ``reason`` and ``message``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, a schedule returns what is not a positive number, the
        gradient has the wrong shape, or value or gradient are not finite at the start.

    Examples
    --------
    >>> from fo_lib import minimize, problems
    >>> minimize(problems.quadratic([1, 10]), learning_rate=1 / 10, steps=200)
    Trace(value=2.48871e-19, grad_norm=7.1e-10: made all 200 steps)
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem (see problems.from_functions), got {type(problem).__name__}")
    checks.count("steps", steps, at_least=0)
    checks.count("every", every)
    checks.count("seed", seed, at_least=0)
    checks.number("tolerance", tolerance, at_least=0.0)
    slots: dict[str, object] = {"gradient": gradient, "transform": transform, "prox": prox, "average": average}
    for name, slot in slots.items():
        if slot is not None or name == "gradient":
            checks.function(name, slot)
            _refuse_factory(name, slot)
    first = problem.start if start is None else start
    layout = Layout(first)
    if layout.shapes != Layout(problem.start).shapes:
        raise ValueError(f"start must have the shape of the problem's, {problem.start!r}, got {first!r}")
    flattened = flat(problem, layout)
    schedules = {name: value for name, value in hyper.items() if callable(value)}
    numbers: dict[str, Any] = {name: value for name, value in hyper.items() if name not in schedules}
    run = _Run(
        problem=flattened,
        stepper=_ByArray(rule, layout, schedules, numbers),
        rate=_rate(rule, learning_rate, [gradient is full, transform is None, prox is None], flattened),
        estimate=None if gradient is full and average is None else _flat_estimate(gradient(problem, seed), layout),
        transform=transform,
        prox=None if prox is None else lambda w, a: layout.flatten(prox(layout.unflatten(w), a), "prox(w)"),
        average=average,
        records=Records(iterates),
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is reported by the trace
        w, reason, message = run(layout.flatten(first, "start"), steps, every, tolerance, progress)
    name = getattr(rule, "__name__", type(rule).__name__)
    known = {**signature(rule).hyper, **numbers, "rule": name, "stochastic": gradient is not full, "L": problem.L}
    known.pop("learning_rate")  # the trace has it, step by step
    return run.records.trace(layout.unflatten(w), reason, message, **known)


def _refuse_factory(name: str, slot: object) -> None:
    if any(slot is factory for factory in FACTORIES):
        raise TypeError(f"{name} must be called: {getattr(slot, '__name__', slot)}(...), not just named")


def _flat_estimate(estimate: Callable[[Weights, int], Weights], layout: Layout) -> Callable[[Array, int], Array]:
    return lambda w, t: layout.flatten(estimate(layout.unflatten(read_only(w)), t), "the gradient estimate")


def _rate(
    rule: Callable[..., Any], learning_rate: object, plain: list[bool], problem: Problem
) -> Callable[[int, Array, Array], float]:
    """The learning rate as a function of step, weights and gradient, whatever the slot was given."""
    if isinstance(learning_rate, LineSearch):
        if rule is not rules.gradient_descent or not all(plain):
            raise ValueError(
                "learning_rate: a line search measures along the negative full gradient, and needs"
                " rule=gradient_descent and neither another gradient, nor a transform, nor a prox"
            )
        search = learning_rate.prepare(problem)
        return lambda t, w, g: checks.number(f"learning_rate of step {t}", search(w, g), above=0.0)
    if callable(learning_rate):
        name = getattr(learning_rate, "__name__", "")
        if getattr(learning_rates, name, None) is learning_rate:
            raise TypeError(f"learning_rate must be called: {name}(...), not just named")
        schedule = learning_rate
        return lambda t, w, g: checks.number(f"learning_rate({t})", schedule(t), above=0.0)
    if isinstance(learning_rate, str):
        raise TypeError(f"learning_rate must be a number, a schedule or a line search, got {learning_rate!r}")
    default = signature(rule).hyper["learning_rate"]
    constant = checks.number("learning_rate", default if learning_rate is None else learning_rate, above=0.0)
    return lambda t, w, g: constant


class _ByArray:
    """A rule on a flat vector: a rule of matrices is called for each array, any other once for all weights."""

    def __init__(
        self, rule: Callable[..., Any], layout: Layout, schedules: dict[str, Schedule], numbers: dict[str, float]
    ) -> None:
        signature(rule).require(*schedules)
        whole = Layout(np.zeros(layout.size, layout.dtype))
        self.rule, self.schedules = rule, schedules
        self.layout = layout if hasattr(rule, "state_shapes") else whole
        self.steppers = [Stepper(rule, fused=None, **numbers) for _ in self.layout.shapes]

    def __call__(self, w: Array, g: Array, t: int, rate: float) -> None:
        hyper = {name: schedule(t) for name, schedule in self.schedules.items()}
        arrays, gradients = self.layout.arrays(w), self.layout.arrays(g)
        for step, array, gradient in zip(self.steppers, arrays, gradients, strict=True):
            step(array, gradient, learning_rate=rate, **hyper)


@dataclass(kw_only=True)
class _Run:
    """One run over flat vectors: calling it makes the steps."""

    problem: Problem
    stepper: _ByArray
    rate: Callable[[int, Array, Array], float]
    estimate: Callable[[Array, int], Array] | None
    transform: Transform | None
    prox: Callable[[Array, float], Array] | None
    average: Average | None
    records: Records

    def __call__(self, w: Array, steps: int, every: int, tolerance: float, progress: bool) -> tuple[Array, str, str]:
        rate, at = 0.0, w if self.average is None else w.copy()  # at: where values are recorded
        previous = at.copy()
        for t in _track(steps + 1, progress):
            recorded = t % every == 0 or t == steps
            g = self.problem.grad(at) if recorded or self.estimate is None else self.estimate(w, t + 1)
            norm = float(np.linalg.norm(g))
            value = self.problem.value(at) if recorded else 0.0
            if not (np.isfinite(norm * norm) and np.isfinite(value)):
                return previous, "diverged", self._divergence(t, rate)
            if recorded:
                self.records.add(t, value, norm, rate, at)
                if norm <= tolerance and (tolerance > 0 or not g.any()):  # a norm can underflow
                    return at, "tolerance", f"the gradient norm reached the tolerance {tolerance:g} at step {t}"
            if t < steps:
                previous[:] = at
                rate = self._step(w, self.estimate(w, t + 1) if recorded and self.estimate else g, t + 1)
                if self.average is not None:
                    at += self.average(t + 1) * (w - at)
        return at, "steps", f"made all {steps} steps{self._rise(rate)}"

    def _step(self, w: Array, g: Array, t: int) -> float:
        rate = self.rate(t, w, g)
        if self.transform is not None:
            g = np.asarray(self.transform(g), w.dtype)
        self.stepper(w, g, t, rate)
        if self.prox is not None:
            w[:] = self.prox(w, rate)
        return rate

    def _divergence(self, t: int, rate: float) -> str:
        if t == 0:
            raise ValueError("start must be a point where value and gradient are finite: here they are not")
        return f"diverged: value or gradient no longer finite at step {t}, {self._against_limit(rate)}"

    def _rise(self, rate: float) -> str:
        """A warning, if the value ended above that at the start."""
        first, last = self.records.rows[0][1], self.records.rows[-1][1]
        return (
            f", but the value rose from {first:.3g} to {last:.3g}, {self._against_limit(rate)}" if last > first else ""
        )

    def _against_limit(self, rate: float) -> str:
        limit = 2 / self.problem.L if self.problem.L else np.inf
        known = self.stepper.rule is rules.gradient_descent and rate > limit
        return f"learning_rate={rate:g}" + (f" > 2 / L = {limit:g}, the limit of gradient descent" if known else "")


def _track(n: int, progress: bool) -> Iterable[int]:
    if not progress:
        return range(n)
    from tqdm.auto import tqdm

    bar: Iterable[int] = tqdm(range(n), disable=None)
    return bar
