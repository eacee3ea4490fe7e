"""fo_lib.datasets: the data are the right ones, always the same, and never returned when damaged."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fo_lib import datasets


def sha256(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)).hexdigest()


# ---- scikit-learn's bundled sets


@pytest.mark.parametrize(
    ("load", "shape", "dtype", "digest"),
    [
        ("digits", (1797, 64), np.int64, "f6d9e39f37dc45d327f6db33428ee58970ccceabb2535a5c179de35886b70443"),
        (
            "breast_cancer",
            (569, 30),
            np.int64,
            "25e2eb7b7a8745b1bde5ba18bc4969983d2e2f403291ecd5bde4a29ef30c3859",
        ),
        (
            "diabetes",
            (442, 10),
            np.float64,
            "e9c1f7559552854a24dc45b41c446ce5f79f96e5da081bcce24b57492720b3f7",
        ),
    ],
)
def test_bundled_sets_have_known_content(load: str, shape: tuple[int, int], dtype: type, digest: str) -> None:
    data = getattr(datasets, load)()
    assert data.X.shape == shape
    assert data.y.shape == shape[:1]
    assert data.X.dtype == np.float64
    assert data.y.dtype == dtype
    assert data.X.flags.c_contiguous
    assert data.X.flags.writeable
    assert sha256(data.X, data.y) == digest
    assert len(data.feature_names) == shape[1]
    assert all(type(name) is str for name in data.feature_names + data.target_names)
    assert data.source
    assert data.licence


def test_bundled_sets_are_fresh_arrays() -> None:
    datasets.diabetes().X[:] = 0
    assert datasets.diabetes().X[0, 0] == 59


def test_class_labels_mean_what_the_docstrings_say() -> None:
    cancer, digits = datasets.breast_cancer(), datasets.digits()
    assert cancer.target_names == ("malignant", "benign")
    assert np.bincount(cancer.y).tolist() == [212, 357]
    assert digits.target_names == tuple("0123456789")
    assert set(digits.y.tolist()) == set(range(10))
    assert (digits.X.min(), digits.X.max()) == (0, 16)
    assert (np.ptp(digits.X, axis=0) == 0).sum() == 3


def test_diabetes_is_raw_unless_asked_otherwise() -> None:
    raw, scaled = datasets.diabetes(), datasets.diabetes(scaled=True)
    assert raw.feature_names[0] == "age"
    assert (raw.X[:, 0].min(), raw.X[:, 0].max()) == (19, 79)  # years
    np.testing.assert_allclose(np.linalg.norm(scaled.X, axis=0), 1)
    np.testing.assert_allclose(scaled.X.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_array_equal(raw.y, scaled.y)
    gram = [np.linalg.cond(X.T @ X) for X in (raw.X, datasets.standardize(raw.X).X)]
    assert gram[0] > 1000 * gram[1]  # what the book shows it for


@pytest.mark.parametrize(("load", "package"), [("digits", "scikit-learn"), ("fashion_mnist", "keras")])
def test_missing_package_says_what_to_install(load: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FO_FASHION_MNIST", raising=False)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setitem(sys.modules, "keras.datasets", None)
    with pytest.raises(ImportError, match=f"pip install {package}"):
        getattr(datasets, load)(**({"full": True} if load == "fashion_mnist" else {}))


def test_import_is_light() -> None:
    code = "import sys, fo_lib.datasets; print(sorted({'sklearn', 'keras', 'tensorflow'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_public_names_are_sorted_and_complete() -> None:
    modules = (datasets.images, datasets.tables, datasets.texts)
    assert datasets.__all__ == sorted(name for module in modules for name in module.__all__)
    for module in modules:
        own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
        assert module.__all__ == sorted(n for n in own if not n.startswith("_"))


# ---- standardize

columns = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 20), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 3)),
)


@given(columns)
def test_standardized_columns_have_mean_zero_and_variance_one(X: np.ndarray) -> None:
    result = datasets.standardize(X)
    assert result.X.shape == X.shape
    for j in range(X.shape[1]):
        column = result.X[:, j]
        if np.ptp(X[:, j]) == 0:
            assert (column == 0).all()
            assert result.scale[j] == 1
        else:  # rounding of the mean, in units of the spread
            error = 40 * np.finfo(float).eps * (1 + np.abs(X[:, j]).max() / result.scale[j])
            assert abs(column.mean()) <= error
            assert abs(column.var() - 1) <= 2 * error


@given(columns, columns)
def test_apply_uses_the_statistics_of_the_training_data(train: np.ndarray, test: np.ndarray) -> None:
    d = min(train.shape[1], test.shape[1])
    train, test = train[:, :d], test[:, :d]
    fitted = datasets.standardize(train)
    np.testing.assert_array_equal(fitted.apply(train), fitted.X)
    np.testing.assert_array_equal(fitted.apply(test), (test - fitted.mean) / fitted.scale)
    together = datasets.standardize(np.vstack([train, test]))
    back = together.X * together.scale + together.mean
    np.testing.assert_allclose(back, np.vstack([train, test]), rtol=1e-12, atol=1e-8)


def test_constant_column_stays_zero_where_its_mean_rounds() -> None:
    X = np.full((3, 1), 0.1)  # the mean of three times 0.1 is not 0.1 in floating point
    assert X.mean() != 0.1
    result = datasets.standardize(X)
    np.testing.assert_array_equal(result.X, 0)
    np.testing.assert_array_equal(result.mean, 0.1)


@pytest.mark.parametrize(
    "X", [np.array([[1, 2], [3, 5]], dtype=np.uint8), [[1, 2], [3, 5]], np.float32([[1, 2], [3, 5]])]
)
def test_standardize_computes_in_double(X: object) -> None:
    result = datasets.standardize(X)
    np.testing.assert_array_equal(result.X, [[-1, -1], [1, 1]])
    assert [a.dtype for a in result] == [np.float64] * 3


def test_standardize_leaves_its_input_alone() -> None:
    X = np.array([[1.0, 2.0], [3.0, 2.0]])
    datasets.standardize(X)
    np.testing.assert_array_equal(X, [[1, 2], [3, 2]])


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((0, 3)), ValueError, r"X must be .*got .*\(0, 3\)"),
        (np.zeros((3, 0)), ValueError, r"X must be .*got .*\(3, 0\)"),
        (np.zeros(3), ValueError, r"X must be .*got .*\(3,\)"),
        ([[1.0, np.nan]], ValueError, "X must .*finite.*got nan"),
        ([[1.0], [-np.inf]], ValueError, "X must .*finite.*got -inf"),
        ([["a", "b"]], TypeError, "X must be .*numbers, got"),
        (np.ones((2, 2), dtype=complex), TypeError, "X must be .*real numbers, got"),
        (None, TypeError, "X must be .*numbers, got"),
        ([[1.0, 0.0], [1.0, 1e200]], ValueError, r"X must .*1e-150\.\.1e150, got inf in column 1"),
        ([[1e308], [-1e308]], ValueError, r"X must .*1e-150\.\.1e150, got inf in column 0"),
        ([[0.0], [1e-200]], ValueError, r"X must .*1e-150\.\.1e150, got 0\.0 in column 0"),
    ],
)
def test_standardize_refuses_bad_input(X: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        datasets.standardize(X)


def test_apply_refuses_other_columns() -> None:
    fitted = datasets.standardize(np.eye(3))
    with pytest.raises(ValueError, match="X must have 3 columns, as the training data, got 1"):
        fitted.apply(np.ones((2, 1)))  # would broadcast silently
    with pytest.raises(ValueError, match="got nan"):
        fitted.apply([[1, 2, np.nan]])


# ---- train_test_split


@given(n=st.integers(2, 60), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 2**32))
def test_split_is_a_partition_and_keeps_pairs(n: int, fraction: float, seed: int) -> None:
    X, y = np.arange(n)[:, None] * [1, 10], np.arange(n) + 100
    if not 0 < round(fraction * n) < n:
        with pytest.raises(ValueError, match="test_fraction must leave a row in each part"):
            datasets.train_test_split(X, y, fraction, seed)
        return
    X_train, X_test, y_train, y_test = datasets.train_test_split(X, y, fraction, seed)
    assert len(X_test) == len(y_test) == round(fraction * n)
    assert sorted(np.concatenate([y_train, y_test])) == y.tolist()
    np.testing.assert_array_equal(X_train, (y_train - 100)[:, None] * [1, 10])
    np.testing.assert_array_equal(X_test, (y_test - 100)[:, None] * [1, 10])


def test_split_is_reproducible_and_shuffled() -> None:
    X = np.arange(100)
    first, again = (datasets.train_test_split(X, X, 0.3, 7) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    other = datasets.train_test_split(X, X, 0.3, 8)
    assert not np.array_equal(first[1], other[1])
    assert not np.array_equal(first[1], np.sort(first[1]))
    assert first[1][:4].tolist() == np.random.default_rng(7).permutation(100)[:4].tolist()


def test_split_takes_images_and_returns_copies() -> None:
    images, labels = np.zeros((4, 2, 2), dtype=np.uint8), np.arange(4)
    train, test, _, _ = datasets.train_test_split(images, labels, 0.5, 0)
    assert train.shape == test.shape == (2, 2, 2)
    assert train.dtype == np.uint8
    train[:] = 1
    assert images.sum() == 0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": np.ones(3)}, ValueError, r"same number of rows, got \(4, 2\) and \(3,\)"),
        ({"X": 1.0}, ValueError, r"same number of rows, got \(\) and \(4,\)"),
        ({"y": 1.0}, ValueError, r"same number of rows, got \(4, 2\) and \(\)"),
        ({"test_fraction": 0}, ValueError, "test_fraction must be .*got 0"),
        ({"test_fraction": 1.0}, ValueError, "test_fraction must be .*got 1.0"),
        ({"test_fraction": float("nan")}, ValueError, "test_fraction must be .*got nan"),
        ({"test_fraction": "half"}, TypeError, "test_fraction must be .*got 'half'"),
        ({"test_fraction": 0.1}, ValueError, "leave a row in each part, got 0.1 of 4 rows"),
        ({"test_fraction": 0.9}, ValueError, "leave a row in each part, got 0.9 of 4 rows"),
        ({"seed": -1}, ValueError, "seed must be .*got -1"),
        ({"seed": None}, TypeError, "seed must be .*got None"),
    ],
)
def test_split_refuses_bad_input(change: dict[str, object], error: type[Exception], message: str) -> None:
    arguments = {"X": np.ones((4, 2)), "y": np.ones(4), "test_fraction": 0.5, "seed": 0, **change}
    with pytest.raises(error, match=message):
        datasets.train_test_split(**arguments)


def test_upper_body_is_a_constant_and_uncorrelated_components():
    data = datasets.upper_body(5, images=300)
    assert data.X.shape == (300, 6)
    assert len(data.feature_names) == 6
    assert set(np.unique(data.y)) == {-1, 1}
    np.testing.assert_array_equal(data.X[:, 0], 1.0)
    covariance = np.cov(data.X[:, 1:].T, bias=True)
    assert covariance[0, 0] == pytest.approx(1.0, rel=1e-9)
    assert np.all(np.diff(np.diag(covariance)) < 0)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-9
    labels = datasets.fashion_mnist().train_labels[:300]
    names = np.array(datasets.fashion_mnist().class_names)[labels]
    upper = {"T-shirt/top", "Pullover", "Dress", "Coat", "Shirt"}
    assert [name in upper for name in names] == (data.y == 1).tolist()
    with pytest.raises(ValueError, match="components must be a whole number >= 1 and <= 784, got 0"):
        datasets.upper_body(0)
    with pytest.raises(ValueError, match="images must be a whole number >= 2 and <= 10000, got 1"):
        datasets.upper_body(images=1)
