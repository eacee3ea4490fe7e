"""Each fault, planted, is named; a healthy run gets no name; without evidence nothing is said."""

import numpy as np
import pytest

from fo_lib import accelerate, averages, datasets, diagnose, diagnosis, learning_rates, minimize, problems, rules
from fo_lib.diagnosis import order
from fo_lib.gradients import mini_batch, noisy, saga, svrg

DATA = datasets.breast_cancer()
Z = datasets.standardize(DATA.X).X
LOGISTIC = problems.logistic(Z, DATA.y, l2=1e-2)
VALLEY = problems.quadratic([1, 10])


def changed(scale=1.0):
    return problems.from_functions(
        lambda w: abs(scale) * LOGISTIC.value(w), lambda w: scale * LOGISTIC.grad(w), LOGISTIC.start
    )


def poisson():
    return problems.from_functions(lambda w: float(w[0] - 3 * np.log(w[0])), lambda w: 1 - 3 / w, np.array([20.0]))


def saddle():
    return problems.from_functions(
        lambda w: float(w[0] ** 2 - w[1] ** 2 + 1), lambda w: np.array([2 * w[0], -2 * w[1]]), np.zeros(2)
    )


def solved():
    return problems.solve(LOGISTIC)


def dropping(t):
    return 0.03 if t <= 12 else 0.0003


def explosion(after=0.0):
    """A loss and a gradient norm that jump at entry 25; the loss comes down to ``after`` of the jump."""
    loss, norm = np.linspace(2, 1, 60), 1 + 0.1 * np.random.default_rng(0).random(60)
    loss[25:] += 5 * np.where(np.arange(35) < 2, 1.0, after)
    norm[25] = 100
    return {"loss": loss, "grad_norm": norm}


BROKEN = {
    "learning rate too large": [
        lambda: minimize(VALLEY, learning_rate=0.21, steps=30),
        lambda: minimize(VALLEY, learning_rate=1.0, steps=3000),
        lambda: minimize(problems.rosenbrock(), learning_rate=0.01, steps=50),
        lambda: minimize(LOGISTIC, learning_rate=300 / LOGISTIC.L, steps=50),
        lambda: {"loss": [1.0, 1.5, 2.3, 3.6, 5.5, np.nan]},
        lambda: {"loss": [1.0, 0.9, 0.8, 1e3, 1e9, np.inf], "learning_rate": [1.0] * 6},
        lambda: {"loss": [-10.0, -9.0, -8.0, -6.0, -4.0]},
    ],
    "gradient of the wrong sign": [lambda: minimize(changed(-1.0), learning_rate=0.01, steps=30)],
    "sudden non-finite number": [
        lambda: minimize(poisson(), rules.momentum, learning_rate=0.8, momentum=0.9, steps=30),
        lambda: {"loss": [np.nan, 1.0]},
        lambda: {"loss": [2.0, 1.5, 1.2, 1.1, np.nan, np.nan], "grad_norm": [1, 1, 1, 1, np.nan, np.nan]},
    ],
    "learning rate too small": [
        lambda: minimize(LOGISTIC, learning_rate=1e-7, steps=30),
        lambda: minimize(LOGISTIC, rules.momentum, learning_rate=1e-8, steps=30),
    ],
    "zero gradient": [lambda: minimize(saddle(), learning_rate=0.1, steps=30)],
    "epsilon too large": [lambda: minimize(changed(1e-9), rules.adam, learning_rate=0.01, steps=50)],
    "oscillation": [
        lambda: minimize(LOGISTIC, rules.sign_descent, learning_rate=0.03, steps=60),
        lambda: {"loss": 1 + 0.1 * (-1.0) ** np.arange(50)},
    ],
    "noise floor": [
        lambda: minimize(LOGISTIC, learning_rate=3 / LOGISTIC.L, gradient=mini_batch(1), steps=2000, every=20),
        lambda: minimize(VALLEY, learning_rate=0.05, gradient=noisy(30.0), steps=3000, every=20),
    ],
    "velocity of the old learning rate": [
        lambda: minimize(VALLEY, rules.momentum, learning_rate=dropping, steps=60, iterates=True)
    ],
    "exploding gradient": [lambda: explosion(after=1.0)],
    "loss flat": [
        lambda: {"loss": [2.3, 2.3001, 2.2999]},
        lambda: {"loss": [2.3, 2.3001, 2.2999], "grad_norm": [1.0, 1.0, 0.9]},
    ],
    "overfitting": [
        lambda: {"loss": np.geomspace(1, 0.1, 9), "validation_loss": [1, 0.8, 0.7, 0.75, 0.8, 0.9, 1.0, 1.1, 1.2]}
    ],
    "one permutation repeated": [lambda: {"batch_loss": batches(repeat=True)}],
    "data not shuffled": [lambda: {"batch_loss": batches(repeat=True, smooth=8)}],
}


def batches(repeat, smooth=1, epochs=5, n=200, seed=0):
    """Losses of batches with a trend: fresh ones, or the same each epoch; and alike if near each other."""
    rows = np.random.default_rng(seed).standard_normal((epochs, n + smooth - 1))
    patterns = np.array([np.convolve(row, np.ones(smooth) / smooth, "valid") for row in rows])
    return np.linspace(2, 0, epochs)[:, None] + (patterns[:1] if repeat else patterns) + 0.05 * rows[:, :n]


@pytest.mark.parametrize(
    ("cause", "run"),
    [(cause, run) for cause, runs in BROKEN.items() for run in runs],
    ids=[f"{cause}-{i}" for cause, runs in BROKEN.items() for i in range(len(runs))],
)
def test_a_planted_fault_is_named_with_evidence_and_remedy(cause, run):
    found = diagnose(run())
    assert found.cause == cause
    assert cause in found.causes
    assert found.findings[0].evidence
    assert found.findings[0].remedy in str(found)


def healthy_runs():
    settings = {
        "gd": (rules.gradient_descent, (0.3, 1.0, 1.8)),
        "momentum": (rules.momentum, (0.1, 0.3)),
        "nesterov": (rules.nesterov, (0.3, 1.0)),
        "adam": (rules.adam, None),
        "adagrad": (rules.adagrad, None),
        "adamw": (rules.adamw, None),
    }
    healthy = {
        "valley": VALLEY, "steep": problems.quadratic(np.geomspace(1, 1000, 30)), "logistic": LOGISTIC,
        "squares": problems.least_squares(Z, DATA.y, l2=1e-3), "huber": problems.huber(Z, DATA.y, threshold=0.1),
        "worst": problems.nesterov_worst_case(20),
    }  # fmt: skip
    for name, problem in healthy.items():
        for label, (rule, factors) in settings.items():
            for rate in [0.01, 0.03] if factors is None else [factor / problem.L for factor in factors]:
                for steps in (5, 40, 500):
                    yield f"{name} {label} {rate:.2g} {steps}", (problem, rule, {"learning_rate": rate, "steps": steps})
    for name in ("logistic", "squares", "huber"):
        problem = healthy[name]
        for label, oracle in {"8": mini_batch(8), "32": mini_batch(32), "saga": saga(), "svrg": svrg()}.items():
            for average in (None, averages.uniform()):
                options = {"gradient": oracle, "average": average, "steps": 2000, "every": 20}
                rate = 0.02 / problem.L
                yield (
                    f"{name} {label} {average}",
                    (problem, rules.gradient_descent, dict(learning_rate=rate, **options)),
                )
        slow = learning_rates.inverse(0.3 / problem.L, 0.01)
        options = {"learning_rate": slow, "gradient": mini_batch(8), "steps": 2000, "every": 20}
        yield f"{name} decaying", (problem, rules.gradient_descent, options)


def test_healthy_runs_raise_no_alarm():
    runs = dict(healthy_runs())
    found = {name: diagnose(minimize(p, rule, **options)) for name, (p, rule, options) in runs.items()}
    assert len(found) > 200
    assert {name: diagnosis.causes for name, diagnosis in found.items() if diagnosis.causes} == {}


def test_healthy_runs_of_other_kinds_raise_no_alarm():
    def rate_outside(w, g, v, learning_rate=0.01, momentum=0.9):
        v = momentum * v + g
        return w - learning_rate * v, v

    quiet = [
        accelerate(LOGISTIC, steps=200),
        minimize(VALLEY, rate_outside, learning_rate=dropping, steps=60, iterates=True),
        minimize(VALLEY, learning_rate=learning_rates.armijo(), steps=60),
        minimize(VALLEY, steps=0, learning_rate=0.1),
        minimize(poisson(), learning_rate=0.5, steps=1),
        minimize(VALLEY, learning_rate=0.2, steps=40, iterates=True),  # at the limit: neither rises nor falls
        minimize(VALLEY, learning_rate=0.05, gradient=noisy(0.1), steps=3000, every=20),  # a low noise floor
        explosion(after=0.0),  # a spike that heals
        {"loss": [-2.5, -2.8, -3.2, -3.5, -3.7]},  # negative, and falling
        {"loss": [1e-6, 1e-5, 2e-5, 3e-5, 3.5e-5]},  # from a solution to the floor of noise
        {"loss": [0.0, 0.0, 0.0, 0.0], "grad_norm": [1e-9] * 4},
        {"loss": [2.0, 1.8, 1.6], "step_length": [np.nan, 1, 1], "grad_norm": [1, np.inf, 1]},
        minimize(VALLEY, learning_rate=dropping, steps=60, iterates=True),  # no velocity at all
        minimize(VALLEY, rules.momentum, learning_rate=learning_rates.inverse(0.03, 0.5), steps=60, iterates=True),
        minimize(solved(), learning_rate=0.1, start=solved().minimizer + 1e-9, steps=50),
        minimize(solved(), rules.adam, start=solved().minimizer + 1e-9, steps=50),
        {"loss": [2.0, 1.5, 1.3]},
        {"loss": [2.3, 2.3, 2.3], "grad_norm": [1.0, 0.3, 0.01]},
        {"loss": np.geomspace(1, 0.1, 9), "validation_loss": [1, 0.8, 0.7, 0.71, 0.72, 0.7, 0.69, 0.72, 0.7]},
        {"batch_loss": batches(repeat=False)},
        {"batch_loss": batches(repeat=False)[:2]},  # too few epochs to say anything
        {"batch_loss": np.ones((5, 20))},
    ]
    assert [diagnose(run).causes for run in quiet] == [[]] * len(quiet)


def test_the_limit_is_read_off_a_run_without_known_smoothness():
    hidden = problems.from_functions(VALLEY.value, VALLEY.grad, VALLEY.start)
    evidence = diagnose(minimize(hidden, learning_rate=0.25, steps=60)).findings[0].evidence
    assert evidence.endswith("as for a limit of 0.2")
    every = diagnose(minimize(hidden, learning_rate=0.25, steps=60, every=5)).findings[0].evidence
    assert every.endswith("the gradient grew by 1.5 a step, as for a limit of 0.2")


def test_the_statistics_of_batches_are_what_they_say():
    fresh = np.array([order.repetition(batches(False, seed=seed))[1] for seed in range(200)])
    assert abs(fresh.mean()) < 0.3
    assert fresh.std() == pytest.approx(1.0, abs=0.2)  # standard errors, as promised
    assert order.repetition(batches(True))[0] > 0.9
    assert order.neighbours(batches(True, smooth=8)) > 0.6
    assert abs(order.neighbours(batches(False))) < 0.15
    assert order.neighbours(np.ones((3, 10))) == 0


def test_what_could_not_be_looked_for_is_listed():
    few = diagnose({"loss": [2.0, 1.5, 1.3]})
    assert "overfitting (needs validation_loss)" in few.not_looked_for
    assert set(few.looked_for) | {text.split(" (needs")[0] for text in few.not_looked_for} == set(diagnosis.CAUSES)
    assert repr(few).startswith("nothing found\n(")
    assert few.cause is None


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (3.0, TypeError, "run must be a Trace, a Watch, a Keras History or a mapping of arrays, got float"),
        ({"losses": [1.0]}, ValueError, "got 'losses'"),
        ({3: [1.0]}, ValueError, "got 3"),
        ({"loss": [1.0, 2.0], "grad_norm": [1.0]}, ValueError, r"one length, got \{'loss': 2, 'grad_norm': 1\}"),
        ({"loss": ["a"]}, TypeError, "loss must be an array of numbers"),
        ({"loss": 1.0}, ValueError, r"loss must be a non-empty array of 1 dimension\(s\), got shape \(\)"),
        ({"batch_loss": [1.0]}, ValueError, r"batch_loss must be .* 2 dimension\(s\)"),
    ],
)
def test_a_run_of_the_wrong_kind_is_refused(run, error, words):
    with pytest.raises(error, match=words):
        diagnose(run)


def test_batch_losses_are_read_up_to_the_first_broken_epoch():
    losses = batches(repeat=True)
    losses[4, 3] = np.nan
    assert diagnose({"batch_loss": losses}).cause == "one permutation repeated"


def test_there_is_no_other_name_in_the_module():
    with pytest.raises(AttributeError, match="no attribute 'watch_me'"):
        _ = diagnosis.watch_me
