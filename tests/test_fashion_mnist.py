"""Fashion-MNIST: the right images, always the same, never returned when damaged; what to do offline."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from fo_lib import datasets
from fo_lib.datasets import images as source
from tools import make_fashion_subset

NAMES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]


def sha256(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)).hexdigest()


def idx(a: np.ndarray) -> bytes:
    """The IDX file of an array of unsigned bytes, written independently of the library."""
    header = bytes([0, 0, 8, a.ndim]) + b"".join(n.to_bytes(4, "big") for n in a.shape)
    return header + bytes(a.astype(np.uint8).ravel().tolist())


def small_arrays() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = [(6, 28, 28), (6,), (3, 28, 28), (3,)]
    return [rng.integers(0, 10, shape, dtype=np.uint8) for shape in shapes]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four small IDX files, known to the library by their checksums and by FO_FASHION_MNIST."""
    for name, a in zip(NAMES, small_arrays(), strict=True):
        (tmp_path / name).write_bytes(idx(a))
        monkeypatch.setitem(source._IDX_SHA256, name, hashlib.sha256(idx(a)).hexdigest())
    monkeypatch.setenv("FO_FASHION_MNIST", str(tmp_path))
    return tmp_path


def fake_keras(monkeypatch: pytest.MonkeyPatch, load_data: Callable[[], object]) -> None:
    """Make `keras.datasets.fashion_mnist.load_data` this function, without importing Keras."""
    monkeypatch.delenv("FO_FASHION_MNIST", raising=False)
    module = types.SimpleNamespace(fashion_mnist=types.SimpleNamespace(load_data=load_data))
    monkeypatch.setitem(sys.modules, "keras.datasets", module)


def pairs(arrays: list[np.ndarray]) -> tuple[tuple[np.ndarray, ...], ...]:
    return tuple(arrays[:2]), tuple(arrays[2:])


# ---- the subset


def test_subset_is_balanced_and_typed() -> None:
    data = datasets.fashion_mnist()
    assert data.train_images.shape == (10_000, 28, 28)
    assert data.test_images.shape == (2_000, 28, 28)
    assert np.bincount(data.train_labels).tolist() == [1000] * 10
    assert np.bincount(data.test_labels).tolist() == [200] * 10
    assert [a.dtype.name for a in data[:4]] == ["uint8", "int64", "uint8", "int64"]
    assert len(data.class_names) == 10
    assert (data.class_names[0], data.class_names[9]) == ("T-shirt/top", "Ankle boot")
    assert data.train_images.max() == 255
    assert data.train_labels[:5].tolist() == [9, 0, 0, 3, 0]  # the original order
    assert data.test_labels[:5].tolist() == [9, 2, 1, 1, 6]


def test_subset_has_known_content() -> None:
    digest = "88b0880a27d91a2e307db2c45852e7cbaa489653e6aac9cb191915f93ad97260"
    assert sha256(*datasets.fashion_mnist()[:4]) == digest


def test_subset_is_small_and_carries_its_licence() -> None:
    assert source._SUBSET.stat().st_size < 6e6
    assert "Copyright (c) 2017 Zalando SE" in source._SUBSET.with_name("FASHION_MNIST_LICENSE").read_text()


def test_tampered_subset_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(source._SUBSET.read_bytes())
    content[len(content) // 2] ^= 1
    tampered = tmp_path / "subset.npz"
    tampered.write_bytes(content)
    monkeypatch.setattr(source, "_SUBSET", tampered)
    got = hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=rf"subset\.npz .* must be {source._SUBSET_SHA256}, got {got}"):
        datasets.fashion_mnist()


def test_pickles_are_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "subset.npz"
    np.savez(file, train_images=np.array([{"any": "object"}]))
    monkeypatch.setattr(source, "_SUBSET", file)
    monkeypatch.setattr(source, "_SUBSET_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        datasets.fashion_mnist()


# ---- IDX files


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize("shape", [(5,), (0,), (2, 3, 4)])
def test_read_idx_inverts_the_format(tmp_path: Path, pack: Callable[[bytes], bytes], shape: tuple[int, ...]) -> None:
    a = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    (tmp_path / "file").write_bytes(pack(idx(a)))
    read = datasets.read_idx(tmp_path / "file")
    np.testing.assert_array_equal(read, a, strict=True)
    assert read.flags.writeable


NINE = idx(np.arange(9))
NO_IDX, NO_GZIP = "must be an IDX file of unsigned bytes", "must be a whole gzip file"
DAMAGED = {
    "empty": (b"", NO_IDX),
    "no dimension byte": (b"\0\0\x08", NO_IDX),
    "no dimension": (b"\0\0\x08\0x", NO_IDX),
    "floats": (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", NO_IDX),
    "magic": (b"\x01\0\x08\x01\0\0\0\0", NO_IDX),
    "header cut": (b"\0\0\x08\x03\0\0\0\x01\0\0", NO_IDX),
    "data cut": (NINE[:-1], r"must have 17 bytes to hold an array \(9,\), got 16"),
    "too long": (NINE + b"x", r"must have 17 bytes to hold an array \(9,\), got 18"),
    "2**64 bytes": (b"\0\0\x08\x03\x80\0\0\0\x80\0\0\0\0\0\0\4", r"must have \d{20} bytes .* got 16"),
    "gzip cut": (gzip.compress(NINE)[:-9], NO_GZIP),
    "gzip header cut": (b"\x1f\x8b", NO_GZIP),
    "gzip block": (gzip.compress(b"")[:10] + b"\xff" * 30, NO_GZIP),
    "gzip checksum": (gzip.compress(NINE)[:-8] + bytes(8), NO_GZIP),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_read_idx_refuses_what_is_damaged(tmp_path: Path, damage: str) -> None:
    content, message = DAMAGED[damage]
    (tmp_path / "some-file").write_bytes(content)
    with pytest.raises(ValueError, match=f"some-file {message}"):
        datasets.read_idx(str(tmp_path / "some-file"))


def test_read_idx_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-file"):
        datasets.read_idx(tmp_path / "no-such-file")


# ---- the full set from a folder


@pytest.mark.parametrize("zipped", [[], NAMES, NAMES[:1]], ids=["plain", "gzipped", "mixed"])
def test_full_set_is_read_from_the_folder(folder: Path, zipped: list[str]) -> None:
    for name in zipped:
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()
    data = datasets.fashion_mnist(full=True)
    for got, expected in zip(data[:4], small_arrays(), strict=True):
        np.testing.assert_array_equal(got, expected)
        assert got.flags.writeable
    assert [a.dtype.name for a in data[:4]] == ["uint8", "int64", "uint8", "int64"]


def test_folder_may_start_with_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))  # Windows
    monkeypatch.setenv("FO_FASHION_MNIST", f"~/{folder.name}")
    assert len(datasets.fashion_mnist(full=True).train_labels) == 6


@pytest.mark.parametrize("name", NAMES)
def test_wrong_checksum_names_file_expected_and_got(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    expected, got = source._IDX_SHA256[name], hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=f"{name} .* must be {expected}, got {got}"):
        datasets.fashion_mnist(full=True)


def test_swapped_files_are_refused(folder: Path) -> None:
    (folder / NAMES[1]).rename(folder / "x")
    (folder / NAMES[3]).rename(folder / NAMES[1])
    (folder / "x").rename(folder / NAMES[3])
    with pytest.raises(ValueError, match=NAMES[1]):
        datasets.fashion_mnist(full=True)


def test_truncated_file_is_refused(folder: Path) -> None:
    file = folder / NAMES[2]
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ValueError, match=rf"{NAMES[2]} must have {16 + 3 * 784} bytes .* got {11 + 3 * 784}"):
        datasets.fashion_mnist(full=True)


@pytest.mark.parametrize("name", NAMES)
def test_missing_file_says_what_to_do(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"must hold {name} or {name}\.gz.*dataset-fashion-mnist"):
        datasets.fashion_mnist(full=True)


def test_missing_folder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FO_FASHION_MNIST", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"nowhere must hold train-images.*FO_FASHION_MNIST"):
        datasets.fashion_mnist(full=True)


# ---- the full set through Keras


@pytest.mark.parametrize("variable", [None, ""])
def test_full_set_comes_from_keras_without_the_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    fake_keras(monkeypatch, lambda: pairs(small_arrays()))
    if variable is not None:
        monkeypatch.setenv("FO_FASHION_MNIST", variable)
    data = datasets.fashion_mnist(full=True)
    for got, expected in zip(data[:4], small_arrays(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_offline_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline() -> object:
        raise Exception("URL fetch failure")  # as Keras does

    fake_keras(monkeypatch, offline)
    with pytest.raises(OSError, match=r"URL fetch failure.*FO_FASHION_MNIST.*dataset-fashion-mnist.*subset"):
        datasets.fashion_mnist(full=True)


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("tamper", ["value", "dtype", "shape"])
def test_tampered_arrays_from_keras_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, which: int, tamper: str
) -> None:
    arrays = small_arrays()
    if tamper == "value":
        arrays[which].flat[0] ^= 1
    elif tamper == "dtype":
        arrays[which] = arrays[which].astype(np.int64)
    else:
        arrays[which] = arrays[which].reshape(-1, 1)
    fake_keras(monkeypatch, lambda: pairs(arrays))
    with pytest.raises(ValueError, match=f"{NAMES[which]} from keras"):
        datasets.fashion_mnist(full=True)


def test_keras_has_the_function_that_is_called(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: pairs(small_arrays()))
    monkeypatch.delenv("FO_FASHION_MNIST")
    np.testing.assert_array_equal(datasets.fashion_mnist(full=True).test_images, small_arrays()[2])


# ---- the real full set, where there is one


real = pytest.mark.skipif(
    not os.environ.get("FO_FASHION_MNIST"),
    reason="FO_FASHION_MNIST names no folder with the full Fashion-MNIST",
)


@real
def test_real_full_set_contains_the_subset() -> None:
    full, subset = datasets.fashion_mnist(full=True), datasets.fashion_mnist()
    assert full.train_images.shape == (60_000, 28, 28)
    assert full.test_images.shape == (10_000, 28, 28)
    for images, labels, chosen, chosen_labels, count in (
        (full.train_images, full.train_labels, subset.train_images, subset.train_labels, 1000),
        (full.test_images, full.test_labels, subset.test_images, subset.test_labels, 200),
    ):
        seen = np.zeros(10, dtype=int)
        kept = []
        for i, label in enumerate(labels):  # the documented rule, read literally
            if seen[label] < count:
                seen[label] += 1
                kept.append(i)
        np.testing.assert_array_equal(chosen, images[kept])
        np.testing.assert_array_equal(chosen_labels, labels[kept])


@real
def test_tool_makes_the_shipped_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.environ["FO_FASHION_MNIST"]
    monkeypatch.setenv("FO_FASHION_MNIST", folder)  # the tool sets it: restore it afterwards
    make_fashion_subset.main([folder, str(tmp_path / "made.npz")])
    with np.load(tmp_path / "made.npz") as made, np.load(source._SUBSET) as shipped:
        assert made.files == shipped.files
        for name in shipped.files:
            np.testing.assert_array_equal(made[name], shipped[name], strict=True)


def test_tool_takes_the_first_of_each_class_in_order() -> None:
    labels = np.array([3, 1, 3, 3, 0, 1, 1, 2])
    assert make_fashion_subset.first_of_each_class(labels, 2).tolist() == [0, 1, 2, 4, 5, 7]


def test_tool_writes_the_same_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tool, arrays = make_fashion_subset, dict(zip("abcd", small_arrays(), strict=True))
    first = tool.npz_bytes(arrays)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert tool.npz_bytes(arrays) == first
