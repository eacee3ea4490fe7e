"""The rows of a step are a function of seed and step; workers share them out, and none is lost or used twice."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fo_lib.distributed import feed, rows, shard
from fo_lib.training import batch_order


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 9), st.integers(1, 60))
def test_shards_are_the_batch_in_order_and_differ_by_one_row_at_most(batch, workers, seed, step):
    whole = rows(50, batch, seed=seed, step=step)
    workers = min(workers, batch)
    shards = [shard(whole, i, workers) for i in range(workers)]
    assert np.array_equal(np.concatenate(shards), whole)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_the_batches_of_an_epoch_are_disjoint_and_another_epoch_has_another_order():
    epochs = [[rows(50, 8, seed=3, step=6 * e + k) for k in range(1, 7)] for e in range(3)]
    for epoch in epochs:
        assert len(set(np.concatenate(epoch))) == 48
    assert not any(np.array_equal(a, b) for a, b in itertools.combinations(map(np.concatenate, epochs), 2))
    assert not np.array_equal(rows(50, 8, seed=4, step=1), epochs[0][0])


def test_steps_begin_with_the_first_batch_of_epoch_0():
    assert np.array_equal(rows(50, 8, seed=3, step=1), batch_order(50, 8, seed=3, epoch=0)[0])
    assert np.array_equal(rows(50, 8, seed=3, step=6), batch_order(50, 8, seed=3, epoch=0)[5])
    assert np.array_equal(rows(50, 8, seed=3, step=7), batch_order(50, 8, seed=3, epoch=1)[0])


def test_what_was_asked_before_plays_no_part():
    asked = [rows(50, 8, seed=s, step=t).tolist() for s in (0, 1) for t in range(1, 25)]
    again = [rows(50, 8, seed=s, step=t).tolist() for s in (1, 0) for t in range(24, 0, -1)]
    assert asked == again[::-1]
    code = "from fo_lib.distributed import rows; print(rows(50, 8, seed=1, step=24).tolist())"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert fresh.strip() == str(asked[-1])


def test_nobody_can_change_the_order_for_others():
    with pytest.raises(ValueError, match="read-only"):
        rows(50, 8, seed=0, step=1)[0] = 7


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_sees_the_same_batches(workers):
    x, y = np.arange(50) * 1.5, np.arange(50)
    feeds = [feed([x, y], 8, seed=2, last=13, worker=i, workers=workers) for i in range(workers)]
    for step, parts in enumerate(zip(*feeds, strict=True), start=1):
        assert {t for t, _ in parts} == {step}
        seen = [np.concatenate([batch[k] for _, batch in parts]) for k in (0, 1)]
        assert np.array_equal(seen[1], rows(50, 8, seed=2, step=step))
        assert np.array_equal(seen[0], 1.5 * seen[1])
    assert step == 13


def test_a_feed_can_begin_anywhere_and_reads_a_file_by_rows(tmp_path):
    np.arange(50, dtype=np.int64).tofile(tmp_path / "x")
    x = np.memmap(tmp_path / "x", np.int64, "r")
    whole = [batch[0].tolist() for _, batch in feed([x], 8, seed=2, last=13)]
    late = [(t, batch[0].tolist()) for t, batch in feed([x], 8, seed=2, first=9, last=13)]
    assert late == list(enumerate(whole, start=1))[8:]
    assert list(feed([x], 8, seed=2, first=14, last=13)) == []


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: rows(5, 6, seed=0, step=1), ValueError, r"batch_size must be a whole number >= 1 and <= 5 \(the number of samples\), got 6"),
        (lambda: rows(5, 2, seed=-1, step=1), ValueError, "seed must be a whole number >= 0, got -1"),
        (lambda: rows(5, 2, seed=0, step=0), ValueError, "step must be a whole number >= 1, got 0"),
        (lambda: rows(5, 2, seed=0, step=1.5), TypeError, "step must be a whole number >= 1, got 1.5"),
        (lambda: shard(np.arange(3), 0, 4), ValueError, r"workers must be .* <= 3 \(the rows of a batch\), got 4"),
        (lambda: shard(np.arange(3), 3, 3), ValueError, r"worker must be .* <= 2 \(they count from 0\), got 3"),
        (lambda: shard(np.arange(3), -1, 3), ValueError, "worker must be a whole number >= 0"),
        (lambda: feed([], 2, seed=0, last=1), ValueError, r"arrays must be one or more, all of one length, got lengths \[\]"),
        (lambda: feed([np.ones(3), np.ones(4)], 2, seed=0, last=1), ValueError, r"got lengths \[3, 4\]"),
        (lambda: feed([np.ones(3)], 4, seed=0, last=1), ValueError, "batch_size must be"),
        (lambda: feed([np.ones(3)], 2, seed=0, first=0, last=1), ValueError, "first must be a whole number >= 1, got 0"),
        (lambda: feed([np.ones(3)], 2, seed=0, last=-1), ValueError, "last must be a whole number >= 0, got -1"),
        (lambda: feed([np.ones(3)], 2, seed=0, last=1, worker=2, workers=2), ValueError, "worker must be"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_at_once(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_order_checkpoints_and_launcher_need_no_tensorflow():
    code = "import sys, fo_lib.distributed as d; d.task(); assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
