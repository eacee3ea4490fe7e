"""Checks that the bounds share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fo_lib import checks

__all__ = ["Array", "constants", "count_steps", "not_negative"]

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


def constants(L: float, mu: float) -> None:
    """Refuse constants that are not 0 < mu <= L."""
    checks.number("L", L, above=0.0)
    checks.number("mu", mu, above=0.0, at_most=L)
