"""Compile plain functions with Numba, so that neither memory nor disk ever gives a stale answer.

Numba freezes whatever data a function reads from outside, in its disk cache too. So a function may read nothing but
NumPy, some built-ins and other such functions, and what it compiles to is kept under the text of all of them.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import importlib.util
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, NamedTuple, NoReturn

import numpy as np

__all__ = ["Text", "available", "bind", "digest", "jit", "prefetch", "slot", "text_of", "touch", "unchanged"]

Function = Callable[..., Any]

# Everything fast-math allows except assuming NaN and infinity away: divergence must stay visible.
FASTMATH = {"nsz", "arcp", "contract", "reassoc", "afn"}
_BUILTINS = (abs, float, int, len, max, min, range, ValueError)


class Text(NamedTuple):
    """What a function does, the functions that it calls included: equal only where nothing has changed."""

    code: CodeType
    defaults: tuple[Any, ...]
    names: tuple[
        tuple[str, Any, Any], ...
    ]  # what is read as a global: its name, what it is, and the text of a function


def available() -> bool:
    """Tell whether Numba is installed."""
    return importlib.util.find_spec("numba") is not None


def _refuse(function: object, what: str) -> NoReturn:
    raise TypeError(f"{getattr(function, '__name__', function)!r} cannot be compiled: it {what}")


class _Reads(NamedTuple):
    names: tuple[str, ...]  # of globals
    attributes: tuple[tuple[str, str], ...]  # each with the global that it is taken of, or ""
    others: frozenset[str]  # what else it does that is not arithmetic


@functools.lru_cache
def _reads(code: CodeType) -> _Reads:
    names: dict[str, None] = {}
    attributes: dict[tuple[str, str], None] = {}
    others: set[str] = set()
    loaded = ""  # the global that the instruction before this one loaded
    for step in dis.get_instructions(code):
        found, loaded = loaded, ""
        if step.opname == "LOAD_GLOBAL":
            names[step.argval] = None
            loaded = step.argval
        elif step.opname in {"LOAD_ATTR", "LOAD_METHOD"}:
            attributes[found, step.argval] = None
        elif step.opname in {"MAKE_FUNCTION", "IMPORT_NAME", "STORE_GLOBAL"}:
            others.add("defines a function, imports or changes a global")
        elif step.opname in {"BINARY_SUBSCR", "BINARY_SLICE", "STORE_SUBSCR", "GET_ITER"} or step.argrepr == "@":
            others.add("does more than element-wise arithmetic")
    return _Reads(tuple(names), tuple(attributes), frozenset(others))


def _element_wise(name: str) -> bool:
    """Tell whether NumPy does to an array, under this name, what it does to each number in it."""
    function = getattr(np, name, None)
    return isinstance(function, (np.ufunc, float)) or function is np.where


def _check_plain(function: object) -> None:
    if not isinstance(function, FunctionType) or function.__closure__ or function.__kwdefaults__:
        _refuse(function, "is not a plain function without a closure")
    if not all(isinstance(default, (int, float)) for default in function.__defaults__ or ()):
        _refuse(function, f"has defaults that are no numbers: {function.__defaults__!r}")


def text_of(function: Any, *, element_wise: bool = False, callers: tuple[Function, ...] = ()) -> Text:
    """Return the text of a function as it is now.

    Parameters
    ----------
    function : function
        Plain, without a closure. What it calls must be NumPy, some built-ins, or other plain functions.
    element_wise : bool
        Accept only what does to an array what it does to each number in it.
    callers : tuple of functions
        Those through which it was reached.

    Raises
    ------
    TypeError
        If the function could be compiled to something else than it says: the message tells why.
    """
    _check_plain(function)
    if function in callers:
        _refuse(function, "calls itself")
    reads, scope = _reads(function.__code__), function.__globals__
    names: list[tuple[str, Any, Any]] = []
    for name in reads.names:
        value = scope.get(name, getattr(builtins, name, None))
        if isinstance(value, FunctionType):
            inner = text_of(value, element_wise=element_wise, callers=(*callers, function))
            names.append((name, value, inner))
            continue
        if value is not np and not any(value is b for b in (_BUILTINS[:1] if element_wise else _BUILTINS)):
            _refuse(function, f"reads the global {name!r}, which is not a plain function: make it an argument")
        names.append((name, value, None))
    for of, name in reads.attributes if element_wise else ():
        # a sum over all weights, compiled into a pass over single ones, would be a sum over one
        if scope.get(of) is not np or not _element_wise(name):
            _refuse(function, f"uses {name!r}, which is not element-wise")
    for other in sorted(reads.others):
        if element_wise or "more than" not in other:
            _refuse(function, other)
    return Text(function.__code__, function.__defaults__ or (), tuple(names))


def unchanged(function: Any, before: Text) -> bool:
    """Tell whether :func:`text_of` would return the same again, without reading the code."""
    assert isinstance(function, FunctionType)
    if function.__code__ is not before.code or (function.__defaults__ or ()) != before.defaults:
        return False
    scope = function.__globals__
    return all(
        scope.get(name, getattr(builtins, name, None)) is value and (inner is None or unchanged(value, inner))
        for name, value, inner in before.names
    )


def digest(function: Function, dtype: type | None = None) -> str:
    """Return a name for all that a function does, read off its code and that of every function it calls.

    The same in every process; other wherever a line, a constant, a default or a number that is read as a global is.
    """
    spelled = "|".join([*sorted(FASTMATH), str(dtype), *_spell(function)])
    return hashlib.sha256(spelled.encode()).hexdigest()[:16]


def _spell(function: Function) -> list[str]:
    assert isinstance(function, FunctionType)
    code = function.__code__
    words = [code.co_code.hex(), code.co_exceptiontable.hex(), repr(code.co_consts), repr(code.co_names)]
    words += [repr(code.co_varnames), f"{code.co_argcount} {code.co_flags}", repr(function.__defaults__)]
    for name in _reads(code).names:
        value = function.__globals__.get(name)
        value = getattr(value, "py_func", value)  # of what is compiled already
        words += [name, *(_spell(value) if isinstance(value, FunctionType) else [repr(value)])]
    return words


def slot(*arguments: Any) -> Any:
    """Stand for a function that :func:`bind` gives to a text."""
    raise NotImplementedError("this slot is not bound")


def touch(a: Any, k: int) -> None:
    """Ask memory for ``a[k]`` without waiting for it. To Python this means nothing."""


def prefetch(a: Any, begin: int, end: int) -> None:
    """Touch each line of the cache that holds some of ``a[begin:end]``, or all but the last."""
    for k in range(begin, end, 64 // a.itemsize):
        touch(a, k)


@functools.lru_cache
def _instruction() -> Any:
    """Return :func:`touch` as an instruction of the processor, for compiled loops."""
    from numba.core import cgutils, types
    from numba.extending import intrinsic
    from numba.np import arrayobj

    tools: Any = cgutils
    arrays: Any = arrayobj
    ir, pointer = tools.ir, tools.voidptr_t

    def typed(context: Any, a: Any, k: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = arrays.make_array(a)(context, builder, arguments[0]).data
            place = builder.bitcast(builder.gep(data, [arguments[1]]), pointer)
            number = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
            call = tools.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            how = (0, 3, 1)  # for reading, into the first cache, data
            builder.call(call, [place, *(ir.Constant(number, choice) for choice in how)])
            return context.get_dummy_value()

        return types.void(a, k), code

    return intrinsic(typed)


def bind(function: Function, **names: Any) -> Function:
    """Return the same text reading other globals of these names."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__, function.__defaults__)


def jit(function: Function, *, cached: bool = False, dtype: type | None = None) -> Function:
    """Compile a copy of a plain function and of all plain functions that it calls.

    Parameters
    ----------
    function : function
        One that :func:`text_of` accepts, or one of the library's own.
    cached : bool
        Keep the result on disk, under the function's :func:`digest`.
    dtype : type, optional
        Of every number literal (a bare 1 would mean double).

    Returns
    -------
    function
        While it runs, Python's other threads go on.
    """
    from numba import njit

    assert isinstance(function, FunctionType)
    code, scope = function.__code__, function.__globals__
    called = {name: scope[name] for name in _reads(code).names if isinstance(scope.get(name), FunctionType)}
    ready = {name: _instruction() if h is touch else jit(h, dtype=dtype) for name, h in called.items()}
    copy = bind(function, **ready)
    if dtype:
        code = code.replace(co_consts=tuple(dtype(c) if type(c) in (int, float) else c for c in code.co_consts))
    # Each function named by its digest, those inside too: to the linker, two of one name are the same. And all of one
    # module, which is there when the result is loaded.
    name = f"{code.co_name}_{digest(function, dtype)}"
    code = code.replace(co_name=name, co_qualname=name)
    copy = FunctionType(code, {**copy.__globals__, "__name__": __name__}, name, function.__defaults__)
    foreign = not str(scope.get("__name__", "")).startswith("fo_lib")  # an index of the reader's may be wrong
    compiled: Function = njit(
        copy, cache=cached, fastmath=FASTMATH, error_model="numpy", nogil=True, boundscheck=foreign
    )  # fmt: skip
    return compiled
