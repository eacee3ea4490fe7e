"""Run a rule in place: as NumPy arithmetic, or compiled by Numba to one pass over memory.

NumPy evaluates a rule operation by operation, each a pass over memory with a temporary array. The
compiled form reads every weight, gradient and state word once and writes it once.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import checks

__all__ = ["Signature", "Stepper", "fuse", "signature"]

Array = NDArray[np.floating[Any]]
Rule = Callable[..., Any]

# A compiled pass is faster at every size (benchmarks/fused_step.py); from this one on it repays its compilation.
FUSE_FROM = 10_000
# Everything fast-math allows except assuming NaN and infinity away: divergence must stay visible.
FASTMATH = {"nsz", "arcp", "contract", "reassoc", "afn"}

_IN_UNIT_INTERVAL = {"at_least": 0.0, "below": 1.0}
_LIMITS: dict[str, dict[str, float]] = {
    "learning_rate": {"above": 0.0},
    "epsilon": {"at_least": 0.0},
    "weight_decay": {"at_least": 0.0},
    "momentum_decay": {"at_least": 0.0},
    **dict.fromkeys(("momentum", "rho", "beta1", "beta2"), _IN_UNIT_INTERVAL),
}


@dataclass(frozen=True)
class Signature:
    """A rule's name and the roles of its parameters: its state, whether it counts steps, its hyperparameters."""

    rule: str
    state: tuple[str, ...]
    takes_t: bool
    hyper: dict[str, float]

    def require(self, *names: str) -> None:
        """Refuse a name that is not a hyperparameter of the rule (TypeError)."""
        for name in names:
            if name not in self.hyper:
                raise TypeError(f"rule {self.rule!r} has hyperparameters {list(self.hyper)}, got {name!r}")


@functools.lru_cache
def signature(rule: Rule) -> Signature:
    """Read the roles of a rule's parameters from their order (see :mod:`fo_lib.rules`).

    Raises
    ------
    TypeError
        If ``rule`` is not a function of ``w, g`` with a default for each hyperparameter.
    """
    checks.function("rule", rule)
    parameters = list(inspect.signature(rule).parameters.values())
    hyper = {p.name: p.default for p in parameters if p.default is not p.empty}
    names = [p.name for p in parameters if p.name not in hyper]
    if (
        len(names) < 2
        or "t" in names[2:-1]
        or "learning_rate" not in hyper
        or any(p.kind is not p.POSITIONAL_OR_KEYWORD for p in parameters)
    ):
        raise TypeError(
            f"rule must be a function rule(w, g, *state, [t], learning_rate=..., ...), got {rule!r} with parameters"
            f" ({', '.join(map(str, parameters))})"
        )
    name = getattr(rule, "__name__", repr(rule))
    return Signature(name, tuple(n for n in names[2:] if n != "t"), "t" in names[2:], hyper)


def _hyperparameter(rule: Rule, name: str, value: object) -> float:
    """Return a hyperparameter as a float, or refuse its name (TypeError) or its value (TypeError, ValueError)."""
    signature(rule).require(name)
    return checks.number(name, value, **_LIMITS.get(name, {}))


def _element_wise(function: object) -> bool:
    """Tell whether a NumPy function does to an array what it does to each number in it."""
    return isinstance(function, (np.ufunc, float)) or function is np.where


def _refuse(rule: object, what: str) -> NoReturn:
    raise TypeError(f"rule {getattr(rule, '__name__', rule)!r} cannot be compiled: it {what}")


def _helpers(function: Rule) -> dict[str, FunctionType]:
    """Return the plain functions that a rule calls; refuse what would not be the same for a single number.

    Numba would freeze data that a rule reads, in its disk cache too: a silently wrong answer later. And a sum over all
    weights, compiled, would be a sum over one.
    """
    if not isinstance(function, FunctionType) or function.__closure__ or function.__kwdefaults__:
        _refuse(function, "is not a plain function without a closure")
    helpers: dict[str, FunctionType] = {}
    loaded: object = None  # what the instruction before this one loaded
    for step in dis.get_instructions(function):
        found, loaded = loaded, None
        if step.opname == "LOAD_GLOBAL":
            loaded = function.__globals__.get(step.argval, getattr(builtins, step.argval, None))
            if isinstance(loaded, FunctionType):
                helpers[step.argval] = loaded
            elif loaded is not np and loaded is not abs:
                _refuse(function, f"reads the global {step.argval!r}: make it a hyperparameter")
        elif step.opname in {"LOAD_ATTR", "LOAD_METHOD"}:
            if found is not np or not _element_wise(getattr(np, step.argval, None)):
                _refuse(function, f"uses {step.argval!r}, which is not element-wise")
        elif step.opname in {"MAKE_FUNCTION", "BINARY_SUBSCR", "IMPORT_NAME"} or step.argrepr == "@":
            _refuse(function, "does more than element-wise arithmetic")
    return helpers


def _fingerprint(function: Rule, callers: tuple[Rule, ...] = ()) -> str:
    """Return a text that changes with the code of a function or of any helper: Numba's cache key."""
    if function in callers:
        _refuse(function, "calls itself")
    helpers, code = _helpers(function), function.__code__
    parts = [code.co_code.hex(), repr(code.co_consts), repr(code.co_names), repr(function.__defaults__)]
    parts += [_fingerprint(helper, (*callers, function)) for helper in helpers.values()]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _in_dtype(function: Rule, dtype: type) -> Rule:
    """Compile a rule and its helpers with number literals of one dtype (a bare 1 would mean double)."""
    from numba import njit

    helpers = {n: _in_dtype(h, dtype) for n, h in _helpers(function).items()}
    code = function.__code__
    constants = tuple(dtype(c) if type(c) in (int, float) else c for c in code.co_consts)
    names = {**function.__globals__, **helpers}
    copy = FunctionType(code.replace(co_consts=constants), names, function.__name__, function.__defaults__)
    compiled: Rule = njit(copy)
    return compiled


def _sweep_source(name: str, sig: Signature) -> str:
    """Write the loop over memory for a rule's own number of states."""
    arrays = ["w", "g", *sig.state]
    numbers = [*(["t"] if sig.takes_t else []), *sig.hyper]
    results = ", ".join(f"{a}[i]" for a in ("w", *sig.state))
    values = ", ".join([f"{a}[i]" for a in arrays] + numbers)
    return f"def {name}({', '.join(arrays + numbers)}):\n  for i in range(w.size):\n    {results} = rule({values})\n"


@functools.lru_cache
def fuse(rule: Rule, dtype: type = np.float64) -> Callable[..., None]:
    """Compile a rule to one in-place pass ``sweep(w, g, *state, [t], *hyper)`` over flat arrays.

    Parameters
    ----------
    rule : function
        A plain function of element-wise arithmetic: NumPy's ufuncs, ``where``, and other such functions.
    dtype : type
        ``numpy.float32`` or ``numpy.float64``: of the arrays and of every number passed.

    Returns
    -------
    function
        The compiled pass, cached on disk by the text of the rule.

    Raises
    ------
    TypeError
        If the rule cannot be compiled safely.
    ImportError
        If Numba is not installed.
    """
    sig = signature(rule)
    name = f"sweep_{np.dtype(dtype)}_{_fingerprint(rule)}"
    # Module and file name: where Numba keeps its disk cache, and where it looks on loading.
    scope: dict[str, Any] = {"rule": _in_dtype(rule, dtype), "__name__": __name__}
    exec(compile(_sweep_source(name, sig), __file__, "exec"), scope)
    from numba import njit

    compiled: Callable[..., None] = njit(cache=True, fastmath=FASTMATH, error_model="numpy")(scope[name])
    return compiled


@functools.lru_cache
def can_fuse(rule: Rule) -> bool:
    """Tell whether :func:`fuse` accepts the rule and Numba is installed."""
    try:
        _fingerprint(rule)
    except TypeError:
        return False
    return importlib.util.find_spec("numba") is not None


class Stepper:
    """A rule together with its state: calling it makes one step, in place.

    Parameters
    ----------
    rule : function
        An update rule (see :mod:`fo_lib.rules`).
    fused : bool, optional
        Compile the rule; by default only where the array is large, the rule plain and Numba there.
    **hyper : float
        Hyperparameters that differ from the rule's defaults.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is unknown, not a number or outside its range, or the arrays do not match.
    """

    def __init__(self, rule: Rule, *, fused: bool | None = None, **hyper: float) -> None:
        self.rule, self.fused = rule, fused
        self.signature = signature(rule)
        given = {**self.signature.hyper, **hyper}
        self.hyper = {name: _hyperparameter(rule, name, value) for name, value in given.items()}
        self.state: list[Array] = []
        self.like: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self.t = 0

    def __call__(self, w: Array, g: Array, **hyper: float) -> None:
        """Update the array ``w`` in place with gradient ``g``; ``hyper`` overrides for this step only.

        Raises
        ------
        TypeError, ValueError
            If ``w`` is not a writeable float array of the shape and dtype of the first call, ``g`` does not match it,
            or a hyperparameter is unknown or outside its range.
        """
        self._check_arrays(w, g)
        if hyper:
            hyper = {name: _hyperparameter(self.rule, name, value) for name, value in hyper.items()}
        t = self.t + 1
        numbers = [*([float(t)] if self.signature.takes_t else []), *{**self.hyper, **hyper}.values()]
        if self._fuse(w):
            # reshape with copy=False: a silent copy would lose the update
            flat = [a.reshape(-1, copy=False) for a in (w, g, *self.state)]
            dtype: type = w.dtype.type
            fuse(self.rule, dtype)(*flat, *map(dtype, numbers))
        else:
            new, *state = self._results(self.rule(w, g, *self.state, *numbers), w)
            # copies: a rule may return w or g themselves as state
            self.state = [np.array(s, w.dtype) for s in state]
            w[...] = new
        self.t = t

    def _check_arrays(self, w: Array, g: Array) -> None:
        if g.shape != w.shape or g.dtype != w.dtype:
            raise ValueError(f"g must have the shape and dtype of w, {w.shape} {w.dtype}, got {g.shape} {g.dtype}")
        if self.like is None:
            if w.dtype.kind != "f" or not w.flags.writeable:
                raise ValueError(
                    f"w must be a writeable float array, got dtype {w.dtype}, writeable={w.flags.writeable}"
                )
            self.like = w.shape, w.dtype
            self.state = [np.zeros(self._shape(name, w), w.dtype) for name in self.signature.state]
        elif (w.shape, w.dtype) != self.like:
            raise ValueError(f"w must have the shape and dtype of the first call, {self.like}, got {w.shape} {w.dtype}")

    def _results(self, new: Any, w: Array) -> tuple[Array, ...]:
        results = new if self.signature.state else (new,)
        names = ("w", *self.signature.state)
        expected = [w.shape, *(self._shape(name, w) for name in self.signature.state)]
        shapes = [np.shape(a) for a in results] if isinstance(results, tuple) else None
        if shapes != expected:
            raise ValueError(
                f"rule {self.rule.__name__!r} must return {names} of shapes {expected}, got {shapes or type(new)}"
            )
        return results

    def _shape(self, state: str, w: Array) -> tuple[int, ...]:
        """The shape of a state: that of the weights, unless a rule of matrices says otherwise."""
        shapes: dict[str, Callable[[tuple[int, ...]], tuple[int, ...]]] = getattr(self.rule, "state_shapes", {})
        return shapes[state](w.shape) if state in shapes else w.shape

    def _fuse(self, w: Array) -> bool:
        if self.fused is None:
            return w.size >= FUSE_FROM and can_fuse(self.rule)
        return self.fused
