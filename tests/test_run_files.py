"""A run of `minimize` that is interrupted goes on from its folder to the bits of an undisturbed one."""

import dataclasses
import errno
import itertools
import os

import numpy as np
import pytest

import fo_lib.checkpoints
from fo_lib import averages, compression, gradients, matrix_rules, minimize, problems, prox, rules, transforms
from fo_lib import learning_rates as lr
from fo_lib.memory import Remembering
from fo_lib.run_files import RunFiles
from fo_lib.staleness import stale

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((30, 3)), RNG.standard_normal(30)
LINEAR, QUADRATIC = problems.least_squares(X, Y), problems.quadratic([1, 3, 10])
SOFTMAX = problems.softmax_regression(X, RNG.integers(3, size=30), l2=0.1)
STEPS = 400
COLUMNS = ("step", "value", "grad_norm", "learning_rate", "w", "iterates")

RUNS = {
    "gradient descent": {"problem": QUADRATIC, "learning_rate": 1e-3},
    "adam, scheduled": {"problem": LINEAR, "rule": rules.adam, "learning_rate": lr.inverse_sqrt(0.01, 50)},
    "scheduled momentum": {"problem": LINEAR, "rule": rules.momentum, "momentum": lambda t: 0.9 - 0.5 / t},
    "mini-batches": {"problem": LINEAR, "gradient": gradients.mini_batch(4), "average": averages.uniform(100)},
    "svrg": {"problem": LINEAR, "gradient": gradients.svrg(), "learning_rate": 1e-3},
    "saga": {"problem": LINEAR, "gradient": gradients.saga(), "learning_rate": 1e-3, "every": 7},
    "stale": {"problem": LINEAR, "gradient": stale(5, gradients.saga(), random=True), "learning_rate": 1e-3},
    "compressed": {"problem": LINEAR, "gradient": compression.compressed(np.array_split(np.arange(30), 3), compression.top_k(1)), "learning_rate": 0.01},
    "armijo": {"problem": problems.rosenbrock(), "learning_rate": lr.armijo()},
    "polyak": {"problem": QUADRATIC, "learning_rate": lr.polyak()},
    "barzilai borwein": {"problem": problems.rosenbrock(), "learning_rate": lr.barzilai_borwein(1e-3)},
    "prox, clipped": {
        "problem": LINEAR, "prox": prox.l1(0.1), "transform": transforms.clip_norm(0.5), "gradient": gradients.noisy(0.1),
    },
    "matrices": {"problem": SOFTMAX, "rule": matrix_rules.shampoo, "learning_rate": 1e-3},
    "float32": {"problem": LINEAR, "rule": rules.adam, "start": np.ones(3, np.float32), "iterates": True},
    "compiled": {"problem": LINEAR, "rule": rules.adam, "compiled": True, "iterates": True, "every": 3},
    "compiled, averaged": {
        "problem": QUADRATIC, "rule": rules.momentum, "compiled": True, "average": averages.exponential(0.9),
    },
    "diverges": {"problem": QUADRATIC, "learning_rate": 1.0},
    "tolerance": {"problem": QUADRATIC, "learning_rate": 0.1, "tolerance": 1e-9},
}  # fmt: skip


def go(folder=None, **arguments):
    return minimize(steps=arguments.pop("steps", STEPS), folder=folder, **arguments)


def same(a, b):
    for name in COLUMNS:
        x, y = getattr(a, name), getattr(b, name)
        assert (x is None) == (y is None)
        for u, v in [] if x is None else zip(x, y, strict=True):
            np.testing.assert_array_equal(u, v, strict=True)
    assert (a.reason, a.message, a.settings) == (b.reason, b.message, b.settings)


@pytest.fixture
def stops(monkeypatch):
    """Save at the end of each block, and stop as by Ctrl+C once so many checkpoints were written."""
    left = []
    save = RunFiles.save

    def saving(self, *arguments, now=True):
        save(self, *arguments, now=True)
        if left:
            left[0] -= 1
            if left[0] == 0:
                left.clear()
                raise KeyboardInterrupt

    monkeypatch.setattr(RunFiles, "save", saving)
    return left.append


@pytest.mark.parametrize("name", RUNS)
def test_an_interrupted_run_ends_with_the_bits_of_an_undisturbed_one(name, tmp_path, stops):
    undisturbed = go(**RUNS[name])
    stops(2)  # the start, and one block of 64 steps
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, **RUNS[name])
    assert len(list(tmp_path.iterdir())) == 2
    same(undisturbed, go(tmp_path, **RUNS[name]))
    same(undisturbed, go(tmp_path, **RUNS[name]))  # done before: nothing is left to do


@pytest.mark.parametrize("tolerance", [0.0, 1e-6])
def test_a_run_that_is_done_is_saved_at_once_and_computes_nothing_again(tolerance, tmp_path):
    def run(problem):
        return minimize(problem, learning_rate=0.1, steps=STEPS, tolerance=tolerance, folder=tmp_path)

    steps = {"gradients": 0}

    def grad(w):
        steps["gradients"] += 1
        return QUADRATIC.grad(w)

    watched = dataclasses.replace(QUADRATIC, grad=grad)
    first = run(watched)
    end = STEPS + 1 if tolerance == 0 else first.step[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000000.ckpt", f"step-{end:08d}.ckpt"]
    before = steps["gradients"]
    same(first, run(watched))
    assert steps["gradients"] == before + 1  # to see that it is the same problem


@pytest.mark.parametrize(
    ("slot", "compiled"),
    [
        *((slot, False) for slot in ("transform", "prox")),
        *itertools.product(("average", "learning_rate", "momentum"), (False, True)),
    ],
)
def test_whatever_is_given_may_remember(slot, compiled, tmp_path, stops):
    def counting(made):
        """What `made` of a count makes; it counts its calls."""
        memory = {"calls": np.zeros(1)}

        def function(*arguments):
            memory["calls"] += 1
            return made(memory["calls"][0], *arguments)

        return Remembering(function, memory)

    made = {
        "transform": lambda calls, g: g / calls,
        "prox": lambda calls, w, rate: w / (1 + rate / calls),
        "average": lambda calls, t: 1 / calls,
        "learning_rate": lambda calls, t: 0.01 / calls,
        "momentum": lambda calls, t: 0.9 / calls,
    }[slot]
    given = {"problem": QUADRATIC, "rule": rules.momentum, "compiled": compiled}
    undisturbed = go(**given, **{slot: counting(made)})
    stops(3)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, **given, **{slot: counting(made)})
    same(undisturbed, go(tmp_path, **given, **{slot: counting(made)}))


def test_what_a_function_of_your_own_remembers_is_saved_with_its_memory(tmp_path, stops):
    def drifting(problem, seed):
        memory = {"mean": np.zeros(3)}

        def estimate(w, t):
            memory["mean"] += 0.1 * (problem.grad(w) - memory["mean"])
            return memory["mean"]

        estimate.memory = memory
        return estimate

    undisturbed = go(problem=QUADRATIC, gradient=drifting, learning_rate=0.01)
    stops(3)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, problem=QUADRATIC, gradient=drifting, learning_rate=0.01)
    same(undisturbed, go(tmp_path, problem=QUADRATIC, gradient=drifting, learning_rate=0.01))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": 1}, "seed=1 instead of 0"),
        ({"steps": 500}, "steps=500 instead of 400"),
        ({"every": 2}, "every=2 instead of 1"),
        ({"tolerance": 1e-3}, r"tolerance=0.001 instead of 0.0"),
        ({"iterates": True}, "iterates=True instead of False"),
        ({"rule": rules.adam, "momentum": None}, "rule='adam .* instead of 'momentum "),
        ({"momentum": 0.8}, "momentum=0.8 instead of 0.9"),
        ({"learning_rate": 0.02}, r"learning_rate=0.02 instead of"),
        ({"learning_rate": lr.cosine(0.01, 1000)}, r"learning_rate='cosine.* 1000.* instead of"),
        ({"gradient": gradients.mini_batch(3)}, "gradient='mini_batch.* 3.* instead of 'mini_batch.* 2"),
        ({"transform": transforms.clip_norm(2.0)}, "transform='clip_norm.*2.0.* instead of None"),
        ({"average": averages.uniform()}, "average='uniform.* instead of None"),
        ({"start": np.full(3, 0.5)}, "start='float64.* instead of 'float64.*value near the start='"),
        ({"problem": problems.least_squares(X, 2 * Y)}, "value near the start='"),
        ({"problem": problems.least_squares(X, Y, l2=1e-9)}, "grad=.* 1e-09, .* instead of .* 0.0, "),
        ({"prox": prox.l1(0.1)}, "prox=.* instead of None"),
    ],
)
def test_another_run_does_not_go_on_from_it(changed, words, tmp_path):
    own = {"problem": LINEAR, "rule": rules.momentum, "momentum": 0.9, "gradient": gradients.mini_batch(2)}
    own["learning_rate"] = lr.cosine(0.01, 500)
    go(tmp_path, **own)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=f"folder .* must hold the same run, got another: .*{words}"):
        go(tmp_path, **{name: value for name, value in {**own, **changed}.items() if value is not None})
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize("compiled", [False, True])
def test_a_damaged_checkpoint_is_passed_over_and_two_are_an_error(compiled, tmp_path, stops):
    undisturbed = go(problem=QUADRATIC, rule=rules.adam, compiled=compiled)
    stops(3)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, problem=QUADRATIC, rule=rules.adam, compiled=compiled)
    paths = sorted(tmp_path.iterdir())
    paths[-1].write_bytes(paths[-1].read_bytes()[:-5])
    same(undisturbed, go(tmp_path, problem=QUADRATIC, rule=rules.adam, compiled=compiled))
    for path in tmp_path.iterdir():
        path.write_bytes(b"lost")
    with pytest.raises(ValueError, match="must hold a whole checkpoint, or none"):
        go(tmp_path, problem=QUADRATIC, rule=rules.adam, compiled=compiled)


def test_a_full_disk_is_an_error_and_the_last_checkpoint_is_left(tmp_path, monkeypatch, stops):
    undisturbed = go(problem=QUADRATIC, rule=rules.adam)
    write, calls = fo_lib.checkpoints._write, []

    def full(path, content):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, content)

    monkeypatch.setattr("fo_lib.checkpoints._write", full)
    with pytest.raises(OSError, match=r"No space left .* the last one before it, step-00000064\.ckpt, is untouched"):
        go(tmp_path, problem=QUADRATIC, rule=rules.adam)
    same(undisturbed, go(tmp_path, problem=QUADRATIC, rule=rules.adam))


@pytest.mark.usefixtures("ordinary_user")
def test_a_folder_that_cannot_be_written_to_is_an_error_before_the_first_step(read_only_folder):
    steps = []
    watched = dataclasses.replace(QUADRATIC, grad=lambda w: steps.append(w) or QUADRATIC.grad(w))
    for folder in (read_only_folder, read_only_folder / "new"):
        with pytest.raises(PermissionError, match=str(read_only_folder)):
            go(folder, problem=watched)
    assert not any(np.array_equal(w, QUADRATIC.start) for w in steps)


def test_what_is_not_finite_is_saved_as_it_is(tmp_path, stops):
    def counting(w, g, n, learning_rate=0.1):
        n = np.where(n >= 100, np.inf, n + 1)  # infinite, while the weights go on
        return w - learning_rate * g * (1 + np.isfinite(n)) / 2, n

    undisturbed = go(problem=QUADRATIC, rule=counting)
    stops(4)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, problem=QUADRATIC, rule=counting)
    same(undisturbed, go(tmp_path, problem=QUADRATIC, rule=counting))


def test_the_order_in_memory_of_a_state_is_kept(tmp_path, stops):
    def rule(w, g, s, learning_rate=0.01):
        total, along = s.sum(), s @ (s.T @ g)
        return w - learning_rate * (g + along / (1 + total**2)), np.asfortranarray(0.9 * s + 0.1 * np.sin(g))

    rule.state_shapes = {"s": lambda shape: shape}
    features = np.random.default_rng(1).standard_normal((40, 40))
    problem = problems.from_functions(
        lambda w: float(np.sum((features @ w) ** 2)) / 80, lambda w: features.T @ (features @ w) / 40, np.ones((40, 30))
    )
    undisturbed = go(problem=problem, rule=rule)
    stops(2)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, problem=problem, rule=rule)
    same(undisturbed, go(tmp_path, problem=problem, rule=rule))


def test_the_checkpoints_of_another_training_are_refused(tmp_path):
    for settings in ({"epoch": 1}, {"minimize": 3}):
        fo_lib.checkpoints.Checkpoints(tmp_path).save(5, [np.ones(2)], settings)
        with pytest.raises(ValueError, match="folder must hold a run of minimize, or none"):
            go(tmp_path, problem=QUADRATIC)


def test_the_newest_of_very_many_steps_is_found(tmp_path):
    checkpoints = fo_lib.checkpoints.Checkpoints(tmp_path, keep=2)
    for step in (99_999_999, 100_000_000, 100_000_001):
        checkpoints.save(step, [np.ones(1)])
    assert checkpoints.latest().step == 100_000_001
    assert len(checkpoints.paths()) == 2


class Nothing:
    """A run without anything to save."""

    def arrays(self):
        return {}

    def functions(self):
        return {}


def test_checkpoints_take_a_tenth_of_the_time_at_most(tmp_path, monkeypatch):
    saved, now = [], [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def slow(self, t, *rest):
        saved.append(t)
        now[0] += 2

    monkeypatch.setattr("fo_lib.checkpoints.Checkpoints.save", slow)
    files = RunFiles(tmp_path, Nothing(), {})
    for t in range(40):
        files.save(0, t, 0.0)
        now[0] += 1
    assert saved == [0, 18, 36]  # two seconds for each, eighteen between them


def test_checkpoints_are_a_second_apart(tmp_path, monkeypatch):
    saved, now = [], [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("fo_lib.checkpoints.Checkpoints.save", lambda self, t, *rest: saved.append(t))
    files = RunFiles(tmp_path, Nothing(), {})
    for t, moment in enumerate([0.0, 0.5, 1.0, 1.9, 2.0]):
        now[0] = moment
        files.save(0, t, 0.0)
    files.save(0, 9, 0.0, now=True)
    assert saved == [0, 2, 4, 9]
