"""The compiled pass computes what the rule says, and refuses what it could get wrong."""

import json
import subprocess
import sys

import numpy as np
import pytest

from fo_lib import compiling, engine, rules
from fo_lib.engine import Stepper, can_fuse

ALL = [getattr(rules, name) for name in rules.__all__]
EVERY_RULE = pytest.mark.parametrize("rule", ALL, ids=rules.__all__)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
SCALE = 3.0


def two_step_average(w, g, a, b, c, learning_rate=0.1):
    """A reader's rule with three states."""
    return w - learning_rate * (g + a + b + c) / 4, g, a, b


def reads_a_global(w, g, learning_rate=0.1):
    return w - learning_rate * SCALE * g


def scaled(factor):
    def rule(w, g, learning_rate=0.1):
        return w - factor * learning_rate * g

    return rule


def steps(rule, fused, dtype, shapes=((3, 4), (5,)), n=12):
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(s).astype(dtype) for s in shapes]
    steppers = [Stepper(rule, fused=fused) for _ in shapes]
    for _ in range(n):
        for w, step in zip(weights, steppers, strict=True):
            step(w, rng.standard_normal(w.shape).astype(dtype))
    return weights


@EVERY_RULE
@DTYPES
def test_fused_equals_numpy_on_variables_of_different_shapes(rule, dtype):
    for a, b in zip(steps(rule, True, dtype), steps(rule, False, dtype), strict=True):
        assert a.dtype == dtype
        # float32: hyperparameters are rounded to the dtype first, beta2 = 0.999 to 2e-8 and 1 - beta2 to 5e-5
        np.testing.assert_allclose(a, b, rtol=1e-4 if dtype == np.float32 else 1e-12, atol=1e-6 * (dtype == np.float32))


def test_a_second_process_reads_the_compiled_rule_from_disk():
    """Numba's cache is written by this process and must be right, not only present, in the next."""
    code = (
        "import numpy as np; from fo_lib import Stepper, engine, rules; w = np.ones(3);"
        "Stepper(rules.adam, fused=True)(w, np.array([1.0, -2.0, 3.0]));"
        "print(w.tolist(), sum(engine.fuse(rules.adam, np.float64).stats.cache_hits.values()))"
    )
    for _ in range(2):
        out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    w = np.ones(3)
    Stepper(rules.adam, fused=False)(w, np.array([1.0, -2.0, 3.0]))
    weights, hits = out.strip().rsplit(" ", 1)
    np.testing.assert_allclose(json.loads(weights), w, rtol=1e-14)
    assert hits == "1"


def test_a_rule_with_three_states_is_fused():
    for a, b in zip(steps(two_step_average, True, np.float64), steps(two_step_average, False, np.float64), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_fused_steps_keep_nan_and_infinity_visible():
    w = np.zeros(4)
    Stepper(rules.adam, fused=True)(w, np.array([1.0, np.nan, np.inf, -1.0]))
    assert np.isnan(w[1])
    assert not np.isfinite(w[2])
    np.testing.assert_allclose(w[[0, 3]], [-1e-3, 1e-3], rtol=1e-6)


def test_large_arrays_are_fused_by_default_and_small_ones_are_not(monkeypatch):
    calls = []
    monkeypatch.setattr(engine, "fuse", lambda rule, dtype: lambda *args: calls.append(args[0].size))
    for size in (engine.FUSE_FROM - 1, engine.FUSE_FROM):
        Stepper(rules.gradient_descent)(np.ones(size), np.ones(size))
    assert calls == [engine.FUSE_FROM]


def test_a_non_contiguous_array_is_refused_by_the_fused_pass_instead_of_being_copied():
    w = np.ones((4, 4))[:, :2]
    with pytest.raises(ValueError, match="copy"):
        Stepper(rules.gradient_descent, fused=True)(w, np.ones((4, 2)))


class settings:
    FACTOR = 2.0


def reads_an_attribute(w, g, learning_rate=0.1):
    return w - learning_rate * settings.FACTOR * g


def normalized(w, g, learning_rate=0.1):
    return w - learning_rate * g / np.sqrt(np.sum(g * g))


def copies(w, g, learning_rate=0.1):
    return w.copy() - learning_rate * g


def multiplies_matrices(w, g, learning_rate=0.1):
    return w - learning_rate * g * (g @ g)


def defines_a_function(w, g, learning_rate=0.1):
    return (lambda x: w - x)(learning_rate * g)


def calls_itself(w, g, learning_rate=0.1):
    return calls_itself(w, g)


def keyword_only(x, *, factor=2.0):
    return factor * x


def calls_keyword_only(w, g, learning_rate=0.1):
    return w - keyword_only(learning_rate * g)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (scaled(2.0), "without a closure"),
        (np.add, "without a closure"),
        (reads_a_global, "reads the global 'SCALE', which is not a plain function: make it an argument"),
        (reads_an_attribute, "reads the global 'settings'"),
        (normalized, "uses 'sum', which is not element-wise"),
        (copies, "uses 'copy', which is not element-wise"),
        (multiplies_matrices, "does more than element-wise"),
        (defines_a_function, "without a closure|defines a function"),
        (calls_itself, "calls itself"),
        (calls_keyword_only, "without a closure"),
    ],
)
def test_what_could_be_compiled_wrongly_is_refused(rule, reason):
    assert not can_fuse(rule)
    with pytest.raises(TypeError, match=f"cannot be compiled: it .*({reason})"):
        compiling.text_of(rule, element_wise=True)


def test_a_rule_that_is_not_element_wise_gives_the_same_at_every_size():
    for size in (engine.FUSE_FROM - 1, engine.FUSE_FROM):
        w = np.ones(size)
        Stepper(normalized)(w, np.ones(size))
        np.testing.assert_allclose(w, 1 - 0.1 / np.sqrt(size), rtol=1e-14)


def clipped(w, g, learning_rate=0.1, limit=0.5):
    return w - learning_rate * np.where(abs(g) > limit, limit * np.sign(g), g) * np.pi


def test_ufuncs_where_abs_and_constants_are_fused():
    one, two, g = np.ones(5), np.ones(5), np.array([-2.0, -0.1, 0.0, 0.3, 4.0])
    Stepper(clipped, fused=True)(one, g)
    Stepper(clipped, fused=False)(two, g)
    np.testing.assert_allclose(one, two, rtol=1e-15)
    assert two[4] == pytest.approx(1 - 0.1 * 0.5 * np.pi)


def two_point(w, g, previous, learning_rate=0.05, momentum=0.5):
    """Polyak's own form: the state is the last iterate, that is, w itself."""
    return w - learning_rate * g + momentum * (w - previous), w


@pytest.mark.parametrize("fused", [True, False])
def test_a_rule_may_return_its_arguments_as_state(fused):
    w, g = np.array([1.0, 1.0]), np.array([1.0, 10.0])
    step = Stepper(two_point, fused=fused)
    points = [np.zeros(2), w.copy()]
    for _ in range(5):
        points.append(points[-1] - 0.05 * g * points[-1] + 0.5 * (points[-1] - points[-2]))
        step(w, g * w)
        np.testing.assert_allclose(w, points[-1], rtol=1e-13)


def test_a_compiled_rule_divides_by_zero_as_numpy_does():
    w = np.zeros(2)
    Stepper(rules.adagrad, fused=True, epsilon=0.0)(w, np.array([0.0, 1.0]))
    assert np.isnan(w[0])
    assert w[1] == pytest.approx(-0.01)


def test_the_flags_keep_nan_and_infinity_and_literals_take_the_dtype():
    assert not {"nnan", "ninf", "fast"} & compiling.FASTMATH
    compiled = compiling.jit(rules.adam, dtype=np.float32)
    numbers = [c for c in compiled.py_func.__code__.co_consts if isinstance(c, (int, float, np.floating))]
    assert numbers
    assert {type(c) for c in numbers} == {np.float32}


@pytest.mark.parametrize("fused", [True, False])
def test_arrays_of_another_shape_or_dtype_than_the_first_are_refused(fused):
    step = Stepper(rules.momentum, fused=fused)
    step(np.ones(1), np.ones(1))
    for w in (np.ones(3), np.ones(1, np.float32)):
        with pytest.raises(ValueError, match=r"w must have the shape and dtype of the first call, \(\(1,\), dtype"):
            step(w, w)
    assert step.t == 1


def test_arrays_that_cannot_be_updated_are_refused():
    frozen = np.ones(2)
    frozen.flags.writeable = False
    for w in (frozen, np.ones(2, int), np.ones(2, complex), np.ones(2, bool), np.ones(2, object)):
        with pytest.raises(ValueError, match=r"w must be a writeable float array, got dtype"):
            Stepper(rules.gradient_descent)(w, w)


@pytest.mark.parametrize(
    ("hyper", "error"),
    [({"learning_rate": np.nan}, ValueError), ({"learning_rate": -1}, ValueError), ({"x": 1}, TypeError)],
)
def test_bad_overrides_are_refused_and_change_nothing(hyper, error):
    w, step = np.ones(2), Stepper(rules.gradient_descent)
    with pytest.raises(error, match=r"learning_rate must be|has hyperparameters \['learning_rate'\], got 'x'"):
        step(w, np.ones(2), **hyper)
    assert (w == 1).all()
    assert step.t == 0


def test_a_rule_that_cannot_be_fused_runs_as_numpy():
    w = np.ones(engine.FUSE_FROM)
    Stepper(scaled(2.0))(w, np.ones_like(w))
    np.testing.assert_allclose(w, 0.8)


def test_the_cache_key_follows_the_text_of_a_rule_and_its_helpers():
    keys = {compiling.text_of(rule) for rule in ALL}
    assert len(keys) == len(ALL)
    one, two = ({} for _ in range(2))
    source = "def helper(x): return {} * x\ndef rule(w, g, learning_rate=0.1): return w - helper(learning_rate * g)"
    exec(source.format(1), one)
    exec(source.format(2), two)
    assert compiling.text_of(one["rule"]) != compiling.text_of(two["rule"])
    for scope, default in ((one, 1), (two, 2)):
        exec(source.replace("(x)", f"(x, factor={default})").format("factor"), scope)
    assert compiling.text_of(one["rule"]) != compiling.text_of(two["rule"])


def test_without_numba_nothing_is_fused(monkeypatch):
    monkeypatch.setattr(compiling.importlib.util, "find_spec", lambda name: None)
    assert not can_fuse(rules.gradient_descent)


def test_numba_is_not_imported_for_small_arrays():
    code = "import sys, numpy as np; from fo_lib import Stepper, rules; Stepper(rules.adam)(np.ones(9), np.ones(9))"
    subprocess.run([sys.executable, "-c", code + "; assert 'numba' not in sys.modules"], check=True)
