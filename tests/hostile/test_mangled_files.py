"""Files cut off anywhere, or with any byte changed: an error that names the file, or a result that is sound."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fo_lib.checkpoints import Checkpoints
from fo_lib.datasets import read_idx, text_lines
from fo_lib.training import train
from fo_lib.word_vectors import WordVectors, load_word2vec
from tests.training_runs import Variable

IDX = b"\0\0\x08\x02" + (3).to_bytes(4, "big") + (5).to_bytes(4, "big") + bytes(range(15))
TEXT = "Ein Satz über α und β.\n\nEin zweiter, etwas längerer Satz.\n".encode()
VECTORS = WordVectors(["eins", "zwei"], np.array([[1.5, -2, 3], [0.25, 5, -6e-3]], np.float32))


@dataclass(frozen=True)
class Format:
    write: Callable[[Path], object]
    read: Callable[[Path], Any]  # what is compared
    magic: bytes | None  # a file that begins so has sums: whatever was changed in it is found


def trained(path):
    w, folder = Variable(np.arange(3.0)), path.parent
    run = train(lambda k: w.assign(w.value + k) or 1 / k, [w], rounds=2, folder=folder, settings={"rate": 0.5})
    return [w.value.tolist(), run.records["loss"].tolist(), run.best[0].tolist()]


def write_checkpoint(path):
    Checkpoints(path.parent).save(7, [np.arange(4.0)], {"rate": 0.5})


def checkpoint(path):
    saved = Checkpoints(path.parent).latest()
    return [saved.step, [a.tolist() for a in saved.arrays], saved.settings]


def lines(path):
    return list(text_lines(path))


def vectors(path):
    found = load_word2vec(path)
    assert np.isfinite(found.vectors).all()
    return [found.words, found.vectors.tolist()]


def packed(content, compress, read, magic):
    return Format(lambda path: path.write_bytes(compress(content)), read, magic)


def images(path):
    return read_idx(path).tolist()


FORMATS = {
    "images": (packed(IDX, bytes, images, None), "idx"),
    "images, gzip": (packed(IDX, gzip.compress, images, b"\x1f\x8b"), "idx"),
    "text": (packed(TEXT, bytes, lines, None), "text"),
    "text, gzip": (packed(TEXT, gzip.compress, lines, b"\x1f\x8b"), "text"),
    "text, xz": (packed(TEXT, lzma.compress, lines, b"\xfd7zXZ\0"), "text"),
    "text, bzip2": (packed(TEXT, bz2.compress, lines, b"BZh"), "text"),
    "vectors, text": (Format(VECTORS.save, vectors, None), "vectors"),
    "vectors, binary": (Format(lambda path: VECTORS.save(path, binary=True), vectors, None), "vectors"),
    "train": (Format(trained, trained, b""), "last.npz"),
    "checkpoint": (Format(write_checkpoint, checkpoint, b""), "step-00000007.ckpt"),
}


def mangled(content):
    """Every beginning of it, and it with one byte changed, each in four ways."""
    for length in range(len(content)):
        yield content[:length]
    for i in range(len(content)):
        for change in (0x01, 0x20, 0x80, 0xFF):
            yield content[:i] + bytes([content[i] ^ change]) + content[i + 1 :]


@pytest.mark.parametrize("name", FORMATS)
def test_a_mangled_file_is_an_error_that_names_it_or_reads_soundly(name, tmp_path):
    form, file = FORMATS[name]
    path = tmp_path / file
    form.write(path)
    good, whole, refused, read, number = path.read_bytes(), form.read(path), 0, 0, 0
    for content in mangled(good):
        path.write_bytes(content)
        number += 1
        try:
            found = form.read(path)
        except ValueError as error:
            refused += str(tmp_path) in str(error)
        else:
            read += found == whole or form.magic is None or not content.startswith(form.magic)
    assert refused + read == number
    assert refused > len(good) // 2


def test_another_file_in_its_place_is_an_error_that_names_it(tmp_path):
    made = {}
    for name, (form, file) in FORMATS.items():
        (tmp_path / name).mkdir()
        form.write(tmp_path / name / file)
        made[name] = (tmp_path / name / file).read_bytes()
    for name, (form, file) in FORMATS.items():
        if name.startswith("text"):
            continue  # a text may begin as it likes
        path = tmp_path / name / file
        for other, content in made.items():
            if other.partition(",")[0] != name.partition(",")[0]:
                path.write_bytes(content)
                with pytest.raises(ValueError, match=name if name != "vectors" else "vectors"):
                    form.read(path)
