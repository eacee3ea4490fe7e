"""Real data for the chapters: what scikit-learn bundles, and Fashion-MNIST with checked bytes.

Everything is a plain NumPy array, with the same dtype and the same order on every machine. scikit-learn
and Keras are imported only by the functions that need them. California housing is not offered:
scikit-learn does not bundle it but downloads it, so that a page using it would not run offline.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fo_lib import checks

__all__ = [
    "Dataset",
    "ImageDataset",
    "Standardized",
    "breast_cancer",
    "diabetes",
    "digits",
    "fashion_mnist",
    "read_idx",
    "standardize",
    "train_test_split",
    "upper_body",
]

_SUBSET = Path(__file__).parent / "data" / "fashion_mnist_subset.npz"
_SUBSET_SHA256 = "d89998007cb1ff282518a344d7bfea49a01ca2ac01d4fda330a9dabddbef4f0d"

# SHA-256 of the decompressed files, since distributions compress them anew; in the order of ImageDataset.
_IDX_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_CLASS_NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")  # fmt: skip
_WAYS_OUT = (
    "Set FO_FASHION_MNIST to a folder with the four IDX files (the Debian package dataset-fashion-mnist"
    " installs them in /usr/share/datasets/fashion-mnist), or use the subset: fashion_mnist()"
)


class Dataset(NamedTuple):
    """A table: ``X`` (n, d) float64, targets ``y`` (n,), and where they come from."""

    X: NDArray[np.float64]
    y: NDArray[np.int64] | NDArray[np.float64]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    source: str
    licence: str


class ImageDataset(NamedTuple):
    """Images (n, 28, 28) uint8 in 0..255 and labels (n,) int64 that index ``class_names``."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...] = _CLASS_NAMES


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


def _import(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this data set comes with {package}: pip install {package}") from error


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
    bunch = getattr(_import("sklearn.datasets", "scikit-learn"), load)(**options)
    X = np.array(bunch.data, dtype=np.float64, order="C")
    y = np.array(bunch.target, dtype=dtype)
    targets = bunch.get("target_names", ["disease progression"])
    return Dataset(X, y, tuple(map(str, bunch.feature_names)), tuple(map(str, targets)), source, licence)


def fashion_mnist(full: bool = False) -> ImageDataset:
    """Fashion-MNIST: grey images of clothes in ten classes (Xiao, Rasul and Vollgraf, 2017; MIT licence).

    The images keep their original order. Their bytes are compared with known SHA-256 sums first.

    Parameters
    ----------
    full : bool
        False: the subset shipped with this package, 1,000 training and 200 test images of each class: its
        first ones. True: all 60,000 and 10,000, read from the folder of IDX files (gzipped or not) that the
        environment variable ``FO_FASHION_MNIST`` names, or else downloaded once by ``keras.datasets``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing; if it is truncated, no IDX file, or has a wrong checksum.
    OSError
        If ``FO_FASHION_MNIST`` is not set and Keras cannot download the files.
    """
    if not full:
        return _subset()
    folder = os.environ.get("FO_FASHION_MNIST")
    contents = _from_folder(Path(folder).expanduser()) if folder else _from_keras()
    arrays = []
    for (name, content), expected in zip(contents, _IDX_SHA256.values(), strict=True):
        arrays.append(_parse_idx(name, content))
        _verify(name, content, expected)
    return _images(*arrays)


def upper_body(components: int = 50, *, images: int = 10_000) -> Dataset:
    """Fashion-MNIST as a problem of two classes: is the garment for the upper body (label 1) or not (-1)?

    Parameters
    ----------
    components : int
        Principal components of the pixels, from 1 to 784, in units in which the first has variance 1.
    images : int
        How many of the 10,000 images.

    Returns
    -------
    Dataset
        ``X`` of shape (images, 1 + components): a constant 1, then the components; ``y`` is 1 for T-shirt, pullover,
        dress, coat and shirt. The sign of a component is not determined.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a whole number within its range.
    """
    checks.count("components", components, at_most=784)
    checks.count("images", images, at_least=2, at_most=10_000)
    data = _subset()
    pixels = data.train_images[:images].reshape(images, -1) / 255
    pixels = pixels - pixels.mean(0)
    variances, directions = np.linalg.eigh(pixels.T @ pixels / images)
    X = pixels @ directions[:, : -components - 1 : -1] / np.sqrt(variances[-1])
    names = ("constant", *(f"component {i}" for i in range(1, components + 1)))
    y = np.where(np.isin(data.train_labels[:images], [0, 2, 3, 4, 6]), 1, -1)
    source = "Fashion-MNIST, H. Xiao, K. Rasul, R. Vollgraf (2017)"
    return Dataset(np.column_stack([np.ones(images), X]), y, names, ("other", "upper body"), source, "MIT")


def _images(images: Any, labels: Any, test_images: Any, test_labels: Any) -> ImageDataset:
    return ImageDataset(images, labels.astype(np.int64), test_images, test_labels.astype(np.int64))


def _subset() -> ImageDataset:
    content = _SUBSET.read_bytes()
    _verify(str(_SUBSET), content, _SUBSET_SHA256)
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return _images(*(file[name] for name in ImageDataset._fields[:4]))


def _verify(name: str, content: bytes, expected: str) -> None:
    got = hashlib.sha256(content).hexdigest()
    if got != expected:
        raise ValueError(f"{name} is not the original: its SHA-256 must be {expected}, got {got}")


def read_idx(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes (the format of MNIST), gzipped or not.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if it is no IDX file of bytes, or shorter or longer than its header says.
    """
    return _parse_idx(str(path), _decompressed(Path(path)))


def _decompressed(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} must be a whole gzip file, got a damaged one: {error}") from error


def _parse_idx(name: str, content: bytes) -> NDArray[np.uint8]:
    """The bytes 0, 0, 8 (unsigned bytes), number of dimensions; sizes as big-endian uint32; the data."""
    dimensions = content[3] if len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if content[:3] != b"\0\0\x08" or dimensions == 0 or len(content) < start:
        raise ValueError(f"{name} must be an IDX file of unsigned bytes, got one that starts {content[:4]!r}")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise ValueError(f"{name} must have {expected} bytes to hold an array {shape}, got {len(content)}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def _from_folder(folder: Path) -> list[tuple[str, bytes]]:
    contents = []
    for name in _IDX_SHA256:
        path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
        if path is None:
            raise FileNotFoundError(f"{folder} must hold {name} or {name}.gz, and has neither. {_WAYS_OUT}")
        contents.append((str(path), _decompressed(path)))
    return contents


def _from_keras() -> list[tuple[str, bytes]]:
    source = _import("keras.datasets", "keras").fashion_mnist
    try:
        (images, labels), (test_images, test_labels) = source.load_data()
    except Exception as error:  # offline, Keras raises a bare Exception
        raise OSError(f"Keras could not load Fashion-MNIST: {error}. {_WAYS_OUT}") from error
    named = zip(_IDX_SHA256, (images, labels, test_images, test_labels), strict=True)
    return [(f"{name} from keras.datasets", _idx_header(a.shape) + a.tobytes()) for name, a in named]


def _idx_header(shape: tuple[int, ...]) -> bytes:
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)


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
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"X and y must be arrays with the same number of rows, got {X.shape} and {y.shape}")
    n_test = round(checks.number("test_fraction", test_fraction, above=0, below=1) * len(X))
    if not 0 < n_test < len(X):
        raise ValueError(f"test_fraction must leave a row in each part, got {test_fraction} of {len(X)} rows")
    order = np.random.default_rng(checks.count("seed", seed, at_least=0)).permutation(len(X))
    test, train = order[:n_test], order[n_test:]
    return X[train], X[test], y[train], y[test]
