"""Killed with SIGKILL again and again, at moments that nobody chose, training ends with the bits of an undisturbed run."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from tests.faults import long_minimize
from tests.faults.long_run import run

pytestmark = [
    pytest.mark.minutes,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]

ROOT = Path(__file__).parents[2]
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
LIMIT = 10**6  # rounds: none of the runs that are killed comes that far


@pytest.fixture
def folder():
    """In memory where there is such a folder: a disk takes longer to write a round than to compute it."""
    shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=shared) as made:
        yield Path(made)


def killed_after(seconds, script, *arguments):
    """Start a script, kill it so long after the first number that it says, and return that and the last one."""
    command = [sys.executable, "-m", script, *map(str, arguments)]
    with subprocess.Popen(command, env=ENVIRON, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        first = int(process.stdout.readline())
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    assert process.returncode == -signal.SIGKILL
    return first, int(rest[-1]) if rest else first


@pytest.mark.parametrize(("kind", "kills", "longest"), [("numpy", 46, 0.1), ("tensorflow", 4, 0.5)])
def test_a_run_that_is_killed_at_random_moments_loses_nothing_but_the_round_it_was_in(folder, kind, kills, longest):
    rng, reached, bounds = np.random.default_rng(0), 0, []
    for _ in range(kills):
        first, last = killed_after(longest * rng.random(), "tests.faults.long_run", kind, LIMIT, folder)
        assert reached <= first <= reached + 1  # the round that was computed last, or its successor
        reached = last
        bounds.append(last - first)
    rounds = reached + 5
    resumed, after = run(kind, rounds, folder)
    whole, undisturbed = run(kind, rounds)
    for a, b in zip([*resumed, *after.best], [*whole, *undisturbed.best], strict=True):
        np.testing.assert_array_equal(a, b)
    for name, values in undisturbed.records.items():
        np.testing.assert_array_equal(values, after.records[name])
    assert after.best_round == undisturbed.best_round
    assert max(bounds) > 1  # else no run was killed in the midst of its rounds


def test_minimize_killed_at_random_moments_ends_with_the_bits_of_an_undisturbed_run(folder):
    rng, reached, saved = np.random.default_rng(1), 0, []
    for _ in range(25):
        first, last = killed_after(0.1 * rng.random(), "tests.faults.long_minimize", folder)
        assert reached <= first <= last
        reached = last
        saved.append(last - first)
    assert 0 < reached < long_minimize.STEPS  # else the last of them was not killed in the midst of its steps
    assert sum(steps > 0 for steps in saved) > 10
    undisturbed, after = long_minimize.run(), long_minimize.run(folder)
    for name in ("step", "value", "grad_norm", "learning_rate", "w", "iterates"):
        np.testing.assert_array_equal(getattr(undisturbed, name), getattr(after, name), strict=True)
    assert undisturbed.message == after.message
