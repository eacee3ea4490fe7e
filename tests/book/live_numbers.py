"""What the tests of the mathematics of the live figures share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.book.small_book import ROOT

SCRIPT = ROOT / "book" / "assets" / "js" / "live" / "mathematics.js"
SEEDS = range(4)
Js = Callable[..., Any]


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
