"""Hypothesis strategies for what a reader might pass by mistake, and for the same value stored in other ways."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

# Made anew for each example: a generator can be read only once.
WRONG = [
    lambda: None, lambda: "x", lambda: "", lambda: b"x", dict, set, object, list, tuple, lambda: [[]], lambda: [None],
    lambda: (x for x in (1.0, 2.0)), lambda: "1.0", lambda: ["1.0", "2.0"],
    lambda: [[1.0], [1.0, 2.0]], lambda: {"a": 1.0}, lambda: {1.0, 2.0}, lambda: 1j, lambda: np.array([1j, 2.0]),
    lambda: np.array(["a", "b"]), lambda: np.array([None, 1.0]), lambda: np.datetime64("2020"), lambda: NotImplemented,
    lambda: ..., lambda: np.array(None), lambda: slice(1), lambda: np.ma.masked,
    lambda: np.zeros(2, [("a", float)]),
]  # fmt: skip
SMALL = [
    True, False, np.True_, -1, 0, 1, 2, 3, 7, -0.0, 0.5, 1.5, -0.5, 1.0, 2.0, 1 - 2**-53, 1 + 2**-52, 5e-324, -5e-324,
    1e-310, 1e-200, 2.0**-149, np.nan, np.inf, -np.inf, np.int8(3), np.uint8(3), np.int64(2), np.float16(0.5),
    np.float32(0.5), np.float64(0.5), np.float16(np.nan), np.longdouble(0.5), np.array(2), np.array(0.5),
    np.array(np.nan), np.array([2]), np.complex64(1),
]  # fmt: skip
LARGE = [
    -1e308,
    1e3,
    1e17,
    1e200,
    1.7e308,
    10**6,
    2**31,
    2**63,
    2**64,
    10**30,
    10**400,
    np.float32(3e38),
    np.float16(60000),
]
DTYPES = [np.float16, np.float32, np.float64, np.longdouble, np.int8, np.uint8, np.int64, np.bool_, np.complex64, ">f8"]


def wrong_kind() -> st.SearchStrategy[Any]:
    """What is no number, and no array of numbers."""
    return st.sampled_from(WRONG).map(lambda make: make())


def numbers_for(valid: Any, long: bool) -> list[Any]:
    """Numbers of another type, out of range, at the edge of the range; of those that say how much, small ones only."""
    counts = isinstance(valid, int)  # no machine counts further
    return SMALL if long else SMALL + [x for x in LARGE if not (counts and isinstance(x, int) and x > 2**31)]


@st.composite
def spoiled(draw: st.DrawFn, valid: np.ndarray) -> Any:
    """A valid array with something wrong: an entry, the scale, the shape, or everything."""
    array = np.array(valid, float)
    way = draw(st.sampled_from(["entry", "scale", "shape", "any", "object"]))
    if way == "entry":
        where = draw(st.integers(0, max(array.size - 1, 0)))
        array.reshape(-1)[where : where + 1] = draw(
            st.sampled_from([np.nan, np.inf, -np.inf, 1e308, -1e200, 5e-324, -1])
        )
        return array
    if way == "scale":
        factor = draw(st.sampled_from([0.0, -1.0, 1e308, 1e154, 1e-160, 1e-310, np.nan]))
        with np.errstate(all="ignore"):
            return array * factor
    if way == "shape":
        shapes = [
            array[:0],
            array[:1],
            array[1:],
            array[None],
            array[..., None],
            array.T,
            np.concatenate([array, array]),
        ]
        shapes += [array.reshape(-1), np.squeeze(array), array.reshape(-1)[0], np.tile(array, (2,) * array.ndim)]
        return draw(st.sampled_from(shapes))
    if way == "object":
        return draw(st.sampled_from([array.astype(object), array.astype(str), array + 0j, [str(x) for x in array]]))
    shape = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    return draw(st.sampled_from(DTYPES).flatmap(lambda dtype: npst.arrays(dtype, shape)))


def same(valid: Any) -> list[Any]:
    """The same numbers, stored in other ways."""
    if isinstance(valid, (bool, str)) or valid is None:
        return []
    if isinstance(valid, int):
        return [np.int16(valid), np.int64(valid), np.uint16(valid) if valid >= 0 else np.int16(valid)]
    if isinstance(valid, float):
        found = [np.float64(valid), np.float32(valid), np.array(valid)]
        return [x for x in found if float(x) == valid] + ([int(valid)] if valid == int(valid) else [])
    if not isinstance(valid, np.ndarray) or valid.ndim == 0:
        return []
    frozen = valid.copy()
    frozen.flags.writeable = False
    spread = np.repeat(valid, 2, axis=0)[::2]
    found = [valid.tolist(), frozen, np.asfortranarray(valid), valid[::-1].copy()[::-1], spread]
    found += [valid.astype(d) for d in (np.float32, np.float16, np.longdouble, ">f8", np.int16, np.float64)]
    return [a for a in found if np.array_equal(a, valid)]
