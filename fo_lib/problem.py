"""What every method needs to know about a function: :class:`Problem`, and :class:`FiniteSum` for means over samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks, compiling
from .layout import Layout

__all__ = ["FiniteSum", "Kernel", "Problem", "flat", "from_functions", "prepared", "read_only", "solve"]

Array = NDArray[np.floating[Any]]
Weights = Any  # an array, or a list of arrays of one dtype


@dataclass(frozen=True)
class Kernel:
    """The same function as a plain one that can be compiled, and the data that it reads.

    Parameters
    ----------
    evaluate : function
        ``evaluate(w, g, *data)`` writes the gradient at ``w`` into ``g`` and returns the value.
    data : tuple
        Arrays and numbers.
    """

    evaluate: Callable[..., float]
    data: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Problem:
    r"""A function to minimize, with what is known about it.

    Parameters
    ----------
    value : function
        ``value(w)``: the objective, a float.
    grad : function
        ``grad(w)``: its gradient, of the structure of ``w``.
    start : array or list of arrays
        Where a run begins unless told otherwise.
    name : str
        What plots and messages call it.
    L : float, optional
        Smoothness: a Lipschitz constant of the gradient, the least one where it is known.
    mu : float
        Strong convexity: 0 if there is none, or if none is known.
    hessian : function, optional
        ``hessian(w)``: for problems whose weights are one vector.
    minimizer : array, optional
        The solution, or one of them.
    minimum : float, optional
        The value there.
    kernel : Kernel, optional
        The same function for a compiled run: of weights that are one vector.
    """

    value: Callable[[Weights], float]
    grad: Callable[[Weights], Weights]
    start: Weights
    name: str = "problem"
    L: float | None = None
    mu: float = 0.0
    hessian: Callable[[Array], Array] | None = None
    minimizer: Array | None = None
    minimum: float | None = None
    kernel: Kernel | None = None

    @property
    def condition_number(self) -> float:
        """``L / mu``; infinite without strong convexity.

        Raises
        ------
        ValueError
            If ``L`` is not known.
        """
        if self.L is None:
            raise ValueError(f"problem {self.name!r} has no known L, hence no condition number")
        return self.L / self.mu if self.mu > 0 else float("inf")

    def __repr__(self) -> str:
        known = [f"{k}={v:.4g}" for k in ("L", "mu", "minimum") if (v := getattr(self, k)) is not None]
        return f"{type(self).__name__}({self.name!r}, {', '.join(known)})"


@dataclass(frozen=True, kw_only=True, repr=False)
class FiniteSum(Problem):
    """A mean of losses over samples, plus a regularizer that every sample shares.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    sample_grad : function
        ``sample_grad(w, rows)``: the gradient with the mean taken over ``rows`` (integers) only.
    L_max : float
        The largest smoothness constant of a single sample's loss, regularizer included.
    """

    n_samples: int
    sample_grad: Callable[[Weights, NDArray[np.int64]], Weights]
    L_max: float | None = None


def from_functions(
    value: Callable[[Weights], float],
    grad: Callable[[Weights], Weights],
    start: Weights,
    *,
    data: tuple[Any, ...] = (),
    name: str = "problem",
    L: float | None = None,
    mu: float = 0.0,
) -> Problem:
    """Make a problem of your own functions, tried once at ``start``.

    Parameters
    ----------
    value, grad : function
        ``value(w, *data)``, a float, and ``grad(w, *data)``, of the structure of ``w``. Where they read nothing but
        their arguments, NumPy and other such functions, a run of weights that are one vector can be compiled.
    start : array or list of arrays
        Where a run begins; integers become float64.
    data : tuple
        What the functions need besides ``w``.
    name : str
        What plots and messages call it.
    L, mu : float
        Smoothness and strong convexity, where you know them.

    Returns
    -------
    Problem

    Raises
    ------
    TypeError, ValueError
        If a function cannot be called, its result at ``start`` is not finite or has the wrong shape, or the
        constants are not ``0 <= mu <= L``.

    Examples
    --------
    >>> import numpy as np
    >>> from fo_lib import problems
    >>> problems.from_functions(lambda w: w @ w, lambda w: 2 * w, np.ones(3), L=2.0, mu=2.0)
    Problem('problem', L=2, mu=2)
    """
    checks.function("value", value)
    checks.function("grad", grad)
    if not isinstance(data, tuple):
        raise TypeError(f"data must be a tuple of what the functions need besides w, got {data!r}")
    layout = Layout(start)
    if L is not None:
        L = checks.number("L", L, above=0.0)
    mu = checks.number("mu", mu, at_least=0.0, **({} if L is None else {"at_most": L}))
    w = layout.unflatten(layout.flatten(start, "start"))
    checks.number("value(start)", value(w, *data))
    checks.array("grad(start)", layout.flatten(grad(w, *data), "grad(start)"))
    kernel = Kernel(compiling.bind(_evaluate_own, value=value, grad=grad), data)
    one_vector = layout.single and len(layout.shapes[0]) == 1
    if data:
        value, grad = _with(value, data), _with(grad, data)
    return Problem(
        value=value, grad=grad, start=w, name=name, L=L, mu=mu, kernel=kernel if one_vector else None
    )  # fmt: skip


def _with(function: Callable[..., Any], data: tuple[Any, ...]) -> Callable[[Weights], Any]:
    return lambda w: function(w, *data)


value = grad = compiling.slot


def _evaluate_own(w: Array, g: Array, *data: Any) -> float:
    new = grad(w, *data)
    if new.shape != g.shape:
        raise ValueError("grad(w) must have the shape of the weights")
    for i in range(g.size):
        g[i] = new[i]
    return float(value(w, *data))


def solve(problem: Problem, *, tolerance: float = 1e-12, steps: int = 100) -> Problem:
    """Find the minimizer of a smooth convex problem by Newton's method, for reference.

    Parameters
    ----------
    problem : Problem
        With a ``hessian``.
    tolerance : float
        Largest gradient norm accepted, relative to that at the start.
    steps : int
        Newton steps after which to give up.

    Returns
    -------
    Problem
        The same problem with ``minimizer`` and ``minimum``.

    Raises
    ------
    ValueError
        If the problem has no Hessian, or the tolerance was not reached.
    """
    checks.instance("problem", problem, Problem)
    if problem.hessian is None:
        raise ValueError(f"solve needs a problem with a hessian, got {problem!r}")
    tolerance, steps = checks.number("tolerance", tolerance, at_least=0.0), checks.count("steps", steps, at_least=0)
    w = np.array(problem.start)
    first = np.linalg.norm(problem.grad(w))
    for _ in range(steps):
        g = problem.grad(w)
        if np.linalg.norm(g) <= tolerance * first:
            return replace(problem, minimizer=w, minimum=problem.value(w))
        direction = np.linalg.lstsq(problem.hessian(w), -g, rcond=None)[0]
        size, value, slope = 1.0, problem.value(w), g @ direction
        # near the solution the decrease drowns in rounding, hence the allowance
        while problem.value(w + size * direction) > value + 1e-4 * size * slope + 1e-14 * abs(value):
            size /= 2
        w = w + size * direction
    raise ValueError(f"solve did not reach tolerance {tolerance:g} on {problem!r} in {steps} Newton steps")


def prepared(
    problem: object, start: Any, steps: object, every: object, tolerance: object
) -> tuple[Layout, Array, tuple[int, int, float]]:
    """Check what every loop is given; return the structure of the weights, the first as a flat vector, and numbers."""
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem (see problems.from_functions), got {type(problem).__name__}")
    clock = checks.count("steps", steps, at_least=0), checks.count("every", every)
    numbers = *clock, checks.number("tolerance", tolerance, at_least=0.0)
    first = problem.start if start is None else start
    layout, own = Layout(first), Layout(problem.start)
    if layout.shapes != own.shapes:
        raise ValueError(f"start must have the shape of the problem's, {own.say()}, got {layout.say()}")
    return layout, layout.flatten(first, "start"), numbers


def flat(problem: Problem, layout: Layout) -> Problem:
    """The same problem as a function of one flat vector."""
    return replace(
        problem,
        value=lambda w: float(problem.value(layout.unflatten(read_only(w)))),
        grad=lambda w: layout.flatten(problem.grad(layout.unflatten(read_only(w)))),
    )


def read_only(w: Array) -> Array:
    """A view that nobody's gradient can write into."""
    view = w.view()
    view.flags.writeable = False
    return view
