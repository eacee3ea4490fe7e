"""Every page in a browser without network, on a phone: nothing scrolls sideways, and it is accessible."""

from __future__ import annotations

from typing import Any

import pytest

from tests.book.visit import PAGES, PHONE

pytestmark = [pytest.mark.site, pytest.mark.browser]


@pytest.mark.parametrize(("site", "path"), PAGES, ids=[f"{site}:{path}" for site, path in PAGES])
def test_page_fits_a_phone(site: str, path: str, visit: Any) -> None:
    opened = visit(site, path, viewport=PHONE)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert opened.violations("all" if site == "small" else "but colours") == []
