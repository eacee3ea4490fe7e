"""A checkpoint is whole, or is known not to be; what was there before is never lost."""

import errno
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from fo_lib.distributed import Checkpoints

ARRAYS = [
    np.arange(6, dtype="float32").reshape(2, 3),
    np.array(-0.0),
    np.ones((2, 0)),
    np.array([1, 2]),
    np.array(True),
]


def test_everything_comes_back_bit_for_bit(tmp_path):
    store = Checkpoints(tmp_path / "new" / "folder")
    assert store.latest() is None
    path = store.save(7, ARRAYS, {"seed": 1, "rates": (0.1, 0.2)})
    assert path.name == "step-00000007.ckpt"
    saved = Checkpoints(tmp_path / "new" / "folder").latest()
    assert (saved.step, saved.settings) == (7, {"seed": 1, "rates": [0.1, 0.2]})
    for a, b in zip(ARRAYS, saved.arrays, strict=True):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def names(store):
    return [p.name for p in store.paths()]


def test_the_newest_are_kept_and_steps_are_compared_as_numbers(tmp_path):
    store = Checkpoints(tmp_path, keep=2)
    for step in (0, 9, 10, 100_000_000, 200_000_000):
        store.save(step, ARRAYS)
    assert names(store) == ["step-100000000.ckpt", "step-200000000.ckpt"]
    assert store.latest().step == 200_000_000
    for step in (10, 99_999_999, 100_000_000):
        Checkpoints(tmp_path / "b", keep=2).save(step, ARRAYS)
    assert Checkpoints(tmp_path / "b").latest().step == 100_000_000


def test_other_files_are_left_alone(tmp_path):
    for name in ("notes.txt", "step-x.ckpt", "step-00000001.ckpt.bak"):
        (tmp_path / name).write_text("mine")
    store = Checkpoints(tmp_path, keep=2)
    for step in range(1, 6):
        store.save(step, ARRAYS)
    assert names(store) == ["step-00000004.ckpt", "step-00000005.ckpt"]
    assert len(list(tmp_path.iterdir())) == 5


def damaged(content):
    """Every way to cut a file short that differs for the reader, one changed bit anywhere, and too much."""
    line = content.index(b"\n")
    for n in (0, 5, line - 70, line - 1, line, line + 1, line + 10, len(content) - 1):
        yield content[:n]
    for at in range(len(content)):
        yield content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]
    yield content + b"\0"
    yield bytes(len(content))


def test_each_damage_is_seen_and_the_one_before_is_used(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(10, ARRAYS)
    path = store.save(20, [a + 1 for a in ARRAYS[:1]])
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        assert store.latest().step == 10
        assert re.match(rf"{re.escape(str(path))} is damaged: it", store.damaged[0])
    path.write_bytes(b"fo_lib checkpoint 1 7 " + b"0" * 64 + b"\nabc")
    store.latest()
    assert store.damaged == [f"{path} is damaged: it has 3 of 7 bytes"]


def test_if_all_are_damaged_that_is_said_and_none_is_taken(tmp_path):
    store = Checkpoints(tmp_path)
    for step in (10, 20):
        store.save(step, ARRAYS).write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"must hold a whole checkpoint, or none: .*step-00000020\.ckpt is damaged: .*step-00000010"
    ):
        store.latest()


def test_later_ones_are_of_another_run_and_do_not_push_out_the_good(tmp_path):
    store = Checkpoints(tmp_path, keep=2)
    for step in (10, 20, 30):
        path = store.save(step, ARRAYS)
    path.write_bytes(b"cut")
    store.save(25, ARRAYS)
    assert names(store) == ["step-00000020.ckpt", "step-00000025.ckpt"]


@pytest.mark.parametrize("name", ["write", "fsync", "replace"])
def test_a_full_disk_is_an_error_with_path_and_bytes_and_leaves_the_last_good(tmp_path, monkeypatch, name):
    store = Checkpoints(tmp_path)
    good = store.save(10, ARRAYS).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    home = {"write": "fo_lib.checkpoints._write", "fsync": "os.fsync", "replace": "pathlib.Path.replace"}
    with monkeypatch.context() as patch:
        patch.setattr(home[name], full)
        with pytest.raises(
            OSError, match=rf"needs {len(good)} bytes, \d+ are free on its disk; the last one before it"
        ) as caught:
            store.save(20, ARRAYS)
        if name == "replace":
            with pytest.raises(OSError, match="there is none before it"):  # itself is not
                store.save(10, ARRAYS)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "step-00000020.ckpt"))
    assert "No space left on device" in str(caught.value)
    assert "step-00000010.ckpt, is untouched" in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000010.ckpt"]
    assert store.latest().step == 10
    empty = Checkpoints(tmp_path / "new")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="there is none before it"):
        empty.save(20, ARRAYS)


def test_the_file_reaches_the_disk_before_its_name_does_and_the_name_afterwards(tmp_path, monkeypatch):
    done = []
    replace, fsync = type(tmp_path).replace, os.fsync
    monkeypatch.setattr("pathlib.Path.replace", lambda *a: done.append("rename") or replace(*a))
    monkeypatch.setattr(
        "os.fsync", lambda fd: done.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file") or fsync(fd)
    )
    Checkpoints(tmp_path).save(1, ARRAYS)
    assert done == ["file", "rename", "folder"]


def test_a_process_killed_at_any_time_leaves_a_whole_one(tmp_path):
    code = """
        import sys, numpy as np; from fo_lib.distributed import Checkpoints
        store = Checkpoints(sys.argv[1])
        for step in range(1, 10**6):
            store.save(step, [np.full(200_000, step, 'float32')])
            print(step, flush=True)
    """
    for lines in (1, 3, 6):
        words = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / str(lines))]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(lines):
                said = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        store = Checkpoints(tmp_path / str(lines))
        saved = store.latest()
        assert saved.step >= said
        assert np.array_equal(saved.arrays[0], np.full(200_000, saved.step, "float32"))
        assert store.damaged == []


@pytest.mark.parametrize(
    ("step", "arrays", "settings", "error", "words"),
    [
        (1, [np.ones(2), np.array([1, np.nan, np.inf])], {}, ValueError, r"arrays must be finite, got 2 of 3 entries that are not in arrays\[1\] of step 1"),
        (1, [np.array([1, -np.inf])], {}, ValueError, "got 1 of 2 entries"),
        (1, [np.array(["a"])], {}, TypeError, r"arrays must hold float, int or bool, got dtype <U1 in arrays\[0\]"),
        (1, [np.array([object()])], {}, TypeError, "got dtype object"),
        (-1, [], {}, ValueError, "step must be a whole number >= 0, got -1"),
        (1, [], {"rate": object()}, TypeError, "settings must be what JSON can hold"),
    ],
)  # fmt: skip
def test_what_cannot_be_resumed_from_is_not_written(tmp_path, step, arrays, settings, error, words):
    with pytest.raises(error, match=words):
        Checkpoints(tmp_path).save(step, arrays, settings)
    assert list(tmp_path.iterdir()) == []


def test_one_alone_is_not_enough(tmp_path):
    with pytest.raises(ValueError, match="keep must be a whole number >= 2, got 1"):
        Checkpoints(tmp_path, keep=1)
