"""The only loop: :func:`minimize` runs any rule with any learning rate, gradient, transform and prox."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks, learning_rates, rules
from .engine import Stepper, signature
from .gradients import Oracle, full, mini_batch
from .layout import Layout
from .learning_rates import LineSearch, Schedule
from .problem import Problem
from .transforms import Transform

__all__ = ["Trace", "minimize"]

Array = NDArray[np.floating[Any]]
Weights = Any
Prox = Callable[[Weights, float], Weights]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a run did, in arrays with one entry for each recorded step; every number in them is finite.

    Parameters
    ----------
    step : array of int
        The recorded steps: 0 is the start.
    value : array of float
        The objective there.
    grad_norm : array of float
        The norm of its full gradient there, whichever gradient the steps used.
    learning_rate : array of float
        The learning rate of the step that led there (0 at step 0, where none did).
    w : array or list of arrays
        The last weights, of the structure of the start. After a divergence: the last with a finite gradient.
    iterates : array of shape (len(step), number of weights), optional
        The weights at the recorded steps, flat, where asked for.
    reason : str
        ``"steps"`` (all were made), ``"tolerance"`` (the gradient norm reached it) or ``"diverged"``.
    message : str
        The reason in words: at which step, and what limit was broken where one is known.
    """

    step: NDArray[np.int64]
    value: NDArray[np.float64]
    grad_norm: NDArray[np.float64]
    learning_rate: NDArray[np.float64]
    w: Weights
    iterates: Array | None
    reason: str
    message: str

    @property
    def diverged(self) -> bool:
        """Whether the run was stopped because a value or a gradient was no longer finite."""
        return self.reason == "diverged"

    def __repr__(self) -> str:
        return f"Trace(value={self.value[-1]:.6g}, grad_norm={self.grad_norm[-1]:.2g}: {self.message})"


def minimize(
    problem: Problem,
    rule: Callable[..., Any] = rules.gradient_descent,
    *,
    learning_rate: float | Schedule | LineSearch | None = None,
    gradient: Oracle = full,
    transform: Transform | None = None,
    prox: Prox | None = None,
    start: Weights = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
    seed: int = 0,
    progress: bool = False,
    **hyper: float,
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
        From :mod:`fo_lib.rules`, or your own of the same form.
    learning_rate : float, function or LineSearch, optional
        A number, a schedule of the step number, or a line search (gradient descent with the full gradient only).
        By default the rule's own.
    gradient : function
        A gradient oracle from :mod:`fo_lib.gradients`.
    transform : function, optional
        Applied to the flat gradient before the rule (see :mod:`fo_lib.transforms`).
    prox : function, optional
        ``prox(w, learning_rate)`` returns new weights: a proximal operator or a projection.
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
    **hyper : float
        Hyperparameters of the rule, such as ``momentum=0.9``.

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
    slots: dict[str, object] = {"gradient": gradient, "transform": transform or np.copy, "prox": prox or np.copy}
    for name, slot in slots.items():
        checks.function(name, slot)
    if slots["gradient"] is mini_batch:
        raise TypeError("gradient must be called: mini_batch(size), not just named")
    first = problem.start if start is None else start
    layout = Layout(first)
    if layout.shapes != Layout(problem.start).shapes:
        raise ValueError(f"start must have the shape of the problem's, {problem.start!r}, got {first!r}")
    flat = _flat(problem, layout)
    run = _Run(
        problem=flat,
        stepper=Stepper(rule, fused=None, **hyper),
        rate=_rate(rule, learning_rate, [gradient is full, transform is None, prox is None], flat),
        estimate=None if gradient is full else _flat_estimate(gradient(problem, seed), layout),
        transform=transform,
        prox=None if prox is None else lambda w, a: layout.flatten(prox(layout.unflatten(w), a), "prox(w)"),
        records=_Records(iterates),
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is reported by the trace
        w, reason, message = run(layout.flatten(first, "start"), steps, every, tolerance, progress)
    return run.records.trace(layout.unflatten(w), reason, message)


def _flat(problem: Problem, layout: Layout) -> Problem:
    """The same problem as a function of one flat vector."""
    return replace(
        problem,
        value=lambda w: float(problem.value(layout.unflatten(_read_only(w)))),
        grad=lambda w: layout.flatten(problem.grad(layout.unflatten(_read_only(w)))),
    )


def _flat_estimate(estimate: Callable[[Weights, int], Weights], layout: Layout) -> Callable[[Array, int], Array]:
    return lambda w, t: layout.flatten(estimate(layout.unflatten(_read_only(w)), t), "the gradient estimate")


def _read_only(w: Array) -> Array:
    """A view that nobody's gradient can write into."""
    view = w.view()
    view.flags.writeable = False
    return view


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


class _Records:
    """Lists that grow while a run goes on."""

    def __init__(self, iterates: bool) -> None:
        self.rows: list[tuple[int, float, float, float]] = []
        self.iterates: list[Array] | None = [] if iterates else None

    def add(self, step: int, value: float, grad_norm: float, rate: float, w: Array) -> None:
        self.rows.append((step, value, grad_norm, rate))
        if self.iterates is not None:
            self.iterates.append(w.copy())

    def trace(self, w: Weights, reason: str, message: str) -> Trace:
        step, value, grad_norm, rate = (np.array(column) for column in zip(*self.rows, strict=True))
        iterates = None if self.iterates is None else np.array(self.iterates)
        return Trace(
            step=step, value=value, grad_norm=grad_norm, learning_rate=rate, w=w, iterates=iterates,
            reason=reason, message=message,
        )  # fmt: skip


@dataclass(kw_only=True)
class _Run:
    """One run over flat vectors: calling it makes the steps."""

    problem: Problem
    stepper: Stepper
    rate: Callable[[int, Array, Array], float]
    estimate: Callable[[Array, int], Array] | None
    transform: Transform | None
    prox: Callable[[Array, float], Array] | None
    records: _Records

    def __call__(self, w: Array, steps: int, every: int, tolerance: float, progress: bool) -> tuple[Array, str, str]:
        rate, previous = 0.0, w.copy()
        for t in _track(steps + 1, progress):
            recorded = t % every == 0 or t == steps
            g = self.problem.grad(w) if recorded or self.estimate is None else self.estimate(w, t + 1)
            norm = float(np.linalg.norm(g))
            value = self.problem.value(w) if recorded else 0.0
            if not (np.isfinite(norm * norm) and np.isfinite(value)):
                return previous, "diverged", self._divergence(t, rate)
            if recorded:
                self.records.add(t, value, norm, rate, w)
                if norm <= tolerance and (tolerance > 0 or not g.any()):  # a norm can underflow
                    return w, "tolerance", f"the gradient norm reached the tolerance {tolerance:g} at step {t}"
            if t < steps:
                previous[:] = w
                rate = self._step(w, self.estimate(w, t + 1) if recorded and self.estimate else g, t + 1)
        return w, "steps", f"made all {steps} steps{self._rise(rate)}"

    def _step(self, w: Array, g: Array, t: int) -> float:
        rate = self.rate(t, w, g)
        if self.transform is not None:
            g = np.asarray(self.transform(g), w.dtype)
        self.stepper(w, g, learning_rate=rate)
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
