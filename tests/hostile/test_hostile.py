"""Hostile input: each argument of each public function, spoiled while the others are valid.

Either there is a result without NaN, or an error that `fo_lib` raised on purpose and that names an argument; and no
array that was passed has changed. A hunt: ``FO_HOSTILE=500 pytest tests/hostile``.
"""

from __future__ import annotations

import copy
import dis
import os
import re
import traceback
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import fo_lib

from . import calls_data, calls_methods, calls_rates, calls_slots, calls_training  # noqa: F401 - each fills the table
from .calls import CALLS, NOT_CALLED, Call, numbers
from .values import numbers_for, same, spoiled, wrong_kind

EXAMPLES = int(os.environ.get("FO_HOSTILE", "6"))
LIBRARY = str(Path(fo_lib.__file__).parent)
SPOILED = [
    (key, name)
    for key, c in CALLS.items()
    for name, v in c.arguments.items()
    if name not in c.leave and not isinstance(v, bool)
]


def call(c: Call, arguments: dict[str, Any]) -> Any:
    with warnings.catch_warnings(), np.errstate(**({"all": "ignore"} if c.spreads else {})):
        warnings.simplefilter("error")
        return [np.array(a) for a in numbers(c.look(c.function(**arguments)))]


def complaint(c: Call, error: Exception) -> str:
    """What is wrong with an error: its type, where it comes from, or what it says."""
    if not isinstance(error, (TypeError, ValueError, *c.errors)):
        return "of another type"
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    (last,) = (t for t in _chain(error.__traceback__) if t.tb_next is None)
    code = frame.f_code
    if not code.co_filename.startswith(LIBRARY) or code.co_code[last.tb_lasti] != dis.opmap["RAISE_VARARGS"]:
        return "not raised by fo_lib"
    named = any(re.search(rf"\b{re.escape(name)}\b", str(error)) for name in (*c.arguments, *c.also))
    return "" if named else "names no argument"


def _chain(tb: types.TracebackType | None) -> Any:
    while tb is not None:
        yield tb
        tb = tb.tb_next


def fingerprint(value: Any) -> Any:
    """The bytes of arrays, and of those in a list."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, repr(value.tolist())
    return [fingerprint(part) for part in value] if isinstance(value, (list, tuple)) else None


def is_numeric(value: Any) -> bool:
    return isinstance(value, (np.ndarray, float, list))


def check(c: Call, arguments: dict[str, Any]) -> list[Any] | None:
    """Call with these arguments; return the numbers of the result, or None where they were refused."""
    arguments = {k: copy.deepcopy(v) if isinstance(v, np.random.Generator) else v for k, v in arguments.items()}
    kept = {name: fingerprint(value) for name, value in arguments.items()}
    try:
        found = call(c, arguments)
    except Exception as error:
        wrong = complaint(c, error)
        if wrong:
            raise AssertionError(f"an error {wrong}: {type(error).__name__}: {error}") from error
        found = None
    changed = [name for name, value in arguments.items() if fingerprint(value) != kept[name]]
    assert not changed, f"changed: {changed}"
    if c.spreads and not all(np.isfinite(a).all() for a in numbers(list(filter(is_numeric, arguments.values())))):
        return found
    for a in found or []:
        assert np.isfinite(a).all() if not c.infinite else not np.isnan(a).any(), f"not finite: {found}"
    return found


@pytest.mark.parametrize(("key", "name"), SPOILED, ids=lambda part: part)
def test_a_bad_argument_is_refused_by_name_or_does_no_harm(key, name):
    c = CALLS[key]
    valid = c.arguments[name]
    kinds = [wrong_kind(), st.sampled_from(numbers_for(valid, name in c.long))]
    if isinstance(valid, np.ndarray):
        kinds.append(spoiled(valid))

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate])
    @given(st.one_of(kinds))
    def attack(value):
        check(c, {**c.arguments, name: value})

    attack()


@pytest.mark.parametrize("key", CALLS)
def test_the_same_numbers_stored_otherwise_give_the_same_result(key):
    c = CALLS[key]
    expected = check(c, dict(c.arguments))
    assert expected is not None
    for name, valid in c.arguments.items():
        for value in same(valid) if name not in c.leave else []:
            found = check(c, {**c.arguments, name: value})
            if found is None:
                continue
            assert len(found) == len(expected)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3, err_msg=f"{name}: {value!r}")


def test_every_public_name_is_in_the_table_and_nothing_else():
    modules = [name for name in fo_lib.__all__ if isinstance(getattr(fo_lib, name), types.ModuleType)]
    public = {f"{module}.{name}" for module in modules for name in getattr(fo_lib, module).__all__}
    machinery = {"engine", "layout", "finite_sums", "loop", "sampling"}
    entered = {key for key in {*CALLS, *NOT_CALLED} if key.split(".")[0] in modules}
    assert public - entered == set()
    assert entered - public == set()
    assert not set(CALLS) & set(NOT_CALLED)
    assert {key.split(".")[0] for key in {*CALLS, *NOT_CALLED}} <= {*modules, *machinery}
