"""The test of the tests: classical faults, planted one at a time, each caught by the test that states the claim.

In a copy of the library. A fault that its test lets pass fails here, and so does one whose old text is gone.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.mutants import copy_tree

pytestmark = pytest.mark.minutes

ROOT = Path(__file__).parents[2]


class Fault(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    test: str  # of the claim


DESCENT, MOMENTS, ADAPTIVE = (f"fo_lib/rules/{name}.py" for name in ("descent", "moments", "adaptive"))
RULES, LOOP = "tests/test_rules.py", "tests/test_loop.py"
FAULTS = [
    Fault(
        "uphill", DESCENT, "return w - learning_rate * g\n", "return w + learning_rate * g\n",
        f"{RULES}::test_gradient_descent_by_hand",
    ),
    Fault(
        "damped momentum", DESCENT, "v = momentum * v - learning_rate * g\n    return w + v",
        "v = momentum * v - (1 - momentum) * learning_rate * g\n    return w + v", f"{RULES}::test_momentum_by_hand",
    ),
    Fault(
        "Nesterov's step from where no gradient was taken", DESCENT, "return w + momentum * v - learning_rate * g, v",
        "return w + v, v", f"{RULES}::test_nesterov_is_momentum_with_the_gradient_taken_ahead",
    ),
    Fault(
        "Nesterov's gradient at the last point", "fo_lib/accelerated.py", "new, g = step(y)\n", "new, g = step(x)\n",
        "tests/test_accelerated.py::test_the_recursion_by_hand",
    ),
    Fault(
        "epsilon outside the division", MOMENTS, "learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v\n",
        "(learning_rate * m_hat / np.sqrt(v_hat) + epsilon), m, v\n",
        f"{RULES}::test_adam_under_a_constant_gradient_moves_by_the_learning_rate_every_step",
    ),
    Fault(
        "epsilon inside the root", MOMENTS, "learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v\n",
        "learning_rate * m_hat / np.sqrt(v_hat + epsilon), m, v\n", f"{RULES}::test_adam_by_hand",
    ),
    Fault(
        "no bias correction", MOMENTS, "m_hat = m / (1 - beta1**t)\n", "m_hat = m\n",
        f"{RULES}::test_adam_under_a_constant_gradient_moves_by_the_learning_rate_every_step",
    ),
    Fault(
        "betas swapped", DESCENT, "update = np.sign(beta1 * m + (1 - beta1) * g)",
        "beta1, beta2 = beta2, beta1\n    update = np.sign(beta1 * m + (1 - beta1) * g)", f"{RULES}::test_lion_by_hand",
    ),
    Fault(
        "decay through the moments", MOMENTS,
        "(w, g, m, v, t, learning_rate, beta1, beta2, epsilon)\n    return adam_w - learning_rate * weight_decay * w,",
        "(w, g + weight_decay * w, m, v, t, learning_rate, beta1, beta2, epsilon)\n    return adam_w,",
        f"{RULES}::test_adamw_is_adam_plus_decay_of_the_old_weights",
    ),
    Fault(
        "a second moment that forgets", MOMENTS, "s = np.maximum(s, v)", "s = v", f"{RULES}::test_amsgrad_by_hand"
    ),
    Fault(
        "one state for all weights", ADAPTIVE, "s = s + g * g\n", "s = s + np.sum(g * g)\n",
        f"{RULES}::test_arrays_of_every_shape_match_python_floats",
    ),
    Fault("steps from 0", "fo_lib/engine.py", "t = self.t + 1\n", "t = self.t\n", f"{LOOP}::test_adam_is_adam"),
    Fault(
        "a sum for a mean", "fo_lib/finite_sums.py", "slope @ X[rows] / len(slope)", "slope @ X[rows]",
        "tests/test_problems.py::test_the_gradient_is_that_of_the_value",
    ),
    Fault(
        "a regularizer without its half", "fo_lib/finite_sums.py", "(X @ w, y)[0]) + 0.5 * l2 * w @ w)",
        "(X @ w, y)[0]) + l2 * w @ w)", "tests/test_problems.py::test_the_gradient_is_that_of_the_value",
    ),
    Fault(
        "the mean of a table without 1/n", "fo_lib/variance_reduction.py", "mean + change / n", "mean + change",
        "tests/test_variance_reduction.py::test_saga_by_hand",
    ),
    Fault(
        "no shuffle", "fo_lib/sampling.py", "np.random.default_rng([seed, epoch]).permutation(n)", "np.arange(n)",
        "tests/test_gradients.py::test_reshuffling_changes_the_order_and_shuffling_once_does_not",
    ),
    Fault(
        "the last batch dropped", "fo_lib/sampling.py", "steps = -(-n // size)\n", "steps = n // size\n",
        "tests/test_gradients.py::test_the_last_batch_of_an_epoch_is_the_rest",
    ),
    Fault(
        "clipped by value for by norm", "fo_lib/transforms.py",
        "return direction * (limit / norm) if largest > limit / norm else g", "return np.clip(g, -limit, limit)",
        "tests/test_transforms.py::test_clip_norm_keeps_the_direction_and_bounds_the_norm",
    ),
    Fault(
        "warm-up from zero", "fo_lib/schedules.py", "return highest * t / warmup\n",
        "return highest * (t - 1) / warmup\n",
        "tests/test_learning_rates.py::test_cosine_rises_falls_and_ends_just_above_zero",
    ),
    Fault(
        "a mean that counts one iterate too many", "fo_lib/averages.py", "1 / max(t - first + 1, 1)",
        "1 / max(t - first + 2, 1)", "tests/test_averages.py::test_the_mean_is_the_weighted_mean_of_the_iterates",
    ),
    Fault(
        "a threshold without the learning rate", "fo_lib/prox.py", "(learning_rate * for_each(w))", "for_each(w)",
        "tests/test_prox.py::test_its_residual_is_a_subgradient_at_its_result",
    ),
    Fault(
        "no projection", "fo_lib/plain_run.py", "w[:] = self.prox(w, rate)", "self.prox(w, rate)",
        f"{LOOP}::test_the_transform_is_applied_before_the_rule_and_the_prox_after",
    ),
    Fault(
        "stopped by a noisy gradient", "fo_lib/plain_run.py",
        "if recorded or self.estimate is None else", "if self.estimate is None else",
        f"{LOOP}::test_a_noisy_gradient_does_not_stop_a_run",
    ),
    Fault(
        "the sign of the dual", "fo_lib/primal_dual.py", "f(x - tau * (K.T @ z), tau)", "f(x + tau * (K.T @ z), tau)",
        "tests/test_primal_dual.py::test_a_linear_program",
    ),
    Fault(
        "Moreau's identity with the wrong rate", "fo_lib/prox.py", "operator(v / rate, 1 / rate)",
        "operator(v / rate, rate)", "tests/test_prox.py::test_moreau_function_and_conjugate_share_the_point",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    copy_tree(ROOT, folder, "fo_lib", "tests", "tools", "conftest.py", "pyproject.toml")
    return folder


def run(folder, tests):
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # without bytecode: a fault planted within the second of another would not be seen
    environ = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(folder / ".numba"),
    }
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_without_a_fault_every_test_passes(copy):
    done = run(copy, sorted({fault.test for fault in FAULTS}))
    assert done.returncode == pytest.ExitCode.OK, done.stdout


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught_by_the_test_of_its_claim(copy, fault):
    file = copy / fault.file
    sound = file.read_text(encoding="utf-8")
    assert sound.count(fault.old) == 1, "the table no longer matches the file"
    file.write_text(sound.replace(fault.old, fault.new), encoding="utf-8")
    done = run(copy, [fault.test])
    file.write_text(sound, encoding="utf-8")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert f"FAILED {fault.test}" in done.stdout
