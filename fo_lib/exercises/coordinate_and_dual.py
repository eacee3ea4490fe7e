"""Checkers for the chapter on coordinates and duals."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def rate(answer: Any) -> str:
    if close(answer, 1 - 1 / 15):
        raise NotYet("That is for equal probabilities, with d times the largest curvature.")
    if close(answer, 2 / 3):
        raise NotYet("That is for equal probabilities. Here the flattest coordinate is drawn once in ten steps.")
    if close(answer, 1 - 1 / 5):
        raise NotYet("That is gradient descent's factor. Each coordinate has its own chance of being drawn.")
    if close(answer, 0.1):
        raise NotYet("That is the share that is lost. What is left?")
    if not close(answer, 0.9):
        raise NotYet("One minus mu over the sum of the curvatures.")
    return "And the flattest coordinate alone attains it."


class _Counted(np.ndarray[Any, Any]):
    """A matrix that counts the products with all of it."""

    products = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        if ufunc is np.matmul and any(np.ndim(x) == 2 for x in inputs):
            _Counted.products += 1
        if "out" in settings:
            settings["out"] = tuple(np.asarray(x) for x in settings["out"])
        plain = [np.asarray(x) if isinstance(x, _Counted) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **settings)


def _sweep(
    X: Any, y: Any, w: Any, l2: float, *, stale: bool = False, per_n: bool = True, shrink: bool = True,
    curved: bool = True,
) -> Any:  # fmt: skip
    w, before = w.copy(), w.copy()
    n = len(y) if per_n else 1
    for j in range(len(w)):
        r = y - X @ (before if stale else w)
        x = X[:, j]
        w[j] += (x @ r / n - (l2 * w[j] if shrink else 0.0)) / (x @ x / n + l2 * curved)
    return w


def sweep(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function sweep(X, y, w, l2).")
    rng = np.random.default_rng(0)
    X, y, first, l2 = rng.standard_normal((7, 3)), rng.standard_normal(7), rng.standard_normal(3), 0.4
    w = first.copy()
    _Counted.products = 0
    given_X = X.copy()
    found = answer(given_X.view(_Counted), y.copy(), w, l2)
    if found is None or isinstance(found, tuple) or np.shape(found) != (3,):
        raise NotYet("Return the new weights: one array, of the shape of w.")
    given = np.asarray(found, dtype=float)
    if not (np.array_equal(w, first) and np.array_equal(given_X, X)):
        raise NotYet("The caller's array has changed.")
    if np.allclose(given, _sweep(X, y, first, l2)):
        if _Counted.products >= len(first):
            raise NotYet("The weights are right, but X @ w was computed for each of them. Update the residual instead.")
        return "One pass over the data, as much as one gradient."
    slips: list[tuple[dict[str, Any], str]] = [
        ({"stale": True}, "Every weight saw the old residual: that is Jacobi's method, which may diverge. Update it."),
        ({"per_n": False}, "The squares are divided by n, and the penalty is not."),
        ({"shrink": False}, "The penalty has a slope, too, not only a curvature."),
        ({"curved": False}, "The penalty has a curvature, too, not only a slope."),
    ]
    for settings, hint in slips:
        if np.allclose(given, _sweep(X, y, first, l2, **settings)):
            raise NotYet(hint)
    raise NotYet(
        "Set the partial derivative to zero, one weight after the other, each with the residual of that moment."
    )


def certificate(answer: Any) -> str:
    if close(answer, 0.40625):
        raise NotYet("That is the primal value. Subtract the dual one.")
    if close(answer, -0.375):
        raise NotYet("The norm has a minus in the dual: the gap contains it twice.")
    if close(answer, -0.09375):
        raise NotYet("The dual subtracts the norm, too. A gap is never negative.")
    if close(answer, 0.3125):
        raise NotYet("The mean is over both samples, also over the one whose loss is zero.")
    if close(answer, 0.125):
        raise NotYet("That is the mean loss alone: add the norm, and subtract the dual value.")
    if not close(answer, 0.1875):
        raise NotYet("w is the mean of the pulls over lambda; then mean loss minus mean beta plus lambda w^2.")
    return "No classifier is better than this one by more."


def _pass(
    Z: Any, lam: float, b: Any, w: Any, *, upper: float = 1.0, stale: bool = False, moves: bool = True,
    n: int | None = None,
) -> Any:  # fmt: skip
    b, w, old = b.copy(), w.copy(), w.copy()
    n = len(Z) if n is None else n
    for i, z in enumerate(Z):
        new = min(max(b[i] + (1 - z @ (old if stale else w)) * lam * n / (z @ z), 0.0), upper)
        w += moves * (new - b[i]) / (lam * n) * z
        b[i] = new
    return b, w


def svm_pass(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function svm_pass(Z, lam, b, w).")
    rng = np.random.default_rng(1)
    Z, lam, b = rng.standard_normal((6, 3)), 0.3, rng.uniform(0, 1, 6)
    w = Z.T @ b / (lam * 6)
    mine, yours = (b.copy(), w.copy()), (b.copy(), w.copy())
    found = answer(Z.copy(), lam, *yours)
    if not (np.array_equal(yours[0], b) and np.array_equal(yours[1], w)):
        raise NotYet("The caller's arrays have changed.")
    if not (isinstance(found, tuple) and len(found) == 2):
        raise NotYet("Return two arrays: b and w.")
    if (np.shape(found[0]), np.shape(found[1])) == (w.shape, b.shape):
        raise NotYet("Return b first, then w.")

    def same(wanted: Any) -> bool:
        return all(np.shape(x) == np.shape(v) and np.allclose(x, v) for x, v in zip(found, wanted, strict=True))

    if same(_pass(Z, lam, *mine)):
        return "No learning rate, and w always is what the pulls add up to."
    slips: list[tuple[dict[str, Any], str]] = [
        ({"upper": np.inf}, "A pull of the hinge is at most 1."),
        ({"stale": True}, "Each sample must see the w that the samples before it have left."),
        ({"moves": False}, "w has to move with each pull."),
        ({"n": 1}, "The n is missing: q is the squared length over lambda n, and so is the change of w."),
    ]
    for settings, hint in slips:
        if same(_pass(Z, lam, *mine, **settings)):
            raise NotYet(hint)
    raise NotYet("beta + (1 - margin) / q, cut off at 0 and 1; then move w by the change over lambda n, along z.")


CHECKERS: dict[str, Checker] = {
    "coordinate-and-dual-1": rate,
    "coordinate-and-dual-2": sweep,
    "coordinate-and-dual-3": certificate,
    "coordinate-and-dual-4": svm_pass,
}
