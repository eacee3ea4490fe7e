"""Checkers for the chapter on subgradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def interval(answer: Any) -> str:
    if close(answer, (0, -2)):
        raise NotYet("Smaller end first.")
    if close(answer, (-1, 1)):
        raise NotYet("That is one of the three functions. Add the slopes of the others.")
    if close(answer, (-1, -1)):
        raise NotYet("At the kink there is more than one subgradient: give the ends of the interval.")
    given = np.asarray(answer, float)
    if given.shape != (2,) or not np.allclose(given, (-2, 0), rtol=0, atol=1e-3):
        raise NotYet("Left of 3 and right of 3 the function has slopes; they are the ends.")
    return "Zero is in it, at the very end: w = 3 is a minimizer, and not the only one."


def count(answer: Any) -> str:
    if close(answer, 200):
        raise NotYet("That is G R over the accuracy; the bound has the root of k.")
    if close(answer, 4e6):
        raise NotYet("The gap asked for is 0.1, not 0.01.")
    if not close(answer, 40_000, tolerance=1e-9):
        raise NotYet("Solve G R / sqrt(k) = 0.1 for k.")
    return "A tenth of the gap would take four million."


def floor(answer: Any) -> str:
    if close(answer, 0.25):
        raise NotYet("Half of that: let the number of steps in the bound go to infinity.")
    if close(answer, 0.025):
        raise NotYet("G enters squared.")
    if not close(answer, 0.125):
        raise NotYet("Which term of (R^2 + k G^2 a^2) / (2 k a) is left when k grows?")
    return "And 5|w| has exactly this gap, forever, from an unlucky start."


def _vector(given: Any, size: int) -> Any:
    """What a reader's function returned, if it is one point."""
    if given is None:
        raise NotYet("Your function returns nothing: is there a return?")
    try:
        point = np.asarray(given, float)
    except (TypeError, ValueError):
        raise NotYet("Your function should return one array, the point, and nothing else.") from None
    if point.shape != (size,):
        raise NotYet(f"Your function should return one point, of shape ({size},), not of shape {point.shape}.")
    return point


def _problem() -> tuple[Any, Any]:
    """An L1 regression with seven rows: value and subgradient."""
    X = np.random.default_rng(7).standard_normal((7, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.3 * np.cos(np.arange(7))
    return (lambda w: float(np.abs(X @ w - y).sum())), (lambda w: X.T @ np.sign(X @ w - y))


def _method(value: Any, subgradient: Any, w: Any, learning_rates: Any, *, best: bool = True, sign: float = 1.0) -> Any:
    """The subgradient method, and the slips to be told apart."""
    record, lowest = w, value(w)
    for alpha in learning_rates:
        w = w - sign * alpha * subgradient(w)
        if value(w) < lowest:
            record, lowest = w, value(w)
    return record if best else w


def method(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function method(value, subgradient, w, learning_rates).")
    value, subgradient = _problem()
    first, alphas = np.array([3.0, 1.0, -2.0]), 0.4 / np.sqrt(np.arange(1, 60))
    start = first.copy()
    given = _vector(answer(value, subgradient, start, alphas), 3)
    if not np.array_equal(start, first):
        raise NotYet("The caller's array has changed: -= writes into it.")
    if np.allclose(given, _method(value, subgradient, first, alphas, best=False)):
        raise NotYet("That is the last point, not the best; or is your best point the same array as w?")
    if np.allclose(given, _method(value, subgradient, first, alphas, sign=-1.0)):
        raise NotYet("That goes along the subgradient: every step should go against it.")
    if not np.allclose(given, _method(value, subgradient, first, alphas), rtol=1e-9, atol=1e-12):
        raise NotYet("One step for each learning rate, in their order; keep the point of the lowest value.")
    solution = np.array([1.0, -2.0, 0.5])
    if not np.array_equal(_vector(answer(value, subgradient, solution.copy(), [50.0]), 3), solution):
        raise NotYet("The start counts as well: it may be the best point.")
    if not np.allclose(_vector(answer(value, subgradient, first.copy(), [0.01]), 3), first - 0.01 * subgradient(first)):
        raise NotYet("The last point counts as well: it may be the best.")
    return "And what it keeps is what the theorem bounds."


def _sample_slope(
    w: Any, x: Any, y: float, *, sign: float = 1, penalty: float = 1, flat: bool = True, power: int = 1
) -> Any:
    """The subgradient of one sample with lam = 0.3, and the slips to be told apart."""
    return penalty * 0.3 * w - sign * (y * (w @ x) < 1 or not flat) * y**power * x


SLOPE_SLIPS: dict[str, dict[str, Any]] = {
    "Wrong sign: the subgradient of the hinge is -y x below the margin.": {"sign": -1},
    "The penalty has a gradient, too: lam w.": {"penalty": 0},
    "With a margin y w.x above 1 the hinge is flat: only the penalty acts.": {"flat": False},
    "The label is missing: a sample with y = -1 pulls the other way.": {"power": 0},
}


def pegasos(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function step(w, x, y, lam, t).")
    w, lam, t = np.array([0.2, -0.4]), 0.3, 7
    cases = [([1.0, 2.0], 1.0), ([1.0, 2.0], -1.0), ([1.0, 4.0], -1.0)]  # the last is beyond its margin
    samples = [(np.array(x), y) for x, y in cases]
    moved = np.array([w - _vector(answer(w.copy(), x.copy(), y, lam, t), 2) for x, y in samples])
    for hint, slip in SLOPE_SLIPS.items():
        if np.allclose(moved * lam * t, [_sample_slope(w, x, y, **slip) for x, y in samples]):
            raise NotYet(hint)
    slopes = np.array([_sample_slope(w, x, y) for x, y in samples])
    rate = np.sum(moved * slopes) / np.sum(slopes**2)
    if not np.allclose(moved, rate * slopes) or rate <= 0:
        raise NotYet("Rate, penalty, hinge: compare each with the subgradient of one sample above.")
    if not np.isclose(rate * lam * t, 1):
        raise NotYet("The direction is right, the rate is not: both lam and t are in it.")
    return "One line of a support vector machine."


def kink(answer: Any) -> str:
    if close(answer, (4, 4)):
        raise NotYet("The second is right. The first is what the chain rule makes of relu'(0) = 0.")
    if close(answer, (4, 1)):
        raise NotYet("The other way round.")
    if close(answer, (1, 1)):
        raise NotYet("The first is right. For the second, simplify the function before you differentiate.")
    if not close(answer, (1, 4)):
        raise NotYet("relu(x) - relu(-x) = x for every x; TensorFlow sees the two parts one by one.")
    return "A program can be right everywhere and its derivative wrong at one point."


CHECKERS: dict[str, Checker] = {
    "subgradients-1": interval,
    "subgradients-2": count,
    "subgradients-3": floor,
    "subgradients-4": method,
    "subgradients-5": pegasos,
    "subgradients-6": kink,
}
