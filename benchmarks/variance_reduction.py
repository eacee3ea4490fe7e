"""SAGA and SVRG for logistic regression: time to a gap of 1e-6, against scikit-learn's SAGA.

usage: python -m benchmarks.variance_reduction [ROUNDS]

The minimum comes from a long run of our SAGA, and its error is bounded by the gradient norm there: |g|^2 / (2 l2). The
number of epochs that each needs is found before the clock starts, for each the smallest that is enough; then runs of
just that many take turns. Ours draw each sample once an epoch in a new random order, at the default rates.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from benchmarks.measure import Row, in_turns, main, ratio, row
from benchmarks.one_sample import Data, dense, objective, sparse
from fo_lib import linear_models
from fo_lib.gradients import reshuffled
from fo_lib.linear_models import log_loss

ROUNDS = 5
GAP = 1e-6
MOST = 200  # epochs
Fit = Callable[[int], np.ndarray]


def minimum(data: Data, l2: float) -> float:
    run = linear_models.saga(*data, l2=l2, order=reshuffled, epochs=MOST, tolerance=1e-8)
    assert run.grad_norm[-1] ** 2 / (2 * l2) < 1e-3 * GAP, run
    return float(run.value[-1])


def fits(data: Data, l2: float) -> dict[str, Fit]:
    X, y = data

    def scikit_learn(epochs: int) -> np.ndarray:
        model = LogisticRegression(
            solver="saga", C=1 / (l2 * len(y)), fit_intercept=False, max_iter=epochs, tol=1e-30, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it stops after the epochs, as it is told to
            return np.asarray(model.fit(X, y).coef_[0])

    def ours(method: Callable[..., linear_models.Trace]) -> Fit:
        return lambda epochs: np.asarray(method(X, y, l2=l2, order=reshuffled, epochs=epochs, every=epochs).w)

    return {"scikit-learn": scikit_learn, "SAGA": ours(linear_models.saga), "SVRG": ours(linear_models.svrg)}


def enough(fit: Fit, good: Callable[[np.ndarray], bool], most: int = MOST) -> int:
    """The smallest number of epochs, or steps, that is enough, by doubling and halving."""
    high = 1
    while not good(fit(high)):
        high *= 2
        assert high <= most, "the gap was not reached"
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if good(fit(middle)) else (middle, high)
    return high


def compare(data: Data, l2: float, rounds: int) -> list[Row]:
    least, found = minimum(data, l2), fits(data, l2)

    def good(w: np.ndarray) -> bool:
        return objective(data, w, log_loss, l2) - least <= GAP

    epochs = {name: enough(fit, good) for name, fit in found.items()}
    taken = in_turns({name: lambda fit=fit, k=epochs[name]: fit(k) for name, fit in found.items()}, rounds, warm_up=1)
    kind = "sparse" if sp.issparse(data[0]) else "dense"
    theirs = epochs["scikit-learn"]
    return [
        row(
            f"{name} to a gap of 1e-6, {kind}", "scikit-learn's SAGA", ratio(taken["scikit-learn"], taken[name]), 3.0,
            f"epochs: ours {epochs[name]}, theirs {theirs}",
        )
        for name in ("SAGA", "SVRG")
    ]  # fmt: skip


def measure(rounds: int) -> list[Row]:
    return [line for data, l2 in ((dense(), 1e-4), (sparse(), 1e-5)) for line in compare(data, l2, rounds)]


if __name__ == "__main__":
    main(measure, ROUNDS)
