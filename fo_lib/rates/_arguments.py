"""Checks that the bounds share."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fo_lib import checks

__all__ = ["Array", "bound", "constants", "count_steps", "not_negative", "of_one_shape"]

P = ParamSpec("P")
T = TypeVar("T")
Array = NDArray[np.floating[Any]]


def count_steps(k: ArrayLike, first: int = 0, name: str = "k") -> Array:
    """Return numbers of steps as floats; refuse those below the first (ValueError)."""
    steps = checks.array(name, k)
    if (steps < first).any():
        raise ValueError(f"{name} must be >= {first}, got {steps.min():g}")
    return steps.astype(float)


def not_negative(name: str, value: ArrayLike) -> Array:
    """Return an array; refuse one with a negative entry (ValueError)."""
    values = checks.array(name, value)
    if (values < 0).any():
        raise ValueError(f"{name} must be >= 0 in every entry, got {values.min():g}")
    return values


def constants(L: float, mu: float, name: str = "L") -> tuple[float, float]:
    """Return two constants as floats; refuse those that are not 0 < mu <= L (TypeError, ValueError)."""
    L = checks.number(name, L, above=0.0)
    return L, checks.number("mu", mu, above=0.0, at_most=L)


def of_one_shape(**arrays: Array) -> None:
    """Refuse arrays that NumPy cannot broadcast to one shape (ValueError)."""
    try:
        np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        shapes = " and ".join(str(a.shape) for a in arrays.values())
        raise ValueError(f"{' and '.join(arrays)} must have shapes that fit together, got {shapes}") from None


def bound(function: Callable[P, T]) -> Callable[P, T]:
    """Return infinity, without a warning, where a bound is too large for a float; refuse what ends as NaN.

    Raises
    ------
    ValueError
        Where float64 cannot hold what the formula needs on its way: infinity minus infinity, a divisor that is lost.
    """

    @functools.wraps(function)
    def evaluated(*args: P.args, **kwargs: P.kwargs) -> T:
        found = None
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"), contextlib.suppress(ArithmeticError):
            found = function(*args, **kwargs)
        if found is None or np.isnan(np.asarray(found)).any():
            given = inspect.signature(function).bind(*args, **kwargs).arguments
            words = ", ".join(f"{name}={value!r}" for name, value in given.items())
            raise ValueError(f"{function.__name__} goes beyond the range of float64 at {words}")
        return found

    return evaluated
