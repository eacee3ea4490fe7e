"""Every page in a browser without network, on a desktop: no errors, light, accessible in both modes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.book.visit import PAGES

pytestmark = [pytest.mark.site, pytest.mark.browser]

MAX_BYTES = 350_000  # of a page with all that it loads, compressed


@pytest.mark.parametrize(("site", "path"), PAGES, ids=[f"{site}:{path}" for site, path in PAGES])
def test_page_has_no_errors_weighs_little_and_is_accessible(site: str, path: str, visit: Any) -> None:
    opened = visit(site, path)
    errors = list(opened.faults)  # before axe, which loads things of its own
    weights = opened.weights()
    total, heaviest = sum(weights.values()), sorted(weights.items(), key=lambda item: -item[1])[:8]
    assert total < MAX_BYTES, f"{total} bytes: {heaviest}"
    light = opened.violations()
    opened.show_mode("dark")
    assert {"light": light, "dark": opened.violations("colours"), "errors": errors} == {
        "light": [],
        "dark": [],
        "errors": [],
    }
