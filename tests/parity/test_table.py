"""The table of conventions is true: every form in it takes the steps of the library that it describes.

Keras runs live. So do PyTorch and optax where they are installed, and then the recorded steps are compared with them;
elsewhere the recorded steps stand in for them.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
from typing import Any

import jax
import keras
import numpy as np
import optax
import pytest

from fo_lib import conventions, matrix_rules, rules
from fo_lib.conventions import METHODS, TABLE, cases, first_step, forms, live, ours, recorded, theirs
from fo_lib.conventions.peers import KEPT, OTHER, RECORDED, STEPS, Case, installed
from fo_lib.conventions.table import Convention
from fo_lib.engine import signature

CASES = {f"{c.library}-{c.method}-{name}": case for c in TABLE for name, case in cases(c).items()}
RUNS = [(case, dtype) for case in CASES.values() for dtype in case.dtypes]
IDS = [f"{name}-{dtype}" for name, case in CASES.items() for dtype in case.dtypes]
RECORDED_RUNS = [run for run in RUNS if run[0].convention.library != "Keras"]  # that one runs live
RECORDED_IDS = [name for name in IDS if not name.startswith("Keras")]
EVERY_RUN = pytest.mark.parametrize(("case", "dtype"), RUNS, ids=IDS)
PACKAGE = {"PyTorch": "torch", "optax": "optax"}
ROW = {(c.library, c.method): c for c in TABLE}


def assert_close(a: Any, b: Any, limit: float) -> None:
    np.testing.assert_allclose(a, b, rtol=limit, atol=limit, strict=True)


def pytorch() -> Any:
    from tests.parity import record

    return record


@functools.cache
def of_the_library(case: Case, dtype: str) -> Any:
    """The steps of the library: live where it is installed, PyTorch included."""
    pytorch_is_here = case.convention.library == "PyTorch" and installed("PyTorch")
    return pytorch().torch_live(case, dtype) if pytorch_is_here else theirs(case, dtype)


@EVERY_RUN
def test_form_takes_the_steps_of_the_library(case: Case, dtype: str) -> None:
    assert_close(ours(case, dtype), of_the_library(case, dtype), case.tolerance(dtype))


@pytest.mark.parametrize(("case", "dtype"), RECORDED_RUNS, ids=RECORDED_IDS)
def test_recorded_steps_are_those_of_the_library(case: Case, dtype: str) -> None:
    library = case.convention.library
    assert recorded(case, dtype).shape[0] == len(KEPT)
    same = installed(library) and importlib.metadata.version(PACKAGE[library]) == conventions.versions()[library]
    assert_close(recorded(case, dtype), (of_the_library if same else ours)(case, dtype), case.tolerance(dtype))


def test_every_recorded_entry_is_compared() -> None:
    with np.load(RECORDED) as file:
        names = set(file.files) - {"about"}
    rows = {f"{c.library}/{c.method}" for c in TABLE if c.library != "Keras"}
    steps = {f"{row}/first step" for row in rows if not row.endswith("muon")}
    sparse = {f"PyTorch/{name}/sparse" for name in ("SGD", "Adagrad", "SparseAdam")}
    runs = {f"{case.convention.library}/{case.convention.method}/{case.name}/{dtype}" for case, dtype in RECORDED_RUNS}
    assert names == runs | steps | sparse
    assert RECORDED.stat().st_size < 400_000


def test_without_optax_its_recorded_steps_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    c = ROW["optax", "adam"]
    case, expected = cases(c)["other"], first_step(c)
    monkeypatch.setattr("fo_lib.conventions.peers.installed", lambda library: False)
    assert theirs(case, "float64") is recorded(case, "float64")
    assert first_step(c) == pytest.approx(expected, rel=1e-12)


def test_keras_muon_does_not_take_float64() -> None:
    case = cases(ROW["Keras", "muon"])["defaults"]
    with pytest.raises(Exception, match="expected to be a double tensor but is a float tensor"):
        live(case, "float64")


def with_our_rule(case: Case) -> Any:
    """The weights if the library's settings were given to our rule."""
    known = signature(METHODS[case.convention.method]).hyper
    settings = {name: value for name, value in case.hyper.items() if name in known}
    plain = Case(case.convention, case.name, {}, METHODS[case.convention.method], settings, 0.0, case.drops)
    return ours(plain, "float64")


@pytest.mark.parametrize(
    "c", [c for c in TABLE if c.rule is not METHODS[c.method]], ids=lambda c: f"{c.library}-{c.method}"
)
def test_a_form_that_is_said_to_differ_does(c: Convention) -> None:
    """At the same settings it moves the weights elsewhere, by far more than the comparison would forgive."""
    case = cases(c)["other"]
    apart = np.abs(with_our_rule(case) - ours(case, "float64")).max()
    assert apart > 4 * case.tolerance("float64")
    assert apart > 4e-9  # AdaMax, the closest: where epsilon stands in a maximum


def test_every_rule_and_every_library_is_in_the_table_or_known_to_be_missing() -> None:
    assert (
        set(METHODS)
        == {*rules.__all__, "muon", "shampoo"}
        == {*rules.__all__, *matrix_rules.__all__} - {"orthogonalize"}
    )
    every = {(library, method) for library in ("Keras", "PyTorch", "optax") for method in METHODS}
    missing = {(x, "shampoo") for x in ("Keras", "PyTorch", "optax")} | {
        (x, "sign_descent") for x in ("Keras", "PyTorch")
    }
    assert every - set(ROW) == missing | {("PyTorch", "lion")}
    assert len(ROW) == len(TABLE)
    assert set(forms.__all__) == {c.rule.__name__ for c in TABLE if c.rule.__module__ == forms.__name__}
    for name in forms.__all__:
        assert inspect.getdoc(getattr(forms, name))
    names = {*dir(keras.optimizers), *dir(optax), *dir(optax.contrib)}
    if installed("PyTorch"):
        names |= set(dir(pytorch().torch.optim))
        assert not [n for n in dir(pytorch().torch.optim) if "lion" in n.lower()]
    assert not [n for n in names if "shampoo" in n.lower()]


# What a docstring or a page says in so many words


def test_momentum_agrees_until_the_rate_drops_and_then_is_seven_eighths_of_the_velocity_apart() -> None:
    case = cases(ROW["PyTorch", "momentum"])["other"]
    book, library = with_our_rule(case), ours(case, "float64")
    half = KEPT.index(STEPS // 2)
    assert_close(book[: half + 1], library[: half + 1], 1e-15)
    # ours carries beta v, theirs an eighth of it: 7/8 beta v apart, where v is the step before the drop
    w, g, v = np.zeros(1), np.ones(1), np.full(1, -0.5)
    ahead, _ = rules.momentum(w, g, v, 0.01 / 8, 0.875)
    behind, _ = forms.rate_outside(w, g, -v / 0.01, 0.01 / 8, 0.875)
    assert ahead - behind == pytest.approx(7 / 8 * 0.875 * v)
    assert np.abs(book[-1] - library[-1]).max() > 0.06


def test_first_steps_at_a_tiny_gradient() -> None:
    """In learning rates, at a gradient of 1e-8 and the library's own defaults."""
    found = {key: first_step(c) for key, c in ROW.items() if key[1] != "muon"}
    assert found["Keras", "adam"] == pytest.approx(0.00315, abs=5e-6)
    assert found["PyTorch", "adam"] == pytest.approx(0.5, rel=1e-6)
    assert found["optax", "adam"] == pytest.approx(0.5, rel=1e-6)
    assert found["Keras", "rmsprop"] == pytest.approx(3.16e-5, rel=1e-2)
    assert found["PyTorch", "rmsprop"] == pytest.approx(0.909, rel=1e-3)
    assert found["Keras", "adagrad"] == pytest.approx(1e-8 / 0.1**0.5, rel=1e-5)
    assert found["PyTorch", "adagrad"] == pytest.approx(1 / 1.01, rel=1e-6)
    for c in TABLE:  # the forms say the same as the libraries
        if c.method != "muon":
            sig = signature(c.rule)
            state = [0.0] * (len(sig.state) - 1) + [c.start] if sig.state else []
            new = c.rule(0.0, 1e-8, *state, *([1.0] if sig.takes_t else []), **c.hyper)
            w = new[0] if sig.state else new
            assert found[c.library, c.method] == pytest.approx(-float(w) / c.hyper["learning_rate"], rel=2e-4), c


def test_keras_rounds_settings_to_float32() -> None:
    case = cases(ROW["Keras", "gradient_descent"])["defaults"]
    rounded = Case(case.convention, "defaults", {}, case.rule, {"learning_rate": float(np.float32(0.01))}, 0.0, False)
    assert_close(ours(rounded, "float64"), live(case, "float64"), 1e-15)
    assert np.abs(ours(case, "float64") - live(case, "float64")).max() > 1e-10


def test_optax_adadelta_without_a_learning_rate_goes_uphill() -> None:
    one = jax.numpy.ones(1)
    for arguments, sign in (({}, 1), ({"learning_rate": 1.0}, -1)):
        optimizer = optax.adadelta(**arguments)
        assert np.sign(optimizer.update(one, optimizer.init(one), one)[0]) == sign


def test_muon_of_pytorch_and_optax_scales_as_kerass_where_told_to() -> None:
    keras_scale = 0.2 * 5**0.5  # of the (2, 5) matrix
    g = jax.numpy.asarray(np.random.default_rng(0).standard_normal((2, 5)))
    sizes = []
    for rms in (None, 0.2):
        optimizer = optax.contrib.muon(1.0, consistent_rms=rms)
        sizes.append(np.abs(optimizer.update([g], optimizer.init([g]), [g])[0][0]).sum())
    assert sizes[1] / sizes[0] == pytest.approx(keras_scale / 2.5**0.5, rel=1e-5)
    if installed("PyTorch"):
        torch = pytorch().torch
        moves = []
        for how in (None, "match_rms_adamw"):
            w = torch.zeros((2, 5), requires_grad=True)
            w.grad = torch.tensor(np.asarray(g), dtype=torch.float32)
            torch.optim.Muon([w], lr=1.0, adjust_lr_fn=how).step()
            moves.append(float(w.detach().abs().sum()))
        assert moves[1] / moves[0] == pytest.approx(keras_scale, rel=1e-5)


def test_defaults_that_docstrings_mention() -> None:
    """The defaults are compared by 100 steps; here are the numbers that our docstrings name."""
    decay = {library: ROW[library, "adamw"].hyper["weight_decay"] for library in ("PyTorch", "Keras", "optax")}
    assert decay == {"PyTorch": 0.01, "Keras": 0.004, "optax": 1e-4}
    for number in ("0.01", "0.004", "1e-4"):
        assert number in (rules.adamw.__doc__ or "")
    assert ROW["PyTorch", "rmsprop"].hyper == {"learning_rate": 0.01, "rho": 0.99, "epsilon": 1e-8}
    assert ROW["Keras", "adagrad"].start == ROW["optax", "adagrad"].start == 0.1
    assert ROW["Keras", "adam"].hyper["epsilon"] == 1e-7
    assert ROW["optax", "lion"].hyper["weight_decay"] == 1e-3
    assert set(OTHER) >= {name for c in TABLE for name in c.names}
