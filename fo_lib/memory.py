"""What functions are made of: what they remember from call to call, which a checkpoint saves, and their fingerprint."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinMethodType, CodeType, FunctionType, MethodType, MethodWrapperType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Memories", "Memory", "Remembering", "fingerprint"]

Memory = dict[str, NDArray[Any]]
PLAIN = (bool, int, float, str, np.generic)


@dataclass(frozen=True)
class Remembering:
    """A function whose result depends on its arguments and on ``memory``: arrays by name."""

    function: Callable[..., Any]
    memory: Memory

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        return self.function(*arguments)


class Memories:
    """What functions remember, and the functions that they call: all of it as arrays of one dict.

    Parameters
    ----------
    functions : mapping
        Anything, by name. What has an attribute ``memory``, a dict, remembers.

    Raises
    ------
    TypeError
        When it is read, if a memory is not a dict of arrays of numbers by name.
    """

    def __init__(self, functions: Mapping[str, object]) -> None:
        parts = [(name, part) for name, function in functions.items() for part in _reached(function)]
        self.parts = {
            f"{name} {i}": part
            for i, (name, part) in enumerate(parts)
            if isinstance(getattr(part, "memory", None), dict)
        }

    def arrays(self) -> Memory:
        """All of them, under the name of the function and their own."""
        found = {}
        for name, part in self.parts.items():
            for key, a in part.memory.items():
                if (
                    not isinstance(key, str)
                    or not isinstance(a, (np.ndarray, np.generic))
                    or a.dtype.kind not in "fiub"
                ):
                    raise TypeError(
                        f"memory of {name.split()[0]} must hold arrays of numbers by name, got {key!r}: {a!r}"
                    )
                found[f"{name}: {key}"] = np.asarray(a)
        return found

    def take(self, arrays: Memory) -> None:
        """Go back to what was saved; an array of the same kind is written into."""
        for name, part in self.parts.items():
            begin, memory = f"{name}: ", part.memory
            saved = {key.removeprefix(begin): a for key, a in arrays.items() if key.startswith(begin)}
            for key in memory.keys() - saved.keys():
                del memory[key]
            for key, a in saved.items():
                old = memory.get(key)
                if isinstance(old, np.ndarray) and (old.shape, old.dtype) == (a.shape, a.dtype) and old.flags.writeable:
                    np.copyto(old, a)
                else:
                    memory[key] = a


def fingerprint(value: Any) -> Any:
    """An argument as a checkpoint can compare it: a number or string, or a name, code and parts of anything else.

    Parts are the numbers, strings, arrays and functions that a function was made of, or that an object has, without
    what is in a ``memory``.
    """
    if isinstance(value, np.generic):
        value = float(value) if isinstance(value, np.floating) else value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    remembered = {id(a) for part in _reached(value) for a in _memory(part).values()}
    return ", ".join(_words(value, remembered))


def _words(value: Any, remembered: set[int]) -> Iterator[str]:
    for part in _reached(value, every=True):
        if id(part) in remembered:
            continue
        if isinstance(part, np.ndarray):
            yield f"{part.dtype} {part.shape} {zlib.crc32(part.tobytes()):08x}"
        elif isinstance(part, PLAIN):
            yield repr(part)
        elif isinstance(part, FunctionType):
            yield f"{part.__qualname__} {_code(part.__code__, 0):08x}"
        elif callable(part):
            yield str(getattr(part, "__name__", type(part).__qualname__))


def _code(code: CodeType, crc: int) -> int:
    """A checksum of what a function does, and not of where its text stands."""
    crc = zlib.crc32(code.co_code + repr(code.co_names).encode(), crc)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            crc = _code(constant, crc)
        else:  # the order of a set is another in each process
            words = sorted(map(repr, constant)) if isinstance(constant, frozenset) else repr(constant)
            crc = zlib.crc32(str(words).encode(), crc)
    return crc


def _reached(value: Any, every: bool = False) -> list[Any]:
    """A function or object and all that it was made of, in an order that is the same in each process."""
    found: list[Any] = []
    left, seen = [value], set()
    while left:
        part = left.pop()
        if isinstance(part, PLAIN) or id(part) not in seen:
            seen.add(id(part))
            found.append(part)
            left += reversed([p for p in _inside(part) if every or _may_reach(p)])
    return found


def _may_reach(part: Any) -> bool:
    return callable(part) or isinstance(part, (list, tuple)) or hasattr(part, "__dict__")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, (MethodType, BuiltinMethodType, MethodWrapperType)):
        return [getattr(value, "__func__", None), value.__self__]
    if isinstance(value, FunctionType):
        cells = [part for cell in value.__closure__ or () for part in _content(cell)]
        return [*cells, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    if isinstance(value, (type, np.ndarray, np.generic)) or type(value).__module__ == "builtins":
        return []
    return [part for name, part in getattr(value, "__dict__", {}).items() if name != "memory"]


def _content(cell: Any) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # nothing is in it yet
        return []


def _memory(part: Any) -> dict[str, Any]:
    memory = getattr(part, "memory", None)
    return memory if isinstance(memory, dict) else {}
