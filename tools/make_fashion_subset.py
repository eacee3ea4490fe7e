"""Make fo_lib/data/fashion_mnist_subset.npz from the four IDX files of Fashion-MNIST, gzipped or not.

usage: python -m tools.make_fashion_subset IDX_FOLDER [OUTPUT]

The rule: the first 1,000 training and the first 200 test images of each class, kept in the original
order. The same input gives the same bytes: fixed timestamps and names, one compressor, no pickle.
(Another build of zlib may compress to other bytes; the arrays inside stay the same.)
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fo_lib import datasets

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "fo_lib" / "data" / "fashion_mnist_subset.npz"


def first_of_each_class(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Indices, ascending, of the first `count` examples of each class."""
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[:count] for c in range(10)]))


def subset(data: datasets.ImageDataset) -> dict[str, NDArray[np.uint8]]:
    """The arrays of the file, by name."""
    train, test = first_of_each_class(data.train_labels, 1000), first_of_each_class(data.test_labels, 200)
    return {
        "train_images": data.train_images[train],
        "train_labels": data.train_labels[train].astype(np.uint8),
        "test_images": data.test_images[test],
        "test_labels": data.test_labels[test].astype(np.uint8),
    }


def npz_bytes(arrays: dict[str, NDArray[np.uint8]]) -> bytes:
    """An npz file without a trace of when and where it was made, packed as tightly as deflate can."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, entry.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return file.getvalue()


def main(arguments: list[str]) -> None:
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    os.environ["FO_FASHION_MNIST"] = arguments[0]
    content = npz_bytes(subset(datasets.fashion_mnist(full=True)))
    output = Path(arguments[1]) if len(arguments) == 2 else OUTPUT
    output.write_bytes(content)
    print(f"{output}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1:])
