"""Data for the tests of linear models: dense and sparse, with rows that hold nothing."""

import numpy as np
import pytest
import scipy.sparse as sp

from fo_lib import problems
from fo_lib.linear_models import log_loss, squared_loss

N, D = 40, 7
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, D)) * (RNG.random((N, D)) < 0.5)
X[[3, -1]] = 0.0  # rows without an entry, inside and at the end
LABELS = np.where(RNG.random(N) < 0.5, 1, -1)
TARGETS = RNG.standard_normal(N)
MATRIX = {"dense": X, "sparse": sp.csr_matrix(X)}
LOSSES = {"log": (log_loss, problems.logistic, LABELS), "squared": (squared_loss, problems.least_squares, TARGETS)}

BOTH = pytest.mark.parametrize("kind", MATRIX)
WAYS = pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
SMOOTH = pytest.mark.parametrize("name", LOSSES)


def same(ours, books, tight=1e-12):
    """All that a trace holds of the path is the same to rounding."""
    np.testing.assert_array_equal(ours.step, books.step)
    scale = np.abs(books.w).max()
    np.testing.assert_allclose(ours.w, books.w, rtol=tight, atol=tight * scale)
    np.testing.assert_allclose(ours.learning_rate, books.learning_rate, rtol=1e-14)
    np.testing.assert_allclose(ours.value, books.value, rtol=tight)
    np.testing.assert_allclose(ours.grad_norm, books.grad_norm, rtol=tight * 100)
