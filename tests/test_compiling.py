"""What is compiled is never stale: not after a change of a helper, a default or data, nor in another process."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from fo_lib import Stepper, compiling, engine, minimize, problems, rules
from fo_lib.compiling import prefetch

RULE = """
def helper(x):
    return {factor} * x

def rule(w, g, learning_rate={rate}):
    return w - helper(learning_rate * g)

def value(w):
    return {factor} * (w @ w)

def grad(w):
    return 2 * helper(w)
"""


def defined(factor=1.0, rate=0.1):
    scope = {}
    exec(RULE.format(factor=factor, rate=rate), scope)
    return scope


def step(rule):
    w = np.ones(2)
    Stepper(rule, fused=True)(w, np.ones(2))
    return w[0]


def bowl(scope):
    return problems.from_functions(scope["value"], scope["grad"], np.ones(2))


def test_a_helper_that_is_redefined_under_a_rule_is_seen():
    """As when a reader runs a cell again: the rule is the same object, the function that it calls is not."""
    scope, changed = defined(1.0), defined(2.0)
    first = scope["helper"]
    assert step(scope["rule"]) == pytest.approx(0.9)
    stepper, w = Stepper(scope["rule"], fused=True), np.ones(2)
    stepper(w, np.ones(2))
    scope["helper"] = changed["helper"]
    assert step(scope["rule"]) == pytest.approx(0.8)
    stepper(w, np.ones(2))
    assert w[0] == pytest.approx(0.7)
    fast = minimize(problems.quadratic([1.0, 1.0]), scope["rule"], steps=1, compiled=True)
    np.testing.assert_allclose(fast.w, 0.8)
    compiled = engine.fuse(scope["rule"])
    scope["helper"] = first
    assert step(scope["rule"]) == pytest.approx(0.9)
    assert engine.fuse(scope["rule"]) is not compiled


def test_a_rule_that_gets_other_code_is_seen():
    rule = defined()["rule"]
    assert step(rule) == pytest.approx(0.9)
    exec("def other(w, g, learning_rate): return w + learning_rate * g", scope := {})
    rule.__code__ = scope["other"].__code__
    assert step(rule) == pytest.approx(1.1)


def test_a_problem_whose_helper_is_redefined_is_seen():
    scope, changed = defined(1.0), defined(2.0)
    problem = bowl(scope)
    assert minimize(problem, steps=1, compiled=True).w[0] == pytest.approx(0.8)
    scope["helper"] = changed["helper"]
    problem = bowl({"value": changed["value"], "grad": scope["grad"]})
    assert minimize(problem, steps=1, compiled=True).w[0] == pytest.approx(0.6)


def test_data_that_change_in_place_are_seen():
    X, y = np.eye(2), np.array([1.0, 2.0])
    problem = problems.from_functions(
        lambda w, X, y: 0.5 * np.sum((X @ w - y) ** 2), lambda w, X, y: X.T @ (X @ w - y), np.zeros(2), data=(X, y)
    )
    np.testing.assert_allclose(minimize(problem, learning_rate=1.0, steps=1, compiled=True).w, [1.0, 2.0])
    y[:] = 5.0, 6.0
    np.testing.assert_allclose(minimize(problem, learning_rate=1.0, steps=1, compiled=True).w, [5.0, 6.0])


def test_a_change_of_a_file_is_seen_in_the_next_process(tmp_path):
    """Both disk caches, of the pass and of the loop: a helper, a default, and the same file once more."""
    program = textwrap.dedent("""
        import numpy as np, own
        from fo_lib import Stepper, engine, minimize, problems
        w = np.ones(2)
        Stepper(own.rule, fused=True)(w, np.ones(2))
        bowl = problems.from_functions(own.value, own.grad, np.ones(2))
        fast = minimize(bowl, own.rule, steps=1, compiled=True)
        print(w[0], fast.w[0], sum(engine.fuse(own.rule, np.float64).stats.cache_hits.values()))
    """)
    seen = []
    for factor, rate in ((1.0, 0.1), (2.0, 0.1), (2.0, 0.2), (2.0, 0.2)):
        (tmp_path / "own.py").write_text(RULE.format(factor=factor, rate=rate), encoding="utf-8")
        run = [sys.executable, "-B", "-c", program]
        out = subprocess.run(run, check=True, capture_output=True, text=True, cwd=tmp_path, env=_environment(tmp_path))
        seen.append([float(x) for x in out.stdout.split()])
    expected = [(1 - f * r, 1 - 2 * f * f * r) for f, r in ((1.0, 0.1), (2.0, 0.1), (2.0, 0.2), (2.0, 0.2))]
    np.testing.assert_allclose([s[:2] for s in seen], expected, rtol=1e-12)
    assert [s[2] for s in seen] == [0, 0, 0, 1]
    (tmp_path / "own.py").rename(tmp_path / "renamed.py")
    moved = [
        sys.executable,
        "-B",
        "-c",
        program.replace("import numpy as np, own", "import numpy as np, renamed as own"),
    ]
    out = subprocess.run(moved, check=True, capture_output=True, text=True, cwd=tmp_path, env=_environment(tmp_path))
    np.testing.assert_allclose([float(x) for x in out.stdout.split()[:2]], expected[-1], rtol=1e-12)


def test_loops_compiled_by_several_processes_and_loaded_by_one_are_not_mixed_up(tmp_path):
    """What each of them calls has a name of its own: the linker takes two of one name for the same function."""
    program = textwrap.dedent("""
        import sys, numpy as np
        from fo_lib import minimize, problems, rules
        rng = np.random.default_rng(0)
        X, y = rng.standard_normal((40, 3)), rng.integers(2, size=40)
        for name in sys.argv[1:]:
            made, rule = getattr(problems, name.split(".")[0])(X, y, l2=0.1), getattr(rules, name.split(".")[1])
            one, two = (minimize(made, rule, learning_rate=0.01, steps=50, compiled=c) for c in (False, True))
            np.testing.assert_allclose(two.w, one.w, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(two.value, one.value, rtol=1e-9)
    """)
    cases = ["logistic.lion", "least_squares.lion", "least_squares.rmsprop"]
    for names in (*([name] for name in cases), [cases[2], cases[1], cases[0]]):
        run = [sys.executable, "-c", program, *names]
        subprocess.run(run, check=True, env=_environment(tmp_path))


def _environment(folder):
    import os

    return {
        **os.environ,
        "NUMBA_CACHE_DIR": str(folder / "cache"),
        "PYTHONPATH": f"{folder}:{compiling.__file__.rsplit('/', 2)[0]}",
    }


def test_equal_texts_are_equal_and_others_are_not():
    one, same = defined(1.0)["rule"], defined(1.0)["rule"]
    assert compiling.text_of(one).code == compiling.text_of(same).code
    assert compiling.digest(one) == compiling.digest(same) != compiling.digest(one, np.float32)
    keys = {compiling.digest(defined(f, r)["rule"]) for f in (1.0, 2.0, 1) for r in (0.1, 0.2)}
    assert len(keys) == 6


AHEAD = 4


def reads_a_constant(k):
    return k + AHEAD


def calls_it(k):
    return reads_a_constant(k)


def test_the_name_on_disk_follows_constants_and_what_is_compiled_already():
    """Of the library's own loops, which may read constants of their modules; and of functions in other files."""
    before = compiling.digest(calls_it)
    other = compiling.bind(calls_it, reads_a_constant=compiling.bind(reads_a_constant, AHEAD=5))
    assert compiling.digest(other) != before
    compiled = compiling.bind(calls_it, reads_a_constant=compiling.jit(reads_a_constant))
    assert compiling.digest(compiled) == before
    narrow = compiling.jit(rules.gradient_descent, dtype=np.float32), compiling.jit(rules.momentum, dtype=np.float32)
    digests = {compiling.digest(compiling.bind(calls_it, reads_a_constant=f)) for f in narrow}
    assert len(digests | {before}) == 3


def test_what_parameters_are_called_is_part_of_the_text():
    """A call by name means something else when names change places, and the instructions stay the same."""
    one, two = {}, {}
    exec("def h(a, b): return a - b * 3.5", one)
    exec("def h(b, a): return b - a * 3.5", two)
    assert one["h"].__code__.co_code == two["h"].__code__.co_code
    assert compiling.digest(one["h"]) != compiling.digest(two["h"])


def test_a_builtin_that_is_covered_by_a_global_is_seen():
    scope = {}
    exec("def rule(w, g, learning_rate=0.5): return w - learning_rate * abs(g)", scope)
    assert step(scope["rule"]) == 0.5
    exec("def abs(x): return 2.0 * x", scope)
    assert step(scope["rule"]) == 0.0


SHIFT = np.ones(2)


def array_default(w, g, learning_rate=0.1, shift=SHIFT):
    return w - learning_rate * g * shift


def test_an_array_as_default_is_refused():
    with pytest.raises(TypeError, match="cannot be compiled: it has defaults that are no numbers"):
        compiling.text_of(array_default)


def changes_a_global(w):
    global COUNT
    COUNT = 1
    return w


def imports(w):
    import math

    return math.sqrt(w[0])


def allowed(w):
    total = 0.0
    for i in range(len(w)):
        total += max(abs(w[i]), 0.0) * float(i) + w[:i].sum()
    return total


def test_kernels_may_do_more_than_rules():
    compiling.text_of(allowed)
    with pytest.raises(TypeError, match="reads the global 'range'"):
        compiling.text_of(allowed, element_wise=True)
    for function in (changes_a_global, imports):
        with pytest.raises(TypeError, match="defines a function, imports or changes a global"):
            compiling.text_of(function)


def test_an_unbound_slot_says_so():
    with pytest.raises(NotImplementedError, match="not bound"):
        compiling.slot(1, 2)
    bound = compiling.bind(rules.gradient_descent, np=None)
    assert bound(1.0, 1.0) == pytest.approx(0.9)
    assert rules.gradient_descent.__globals__["np"] is np


def test_every_line_of_a_row_is_prefetched():
    seen = []
    fetch = compiling.bind(compiling.prefetch, touch=lambda a, k: seen.append(k))
    fetch(np.zeros(50), 3, 21)
    assert seen == [3, 11, 19]
    seen.clear()
    fetch(np.zeros(50, np.uint32), 3, 35)
    assert seen == [3, 19]


def sum_of(a):
    total = 0.0
    for k in range(a.size):
        prefetch(a, k + 4, k + 12)
        total += a[k]
    return total


def test_compiled_it_is_the_processors_instruction_and_changes_nothing():
    """Without a disk cache, so that its code is generated in every run; past the end of the array it is harmless."""
    compiled = compiling.jit(sum_of)
    assert compiled(np.arange(5.0)) == sum_of(np.arange(5.0)) == 10
    assert any("llvm.prefetch" in text for text in compiled.inspect_llvm().values())
