"""Arguments and records of the methods that know their functions by operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks
from .problem import read_only
from .prox import Operator
from .sets import Set
from .trace import Records, Trace

__all__ = ["Log", "best_bound", "matrix_of", "norm_of", "rates_of", "refuse_false_gap", "shaped", "value_of"]

Array = NDArray[np.floating[Any]]
SLACK = 1e-9  # what rounding may add


def _own_value(function: Operator) -> Callable[[Array], float] | None:
    return None if isinstance(function, Set) else getattr(function, "value", None)


def value_of(function: Operator, w: Array) -> float:
    """The value of a Prox; zero of a set, where the iterates need not be yet, and of a bare operator."""
    value = _own_value(function)
    return 0.0 if value is None else float(value(read_only(w)))


def shaped(name: str, operator: Operator) -> Operator:
    """The operator, refused by name if it is no operator or returns another shape (TypeError, ValueError)."""
    checks.function(name, operator)

    def apply(v: Array, rate: float) -> Array:
        try:
            point = np.asarray(operator(v, rate))
        except TypeError as error:
            raise TypeError(f"{name} must be an operator, called as {name}(v, rate): {error}") from error
        if point.shape != v.shape:
            raise ValueError(f"{name} must return an array of the shape it is given, {v.shape}, got {point.shape}")
        return point

    return apply


def matrix_of(K: Any) -> Any:
    """Refuse what is not a matrix (TypeError, ValueError)."""
    shape = getattr(K, "shape", None)
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise TypeError(f"K must be a matrix, or a linear operator with a shape, got {type(K).__name__}")
    if 0 in shape:
        raise ValueError(f"K must have at least one row and one column, got shape {shape}")
    return checks.array("K", K) if isinstance(K, np.ndarray) else K


def norm_of(K: Any, norm: float | None) -> float:
    """The largest singular value, or what is given in its place (TypeError, ValueError)."""
    size = abs(K.tocsr()) if hasattr(K, "tocsr") else None
    if norm is not None:
        norm = checks.number("norm", norm, above=0.0)
        dense = np.linalg.norm(K, axis=0) if isinstance(K, np.ndarray) else np.zeros(1)
        columns = dense if size is None else np.sqrt(size.power(2).sum(0))
        if norm < columns.max() * (1 - SLACK):
            raise ValueError(f"norm must be at least that of each column of K, {columns.max():g}, got {norm:g}")
        return norm
    if isinstance(K, np.ndarray):
        return checks.number("the norm of K", float(np.linalg.norm(K, 2)), above=0.0)
    if size is not None:  # |K|_2^2 <= |K|_1 |K|_inf
        return checks.number("the norm of K", float(np.sqrt(size.sum(0).max() * size.sum(1).max())), above=0.0)
    raise TypeError(f"norm must be given where K is neither an array nor sparse, got {type(K).__name__}")


def rates_of(norm: float, primal_rate: float | None, dual_rate: float | None) -> tuple[float, float]:
    """The two learning rates, the one that is not given as large as the other allows (TypeError, ValueError)."""

    def most(name: str, other: float) -> float:
        limit = 1 / norm / max(norm * other, 5e-324)
        return checks.number(f"{name}, at most 1 / (norm^2 times the other rate),", limit, above=0.0)

    if primal_rate is None:
        dual_rate = 1 / norm if dual_rate is None else checks.number("dual_rate", dual_rate, above=0.0)
        return most("primal_rate", dual_rate), dual_rate
    primal_rate = checks.number("primal_rate", primal_rate, above=0.0)
    limit = most("dual_rate", primal_rate)
    if dual_rate is None:
        return primal_rate, limit
    return primal_rate, checks.number("dual_rate", dual_rate, above=0.0, at_most=limit * (1 + SLACK))


def refuse_false_gap(f: Operator, g: Operator) -> None:
    """A gap needs the values of both functions (ValueError)."""
    for name, function in (("f", f), ("g", g)):
        if _own_value(function) is None:
            raise ValueError(
                f"dual_value must be left out where {name} has no value: a point outside of a set can be below the"
                f" minimum, got the {type(function).__name__} {name}"
            )


def best_bound(bound: float, best: float, value: float, k: int) -> float:
    """The larger of two lower bounds (ValueError if it is not finite, or above a value)."""
    best = max(best, bound)
    if np.isnan(bound) or best == -np.inf:
        raise ValueError(
            f"dual_value must be finite at the first z, and never NaN; scale a z until it is admissible, got {bound}"
        )
    if best - value > SLACK * max(1.0, abs(value)):
        raise ValueError(
            f"dual_value must be a lower bound of the minimum, got {best:g} where the value at step {k} is {value:g}"
        )
    return best


class Log:
    """What a run records, and when it stops."""

    def __init__(self, steps: int, tolerance: float, every: int, iterates: bool) -> None:
        self.steps, self.every = checks.count("steps", steps, at_least=0), checks.count("every", every)
        self.tolerance = checks.number("tolerance", tolerance, at_least=0.0)
        self.records = Records(iterates)
        self.reason, self.message = "steps", f"made all {steps} steps"
        self.w: Any = None
        self.dual: Any = None

    def wants(self, k: int) -> bool:
        """Whether a step is to be recorded."""
        return k % self.every == 0 or k == self.steps

    def ends(
        self, k: int, value: float, residual: float, rate: float, w: Array, dual: Array, gap: float | None = None
    ) -> bool:
        """Record a step, and tell whether it is the last (ValueError if the start is not finite)."""
        if not (np.isfinite(value) and np.isfinite(residual)):
            if k == 0:
                raise ValueError(
                    "start must be a point where the objective and its operators are finite: here they are not"
                )
            self.reason, self.message = "diverged", f"diverged: the objective is no longer finite at step {k}"
            return True
        self.w, self.dual = w, dual
        self.records.add(k, value, residual, rate if k else 0.0, w, gap)
        if (residual if gap is None else gap) > self.tolerance or (k == 0 and gap is None):
            return k == self.steps
        word = "residual" if gap is None else "gap"
        self.reason, self.message = "tolerance", f"the {word} reached the tolerance {self.tolerance:g} at step {k}"
        return True

    def trace(self, **settings: Any) -> Trace:
        """Return what was recorded; the points are those of the last record."""
        return self.records.trace(
            self.w, self.reason, self.message, stochastic=False, L=None, dual=self.dual, **settings
        )
