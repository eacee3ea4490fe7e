"""The loop of the book: :func:`minimize` runs any rule with any learning rate, gradient, transform and prox."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks, learning_rates, rules
from .averages import Average, exponential, polynomial, uniform
from .compiled_run import CompiledRun
from .engine import hyperparameter, signature
from .gradients import full, mini_batch, noisy, saga, svrg
from .iteration import DIVERGED, TOLERANCE, in_blocks
from .layout import Layout
from .learning_rates import LineSearch, Schedule
from .plain_run import ByArray, PlainRun
from .problem import Problem, prepared, read_only
from .prox import flat_with_prox
from .run_files import RunFiles
from .sampling import Oracle
from .schedules import as_schedule
from .trace import Records, Trace
from .transforms import Transform, clip_norm, clip_value

__all__ = ["Trace", "minimize"]

Array = NDArray[np.floating[Any]]
Weights = Any
Operator = Callable[[Weights, float], Weights]

# They make what a slot takes, and are not it. Other modules check their own.
MAKERS = (clip_norm, clip_value, exponential, mini_batch, noisy, polynomial, saga, svrg, uniform)
SEARCHES = (learning_rates.armijo, learning_rates.barzilai_borwein, learning_rates.exact, learning_rates.polyak)


def minimize(
    problem: Problem,
    rule: Callable[..., Any] = rules.gradient_descent,
    *,
    learning_rate: float | Schedule | LineSearch | None = None,
    gradient: Oracle = full,
    transform: Transform | None = None,
    prox: Operator | None = None,
    average: Average | None = None,
    start: Weights = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
    seed: int = 0,
    progress: bool = False,
    compiled: bool = False,
    folder: str | os.PathLike[str] | None = None,
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
        ``prox(w, learning_rate)`` returns new weights: a proximal operator or a projection. From :mod:`fo_lib.prox`
        or :mod:`fo_lib.sets`, it also has a ``value``, which is then part of the objective. The gradient norm that is
        recorded is that of :func:`~fo_lib.prox.gradient_mapping`. It belongs to gradient descent: under another rule a
        run may rest elsewhere. Momentum ends at the minimum of :math:`f / (1 - \beta) + h`, on a set therefore at the
        right one. Adam in general rests elsewhere; on a box or a simplex at the right one, which it may only creep
        towards. For an accelerated method see :func:`~fo_lib.accelerated.accelerate`.
    average : function, optional
        From :mod:`fo_lib.averages`: all that is recorded is then of a mean of the iterates, which the steps do not see.
    start : array or list of arrays, optional
        First weights, by default the problem's. Copied; float32 and float64 are kept, integers become float64.
    steps : int
        Steps to make at most.
    tolerance : float
        Stop at a recorded step where the norm of the **full** gradient (or gradient mapping) is at most this.
    every : int
        Record step 0 and every such step after it, and the last. A recorded step costs a value and, where steps use
        another, a full gradient.
    iterates : bool
        Record the weights too.
    seed : int
        All randomness of the run is a function of it.
    progress : bool
        Show a bar (needs tqdm; quiet where the output is not a terminal).
    compiled : bool
        Run the loop, rule and problem compiled by Numba: the same steps to rounding, and many more of them a second
        where they are small. For problems with a ``kernel``, element-wise rules, and the full gradient without
        line search, transform and prox. The order of sums is the compiler's, and it may multiply by reciprocals: what
        depends on that, as compensated summation does, is lost.
    folder : path, optional
        Write a checkpoint into this folder, which belongs to this run alone, once a second at most and at the end, each
        whole or not at all. If one is there, go on from it: a run that was killed ends with the bits of an undisturbed
        one. What functions of your own remember from call to call must then be arrays in a dict, by name, that is
        their attribute ``memory``. A run with other arguments is refused, as far as they can be told apart.
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
        gradient has the wrong shape, value or gradient are not finite at the start, what is to be compiled cannot
        be, or the folder holds another run, or nothing but damaged checkpoints.
    OSError
        If ``folder`` cannot be written to: at once, or when the disk is full. The last checkpoint is untouched.
    ImportError
        If ``compiled`` is asked for and Numba is not installed.

    Examples
    --------
    >>> from fo_lib import minimize, problems
    >>> minimize(problems.quadratic([1, 10]), learning_rate=1 / 10, steps=200)
    Trace(value=2.48871e-19, grad_norm=7.1e-10: made all 200 steps)
    """
    layout, w, (steps, every, tolerance) = prepared(problem, start, steps, every, tolerance)
    seed = checks.count("seed", seed, at_least=0)
    slots: dict[str, object] = {"gradient": gradient, "transform": transform, "prox": prox, "average": average}
    for name, slot in slots.items():
        if slot is not None or name == "gradient":
            checks.function(name, slot)
            checks.made(name, slot, MAKERS)
    records = Records(iterates)
    flattened, operator = flat_with_prox(problem, prox, layout)
    plain = [gradient is full, transform is None, prox is None]
    rate = _rate(rule, learning_rate, plain, flattened)
    run: CompiledRun | PlainRun
    if compiled:
        if not all(plain) or isinstance(learning_rate, LineSearch):
            raise ValueError("compiled=True takes neither another gradient, nor a line search, a transform or a prox")
        run = CompiledRun(problem, rule, _columns(rule, learning_rate, rate, hyper), average, records, w)
    else:
        run = PlainRun(
            problem=flattened, stepper=ByArray(rule, layout, hyper), rate=rate, transform=transform, average=average,
            estimate=None if gradient is full and average is None else _flat_estimate(gradient(problem, seed), layout),
            prox=operator, records=records, w=w,
        )  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is reported by the trace
        files = None if folder is None else RunFiles(folder, run, {
            **slots, **signature(rule).hyper, **hyper, "rule": rule, "learning_rate": learning_rate, "steps": steps,
            "every": every, "tolerance": tolerance, "iterates": iterates, "seed": seed, "compiled": compiled,
            "problem": problem.name, "value": problem.value, "grad": problem.grad, "start": w, **_beside(flattened, w),
        })  # fmt: skip
        ending, t, last = in_blocks(functools.partial(run.block, every, steps, tolerance), steps, progress, files)
    reason, message = _say(ending, t, steps, tolerance, records, _against_limit(rule, last, problem.L))
    known = _known(rule, hyper, stochastic=gradient is not full, L=problem.L)
    return records.trace(layout.unflatten(run.previous if ending == DIVERGED else run.at), reason, message, **known)


def _beside(problem: Problem, w: Array) -> dict[str, str]:
    """What tells one problem from another: a point beside the start, which may be special, as 0 often is."""
    at = w + 0.1 * (1 + abs(w)) * np.cos(np.arange(w.size)).astype(w.dtype)
    norm = float(np.linalg.norm(problem.grad(at)))
    return {"value near the start": f"{problem.value(at):.6g}", "gradient norm there": f"{norm:.6g}"}


def _known(rule: Callable[..., Any], hyper: dict[str, float | Schedule], **more: object) -> dict[str, Any]:
    """What was run, but for the learning rate, which the trace has step by step."""
    constants = {name: value for name, value in hyper.items() if not callable(value)}
    known = {**signature(rule).hyper, **constants, "rule": getattr(rule, "__name__", type(rule).__name__), **more}
    known.pop("learning_rate")
    return known


def _say(ending: int, t: int, steps: int, tolerance: float, records: Records, rate: str) -> tuple[str, str]:
    """The reason for the end of a run, and the same in words."""
    if ending == DIVERGED and t == 0:
        raise ValueError("start must be a point where value and gradient are finite: here they are not")
    if ending == DIVERGED:
        return "diverged", f"diverged: value or gradient no longer finite at step {t}, {rate}"
    if ending == TOLERANCE:
        return "tolerance", f"the gradient norm reached the tolerance {tolerance:g} at step {t}"
    first, last = records.columns()[1][[0, -1]]
    rose = f", but the value rose from {first:.3g} to {last:.3g}, {rate}" if last > first else ""
    return "steps", f"made all {steps} steps{rose}"


def _against_limit(rule: Callable[..., Any], rate: float, L: float | None) -> str:
    limit = 2 / L if L else np.inf
    known = rule is rules.gradient_descent and rate > limit
    return f"learning_rate={rate:g}" + (f" > 2 / L = {limit:g}, the limit of gradient descent" if known else "")


def _columns(
    rule: Callable[..., Any], learning_rate: object, rate: Callable[..., float], hyper: dict[str, float | Schedule]
) -> dict[str, Any]:
    """Every hyperparameter of a compiled run, in the rule's order: a number, or a function of the step number."""

    def checked(name: str, value: Any) -> Any:
        if callable(value):
            return lambda t: hyperparameter(rule, name, value(t))
        return hyperparameter(rule, name, value)

    signature(rule).require(*hyper)
    found = {name: checked(name, value) for name, value in {**signature(rule).hyper, **hyper}.items()}
    found["learning_rate"] = (lambda t: rate(t, None, None)) if callable(learning_rate) else rate(0, None, None)
    return found


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
    checks.made("learning_rate", learning_rate, SEARCHES)
    if isinstance(learning_rate, str):
        raise TypeError(f"learning_rate must be a number, a schedule or a line search, got {learning_rate!r}")
    default = signature(rule).hyper["learning_rate"]
    schedule = as_schedule("learning_rate", default if learning_rate is None else learning_rate, above=0.0)
    return lambda t, w, g: schedule(t)
