r"""Nesterov's accelerated gradient method with a momentum that follows a schedule, and restarts.

With a constant momentum it is the rule :func:`~fo_lib.rules.nesterov`. It has a short loop of its own because its
theorems speak of the point :math:`x_k`, while gradients are taken at another one. With a prox it is FISTA.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks
from .problem import Problem, prepared
from .prox import Operator, flat_with_prox
from .schedules import Schedule, as_schedule
from .trace import Records, Trace

__all__ = ["accelerate", "growing_momentum", "restart_by_gradient", "restart_by_value"]

Array = NDArray[np.floating[Any]]
Restart = Callable[[Problem, Array, Array, Array], bool]
Step = Callable[..., tuple[Array, Array]]


def growing_momentum(t: int) -> float:
    r"""Momentum for convex functions: :math:`\beta_t = \frac{t - 1}{t + 2}` before step :math:`t + 1`."""
    return (t - 1) / (t + 2)


def restart_by_value(problem: Problem, g: Array, x: Array, new: Array) -> bool:
    """Restart where the value rose. Costs two values a step. O'Donoghue & Candès (2015), section 3.2."""
    return problem.value(new) > problem.value(x)


def restart_by_gradient(problem: Problem, g: Array, x: Array, new: Array) -> bool:
    """Restart where the step went uphill by the gradient at hand. Free. O'Donoghue & Candès (2015), section 3.2."""
    return float(g @ (new - x)) > 0


def accelerate(
    problem: Problem,
    *,
    learning_rate: float | None = None,
    momentum: float | Schedule = growing_momentum,
    prox: Operator | None = None,
    restart: Restart | None = None,
    start: Any = None,
    steps: int = 1000,
    tolerance: float = 0.0,
    every: int = 1,
    iterates: bool = False,
) -> Trace:
    r"""Minimize a convex function, smooth or with a prox, by Nesterov's accelerated gradient method.

    .. math::
        x_{k+1} = \mathrm{prox}_{\alpha h}(y_k - \alpha \nabla f(y_k)), \qquad
        y_{k+1} = x_{k+1} + \beta_{k+1} (x_{k+1} - x_k), \qquad y_0 = x_0

    Parameters
    ----------
    problem : Problem
        From :mod:`fo_lib.problems`, or of your own functions.
    learning_rate : float, optional
        :math:`\alpha`, by default ``1 / problem.L``.
    momentum : float or function
        :math:`\beta_k \in [0, 1)`: a number, such as
        :math:`(\sqrt\kappa - 1) / (\sqrt\kappa + 1)` for a strongly convex function, or a function of the number of
        steps since the start or the last restart.
    prox : function, optional
        ``prox(w, learning_rate)``, from :mod:`fo_lib.prox`, :mod:`fo_lib.sets` or your own. Where it has a ``value``,
        that is part of the objective.
    restart : function, optional
        :func:`restart_by_value`, :func:`restart_by_gradient`, or your own ``restart(problem, g, x, new)`` of flat
        vectors, ``g`` being the gradient, or gradient mapping, of the step to ``new``: where it returns true, the
        velocity becomes zero and the momentum begins anew.
    start : array or list of arrays, optional
        First weights, by default the problem's.
    steps : int
        Steps to make at most.
    tolerance : float
        Stop at a recorded step where the norm of the gradient, or gradient mapping, is at most this.
    every : int
        Record step 0 and every such step after it, and the last. A recorded step costs a value and a gradient.
    iterates : bool
        Record the weights too.

    Returns
    -------
    Trace
        Of the points :math:`x_k`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, value or gradient are not finite at the start, or the
        problem has no ``L`` and no learning rate is given.

    Notes
    -----
    Nesterov (1983); with a prox, Beck & Teboulle (2009), section 4, there with another momentum of the same growth.
    """
    layout, first, (steps, every, tolerance) = prepared(problem, start, steps, every, tolerance)
    if learning_rate is None and problem.L is None:
        raise ValueError(f"learning_rate must be given: problem {problem.name!r} has no known L")
    if restart is not None:
        checks.function("restart", restart)
    rate = checks.number("learning_rate", 1 / (problem.L or 1) if learning_rate is None else learning_rate, above=0.0)
    records = Records(iterates)
    whole, operator = flat_with_prox(problem, prox, layout)
    with np.errstate(over="ignore", invalid="ignore"):
        x, reason, message = _run(
            whole, _step(whole, operator, rate), first, rate,
            as_schedule("momentum", momentum, at_least=0.0, below=1.0), restart, records,
            steps=steps, tolerance=tolerance, every=every,
        )  # fmt: skip
    return records.trace(layout.unflatten(x), reason, message, rule="accelerate", stochastic=False, L=problem.L)


def _step(problem: Problem, prox: Operator | None, rate: float) -> Step:
    """The step from a point: where it leads, and the gradient, or gradient mapping, that leads there.

    ``exact``: in float64, as a step may be less than the rounding of float32.
    """

    def step(y: Array, exact: bool = False) -> tuple[Array, Array]:
        g = problem.grad(y)
        if exact:
            g = g.astype(np.float64)
        if prox is None:
            return y - rate * g, g
        new = prox(y - rate * g, rate)
        return new, (y - new) / rate

    return step


def _run(
    problem: Problem, step: Step, x: Array, rate: float, momentum: Schedule, restart: Restart | None, records: Records,
    *, steps: int, tolerance: float, every: int,
) -> tuple[Array, str, str]:  # fmt: skip
    y, last, since = x, x, 0
    for k in range(steps + 1):
        new, g = step(y)
        recorded = k % every == 0 or k == steps
        value, norm = (problem.value(x), float(np.linalg.norm(step(x, exact=True)[1]))) if recorded else (0.0, 0.0)
        if not (np.isfinite(value) and np.isfinite(norm * norm) and np.isfinite(g).all()):
            if k == 0:
                raise ValueError("start must be a point where value and gradient are finite: here they are not")
            return last, "diverged", f"diverged: value or gradient no longer finite at step {k}, learning_rate={rate:g}"
        if recorded:
            records.add(k, value, norm, rate if k else 0.0, x)
            if norm <= tolerance:
                return x, "tolerance", f"the gradient norm reached the tolerance {tolerance:g} at step {k}"
        if k < steps:
            fresh = restart is not None and restart(problem, g, x, new)
            since = 0 if fresh else since + 1
            y = new if fresh else new + momentum(since) * (new - x)
            x, last = new, x
    return x, "steps", f"made all {steps} steps"
