"""Checks of arguments: every error names the argument, what was given and what is allowed."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "array",
    "count",
    "function",
    "instance",
    "labels",
    "made",
    "matrix",
    "number",
    "one_array",
    "path",
    "several",
]

WHOLE = 2**53  # beyond it float64 has no odd numbers
Float = NDArray[np.floating[Any]]


def _refuse(name: str, given: object, allowed: str, error: type[Exception] = ValueError) -> NoReturn:
    raise error(f"{name} must be {allowed}, got {given!r}")


def number(
    name: str,
    value: object,
    *,
    above: float = -np.inf,
    at_least: float = -np.inf,
    below: float = np.inf,
    at_most: float = np.inf,
) -> float:
    """Return ``value`` as a float if it is a finite number within the limits.

    Raises
    ------
    TypeError
        If it is not a real number.
    ValueError
        If it is NaN, infinite or outside the limits.
    """
    plain = value.item() if _is_one(value) else value
    x = _as_float(plain) if not isinstance(plain, (bool, np.bool_)) and isinstance(plain, Real) else None
    if x is not None and math.isfinite(x) and above < x < below and at_least <= x <= at_most:
        return x
    limits = {"> ": above, ">= ": at_least, "< ": below, "<= ": at_most}
    allowed = " and ".join(["a finite number", *(f"{s}{x:g}" for s, x in limits.items() if math.isfinite(x))])
    _refuse(name, plain, allowed, TypeError if x is None else ValueError)


def _is_one(value: object) -> TypeGuard[NDArray[Any]]:
    return isinstance(value, np.ndarray) and value.ndim == 0 and not isinstance(value, np.ma.MaskedArray)


def _as_float(value: Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def count(name: str, value: object, *, at_least: int = 1, at_most: int | None = None, why: str = "") -> int:
    """Return ``value`` as an int if it is a whole number within the limits; ``why`` explains the upper one.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is outside the limits.
    """
    limit = "" if at_most is None else f" and <= {at_most}{why and f' ({why})'}"
    allowed = f"a whole number >= {at_least}{limit}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        _refuse(name, value, allowed, TypeError)
    n = int(value)
    if n < at_least or (at_most is not None and n > at_most):
        _refuse(name, value, allowed)
    return n


def function(name: str, value: object) -> None:
    """Refuse what cannot be called (TypeError)."""
    if not callable(value):
        _refuse(name, value, "a function", TypeError)


def instance(name: str, value: object, kind: type[Any]) -> None:
    """Refuse what is not of a class (TypeError)."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, got {type(value).__name__}")


def path(name: str, value: object) -> Path:
    """Return a path; refuse what is none (TypeError), a number that would name an open file included."""
    if not isinstance(value, (str, os.PathLike)):
        _refuse(name, value, "a path", TypeError)
    if value == "":
        _refuse(name, value, "a path, '.' for this folder")
    return Path(value)


def several(name: str, value: Any) -> list[Any]:
    """Return a list of the parts; refuse a single one, and a generator, which may have no end (TypeError)."""
    sized = hasattr(value, "__len__") and hasattr(value, "__iter__") and getattr(value, "ndim", 1) > 0
    if isinstance(value, (str, bytes)) or not sized:
        raise TypeError(f"{name} must be a sequence, got {type(value).__name__}")
    return list(value)


def made(name: str, value: object, makers: Iterable[object]) -> None:
    """Refuse a function that makes what is asked for, and is not it (TypeError)."""
    if any(value is maker for maker in makers):
        raise TypeError(f"{name} must be called: {getattr(value, '__name__', value)}(...), not just named")


def array(
    name: str,
    value: ArrayLike,
    *,
    ndim: int | None = None,
    shape: tuple[int, ...] | None = None,
    finite: bool = True,
) -> Float:
    """Return ``value`` as a non-empty floating-point array of numbers, finite unless that is not asked for.

    float32 and float64 keep their dtype; other floats, integers and booleans become float64.

    Raises
    ------
    TypeError
        If it does not hold real numbers.
    ValueError
        If it is empty, of another shape, or holds NaN or infinity, or entries that are masked.
    """
    try:
        a = np.asarray(value)
    except ValueError:
        _refuse(name, value, "an array of numbers (all rows of one length)")
    if np.ma.is_masked(value):
        _refuse(name, value, "an array without masked entries")
    if a.dtype.kind in "iub" or (a.dtype.kind == "f" and a.itemsize not in (4, 8)):
        a = a.astype(np.float64)
    if a.dtype.kind != "f":
        _refuse(name, f"dtype {a.dtype}", "an array of real numbers", TypeError)
    if a.size == 0 or (ndim is not None and a.ndim != ndim) or (shape is not None and a.shape != shape):
        wanted = f"of shape {shape}" if shape is not None else f"with {ndim} dimension(s)" if ndim else ""
        _refuse(name, f"shape {a.shape}", f"a non-empty array {wanted}".strip())
    bad = np.flatnonzero(~np.isfinite(a))
    if finite and bad.size:
        where = np.unravel_index(int(bad[0]), a.shape)
        raise ValueError(
            f"{name} must hold finite numbers only, got {a[where]} at index {tuple(map(int, where))}"
            f" ({bad.size} of {a.size} entries are NaN or infinite)"
        )
    return a


def labels(name: str, value: ArrayLike, *, n: int, allowed: Sequence[int] | None = None) -> NDArray[np.int64]:
    """Return ``n`` integer class labels: those in ``allowed``, or else 0, 1, 2, ...

    Raises
    ------
    TypeError
        If they are not whole numbers.
    ValueError
        If there are not ``n``, or one is not allowed.
    """
    a = array(name, value, shape=(n,))
    if not np.array_equal(a, np.round(a)):
        _refuse(name, a[a != np.round(a)][0], "whole numbers", TypeError)
    if (largest := np.abs(a).max()) > WHOLE:
        _refuse(name, largest, f"whole numbers up to {WHOLE}")
    if allowed is not None and not np.isin(a, allowed).all():
        _refuse(name, int(a[~np.isin(a, allowed)][0]), f"one of {list(allowed)} in every entry")
    if allowed is None and a.min() < 0:
        _refuse(name, int(a.min()), "0, 1, 2, ... in every entry")
    return a.astype(np.int64)


def one_array(name: str, value: object) -> Float:
    """Return weights of float32 or float64 as they are, finite or not, and other numbers as float64.

    Raises
    ------
    TypeError
        If they are not one array of real numbers; the message says what ``name`` takes.
    """
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
        given = f"dtype {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{name} takes weights that are one array of real numbers, got {given}")
    return value if value.dtype in (np.float32, np.float64) else value.astype(np.float64)


def matrix(name: str, value: Float) -> Float:
    """Return an array that has two dimensions (ValueError otherwise)."""
    if value.ndim != 2:
        raise ValueError(f"{name} takes a matrix, got shape {value.shape}")
    return value
