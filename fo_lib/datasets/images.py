"""Fashion-MNIST, with checked bytes."""

from __future__ import annotations

import gzip
import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import checks
from .files import DATA, require, verify
from .tables import Dataset

__all__ = ["ImageDataset", "fashion_mnist", "read_idx", "upper_body"]

_SUBSET = DATA / "fashion_mnist_subset.npz"
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


class ImageDataset(NamedTuple):
    """Images (n, 28, 28) uint8 in 0..255 and labels (n,) int64 that index ``class_names``."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...] = _CLASS_NAMES


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
    contents = _from_folder(checks.path("folder", folder).expanduser()) if folder else _from_keras()
    arrays = []
    for (name, content), expected in zip(contents, _IDX_SHA256.values(), strict=True):
        arrays.append(_parse_idx(name, content))
        verify(name, content, expected)
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
    components = checks.count("components", components, at_most=784)
    images = checks.count("images", images, at_least=2, at_most=10_000)
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
    verify(str(_SUBSET), content, _SUBSET_SHA256)
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return _images(*(file[name] for name in ImageDataset._fields[:4]))


def read_idx(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes (the format of MNIST), gzipped or not.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if it is no IDX file of bytes, or shorter or longer than its header says.
    """
    return _parse_idx(str(path), _decompressed(checks.path("path", path)))


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
    source = require("keras.datasets", "keras").fashion_mnist
    try:
        (images, labels), (test_images, test_labels) = source.load_data()
    except Exception as error:  # offline, Keras raises a bare Exception
        raise OSError(f"Keras could not load Fashion-MNIST: {error}. {_WAYS_OUT}") from error
    named = zip(_IDX_SHA256, (images, labels, test_images, test_labels), strict=True)
    return [(f"{name} from keras.datasets", _idx_header(a.shape) + a.tobytes()) for name, a in named]


def _idx_header(shape: tuple[int, ...]) -> bytes:
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)
