"""What functions remember is found wherever it is, and functions are told apart by all that they were made of."""

import functools
import subprocess
import sys

import numpy as np
import pytest

from fo_lib import averages, compression, gradients, minimize, problems, prox, sets
from fo_lib import learning_rates as lr
from fo_lib.local_steps import local_sgd
from fo_lib.memory import Memories, Remembering, fingerprint
from fo_lib.staleness import stale

X = np.random.default_rng(0).standard_normal((12, 3))
WORKERS = np.array_split(np.arange(12), 3)


def power(p, inner=None):
    return lambda t: t**p if inner is None else inner(t) ** p


class Rate:
    """A schedule with a state of its own."""

    def __init__(self, first):
        self.first = first

    def __call__(self, t):
        return self.first / t

    def at(self, t):
        return self.first / t


def by_keyword(first):
    def rate(t, *, first=first):
        return first / t

    return rate


def from_list(*rates):
    return lambda t: rates[t % 2]


@pytest.mark.parametrize(
    ("make", "one", "two"),
    [
        (power, (2,), (3,)),
        (power, (1, power(1)), (1, power(4))),
        (lambda p: functools.partial(power, p), (2,), (3,)),
        (lambda p: functools.partial(power, p=p), (2,), (3,)),
        (by_keyword, (1,), (2,)),
        (from_list, (1, 1, 2), (1, 2, 2)),
        (from_list, (1, 2), (2, 1)),
        (Rate, (np.float32(1),), (np.float32(2),)),
        (lambda first: Rate(first).at, (0.1,), (0.2,)),
        (lambda first: np.full(5, first).__getitem__, (0.1,), (0.2,)),
        (lr.armijo, (1.0,), (2.0,)),
        (prox.l1, (0.01,), (0.02,)),
        (sets.box, (-0.1, 0.1), (-0.2, 0.2)),
        (averages.exponential, (0.9,), (0.8,)),
        (lambda k: compression.compressed(WORKERS, compression.top_k(k)), (1,), (2,)),
        (lambda n: compression.compressed(WORKERS[:n], compression.top_k(1)), (2,), (3,)),
        (lambda order: gradients.mini_batch(2, order), (gradients.reshuffled,), (gradients.in_order,)),
        (np.zeros, (2,), (3,)),
        (float, (1,), (2,)),
    ],
)
def test_functions_are_told_apart_by_what_they_were_made_of(make, one, two):
    assert fingerprint(make(*one)) != fingerprint(make(*two))
    assert fingerprint(make(*one)) == fingerprint(make(*one))


def test_functions_of_one_name_are_told_apart_by_their_code():
    assert fingerprint(lambda t: 0.01 / t) != fingerprint(lambda t: 0.02 / t)
    assert fingerprint(lambda t: np.sin(t)) != fingerprint(lambda t: np.cos(t))
    assert fingerprint(lambda t: [s for s in range(t) if s > 1]) != fingerprint(
        lambda t: [s for s in range(t) if s > 2]
    )
    assert fingerprint(np.sin) != fingerprint(np.cos)


def test_a_fingerprint_is_the_same_in_each_process():
    code = "from tests.test_memory import *; print(fingerprint(lambda t: t in {'a', 'b', 'c'}), fingerprint(stale(2)))"
    runs = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True)
        for seed in "12"
    ]
    assert runs[0].stdout == runs[1].stdout != b""


def test_numbers_words_and_nothing_are_their_own():
    assert [fingerprint(v) for v in (None, True, 2, "here")] == [None, True, 2, "here"]
    assert (fingerprint(np.float64(2)), fingerprint(np.int32(3)), fingerprint(np.longdouble(0.5))) == (2.0, 3, 0.5)


def test_a_function_that_refers_to_itself_or_to_nothing_yet_has_one():
    def again(t):
        return again(t - 1) if t else later

    assert "again" in fingerprint(again)
    later = 1
    assert again(2) == later


def test_what_is_remembered_does_not_count():
    calls = np.zeros(2)
    function = Remembering(lambda t: calls, {"calls": calls})
    before = fingerprint(function)
    calls += 1
    assert fingerprint(function) == before


def remembering(number=0.0):
    return Remembering(lambda *arguments: 1.0, {"seen": np.array(number)})


class Holder:
    def __init__(self, function):
        self.function = function

    def go(self, g):
        return self.function(g)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda f: f,
        lambda f: lambda t: f(t),
        lambda f: functools.partial(f),
        lambda f: Holder(f),
        lambda f: Holder(f).go,
        lambda f: local_sgd(WORKERS, 2, rate=f),
        lambda f: [f],
        lambda f: stale(2, lambda problem, seed: f)(problems.quadratic([1.0]), 0),
    ],
)
def test_a_memory_is_found_wherever_it_is(wrap):
    one, two = Memories({"a": wrap(remembering(1.0))}), Memories({"a": wrap(remembering(2.0))})
    assert list(one.arrays().values()) == [1.0]
    two.take(one.arrays())
    assert list(two.arrays().values()) == [1.0]


def test_layers_of_delays_add_up():
    problem = problems.quadratic([1, 3, 10])
    for a, b in ((2, 3), (3, 3), (1, 2)):
        nested, plain = (
            minimize(problem, gradient=g, learning_rate=0.01, steps=60).value[-1]
            for g in (stale(a, stale(b)), stale(a + b))
        )
        assert nested == plain


def test_an_array_that_a_function_changes_is_written_into():
    mean = np.zeros(3)

    def function(w):
        return mean

    function.memory = {"mean": mean, "new": np.ones(2)}
    Memories({"f": function}).take({"f 0: mean": np.arange(3.0)})
    assert mean.tolist() == [0, 1, 2]
    assert list(function.memory) == ["mean"]


@pytest.mark.parametrize(
    "memory", [{0: np.ones(1)}, {"a": None}, {"a": "text"}, {"a": np.ones(1, complex)}, {"a": [1.0]}]
)
def test_a_memory_of_other_things_is_refused_by_name(memory, tmp_path):
    transform = Remembering(lambda g: g, memory)
    with pytest.raises(TypeError, match="memory of transform must hold arrays of numbers by name, got"):
        minimize(problems.quadratic([1.0]), transform=transform, folder=tmp_path)


def test_an_attribute_of_that_name_that_is_no_dict_is_none_of_ours(tmp_path):
    def transform(g):
        return g

    transform.memory = 10
    assert minimize(problems.quadratic([1.0]), transform=transform, folder=tmp_path).reason == "steps"
