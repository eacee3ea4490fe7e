"""One live figure on an open page, for the tests of live figures."""

from __future__ import annotations

from typing import Any

PAGE = "book/live.html"
STATE = "element => element.state"
DRAWN = "element => [...element.querySelectorAll('.live-panel > svg')].map(svg => svg.innerHTML).join()"
READ = "element => [...element.querySelectorAll('dd')].map(dd => dd.textContent)"
NEXT_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Figure:
    """One live figure on an open page."""

    def __init__(self, page: Any, name: str):
        self.page, self.element = page, page.locator(f"fo-live[figure='{name}']")
        self.handle = self.element.locator(".live-handle")
        self.element.scroll_into_view_if_needed()

    def state(self) -> dict[str, Any]:
        self.page.evaluate(NEXT_FRAME)
        return dict(self.element.evaluate(STATE))

    def drawn(self) -> str:
        self.page.evaluate(NEXT_FRAME)
        return str(self.element.evaluate(DRAWN))

    def read(self) -> list[str]:
        self.page.evaluate(NEXT_FRAME)
        return list(self.element.evaluate(READ))

    def said(self) -> str:
        self.page.evaluate(NEXT_FRAME)
        return str(self.element.locator(".live-said").inner_text())

    def press(self, words: str) -> None:
        self.element.get_by_role("button", name=words, exact=True).click()

    def set(self, **changes: Any) -> None:
        self.element.evaluate("(element, changes) => element.set(changes)", changes)
