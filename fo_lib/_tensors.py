"""The text of a rule run on TensorFlow's tensors: what it reads as NumPy is ``keras.ops``."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from types import CellType, FunctionType, ModuleType
from typing import Any

import keras
import numpy as np

Rule = Callable[..., Any]


class Number:
    """A number of a step, such as ``t``: an array divided by it is multiplied by its reciprocal, the same to rounding.

    A compiled pass would divide entry by entry, which takes longer than all the rest of Adam's arithmetic. What is not
    arithmetic is refused (TypeError): a comparison, or a function of NumPy's.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __truediv__(self, other: Any) -> Any:
        """Divide this number."""
        return _arithmetic(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        """Divide by this number."""
        return _arithmetic(operator.truediv, other, self) if _is_number(other) else other * (1 / self.value)

    def __bool__(self) -> bool:
        """Refuse: any object is true."""
        raise TypeError("a number of a step has no truth value")

    def __eq__(self, other: object) -> bool:
        """Refuse: no object equals another."""
        raise TypeError("a number of a step cannot be compared")

    __hash__ = None  # type: ignore[assignment]  # as of all that compare


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Number))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Number) else value


def _arithmetic(operation: Callable[..., Any], *operands: Any) -> Any:
    """Compute on the tensors: a number if all operands are numbers, else a tensor."""
    result = operation(*map(_plain, operands))
    return Number(result) if all(map(_is_number, operands)) else result


def _give_operator(name: str) -> None:
    do = getattr(operator, name)
    setattr(Number, f"__{name}__", lambda a, b: _arithmetic(do, a, b))
    setattr(Number, f"__r{name}__", lambda a, b: _arithmetic(do, b, a))


for _name in ("add", "sub", "mul", "pow"):
    _give_operator(_name)


class _Tensors:
    """A module of NumPy whose functions are those of ``keras.ops``."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return _replaced(getattr(self._module, name), {})


def _replaced(value: Any, done: dict[Any, Any]) -> Any:
    """What takes tensors in place of a value that a rule reads: NumPy, one of its functions, or a helper."""
    if isinstance(value, ModuleType):
        return _Tensors(value) if value.__name__.split(".")[0] == "numpy" else value
    if isinstance(value, np.ufunc) or str(getattr(value, "__module__", "")).split(".")[0] == "numpy":
        name = getattr(value, "__name__", repr(value))
        if not hasattr(keras.ops, name):
            raise AttributeError(f"the rule uses np.{name}, and keras.ops has no such function")
        return getattr(keras.ops, name)
    return _rebound(value, done) if isinstance(value, FunctionType) else value


def _rebound(function: FunctionType, done: dict[Any, Any]) -> FunctionType:
    """Copy a function so that it, and every function it calls, reads NumPy as keras.ops."""
    if function not in done:
        names = dict(function.__globals__)
        cells = tuple(CellType() for _ in function.__closure__ or ())
        copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells or None)
        copy.__kwdefaults__ = function.__kwdefaults__
        done[function] = copy
        for name in _names(function.__code__) & names.keys():
            names[name] = _replaced(names[name], done)
        for new, old in zip(cells, function.__closure__ or (), strict=True):
            new.cell_contents = _replaced(old.cell_contents, done)
    copied: FunctionType = done[function]
    return copied


def _names(code: Any) -> set[str]:
    """The global names of a function and of the functions and comprehensions inside it."""
    inner = [_names(constant) for constant in code.co_consts if inspect.iscode(constant)]
    return set(code.co_names).union(*inner)


def on_tensors(rule: FunctionType) -> Rule:
    """Copy a rule, which stays as it is, to run on tensors.

    Raises
    ------
    AttributeError
        If it uses a function of NumPy that ``keras.ops`` does not have.
    """
    return _rebound(rule, {})
