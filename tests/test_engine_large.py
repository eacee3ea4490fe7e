"""Large arrays: in parts on several threads, in any order of memory, and as NumPy where Numba cannot."""

import subprocess
import sys

import numpy as np
import pytest

from fo_lib import engine, rules
from fo_lib.engine import Stepper


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_large_arrays_are_updated_in_parts_with_the_same_result(cores, monkeypatch):
    """Each part once, the last one whole: with as many threads as there are cores, and no more than the size allows."""
    monkeypatch.setattr(engine, "_cores", lambda: cores)
    monkeypatch.setattr(engine, "WORDS_PER_THREAD", 100)
    seen = []
    compiled = engine.fuse(rules.adam, np.float64)
    monkeypatch.setattr(engine, "fuse", lambda *key: lambda w, *rest: (seen.append(len(w)), compiled(w, *rest)))
    rng = np.random.default_rng(0)
    for size in (99, 199, 200, 307):
        one, g = rng.standard_normal(size), rng.standard_normal(size)
        two, seen[:] = one.copy(), []
        Stepper(rules.adam, fused=True)(one, g)
        Stepper(rules.adam, fused=False)(two, g)
        np.testing.assert_allclose(one, two, rtol=1e-13)
        assert len(seen) == max(1, min(cores, size // 100))
        assert sum(seen) == size


def test_the_number_of_threads_follows_the_cores_of_the_process_and_numbas_variable(monkeypatch):
    monkeypatch.setattr(engine.os, "sched_getaffinity", lambda process: set(range(4)), raising=False)
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    assert engine._cores() == 4
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert engine._cores() == 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", "64")
    assert engine._cores() == 4
    monkeypatch.delattr(engine.os, "sched_getaffinity")
    monkeypatch.setattr(engine.os, "cpu_count", lambda: 3)
    assert engine._cores() == 3


def test_a_number_that_changes_in_place_is_seen():
    step, rate, w = Stepper(rules.gradient_descent), np.array(0.5), np.ones(1)
    step(w, np.ones(1), learning_rate=rate)
    rate[...] = 0.25
    step(w, np.ones(1), learning_rate=rate)
    assert w[0] == 0.25
    rate[...] = -1.0
    with pytest.raises(ValueError, match="learning_rate must be a finite number and > 0, got -1"):
        step(w, np.ones(1), learning_rate=rate)


def test_a_child_process_starts_threads_of_its_own():
    """Those of its parent do not come along: without new ones it would wait for ever."""
    code = (
        "import os, signal, numpy as np; from fo_lib import Stepper, engine, rules; signal.alarm(60)\n"
        "engine._cores, engine.WORDS_PER_THREAD = (lambda: 2), 10\n"
        "w = np.ones(100); Stepper(rules.adam, fused=True)(w, w.copy())\n"
        "child = os.fork()\n"
        "Stepper(rules.adam, fused=True)(w, w.copy())\n"
        "os._exit(0) if child == 0 else None\n"
        "assert os.waitpid(child, 0)[1] == 0"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_an_array_in_another_order_or_of_another_machine_is_updated_as_a_small_one_is():
    rng = np.random.default_rng(0)
    w, g = rng.standard_normal((2, 120, 100))
    expected = w - 0.1 * g
    for like in (np.asfortranarray, lambda a: a.astype(">f8"), lambda a: np.repeat(a, 2, 1)[:, ::2]):
        ours, theirs = like(w.copy()), like(g)
        Stepper(rules.gradient_descent)(ours, theirs)
        np.testing.assert_allclose(ours, expected)
    ours = w.copy()
    Stepper(rules.gradient_descent)(ours, np.asfortranarray(g))
    np.testing.assert_allclose(ours, expected)


def steps_up(w, g, learning_rate=0.1):
    return w - learning_rate * np.heaviside(g, 0.5)


def test_what_numba_cannot_compile_runs_as_numpy_unless_it_was_asked_for():
    w, g = np.zeros(engine.FUSE_FROM), np.ones(engine.FUSE_FROM)
    step = Stepper(steps_up)
    for k in (1, 2):
        step(w, g)
        np.testing.assert_allclose(w, -0.1 * k)
    with pytest.raises(Exception, match=r"heaviside|No implementation|nopython"):
        Stepper(steps_up, fused=True)(w, g)
