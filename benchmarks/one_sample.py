"""One-sample SGD and averaged SGD for linear models against scikit-learn's `SGDClassifier`, in time and objective.

usage: python -m benchmarks.one_sample [ROUNDS]

Both start from nothing but the data in memory, make the same number of epochs in a new random order each, with the same
loss, regularizer, schedule of rates (that of scikit-learn's "optimal") and step from which on to average. Ours also
computes the objective at both ends. The orders differ, and with them the last iterates: it is asserted that over the
rounds our mean objective is not larger by more than four standard errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import SGDClassifier

from benchmarks.measure import Row, in_turns, main, ratio, row
from fo_lib import learning_rates, linear_models

ROUNDS = 9
EPOCHS = 5
N = 100_000
Data = tuple[Any, np.ndarray]


def labels(margins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(len(margins)) < 1 / (1 + np.exp(-margins)), 1.0, -1.0)


def dense(n: int = N, d: int = 100) -> Data:
    """Gaussian samples of mean norm 1 whose spectrum falls by two powers of ten, and labels of a logistic model."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0]
    X = rng.standard_normal((n, d)) * np.logspace(0, -2, d) @ rotation
    X /= np.linalg.norm(X, axis=1).mean()
    return X, labels(X @ rng.standard_normal(d) * 8, rng)


def sparse(n: int = N, d: int = 47_000, words: int = 92) -> Data:
    """Documents in tf-idf of norm 1: words drawn by a power law, so that a row has about 80 different ones."""
    rng = np.random.default_rng(0)
    frequency = np.arange(1, d + 1) ** -0.9
    cols = rng.permutation(d)[rng.choice(d, size=n * words, p=frequency / frequency.sum())]
    X = sp.csr_matrix((np.ones(n * words), (np.repeat(np.arange(n), words), cols)), shape=(n, d))
    X.sum_duplicates()
    found_in = np.bincount(X.indices, minlength=d) + 1
    X.data = (1 + np.log(X.data)) * np.log((n + 1) / found_in)[X.indices]
    X = sp.csr_matrix(sp.diags(1 / np.sqrt(X.multiply(X).sum(1).A1)) @ X)
    X.sort_indices()
    weights = 20 * rng.standard_normal(d) * (rng.random(d) < 0.3)
    return X, labels(X @ weights, rng)


def objective(data: Data, w: np.ndarray, loss: Callable[..., Any], l2: float) -> float:
    X, y = data
    return float(linear_models.sgd(X, y, loss=loss, l2=l2, learning_rate=1, start=w, epochs=0).value[0])


def scikit_learns_rate(loss: Callable[..., Any], l2: float) -> learning_rates.Schedule:
    """The schedule of learning_rate="optimal": its first step is that after which weights have a typical size."""
    typical = l2**-0.25
    first = typical / max(1.0, -loss(-typical, 1.0)[1])
    return learning_rates.inverse(first, l2 * first)


def compare(data: Data, name: str, loss: Callable[..., Any], average: int | None, l2: float, rounds: int) -> Row:
    X, y = data
    ends: dict[str, list[np.ndarray]] = {"ours": [], "theirs": []}
    rate = scikit_learns_rate(loss, l2)

    def ours() -> None:
        run = linear_models.sgd(
            X, y, loss=loss, l2=l2, learning_rate=rate, average=average, epochs=EPOCHS, every=EPOCHS,
            seed=len(ends["ours"]),
        )  # fmt: skip
        ends["ours"].append(run.w)

    def theirs() -> None:
        model = SGDClassifier(
            loss={"log": "log_loss"}.get(name, name), alpha=l2, learning_rate="optimal", average=average or False,
            fit_intercept=False, max_iter=EPOCHS, tol=None, random_state=len(ends["theirs"]),
        )  # fmt: skip
        ends["theirs"].append(model.fit(X, y).coef_[0])

    taken = in_turns({"ours": ours, "theirs": theirs}, rounds, warm_up=1)
    while len(ends["theirs"]) < 8:  # a standard error of less says little
        ours()
        theirs()
    values = {side: [objective(data, w, loss, l2) for w in found] for side, found in ends.items()}
    reached = {side: float(np.mean(found)) for side, found in values.items()}
    error = float(np.sqrt(sum(np.var(found, ddof=1) / len(found) for found in values.values())))
    assert reached["ours"] <= reached["theirs"] + 4 * error, f"the objective is not as good: {reached}, {error:.1g}"
    kind, bar = ("sparse", 1.5) if sp.issparse(X) else ("dense", 2.0)
    note = f"objective ours {reached['ours']:.6f}, theirs {reached['theirs']:.6f}, difference +- {error:.1g}"
    what = f"{'averaged SGD' if average else 'SGD'}, {name} loss, {kind}"
    return row(what, "scikit-learn SGDClassifier", ratio(taken["theirs"], taken["ours"]), bar, note)


def measure(rounds: int) -> list[Row]:
    rows = []
    for data, l2 in ((dense(), 1e-4), (sparse(), 1e-5)):
        for name, loss in (("log", linear_models.log_loss), ("hinge", linear_models.hinge_loss)):
            rows += [compare(data, name, loss, average, l2, rounds) for average in (None, N)]
    return rows


if __name__ == "__main__":
    main(measure, ROUNDS)
