"""What stands around the loops of :mod:`fo_lib.coordinate`: data as they want them, working sets, records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _coordinate_kernels as kernels
from . import _coordinate_looks as looks
from . import checks, compiling
from ._linear_runs import lines_of, sparse_matrix
from .trace import Records, Trace

__all__ = ["Limits", "Model", "centred", "data_of", "refuse", "solve", "strengths"]

Float = NDArray[np.float64]
Function = Callable[..., Any]
FIRST = 100  # columns of the first working set
COLUMNS = 15  # for each run, below which products of columns pay
SHARE = 0.1  # of the gap: what may be left of it on a working set before the other columns are looked at


def strengths(l1: object, l2: object) -> tuple[float, float]:
    """Check the strengths of the regularizers (TypeError, ValueError)."""
    return checks.number("l1", l1, above=0.0), checks.number("l2", l2, at_least=0.0)


def data_of(X: Any, y: ArrayLike) -> tuple[Any, Float]:
    """Check data, and return them in float64, with columns that lie one after the other.

    Raises
    ------
    TypeError, ValueError
        Naming the argument. That all numbers in ``X`` are finite shows in what is computed: see :func:`refuse`.
    """
    if hasattr(X, "tocsc"):
        X = sparse_matrix(X, "csc").astype(np.float64, copy=False)
    else:
        X = X if isinstance(X, np.ndarray) else checks.array("X", X, ndim=2)
        if np.ma.isMaskedArray(X) or X.dtype != np.float64 or X.ndim != 2 or X.size == 0:
            X = checks.array("X", X, ndim=2)
        X = np.asfortranarray(X, np.float64)
    entries = X.T if isinstance(X, np.ndarray) else X.data
    if not (entries[:1].any() or entries.any()):  # all are read only where the first are zero
        raise ValueError(f"X must be a matrix that is not all zero, got shape {X.shape}")
    return X, checks.array("y", y, shape=(X.shape[0],)).astype(np.float64)


def refuse(name: str, given: Any) -> NoReturn:
    """Say why what was computed from ``X`` or ``y`` is not finite (ValueError)."""
    checks.array(name, given if isinstance(given, np.ndarray) else given.data)
    raise ValueError(f"{name} must hold numbers whose squares have a finite sum")


def centred(y: Float, intercept: bool) -> tuple[Float, float]:
    """Subtract the mean, if there is an intercept, and return that too (ValueError if the squares sum to infinity)."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(y.mean()) if intercept else 0.0
        left = y - mean
        if not np.isfinite(left @ left):
            refuse("y", y)
    return left, mean


@dataclass(frozen=True)
class Limits:
    """When to stop, and how to go on till then."""

    tolerance: float
    epochs: int
    every: int
    working_set: bool

    def __post_init__(self) -> None:
        checks.number("tolerance", self.tolerance, at_least=0.0)
        checks.count("epochs", self.epochs, at_least=0)
        checks.count("every", self.every)


_compiled: dict[tuple[str, str], Function] = {}


def _loop(name: str, kind: str, compiled: bool) -> Function:
    """Return ``descend``, ``look`` or ``moments`` for a kind of data."""
    if compiled and (name, kind) in _compiled:
        return _compiled[name, kind]
    if name == "moments":
        loop: Function = getattr(looks, f"moments_{kind}")
    else:
        slots = {part: getattr(looks, f"{part}_{kind}") for part in ("residual", "slopes", "energy")}
        text = looks.look if name == "look" else kernels.descend
        loop = compiling.bind(text, sweep=getattr(kernels, f"sweep_{kind}"), **slots)
    if compiled:
        loop = _compiled[name, kind] = compiling.jit(loop, cached=True)
    return loop


class Model:
    """Data as the loops want them; ``usable`` are the columns that are not constant."""

    def __init__(self, X: Any, y: ArrayLike, intercept: bool, compiled: bool) -> None:
        self.X, y = data_of(X, y)
        self.compiled, self.d = compiled, self.X.shape[1]
        self.y, self.shift = centred(y, intercept)
        self.zero = 0.5 * float(self.y @ self.y) / len(y)  # the objective without weights
        self.means, self.squares = np.empty(self.d), np.empty(self.d)
        if isinstance(self.X, np.ndarray):
            self.kind = "dense"
            self.data: tuple[Any, ...] = self.X.T, self.means, self.y
        else:
            self.kind, self.data = "sparse", (*lines_of(self.X), self.means, self.y)
        with np.errstate(over="ignore", invalid="ignore"):
            self.loop("moments")(self.data, self.squares, intercept)
        if not np.isfinite(self.squares).all():
            refuse("X", self.X)
        self._centre_full_columns()
        self.usable = np.flatnonzero(self.squares).astype(np.int64)  # loops see them as uint64
        self.r, self.c = np.empty(len(y)), np.empty(self.d)

    def _centre_full_columns(self) -> None:
        """Subtract the mean, in a copy, from sparse columns without zeros.

        Of the others it is at most sqrt(n) times their deviation, so that sums over their entries do not cancel.
        """
        if self.kind == "sparse":
            values, rows, begins, ends, means, y = self.data
            full = np.flatnonzero((ends - begins == len(y)) & (means != 0.0))
            if full.size:
                values, means = values.copy(), means.copy()
                for j in full:
                    values[begins[j] : ends[j]] -= means[j]
                means[full] = 0.0
                self.data = values, rows, begins, ends, means, y

    def loop(self, name: str) -> Function:
        """Return one of the loops for these data."""
        return _loop(name, self.kind, self.compiled)

    def prepare(self, levels: int) -> None:
        """Take products of columns instead, if there are so few that this pays for so many runs."""
        if self.kind == "dense" and self.d <= min(len(self.y), COLUMNS * levels):
            centred = self.X - self.means
            products = centred.T @ centred / len(self.y)
            self.kind, self.data = "gram", (products, centred.T @ self.y / len(self.y), 2 * self.zero)
            self.r = np.empty(self.d)

    def start(self, given: ArrayLike | None) -> Float:
        """Return the first weights; of a constant column, zero (TypeError, ValueError)."""
        w = np.zeros(self.d)
        if given is not None:
            w[self.usable] = checks.array("start", given, shape=w.shape)[self.usable]
        return w

    def working_set(self, w: Float, s: float, l1: float, before: int) -> NDArray[np.int64]:
        """Return the columns with a weight and those whose constraint of the dual is nearest, in their order."""
        size = max(2 * int(np.count_nonzero(w)), before, FIRST)
        if size >= len(self.usable):
            return self.usable
        distance = (l1 - abs(s * self.c[self.usable])) / np.sqrt(self.squares[self.usable])
        distance[w[self.usable] != 0.0] = -1.0
        return np.sort(self.usable[np.argpartition(distance, size)[:size]])


@np.errstate(over="ignore", invalid="ignore")  # of a start out of all bounds
def solve(model: Model, l1: float, l2: float, w: Float, limits: Limits, known: bool = False) -> Trace:
    """Descend from ``w``, in place, until the gap is small enough; ``known`` if the last run ended there."""
    look, descend = model.loop("look"), model.loop("descend")
    records, done, goal, last = Records(False), 0, limits.tolerance * model.zero, w
    chosen = model.usable[:0] if limits.working_set else model.usable  # this never shrinks
    while True:
        value, gap, norm, s = look(model.data, l1, l2, w, model.r, model.c, not (known and done == 0))
        if not np.isfinite(value + gap + norm):
            break
        last = w.copy()
        records.add(done, value, norm, 0.0, last, gap)
        if gap <= goal or done == limits.epochs:
            break
        chosen = model.working_set(w, s, l1, len(chosen))
        target = goal if len(chosen) == len(model.usable) else SHARE * gap
        most = min(limits.every, limits.epochs - done)
        done += descend(model.data, model.squares, chosen.view(np.uint64), l1, l2, w, model.r, target, most)
    reason, message = _end(value + norm, gap, goal, done)
    b = model.shift - float(model.means @ last)
    return records.trace(
        last, reason, message, rule="coordinate descent", l1=l1, l2=l2, intercept=b, stochastic=False, L=None
    )


def _end(finite: float, gap: float, goal: float, done: int) -> tuple[str, str]:
    """Say why a run ended, in one word and in words (ValueError if it did not begin)."""
    if not np.isfinite(finite + gap):
        if done == 0:
            raise ValueError("start must be a point where the objective is finite: here it is not")
        return "diverged", f"diverged: value, gap or gradient no longer finite at sweep {done}"
    if gap <= goal:
        return "tolerance", f"the gap {gap:.2g} reached the tolerance at sweep {done}"
    return "steps", f"made all {done} sweeps, and the gap is {gap:.2g}"
