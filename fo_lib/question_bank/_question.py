"""What a question is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Template", "one_of"]


@dataclass(frozen=True)
class Template:
    """A question before its numbers are drawn; `solve` gets them by name."""

    name: str
    text: str
    draw: Callable[[np.random.Generator], dict[str, Any]]
    solve: Callable[..., Any]
    hint: str
    why: str
    whole: bool = False


def one_of(**choices: tuple[Any, ...]) -> Callable[[np.random.Generator], dict[str, Any]]:
    """Draw each number from its list."""

    def draw(rng: np.random.Generator) -> dict[str, Any]:
        return {name: values[rng.integers(len(values))] for name, values in choices.items()}

    return draw
