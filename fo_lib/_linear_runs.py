"""What stands around the loops of :mod:`fo_lib.linear_models`: data as they want them, rates, records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _linear_kernels as kernels
from . import checks, compiling
from .sampling import Order, batches
from .schedules import Schedule
from .trace import Records, Trace

__all__ = ["Corrected", "Descent", "Model", "Rates", "lines_of", "model_of", "run", "sparse_matrix"]

Array = NDArray[np.floating[Any]]
Float = NDArray[np.float64]
Loss = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Point:
    """The objective at some weights, and what it is made of."""

    w: Float
    value: float
    slopes: Float  # of the samples
    mean: Float  # their mean gradient, without the regularizer
    gradient: Float

    @property
    def norm(self) -> float:
        """The norm of the gradient."""
        return float(np.linalg.norm(self.gradient))

    @property
    def finite(self) -> bool:
        """Whether value and gradient are."""
        return bool(np.isfinite(self.value) and np.isfinite(self.norm * self.norm))


@dataclass
class Model:
    """Data, a loss and a regularizer."""

    X: Any
    y: Float
    loss: Loss
    l2: float
    compiled: bool
    last: Point | None = None

    def __post_init__(self) -> None:
        self.n, self.d = self.X.shape
        self.sparse = not isinstance(self.X, np.ndarray)
        self.arrays = lines_of(self.X) if self.sparse else (self.X,)

    def kernel(self, name: str) -> Callable[..., Any]:
        """Return one of the loops for these data and this loss."""
        loop = getattr(kernels, f"{name}_{'sparse' if self.sparse else 'dense'}")
        return kernels.specialize(loop, self.loss, self.compiled)

    def at(self, w: Float) -> Point:
        """Evaluate; the last point is not evaluated twice."""
        if self.last is None or not np.array_equal(self.last.w, w):
            slopes, mean = np.empty(self.n), np.zeros(self.d)
            value = float(self.kernel("evaluate")(*self.arrays, self.y, w, slopes, mean))
            value += 0.5 * self.l2 * float(w @ w)
            self.last = Point(w.copy(), value, slopes, mean, mean + self.l2 * w)
        return self.last

    def start(self, given: ArrayLike | None) -> Float:
        """Return the first weights.

        Raises
        ------
        TypeError, ValueError
            If they are not d finite numbers.
        """
        return np.zeros(self.d) if given is None else checks.array("start", given, shape=(self.d,)).astype(np.float64)

    def refuse_start(self) -> NoReturn:
        """Say why value or gradient are not finite (ValueError)."""
        checks.array("X", self.arrays[0])
        raise ValueError("start must be a point where value and gradient are finite: here they are not")

    def largest_row(self) -> float:
        """The largest squared norm of a sample."""
        if not self.sparse:
            return float(np.einsum("ij,ij->i", self.X, self.X).max())
        values, _, begins, ends = self.arrays
        # what add.reduceat makes of an empty row is not 0
        sums = np.add.reduceat(values * values, begins[begins < ends].astype(np.intp))
        return float(sums.max())


def model_of(X: Any, y: ArrayLike, loss: Loss, labels: bool, l2: float, compiled: bool) -> Model:
    """Check data and loss.

    Raises
    ------
    TypeError, ValueError
        Naming the argument. That all numbers in ``X`` are finite shows later, at the start.
    """
    checks.function("loss", loss)
    X = sparse_matrix(X, "csr") if hasattr(X, "tocsr") else _dense(X)
    l2 = checks.number("l2", l2, at_least=0.0)
    targets = checks.array("y", y, shape=(X.shape[0],)).astype(np.float64)
    if labels:
        if not np.isin(targets, (-1.0, 0.0, 1.0)).all() or (targets.min() < 0.0 and not targets.all()):
            raise ValueError(f"y must hold the labels -1 and 1, or 0 and 1, got {np.unique(targets)[:5]}")
        targets = np.where(targets > 0.0, 1.0, -1.0)
    _check_loss(loss, targets[0], compiled)
    return Model(X, targets, loss, l2, compiled)


def _dense(X: ArrayLike) -> Array:
    a: Any = X if isinstance(X, np.ndarray) else checks.array("X", X, ndim=2)
    if np.ma.isMaskedArray(a) or a.dtype not in (np.float32, np.float64) or a.ndim != 2 or a.size == 0:
        a = checks.array("X", a, ndim=2)
    return np.ascontiguousarray(a, a.dtype.newbyteorder("="))


def sparse_matrix(X: Any, form: str) -> Any:
    """Return a valid CSR or CSC matrix: a wrong index would be read from, or written to, foreign memory."""
    X = X.asformat(form)
    if len(X.shape) != 2 or X.nnz == 0:
        raise ValueError(f"X must be a matrix that is not all zero, got shape {X.shape} with {X.nnz} non-zeros")
    lines, d = X.shape if form == "csr" else X.shape[::-1]
    begins, size = np.asarray(X.indptr), min(X.indices.size, X.data.size)
    if len(begins) != lines + 1 or begins[0] != 0 or (begins[1:] < begins[:-1]).any() or begins[-1] > size:
        raise ValueError(f"X must be a valid {form.upper()} matrix: its indptr does not fit its data")
    if X.indices.min() < 0 or X.indices.max() >= d:
        raise ValueError(f"X must be a valid {form.upper()} matrix: it has indices outside 0 to {d - 1}")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(checks.array("X", X.data[:1]).dtype)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def lines_of(X: Any) -> tuple[Any, ...]:
    """Values, their indices, and where each row of a CSR matrix, or column of a CSC, begins and ends."""
    bounds = np.asarray(X.indptr).astype(np.uint64)
    indices = np.ascontiguousarray(X.indices)
    return np.ascontiguousarray(X.data), indices.view(f"u{indices.itemsize}"), bounds[:-1].copy(), bounds[1:].copy()


def _check_loss(loss: Loss, y: float, compiled: bool) -> None:
    if compiled:
        try:
            compiling.text_of(loss)
        except TypeError as error:
            raise TypeError(f"loss must be plain, or else pass compiled=False: {error}") from None
    try:
        tried = loss(0.0, float(y))
    except OverflowError:
        raise ValueError(f"y must be small enough for the loss, got {y:g}") from None
    if not isinstance(tried, tuple) or len(tried) != 2:
        raise TypeError(f"loss must return (value, slope), got {tried!r} at (0.0, {y:g})")
    for name, number in zip(("value", "slope"), tried, strict=True):
        checks.number(f"{name} of loss(0.0, {y:g})", number)


class Rates:
    """The learning rate of each step, whatever the argument was."""

    def __init__(self, learning_rate: object) -> None:
        self.schedule: Schedule | None = learning_rate if callable(learning_rate) else None
        if self.schedule is None:
            self.constant = checks.number("learning_rate", learning_rate, above=0.0)

    def __call__(self, first: int, n: int) -> Float:
        """Return the rates of ``n`` steps from ``first`` on.

        A schedule of arithmetic gives all of them at once. That is believed if it agrees with what the schedule says
        of single steps: of both ends and some between.
        """
        if self.schedule is None:
            return np.full(n, self.constant)
        rates = self._at_once(self.schedule, first, n)
        return self._one_by_one(self.schedule, first, n) if rates is None else rates

    def _at_once(self, schedule: Callable[[Any], Any], first: int, n: int) -> Float | None:
        steps = np.arange(first, first + n, dtype=np.float64)  # floats: integers would overflow where Python's do not
        some = np.unique(np.linspace(0, n - 1, 9).astype(int))
        try:
            with np.errstate(all="ignore"):
                rates = np.asarray(schedule(steps))
            alone = [float(schedule(first + int(k))) for k in some]
        except Exception:  # of any kind: called step by step, the schedule says itself what is wrong
            return None
        return rates if _usable(rates, n) and np.allclose(rates[some], alone, rtol=1e-13, atol=0.0) else None

    def _one_by_one(self, schedule: Schedule, first: int, n: int) -> Float:
        given = [schedule(t) for t in range(first, first + n)]
        rates = np.asarray(given) if all(type(rate) is float for rate in given) else np.empty(0)
        if not _usable(rates, n):  # or of another kind of number: slower, and one that is wrong is named
            steps = zip(range(first, first + n), given, strict=True)
            rates = np.array([checks.number(f"learning_rate({t})", rate, above=0.0) for t, rate in steps])
        return rates


def _usable(rates: Any, n: int) -> bool:
    return bool(rates.shape == (n,) and rates.dtype == np.float64 and np.isfinite(rates).all() and rates.min() > 0.0)


class Descent:
    """SGD on the weights ``w``; what is recorded is ``at``: they, or the mean of the iterates from a step on."""

    def __init__(self, model: Model, w: Float, first: int | None) -> None:
        self.model, self.w, self.at, self.first = model, w, w, first
        self.total = np.zeros_like(w)

    def __call__(self, rows: Any, rates: Float, t: int) -> None:
        """Make the steps after ``t``."""
        m = self.model
        skip = len(rows) if self.first is None else max(self.first - 1 - t, 0)
        m.kernel("sgd")(*m.arrays, m.y, rows, rates, m.l2, self.w, self.total, skip)
        end = t + len(rows)
        if self.first is not None and end >= self.first:
            self.at = self.total / (end - self.first + 1)


class Corrected:
    """SAGA, or with a ``stage`` between two anchors SVRG."""

    def __init__(self, model: Model, w: Float, stage: int | None) -> None:
        self.model, self.w, self.at, self.stage = model, w, w, stage

    def __call__(self, rows: Any, rates: Float, t: int) -> None:
        """Make the steps after ``t``, up to each anchor in turn."""
        m, done = self.model, 0
        loop, share = m.kernel("corrected"), 1 / m.n if self.stage is None else 0.0
        while done < len(rows):
            passed = t + done if self.stage is None else (t + done) % self.stage
            if passed == 0:
                here = m.at(self.w)
                self.slopes, self.mean = here.slopes, here.mean
            end = len(rows) if self.stage is None else min(done + self.stage - passed, len(rows))
            loop(*m.arrays, m.y, rows[done:end], rates[done:end], m.l2, self.w, self.slopes, self.mean, share)
            done = end


def run(
    rule: str,
    method: Descent | Corrected,
    rates: Rates,
    epochs: int,
    order: Order,
    tolerance: float,
    every: int,
    seed: int,
) -> Trace:
    """Run some epochs, recording what :func:`~fo_lib.loop.minimize` records.

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    checks.function("order", order)
    epochs = checks.count("epochs", epochs, at_least=0)
    every = checks.count("every", every)
    tolerance = checks.number("tolerance", tolerance, at_least=0.0)
    model, records = method.model, Records(False)
    draw = batches(model.n, model.n, order, checks.count("seed", seed, at_least=0))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # divergence is reported by the trace
        w, reason, message = _epochs(method, rates, epochs, draw, tolerance, every, records)
        last = w.astype(model.X.dtype)
    if not np.isfinite(last).all():
        reason, message = "diverged", f"diverged: weights beyond the numbers of {model.X.dtype}, that of X"
        last = w  # as they were computed
    name = getattr(model.loss, "__name__", repr(model.loss))
    known = {"rule": rule, "loss": name, "l2": model.l2, "stochastic": True, "L": None}
    return records.trace(last, reason, message, **known)


def _epochs(
    method: Descent | Corrected,
    rates: Rates,
    epochs: int,
    draw: Callable[[int], Any],
    tolerance: float,
    every: int,
    records: Records,
) -> tuple[Float, str, str]:
    model, n, last = method.model, method.model.n, 0.0
    first = here = model.at(method.w)
    if not first.finite:
        model.refuse_start()
    for epoch in range(epochs + 1):
        if epoch:
            chosen = rates((epoch - 1) * n + 1, n)
            last = float(chosen[-1])
            rows = np.ascontiguousarray(draw(epoch), np.int64).view(np.uint64)
            method(rows, chosen, (epoch - 1) * n)
        if epoch % every == 0 or epoch == epochs or not np.isfinite(method.w).all():
            new = model.at(method.at)
            if not new.finite:
                message = f"diverged: value or gradient no longer finite at step {epoch * n}, learning_rate={last:g}"
                return here.w, "diverged", message
            here = new
            records.add(epoch * n, here.value, here.norm, last, here.w)
            if here.norm <= tolerance and (tolerance > 0 or not here.gradient.any()):  # a norm can underflow
                message = f"the gradient norm reached the tolerance {tolerance:g} at step {epoch * n}"
                return here.w, "tolerance", message
    rise = f", but the value rose from {first.value:.3g} to {here.value:.3g}, learning_rate={last:g}"
    return here.w, "steps", f"made all {epochs * n} steps{rise if here.value > first.value else ''}"
