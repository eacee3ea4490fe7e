"""The ledger of published results: each figure is found anew, judged, and compared with what the page shows."""

from __future__ import annotations

import datetime
import json

import pytest

from tests.published import LEDGER, RESULTS, Published, entry

STORED = json.loads(LEDGER.read_text(encoding="utf-8"))
SAME = 1e-6  # relative: what another processor may change


@pytest.mark.parametrize("key", RESULTS)
def test_as_published(key: str) -> None:
    """Or not as published, where the ledger says so."""
    ours = RESULTS[key].find()
    assert RESULTS[key].agrees(ours) is RESULTS[key].holds
    row = dict(STORED[key])
    assert row.pop("ours") == pytest.approx(ours, rel=SAME, abs=1e-12)
    assert datetime.date.fromisoformat(row.pop("date")) <= datetime.date.today()
    assert row == entry(key, RESULTS[key])


def test_the_ledger_has_these_and_no_others() -> None:
    assert list(STORED) == list(RESULTS)


@pytest.mark.parametrize(
    ("relation", "agreeing", "other"),
    [("=", [1.9, 2.0, 2.1], [1.7, 2.3]), ("≤", [-5, 2.1], [2.3]), ("≥", [1.9, 9], [1.7])],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_judgement(relation: str, agreeing: list[float], other: list[float], sign: int) -> None:
    """Within a tenth of 2; for negative figures the sides change."""
    relation = relation if sign > 0 else {"=": "=", "≤": "≥", "≥": "≤"}[relation]
    result = Published(2.0 * sign, relation, 0.1, True, float)
    assert all(result.agrees(sign * ours) for ours in agreeing)
    assert not any(result.agrees(sign * ours) for ours in other)
