"""Files of known rows, what memory is in use, pages, and orders that read blocks."""

import errno
import mmap
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fo_lib import gradients, out_of_core
from fo_lib.distributed import feed
from fo_lib.out_of_core import Synthetic, evict, groups, memory, pages, shuffle_buffer

FIRST = [0.6598151, -0.4275526, 0.9603553]
LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what is in memory")
SMALL = Synthetic(9000, 7, seed=3)  # three blocks, the last of 808 rows


def test_a_file_holds_the_rows_that_seed_and_place_say(tmp_path):
    data = SMALL.write(tmp_path / "rows")
    assert data.shape == (9000, 8)
    assert data.dtype == np.float32
    assert (tmp_path / "rows").stat().st_size == SMALL.nbytes == 9000 * 8 * 4
    assert isinstance(data, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        data[0, 0] = 1
    np.testing.assert_array_equal(data, np.concatenate([SMALL.block(k) for k in range(3)]))
    assert SMALL.damaged(data) == []
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]
    np.testing.assert_array_equal(SMALL.open(tmp_path / "rows"), data)


def test_the_first_numbers_are_these():
    """So that a file written today is whole in the eyes of a later version."""
    np.testing.assert_allclose(Synthetic(5, 2, seed=3).block(0)[0], FIRST, rtol=1e-6)


@pytest.mark.parametrize(("row", "column"), [(4100, 0), (4101, 7), (4103, 3), (8191, 7)])
def test_one_bit_of_damage_is_found_in_its_block(row, column, tmp_path):
    data = SMALL.write(tmp_path / "rows")
    content = bytearray((tmp_path / "rows").read_bytes())
    content[4 * (8 * row + column)] ^= 1
    (tmp_path / "other").write_bytes(content)
    assert SMALL.damaged(SMALL.open(tmp_path / "other")) == [1]
    assert SMALL.damaged(data, among=[0, 2]) == []
    assert SMALL.damaged(SMALL.block(0)[None, 0].repeat(9000, 0).tolist(), among=[2]) == [2]


def test_a_file_being_written_takes_no_other_name(tmp_path):
    (tmp_path / "a.partial").write_text("mine")
    for name in ("a.bin", "x.partial"):
        assert SMALL.write(tmp_path / name).shape == (9000, 8)
    assert (tmp_path / "a.partial").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.partial", "x.partial"]


def test_rows_are_independent_of_how_many_there_are_and_differ_between_seeds_and_blocks():
    longer = Synthetic(20_000, 7, seed=3)
    np.testing.assert_array_equal(longer.block(1), SMALL.block(1))
    assert not np.array_equal(longer.block(0), longer.block(1))
    assert not np.array_equal(Synthetic(9000, 7, seed=4).block(0), SMALL.block(0))


def test_labels_are_linear_in_the_features_up_to_noise_of_a_half():
    block = Synthetic(4096, 50).block(0).astype(float)
    found, rest = np.linalg.lstsq(block[:, :-1], block[:, -1], rcond=None)[:2]
    np.testing.assert_allclose(found, Synthetic(4096, 50).weights, atol=0.05)
    assert rest[0] / (4096 - 50) == pytest.approx(0.25, rel=0.1)
    np.testing.assert_allclose(block[:, :-1].std(0), 1, atol=0.06)


def test_a_mapped_file_trains_as_an_array_does(tmp_path):
    data = SMALL.write(tmp_path / "rows")
    whole = np.array(data)
    for (_, (mapped,)), (_, (held,)) in zip(
        feed([data], 32, seed=0, last=5), feed([whole], 32, seed=0, last=5), strict=True
    ):
        np.testing.assert_array_equal(mapped, held)


def test_a_disk_without_room_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=int(1.04 * SMALL.nbytes)))
    with pytest.raises(OSError, match="path must be on a disk with 302400 bytes free, got one with 299520") as caught:
        SMALL.write(tmp_path / "rows")
    assert caught.value.errno == errno.ENOSPC
    assert not [*tmp_path.iterdir()]


def test_an_interrupted_file_does_not_get_its_name(tmp_path, monkeypatch):
    def stop(self, k):
        raise KeyboardInterrupt

    monkeypatch.setattr(Synthetic, "block", stop)
    with pytest.raises(KeyboardInterrupt):
        SMALL.write(tmp_path / "rows")
    assert not [*tmp_path.iterdir()]


@LINUX
def test_arrays_are_anonymous_memory_and_mapped_pages_are_not(tmp_path):
    shape = Synthetic(20_000, 255)  # 20 MB
    data = shape.write(tmp_path / "rows")
    before = memory()
    total = float(data.sum(dtype=np.float64))
    read = memory()
    assert read.file - before.file > 0.8 * shape.nbytes
    assert read.anonymous - before.anonymous < 0.2 * shape.nbytes
    own = mmap.mmap(-1, shape.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # an array may get pages in use
    copy = np.frombuffer(own, np.float32)
    copy[:] = data.ravel()
    copied = memory()
    assert copied.anonymous - read.anonymous > 0.8 * shape.nbytes
    assert np.isfinite(total + copy[0])


def test_memory_is_what_the_system_says(tmp_path, monkeypatch):
    text = "Name:\tpython\nRssAnon:\t    100 kB\nRssFile:\t      7 kB\nRssShmem:\t      2 kB\n"
    (tmp_path / "status").write_text(text)
    monkeypatch.setattr(out_of_core, "Path", lambda _: tmp_path / "status")
    assert memory() == (102_400, 9216)  # folders in memory count as files


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system has no way to drop a file from its cache")
def test_an_evicted_file_reads_as_before(tmp_path, monkeypatch):
    SMALL.write(tmp_path / "rows")
    asked, ask = [], os.posix_fadvise
    monkeypatch.setattr(os, "posix_fadvise", lambda file, *what: (asked.append(what), ask(file, *what)))
    evict(tmp_path / "rows")
    assert asked == [(0, 0, os.POSIX_FADV_DONTNEED)]
    assert SMALL.damaged(SMALL.open(tmp_path / "rows")) == []
    with pytest.raises(FileNotFoundError):
        evict(tmp_path / "none")


def test_a_system_that_cannot_evict_says_so(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    with pytest.raises(OSError, match="path must be on a system with posix_fadvise") as caught:
        evict(tmp_path)
    assert caught.value.errno == errno.ENOTSUP


@pytest.mark.parametrize("row_bytes", [1, 3, 100, 1024, 4096, 5000, 9000])
def test_pages_are_those_that_hold_a_byte_of_a_row(row_bytes):
    rng = np.random.default_rng(row_bytes)
    for _ in range(20):
        rows = rng.integers(0, 200, 12)
        touched = {byte // 4096 for row in rows for byte in range(row * row_bytes, (row + 1) * row_bytes)}
        assert pages(rows, row_bytes) == len(touched)
    assert pages([5, 5, 0], 4096, page=1024) == 8


@pytest.mark.parametrize(("n", "size"), [(1, 1), (10, 3), (10, 10), (10, 99), (1000, 100)])
def test_a_buffer_gives_out_every_row_once(n, size):
    order = shuffle_buffer(n, size, seed=0)
    assert order.dtype == np.int64
    assert sorted(order) == list(range(n))
    np.testing.assert_array_equal(order, shuffle_buffer(n, size, seed=0))
    assert n == 1 or not np.array_equal(order, shuffle_buffer(n, size, seed=1))


def test_a_buffer_of_one_row_changes_nothing():
    assert shuffle_buffer(9, 1, seed=0).tolist() == list(range(9))


@pytest.mark.parametrize(("n", "block", "together"), [(10, 3, 2), (12, 3, 4), (12, 3, 9), (7, 1, 2), (5, 100, 1)])
def test_groups_are_all_rows_once_and_only_a_few_blocks_at_a_time(n, block, together):
    parts = list(groups(n, block, together, seed=1, epoch=2))
    assert sorted(np.concatenate(parts)) == list(range(n))
    for rows in parts:
        assert len({row // block for row in rows.tolist()}) <= together
    again = groups(n, block, together, seed=1, epoch=2)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    for seed, epoch in ((1, 3), (2, 1)):
        other = np.concatenate([*groups(n, block, together, seed=seed, epoch=epoch)])
        assert not np.array_equal(np.concatenate(parts), other)


def test_a_group_of_one_block_mixes_as_the_order_in_blocks_does():
    ours = np.concatenate([*groups(100, 10, 1, seed=0, epoch=0)]).reshape(10, 10)
    theirs = gradients.in_blocks(10)(100, 0, 0)[0:100].reshape(10, 10)
    for rows in (ours, theirs):
        assert all(len(set(part // 10)) == 1 for part in rows)
        assert any(np.any(np.diff(part) < 0) for part in rows)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: Synthetic(0, 3).write(p), ValueError, "rows must be a whole number >= 1, got 0"),
        (lambda p: Synthetic(3, 0).write(p), ValueError, "features must be a whole number >= 1, got 0"),
        (lambda p: Synthetic(3, 3, -1).write(p), ValueError, "seed must be a whole number >= 0, got -1"),
        (lambda p: Synthetic(10.5, 2).block(0), TypeError, "rows must be a whole number >= 1, got 10.5"),
        (
            lambda p: pages([], 4),
            ValueError,
            r"rows must be a non-empty array with 1 dimension\(s\), got 'shape \(0,\)'",
        ),
        (lambda p: pages(5, 4), ValueError, r"rows must be a non-empty array with 1 dimension\(s\), got 'shape \(\)'"),
        (lambda p: SMALL.block(3), ValueError, r"k must be a whole number >= 0 and <= 2 \(blocks - 1\), got 3"),
        (lambda p: SMALL.damaged(np.zeros((3, 8))), ValueError, r"data must have shape \(9000, 8\), got \(3, 8\)"),
        (
            lambda p: (p.write_bytes(b"x"), SMALL.open(p)),
            ValueError,
            "path must be a file of 288000 bytes, got one of 1",
        ),
        (lambda p: SMALL.open(p), FileNotFoundError, "rows"),
        (lambda p: pages([0.5], 4), TypeError, "rows must be whole numbers"),
        (lambda p: pages([-1], 4), ValueError, "rows must be 0, 1, 2"),
        (lambda p: pages([1], 0), ValueError, "row_bytes must be"),
        (lambda p: shuffle_buffer(3, 0, seed=0), ValueError, "size must be a whole number >= 1, got 0"),
        (lambda p: shuffle_buffer(3, 2, seed=-1), ValueError, "seed must be"),
        (lambda p: groups(3, 2, 0, seed=0, epoch=0), ValueError, "together must be"),
        (lambda p: groups(3, 2, 1, seed=0, epoch=-1), ValueError, "epoch must be"),
    ],
)
def test_what_is_wrong_is_named(call, error, message, tmp_path):
    with pytest.raises(error, match=message):
        call(tmp_path / "rows")
