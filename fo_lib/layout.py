"""Weights of any structure seen as one flat vector, so that every other module handles one array only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks

__all__ = ["Layout"]

Array = NDArray[np.floating[Any]]


def _is_number(part: Any) -> bool:
    try:
        return np.ndim(part) == 0
    except ValueError:  # of rows of different lengths
        return False


class Layout:
    """The shapes of one array, or of a list of arrays of one dtype, and the way to a flat vector and back.

    Parameters
    ----------
    weights : array or list of arrays
        An example of the structure: a single array of any shape, or a list or tuple of such arrays.
    name : str
        What messages call it.

    Raises
    ------
    TypeError
        If the arrays do not share one dtype.
    ValueError
        If there is no array, or one is empty or not finite.
    """

    def __init__(self, weights: Any, name: str = "start") -> None:
        self.single = not isinstance(weights, (list, tuple)) or all(_is_number(a) for a in weights)
        arrays = [weights] if self.single else list(weights)
        names = [name] if self.single else [f"{name}[{i}]" for i in range(len(arrays))]
        arrays = [checks.array(name, a) for name, a in zip(names, arrays, strict=True)]
        dtypes = {a.dtype for a in arrays}
        if len(dtypes) > 1:
            raise TypeError(f"{name} must hold arrays of one dtype, got {sorted(map(str, dtypes))}")
        self.shapes = [a.shape for a in arrays]
        self.dtype = arrays[0].dtype
        self.ends = np.cumsum([a.size for a in arrays]).tolist()
        self.size = self.ends[-1]

    def flatten(self, weights: Any, name: str = "grad(w)", dtype: Any = None) -> Array:
        """Copy ``weights`` into a new flat vector; a wrong shape raises a ValueError that names it."""
        dtype = self.dtype if dtype is None else dtype
        if self.single and np.shape(weights) == self.shapes[0]:
            return np.array(weights, dtype).reshape(-1)
        arrays = [weights] if self.single else list(weights)
        shapes = [np.shape(a) for a in arrays]
        if shapes != self.shapes:
            raise ValueError(f"{name} must have the shape of the weights, {self.say()}, got {shapes}")
        flat = np.empty(self.size, dtype)
        for start, end, a in zip([0, *self.ends], self.ends, arrays, strict=False):
            flat[start:end] = np.reshape(a, -1)
        return flat

    def unflatten(self, flat: Array) -> Any:
        """Return views of a flat vector, shaped like the weights: an array, or a list of arrays."""
        return flat.reshape(self.shapes[0]) if self.single else self.arrays(flat)

    def arrays(self, flat: Array) -> list[Array]:
        """Return views of a flat vector, always as a list: one for each array of weights."""
        starts = [0, *self.ends]
        return [flat[a:b].reshape(s) for a, b, s in zip(starts, self.ends, self.shapes, strict=False)]

    def say(self) -> str:
        """Return the shape in words, or the shapes."""
        return str(self.shapes[0] if self.single else self.shapes)
