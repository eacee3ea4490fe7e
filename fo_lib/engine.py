"""Run a rule in place: as NumPy arithmetic, or compiled by Numba to one pass over memory.

NumPy evaluates a rule operation by operation, each a pass over memory with a temporary array. The
compiled form reads every weight, gradient and state word once and writes it once.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import checks, compiling

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["Signature", "Stepper", "fuse", "hyperparameter", "memory_loop", "signature"]

Array = NDArray[np.floating[Any]]
Rule = Callable[..., Any]

# Faster from smaller sizes on (benchmarks/step.py); from this one on a compiled pass repays its compilation.
FUSE_FROM = 10_000
# Where memory is the limit a second thread helps; below this size waking it costs more (benchmarks/step.py).
WORDS_PER_THREAD = 250_000

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


def signature(rule: Rule) -> Signature:
    """Read the roles of a rule's parameters from their order (see :mod:`fo_lib.rules`).

    Raises
    ------
    TypeError
        If ``rule`` is not a function of ``w, g`` with a default for each hyperparameter.
    """
    checks.function("rule", rule)
    return _signature(rule)


@functools.lru_cache
def _signature(rule: Rule) -> Signature:
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


def hyperparameter(rule: Rule, name: str, value: object) -> float:
    """Return a hyperparameter as a float, or refuse its name (TypeError) or its value (TypeError, ValueError)."""
    signature(rule).require(name)
    return checks.number(name, value, **_LIMITS.get(name, {}))


def memory_loop(sig: Signature) -> tuple[list[str], list[str], str]:
    """Write the loop over memory for a rule's own number of states: names of states and of numbers, and the text."""
    states = [f"s{i}" for i in range(len(sig.state))]  # not the rule's own names, which could be those of others here
    numbers = [f"h{i}" for i in range(len(sig.hyper))]
    results = ", ".join(f"{name}[i]" for name in ("w", *states))
    arguments = ", ".join([*(f"{name}[i]" for name in ("w", "g", *states)), *["t"] * sig.takes_t, *numbers])
    return states, numbers, f"  for i in range(w.size):\n    {results} = rule({arguments})\n"


def _sweep_source(sig: Signature) -> str:
    states, numbers, loop = memory_loop(sig)
    return f"def sweep({', '.join(['w', 'g', *states, *['t'] * sig.takes_t, *numbers])}):\n{loop}"


_passes: dict[tuple[compiling.Text, type], Callable[..., None]] = {}
_last: dict[tuple[Rule, type], tuple[compiling.Text, Callable[..., None]]] = {}  # the same, found faster


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
        The compiled pass, kept in memory and on disk under the text of the rule and of the functions it calls.

    Raises
    ------
    TypeError
        If the rule cannot be compiled safely.
    ImportError
        If Numba is not installed.
    """
    checks.function("rule", rule)
    if not any(dtype is allowed for allowed in (np.float32, np.float64)):
        raise TypeError(f"dtype must be numpy.float32 or numpy.float64, got {dtype!r}")
    if (rule, dtype) in _last and compiling.unchanged(rule, _last[rule, dtype][0]):
        return _last[rule, dtype][1]
    text = compiling.text_of(rule, element_wise=True)
    if (text, dtype) not in _passes:
        source = _sweep_source(signature(rule))
        # Module and file name: where Numba keeps its disk cache, and where it looks on loading.
        scope: dict[str, Any] = {"__name__": __name__, "rule": compiling.jit(rule, dtype=dtype)}
        exec(compile(source, __file__, "exec"), scope)
        _passes[text, dtype] = compiling.jit(scope["sweep"], cached=True)
    _last[rule, dtype] = text, _passes[text, dtype]
    return _passes[text, dtype]


def can_fuse(rule: Rule) -> bool:
    """Tell whether :func:`fuse` accepts the rule and Numba is installed."""
    try:
        compiling.text_of(rule, element_wise=True)
    except TypeError:
        return False
    return compiling.available()


@functools.lru_cache
def _threads() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_cores())


# a child has none of its parent's threads (and Windows has no fork)
getattr(os, "register_at_fork", lambda **calls: None)(after_in_child=_threads.cache_clear)


def _cores() -> int:
    """Cores for this process: those it may run on, or fewer by Numba's own variable."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, int(os.environ.get("NUMBA_NUM_THREADS", allowed)))


def _run(compiled: Callable[..., None], arrays: list[Array], numbers: list[Any]) -> None:
    """Run a compiled pass: over parts of the arrays at the same time where they are large."""
    size = arrays[0].size
    parts = min(_cores(), size // WORDS_PER_THREAD)
    if parts < 2:
        compiled(*arrays, *numbers)
        return
    ends = [size * k // parts for k in range(parts + 1)]
    pieces = [slice(*ends[k : k + 2]) for k in range(parts)]
    for _ in _threads().map(lambda piece: compiled(*(a[piece] for a in arrays), *numbers), pieces):
        pass


class Stepper:
    """A rule together with its state: calling it makes one step, in place.

    Parameters
    ----------
    rule : function
        An update rule (see :mod:`fo_lib.rules`).
    fused : bool, optional
        Compile the rule; by default only where the array is large and in order, the rule plain and Numba there. The
        order of sums is then the compiler's: what depends on it, as compensated summation does, is lost.
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
        self.hyper = {name: hyperparameter(rule, name, value) for name, value in given.items()}
        self.allowed: dict[str, float] = {}  # the last value of each that was found to be so
        self.state: list[Array] = []
        self.shapes: list[tuple[int, ...]] = []  # of weights and state
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
        if self.like is None:
            self.begin(w)
        self._check_arrays(w, g)
        if hyper:
            hyper = {name: self._allowed(name, value) for name, value in hyper.items()}
        t = self.t + 1
        numbers = [*([float(t)] if self.signature.takes_t else []), *{**self.hyper, **hyper}.values()]
        if not (self._fuse(w) and self._fused(w, g, numbers)):
            new, *state = self._results(self.rule(w, g, *self.state, *numbers))
            # copies: a rule may return w or g themselves as state
            self.state = [np.array(s, w.dtype) for s in state]
            w[...] = new
        self.t = t

    def begin(self, w: Array) -> None:
        """Make the state of weights like the array ``w``: zeros. The first call does it where nobody did."""
        if w.dtype.kind != "f" or not w.flags.writeable:
            raise ValueError(f"w must be a writeable float array, got dtype {w.dtype}, writeable={w.flags.writeable}")
        self.like = w.shape, w.dtype
        self.shapes = [w.shape, *(self._shape(name, w) for name in self.signature.state)]
        self.state = [np.zeros(shape, w.dtype) for shape in self.shapes[1:]]

    def _fused(self, w: Array, g: Array, numbers: list[float]) -> bool:
        """Make the step compiled; or say that Numba cannot, where nobody asked for it."""
        # reshape with copy=False: a silent copy would lose the update
        flat = [a.reshape(-1, copy=False) for a in (w, np.ascontiguousarray(g), *self.state)]
        dtype: type = w.dtype.type
        try:
            _run(fuse(self.rule, dtype), flat, [dtype(x) for x in numbers])
        except Exception as error:
            if self.fused or not type(error).__module__.startswith("numba"):
                raise
            self.fused = False
        return self.fused is not False

    def _check_arrays(self, w: Array, g: Array) -> None:
        if g.shape != w.shape or g.dtype != w.dtype:
            raise ValueError(f"g must have the shape and dtype of w, {w.shape} {w.dtype}, got {g.shape} {g.dtype}")
        if (w.shape, w.dtype) != self.like:
            raise ValueError(f"w must have the shape and dtype of the first call, {self.like}, got {w.shape} {w.dtype}")

    def _allowed(self, name: str, value: float) -> float:
        """Check a hyperparameter, but not the same float twice: a constant rate comes at every step."""
        if self.allowed.get(name) is not value:
            self.allowed[name] = hyperparameter(self.rule, name, value)
        return self.allowed[name]

    def _results(self, new: Any) -> tuple[Array, ...]:
        results = new if self.signature.state else (new,)
        shapes = [np.shape(a) for a in results] if isinstance(results, tuple) else None
        if shapes != self.shapes:
            names = ("w", *self.signature.state)
            raise ValueError(
                f"rule {self.rule.__name__!r} must return {names} of shapes {self.shapes}, got {shapes or type(new)}"
            )
        return results

    def _shape(self, state: str, w: Array) -> tuple[int, ...]:
        """The shape of a state: that of the weights, unless a rule of matrices says otherwise."""
        shapes: dict[str, Callable[[tuple[int, ...]], tuple[int, ...]]] = getattr(self.rule, "state_shapes", {})
        return shapes[state](w.shape) if state in shapes else w.shape

    def _fuse(self, w: Array) -> bool:
        if self.fused is None:
            return w.size >= FUSE_FROM and w.flags.c_contiguous and w.dtype.isnative and can_fuse(self.rule)
        return self.fused
