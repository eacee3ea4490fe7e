"""What scikit-learn bundles, as plain arrays; scaling and splitting."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import checks
from .files import require

__all__ = ["Dataset", "Standardized", "breast_cancer", "diabetes", "digits", "standardize", "train_test_split"]


class Dataset(NamedTuple):
    """A table: ``X`` (n, d) float64, targets ``y`` (n,), and where they come from."""

    X: NDArray[np.float64]
    y: NDArray[np.int64] | NDArray[np.float64]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    source: str
    licence: str


class Standardized(NamedTuple):
    """``X`` with columns of mean 0 and variance 1, and the ``mean`` and ``scale`` that made them so."""

    X: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def apply(self, X: ArrayLike) -> NDArray[np.float64]:
        """Standardize other rows, such as the test data, with this mean and this scale."""
        a = checks.array("X", X, ndim=2)
        if a.shape[1] != self.mean.size:
            raise ValueError(f"X must have {self.mean.size} columns, as the training data, got {a.shape[1]}")
        return (a - self.mean) / self.scale


def digits() -> Dataset:
    """1,797 handwritten digits of 8 x 8 pixels, values 0 to 16; ``y`` is the digit.

    The test part of optdigits, as bundled with scikit-learn. Three pixels are zero in every image.
    """
    source = "E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI repository"
    return _bundled("load_digits", np.int64, source, "CC BY 4.0")


def breast_cancer() -> Dataset:
    """569 tumours, 30 measurements of cell nuclei; ``y`` is 0 for malignant (212), 1 for benign (357).

    The Wisconsin diagnostic data, as bundled with scikit-learn, not scaled.
    """
    source = "W. Wolberg, O. Mangasarian, W. N. Street (1995), Breast Cancer Wisconsin (Diagnostic), UCI"
    return _bundled("load_breast_cancer", np.int64, source, "CC BY 4.0")


def diabetes(scaled: bool = False) -> Dataset:
    """442 patients, 10 features; ``y`` (float64) is the progression of the disease after a year.

    Parameters
    ----------
    scaled : bool
        False: the features as measured, in years, mmHg, mg/dl and so on, which make least squares ill
        conditioned. True: scikit-learn's own default, columns of mean 0 and norm 1 (not variance 1).
    """
    source = "B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004), Least Angle Regression"
    licence = "none stated by the authors; distributed with scikit-learn (BSD-3-Clause)"
    return _bundled("load_diabetes", np.float64, source, licence, scaled=scaled)


def _bundled(load: str, dtype: Any, source: str, licence: str, **options: Any) -> Dataset:
    bunch = getattr(require("sklearn.datasets", "scikit-learn"), load)(**options)
    X = np.array(bunch.data, dtype=np.float64, order="C")
    y = np.array(bunch.target, dtype=dtype)
    targets = bunch.get("target_names", ["disease progression"])
    return Dataset(X, y, tuple(map(str, bunch.feature_names)), tuple(map(str, targets)), source, licence)


def standardize(X: ArrayLike) -> Standardized:
    """Shift and scale each column to mean 0 and variance 1 (the variance divides by n).

    Use the numbers of the training data for the test data too::

        train = standardize(X_train)
        X_test = train.apply(X_test)

    Parameters
    ----------
    X : array_like
        (n, d) finite numbers. A column with one single value is left at zero: its scale is 1.

    Raises
    ------
    TypeError, ValueError
        If ``X`` does not hold real numbers; if it is empty, not 2-D, not finite, or so large or small that
        a variance leaves the range of float64.
    """
    a = checks.array("X", X, ndim=2).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = a.mean(axis=0), a.std(axis=0)
    constant = (a == a[0]).all(axis=0)
    mean[constant], scale[constant] = a[0, constant], 1
    extreme = np.flatnonzero(~((scale > 1e-150) & (scale < 1e150)))
    if extreme.size:
        got = f"{scale[extreme[0]]} in column {extreme[0]}"
        raise ValueError(f"X must have columns with a standard deviation in 1e-150..1e150, got {got}")
    return Standardized((a - mean) / scale, mean, scale)


def train_test_split(
    X: NDArray[Any], y: NDArray[Any], test_fraction: float, seed: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Shuffle the rows and put ``round(test_fraction * n)`` aside: ``(X_train, X_test, y_train, y_test)``.

    Parameters
    ----------
    X, y : array
        Examples and targets: n rows each, of any shape.
    test_fraction : float
        Strictly between 0 and 1, and such that each part gets a row.
    seed : int
        For ``numpy.random.default_rng``: the same seed gives the same split.
    """
    try:
        X, y = np.asarray(X), np.asarray(y)
    except ValueError:
        raise ValueError("X and y must be arrays, with all rows of one length") from None
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"X and y must be arrays with the same number of rows, got {X.shape} and {y.shape}")
    n_test = round(checks.number("test_fraction", test_fraction, above=0, below=1) * len(X))
    if not 0 < n_test < len(X):
        raise ValueError(f"test_fraction must leave a row in each part, got {test_fraction} of {len(X)} rows")
    order = np.random.default_rng(checks.count("seed", seed, at_least=0)).permutation(len(X))
    test, train = order[:n_test], order[n_test:]
    return X[train], X[test], y[train], y[test]
