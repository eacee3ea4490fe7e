"""What a function remembers from call to call, where a checkpoint can find it: arrays in a dict ``memory``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Memory", "Remembering", "memory_of", "remembering"]

Memory = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Remembering:
    """A function whose result depends on its arguments and on ``memory``, which it changes in place."""

    function: Callable[..., Any]
    memory: Memory

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        return self.function(*arguments)


def memory_of(function: object) -> Memory:
    """What a function remembers: nothing, unless it says so."""
    memory: Memory = getattr(function, "memory", {})
    return memory


def remembering(function: Callable[..., Any], inner: object) -> Callable[..., Any]:
    """Give a function that calls another the memory of that one, if it has any."""
    return Remembering(function, memory_of(inner)) if hasattr(inner, "memory") else function
