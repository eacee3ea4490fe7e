"""Lasso by coordinate descent and by FISTA, to a relative duality gap of 1e-6, against scikit-learn; and whole paths.

usage: python -m benchmarks.lasso [ROUNDS]

Relative to the objective at zero weights, and computed for all by the same function from nothing but the weights they
return. scikit-learn's `tol` bounds the last change of the weights as well as the gap: before the clock starts, the
largest is found with which its gap is small enough, without and (where there are more samples than columns) with its
products of columns; the faster of the two is the reference. FISTA restarts by the gradient and makes the fewest steps
that are enough. All start from the same arrays, whose columns lie one after the other, and fit an intercept unless the
row says otherwise; the time is that of everything up to the weights. Rows of coordinate descent also say what a run
takes that makes no sweep: checks, means, copies, and the gap of zero weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, lasso_path

from benchmarks.measure import Row, duration, in_turns, main, ratio, row, seconds
from benchmarks.one_sample import sparse
from benchmarks.variance_reduction import enough
from fo_lib import accelerate, coordinate, problems, prox
from fo_lib.accelerated import restart_by_gradient

ROUNDS = 5
GAP = 1e-6
SHARES = (10, 100)  # of the largest l1
LEVELS = 100  # of a path, down to the last of these
TURN = 0.05  # seconds of a turn, at least
ANY = 1e9  # a tolerance that zero weights meet: scikit-learn then makes no sweep
SLOWEST = 10**6  # entries of the data that FISTA gets
Weights = np.ndarray


@dataclass(frozen=True)
class Task:
    """Data, and whether to fit an intercept."""

    name: str
    X: Any
    y: np.ndarray
    intercept: bool = True

    @property
    def tall(self) -> bool:
        return isinstance(self.X, np.ndarray) and self.X.shape[0] > self.X.shape[1]

    def gap(self, w: Weights, l1: float) -> float:
        """Relative to the objective at zero weights."""
        zero = coordinate.duality_gap(self.X, self.y, np.zeros(len(w)), l1=l1, intercept=self.intercept)[0]
        return coordinate.duality_gap(self.X, self.y, w, l1=l1, intercept=self.intercept)[1] / zero


def random(n: int, d: int) -> Task:
    """Gaussian columns, 20 of which matter, and as much noise as one of them adds."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((n, d)))
    return Task(f"{n} x {d}", X, X[:, :20] @ rng.standard_normal(20) + rng.standard_normal(n))


def text(n: int = 20_000, d: int = 47_000) -> tuple[Any, np.ndarray]:
    """The documents of the measure of one-sample methods; 100 of the more frequent words matter."""
    rng = np.random.default_rng(0)
    X = sparse(n, d)[0].tocsc()
    X.sort_indices()
    w, found_in = np.zeros(d), np.diff(X.indptr)
    w[rng.choice(np.argsort(-found_in)[50:1050], 100, replace=False)] = 3 * rng.standard_normal(100)
    return X, X @ w + 0.3 * rng.standard_normal(n)


def tasks() -> list[Task]:
    X, y = load_diabetes(return_X_y=True)
    words, value = text()
    return [
        Task("diabetes, 442 x 10", np.asfortranarray(X), y), random(2000, 200), random(200, 2000), random(1000, 10_000),
        Task("text, sparse", words, value), Task("text, sparse, no intercept", words, value, intercept=False),
    ]  # fmt: skip


def largest_tol(good: Callable[[float], bool]) -> float:
    """The largest tolerance of scikit-learn that is good, to 14 %, by halving an interval of exponents."""
    low, high = -9.0, -2.0
    assert good(10**low), "the gap was not reached"
    for _ in range(7):
        middle = (low + high) / 2
        low, high = (middle, high) if good(10**middle) else (low, middle)
    return float(10**low)


def fastest(runs: dict[str, Callable[[], Any]]) -> tuple[str, Callable[[], Any]]:
    """The one that takes the least time, by the median of three calls."""
    return min(runs.items(), key=lambda item: float(np.median([seconds(item[1]) for _ in range(3)])))


def scikit_learn(task: Task, l1: float) -> tuple[str, Callable[[], Weights], Callable[[], Any]]:
    """How it uses products of columns, its fit at the largest tolerance that is good enough, and one of no sweep."""

    def fit(tol: float, products: bool) -> Weights:
        model = Lasso(alpha=l1, tol=tol, precompute=products, fit_intercept=task.intercept, max_iter=10**6)
        return np.asarray(model.fit(task.X, task.y).coef_)

    found = {}
    for products in (False, True) if task.tall else (False,):
        tol = largest_tol(lambda tol, products=products: task.gap(fit(tol, products), l1) <= GAP)
        found["its products" if products else "its residuals"] = lambda t=tol, p=products: fit(t, p)
    how, reference = fastest(found)
    return how, reference, lambda: fit(ANY, how == "its products")


def squares(task: Task) -> problems.Problem:
    """The smooth part, for centred columns. Its L is the largest eigenvalue of the smaller matrix of products."""
    X, y, n = task.X - task.X.mean(axis=0), task.y - task.y.mean(), len(task.y)
    L = np.linalg.eigvalsh(X.T @ X if task.tall else X @ X.T)[-1] / n
    return problems.from_functions(
        lambda w: float(np.sum((X @ w - y) ** 2)) / (2 * n), lambda w: X.T @ (X @ w - y) / n, np.zeros(X.shape[1]), L=L
    )


def fista(task: Task, l1: float) -> tuple[int, Callable[[], Weights]]:
    """The fewest steps that are enough, and a run of as many, centring and the search of L included."""

    def fit(steps: int) -> Weights:
        run = accelerate(squares(task), prox=prox.l1(l1), restart=restart_by_gradient, steps=steps, every=steps)
        return np.asarray(run.w)

    steps = enough(fit, lambda w: task.gap(w, l1) <= GAP, most=100_000)
    return steps, lambda: fit(steps)


def compare(
    what: str, peer: str, runs: list[Callable[[], Any]], note: str, gap: Callable[[Any], float], rounds: int
) -> Row:
    """The row of two runs, ours first, after a check that both have reached the gap; with two more, of no sweep."""
    ends = [gap(run()) for run in runs[:2]]
    assert max(ends) <= GAP, f"{what}: a gap is too large: {ends}"
    repeats = max(1, round(TURN / max(seconds(run) for run in runs)))
    taken = list(in_turns(dict(zip("abcd", runs, strict=False)), rounds, repeats=repeats, warm_up=1).values())
    medians = [float(np.median(times)) for times in taken]
    words = [duration(median) for median in medians]
    of_it = [f" (without a sweep {word})" for word in words[2:]] or ["", ""]
    times = f"ours {words[0]}{of_it[0]}, theirs {words[1]}{of_it[1]}"
    note = f"{times}, {note}; gaps {ends[0]:.1g} and {ends[1]:.1g}"
    return row(what, peer, ratio(taken[1], taken[0]), 1.0, note, seconds=medians)


def one(task: Task, share: int, rounds: int) -> list[Row]:
    l1 = coordinate.largest_l1(task.X, task.y, intercept=task.intercept) / share
    how, theirs, their_start = scikit_learn(task, l1)
    settings: dict[str, Any] = {"l1": l1, "intercept": task.intercept, "tolerance": GAP}
    ours = {"coordinate descent": lambda: coordinate.lasso(task.X, task.y, **settings).w}
    starts = {"coordinate descent": [lambda: coordinate.lasso(task.X, task.y, **settings, epochs=0), their_start]}
    notes = {"coordinate descent": "", "FISTA": ""}
    if isinstance(task.X, np.ndarray) and task.X.size <= SLOWEST:
        steps, ours["FISTA"] = fista(task, l1)
        notes["FISTA"] = f"{steps} steps, "
    return [
        compare(
            f"{name}, {task.name}, l1 = largest / {share}", "scikit-learn Lasso", [run, theirs, *starts.get(name, [])],
            f"{notes[name]}scikit-learn by {how}", lambda w: task.gap(w, l1), rounds,
        )
        for name, run in ours.items()
    ]  # fmt: skip


def whole_path(task: Task, rounds: int) -> Row:
    """All levels from the largest l1 down, on centred data: scikit-learn's function of a path fits no intercept."""
    X = np.asfortranarray(task.X - task.X.mean(axis=0))
    plain = Task(task.name, X, task.y - task.y.mean(), intercept=False)
    largest = coordinate.largest_l1(X, plain.y, intercept=False)
    levels = largest * np.logspace(0, -np.log10(SHARES[-1]), LEVELS)

    def gap(weights: np.ndarray) -> float:
        return max(plain.gap(w, l1) for w, l1 in zip(weights, levels, strict=True))

    def theirs(tol: float, products: str | bool) -> np.ndarray:
        return np.asarray(lasso_path(X, plain.y, alphas=levels, tol=tol, precompute=products, max_iter=10**6)[1].T)

    def ours() -> np.ndarray:
        return np.array([run.w for run in coordinate.path(X, plain.y, l1=levels, intercept=False, tolerance=GAP)])

    found = {}
    for products in (False, True) if plain.tall else (False,):
        tol = largest_tol(lambda tol, products=products: gap(theirs(tol, products)) <= GAP)
        found["its products" if products else "its residuals"] = lambda t=tol, p=products: theirs(t, p)
    how, reference = fastest(found)
    what = f"path of {LEVELS} levels, {task.name}"
    return compare(what, "scikit-learn lasso_path", [ours, reference], f"scikit-learn by {how}", gap, rounds)


def measure(rounds: int) -> list[Row]:
    every = tasks()
    rows = [line for task in every for share in SHARES for line in one(task, share, rounds)]
    return rows + [whole_path(task, rounds) for task in every[:3]]


if __name__ == "__main__":
    main(measure, ROUNDS)
