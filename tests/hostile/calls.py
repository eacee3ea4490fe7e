"""One valid call of each public function: what `test_hostile.py` spoils, argument by argument.

The tables are in `calls_*.py`. A public name without an entry, in `CALLS` or, with its reason, in `NOT_CALLED`, fails a
test.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Call:
    """A function, arguments that it accepts, and what is looked at.

    Parameters
    ----------
    function : function
        The public one.
    arguments : mapping
        By name; by position where the function has no name for them.
    look : function
        ``look(result)``: what must be finite, and the same for arguments that are the same.
    leave : mapping
        Arguments that are not spoiled, with the reason.
    long : tuple
        Arguments that say how much there is to do, and are spoiled by small numbers only.
    infinite : str
        Why the result may hold infinity; NaN it may not.
    errors : tuple of types
        Typed errors beside TypeError and ValueError that it documents.
    also : tuple
        Names, beside those of the arguments, that an error may give: of what is done with the result.
    spreads : str
        Why what is not finite in an argument may be so in the result.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    look: Callable[[Any], Any] = lambda result: result
    leave: Mapping[str, str] = field(default_factory=dict)
    long: tuple[str, ...] = ()
    infinite: str = ""
    errors: tuple[type[Exception], ...] = ()
    also: tuple[str, ...] = ()
    spreads: str = ""


CALLS: dict[str, Call] = {}
NOT_CALLED: dict[str, str] = {}


def call(module: str, name: str, look: Callable[[Any], Any] | None = None, **options: Any) -> Callable[..., None]:
    """Enter a function into the table: ``call("rates", "armijo")(k=[1], L=2.0, ...)``."""
    function = getattr(importlib.import_module(f"fo_lib.{module}"), name)
    if look is not None:
        options["look"] = look

    def enter(**arguments: Any) -> None:
        key = f"{module}.{name}"
        assert key not in CALLS, key
        CALLS[key] = Call(function, arguments, **options)

    return enter


def not_called(module: str, reason: str, *names: str) -> None:
    """Enter names that are not spoiled, with the reason."""
    NOT_CALLED.update({f"{module}.{name}": reason for name in names})


def numbers(result: Any) -> list[np.ndarray]:
    """Every number in a result, in arrays."""
    if isinstance(result, (str, bytes)) or result is None or callable(result):
        return []
    if isinstance(result, Mapping):
        return [a for value in result.values() for a in numbers(value)]
    if hasattr(result, "__dataclass_fields__"):
        return [a for name in result.__dataclass_fields__ for a in numbers(getattr(result, name))]
    if isinstance(result, (list, tuple, set)) or hasattr(result, "__next__"):
        return [a for value in result for a in numbers(value)]
    array = np.asarray(result)
    return [array] if array.dtype.kind in "fiubc" else []
