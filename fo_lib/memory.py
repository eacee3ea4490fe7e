"""What a function remembers from call to call, where a checkpoint can find it: arrays in a dict ``memory``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Memories", "Memory", "Remembering", "memory_of", "remembering"]

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


class Memories:
    """What several functions remember, as arrays of one dict.

    Parameters
    ----------
    functions : mapping
        Anything, by name; what has no memory is left out.
    """

    def __init__(self, functions: Mapping[str, object]) -> None:
        self.parts = {name: memory_of(part) for name, part in functions.items() if hasattr(part, "memory")}

    def arrays(self) -> Memory:
        """All of them, under the name of the function and their own."""
        return {f"{name}: {key}": a for name, memory in self.parts.items() for key, a in memory.items()}

    def take(self, arrays: Memory) -> None:
        """Go back to what was saved."""
        for name, memory in self.parts.items():
            begin = f"{name}: "
            memory.clear()
            memory.update({key.removeprefix(begin): a for key, a in arrays.items() if key.startswith(begin)})
