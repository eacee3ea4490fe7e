"""Run a convention: our rule and its form in NumPy, Keras and optax live, PyTorch and optax as they were recorded."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine import signature
from .table import METHODS, Convention

__all__ = [
    "KEPT", "STEPS", "Case", "cases", "first_step", "installed", "live", "ours", "recorded", "stored", "theirs",
    "versions", "workload",
]  # fmt: skip

Array = NDArray[np.floating[Any]]

STEPS = 100
KEPT = (1, 2, 10, 50, 51, 100)  # steps after which weights are compared; the learning rate drops after step 50
RECORDED = Path(__file__).parent.parent / "data" / "peers.npz"

# Sums of few powers of two: they pass unharmed through the float32 in which Keras keeps its settings.
OTHER = {
    "learning_rate": 2**-7, "momentum": 0.875, "rho": 0.75, "beta1": 0.875, "beta2": 1 - 2**-10, "epsilon": 2**-20,
    "weight_decay": 2**-6, "momentum_decay": 2**-3,
}  # fmt: skip

# Relative to 1 + |w|, in machine epsilons, after any of 100 steps. Measured: 33 in float32 and 18 in float64 (AdamW of
# PyTorch, which multiplies by 1 - alpha lambda), 9.1 and 3.6 otherwise.
ROUNDING = 64
# Where a library rounds more: library, method, case or any: tolerance (measured; why).
COARSE = {
    ("Keras", "nadam", ""): 5e-9,  # 1.6e-9: 0.96 as a float32
    ("Keras", "adagrad", "other"): 1e-10,  # 3.1e-11: the start 0.1 as a float32
    ("Keras", "", "defaults"): 2e-7,  # 6.3e-8: settings such as 0.9 as float32
    ("Keras", "muon", "agree"): 2e-8,  # 8.0e-9: 1e-7 added to the norm
    ("PyTorch", "nadam", ""): 5e-10,  # 1.1e-10: a product of momenta kept in float32
    ("PyTorch", "muon", "defaults"): 5e-4,  # 1.1e-4: bfloat16
    ("PyTorch", "muon", "other"): 5e-3,  # 1.2e-3: bfloat16
    ("optax", "muon", ""): 2e-7,  # 7.5e-8: 1e-8 added to the norm
}


def workload(method: str, dtype: str) -> tuple[list[Array], list[list[Array]]]:
    """Return two variables, and for each step their gradients, of either sign and of size 1e-4 to 1."""
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = [(4, 3), (2, 5)] if method == "muon" else [(3, 4), (5,)]
    weights = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    sizes = [[rng.choice([-1, 1], shape) * 10 ** rng.uniform(-4, 0, shape) for shape in shapes] for _ in range(STEPS)]
    return weights, [[g.astype(dtype) for g in step] for step in sizes]


@dataclass(frozen=True, eq=False)
class Case:
    """One comparison: the library with ``arguments`` takes the steps of ``rule`` with ``hyper``."""

    convention: Convention
    name: str
    arguments: Mapping[str, Any]
    rule: Callable[..., Any]
    hyper: Mapping[str, Any]
    start: float
    drops: bool  # the learning rate falls to an eighth after half of the steps

    @property
    def rates(self) -> list[float]:
        """The learning rate of each step."""
        rate = self.hyper["learning_rate"] if self.name == "defaults" else OTHER["learning_rate"]
        return [rate / 8 if self.drops and t > STEPS // 2 else rate for t in range(1, STEPS + 1)]

    @property
    def dtypes(self) -> tuple[str, ...]:
        """What the library takes: Keras's Muon scales by a float32 number, which fails on weights of float64."""
        keras_muon = (self.convention.library, self.convention.method) == ("Keras", "muon") and self.name != "agree"
        return ("float32",) if keras_muon else ("float32", "float64")

    def tolerance(self, dtype: str) -> float:
        """How far the steps may be apart, relative to 1 + |w|."""
        c, rounding = self.convention, ROUNDING * float(np.finfo(dtype).eps)
        keys = [(c.library, method, name) for method in (c.method, "") for name in (self.name, "")]
        return max([rounding, *[COARSE[key] for key in keys if key in COARSE][:1]])


def cases(c: Convention) -> dict[str, Case]:
    """Return what is compared: the library's defaults, other numbers, and the arguments that make both agree."""
    other = {name: value for name, value in OTHER.items() if name in c.names}
    needed = {name: c.hyper[name] for name in c.required}
    own = {name: value for name, value in other.items() if name in signature(METHODS[c.method]).hyper}
    found = [
        Case(c, "defaults", c.arguments(needed), c.rule, c.hyper, c.start, False),
        Case(c, "other", c.arguments(other), c.rule, {**c.hyper, **other}, c.start, True),
    ]
    if c.same != "never":
        theirs, settings = {**c.arguments(other), **c.agree}, {**own, **c.ours}
        found.append(Case(c, "agree", theirs, METHODS[c.method], settings, 0.0, c.same == "always"))
    return {case.name: case for case in found}


def ours(case: Case, dtype: str, rule: Callable[..., Any] | None = None) -> Array:
    """Return the weights after the steps KEPT under the rule of a case, one row a step."""
    rule = rule or case.rule
    sig = signature(rule)
    weights, gradients = workload(case.convention.method, dtype)
    values = [(w, *(np.zeros_like(w) for _ in sig.state[:-1])) for w in weights]
    if sig.state:
        values = [(*v, np.full_like(v[0], case.start)) for v in values]
    rows = []
    for t, (step, rate) in enumerate(zip(gradients, case.rates, strict=True), start=1):
        hyper = _numbers(case.hyper, {**OTHER, "learning_rate": rate, "t": t})
        for i, g in enumerate(step):
            result = rule(values[i][0], g, *values[i][1:], *([float(t)] if sig.takes_t else []), **hyper)
            values[i] = result if sig.state else (result,)
        rows.append(np.concatenate([v[0].ravel() for v in values]))
    return np.stack([rows[t - 1] for t in KEPT])


def _numbers(hyper: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, float]:
    """Evaluate the hyperparameters that are expressions, and put in the learning rate of the step."""
    values = {n: eval(v, {}, dict(known)) if isinstance(v, str) else v for n, v in hyper.items()}
    return values if isinstance(hyper["learning_rate"], str) else {**values, "learning_rate": known["learning_rate"]}


def live(case: Case, dtype: str) -> Array:
    """Return the same rows from Keras or optax, run now."""
    return (_keras if case.convention.library == "Keras" else _optax)(case, *workload(case.convention.method, dtype))


def theirs(case: Case, dtype: str) -> Array:
    """Return the same rows from the library: live if that can be imported here, else recorded."""
    library = case.convention.library
    return live(case, dtype) if library != "PyTorch" and installed(library) else recorded(case, dtype)


def _keras(case: Case, weights: list[Array], gradients: list[list[Array]]) -> Array:
    import keras

    optimizer = getattr(keras.optimizers, case.convention.call)(**case.arguments)
    variables = [keras.Variable(w, dtype=w.dtype) for w in weights]
    optimizer.build(variables)
    rows = []
    for step, rate in zip(gradients, case.rates, strict=False):
        if case.drops:
            optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], variables)
        rows.append(np.concatenate([v.numpy().ravel() for v in variables]))
    return _kept(rows)


def _optax(case: Case, weights: list[Array], gradients: list[list[Array]]) -> Array:
    import jax
    import optax

    with jax.enable_x64(True):
        arguments, rates = dict(case.arguments), jax.numpy.asarray(case.rates)
        if case.drops:
            arguments["learning_rate"] = lambda count: rates[count]
        optimizer = functools.reduce(getattr, case.convention.call.split("."), optax)(**arguments)
        w = [jax.numpy.asarray(a) for a in weights]
        state, rows = optimizer.init(w), []
        update = jax.jit(optimizer.update)
        for step in gradients:
            change, state = update([jax.numpy.asarray(g) for g in step], state, w)
            w = optax.apply_updates(w, change)
            rows.append(np.concatenate([np.asarray(a).ravel() for a in w]))
    return _kept(rows)


def _kept(rows: Sequence[Array]) -> Array:
    return np.stack([rows[t - 1] for t in KEPT if t <= len(rows)])


def first_step(c: Convention) -> float:
    """Return how far the first step goes against a gradient of 1e-8, in learning rates, at the library's defaults."""
    case = cases(c)["defaults"]
    if c.library == "PyTorch" or not installed(c.library):
        return float(stored(f"{c.library}/{c.method}/first step"))
    run = _keras if c.library == "Keras" else _optax
    return -float(run(case, [np.zeros(1)], [[np.full(1, 1e-8)]])[0, 0]) / c.hyper["learning_rate"]


def installed(library: str) -> bool:
    """Tell whether Keras, PyTorch or optax can be imported."""
    return importlib.util.find_spec({"PyTorch": "torch"}.get(library, library.lower())) is not None


@functools.cache
def _file() -> dict[str, Array]:
    with np.load(RECORDED) as file:
        return dict(file)


def stored(key: str) -> Array:
    """Return an entry of the file that tests/parity/record.py writes."""
    return _file()[key]


def recorded(case: Case, dtype: str) -> Array:
    """Return the same rows from PyTorch or optax, as they were recorded."""
    return stored(f"{case.convention.library}/{case.convention.method}/{case.name}/{dtype}")


def versions() -> dict[str, str]:
    """Return the version of each library whose steps are recorded."""
    found: dict[str, str] = json.loads(str(_file()["about"]))["versions"]
    return found
