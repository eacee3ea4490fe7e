"""One page in a browser whose network is cut off: what went wrong, what it weighs, what axe finds in it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python

from tests.book.site_checks import all_pages
from tests.book.small_book import ROOT

DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
COMPRESSED = {".woff2", ".png", ".jpg"}
SETTLE_MS = 300
WEIGHED: dict[str, int] = {}  # by address: pages share most of what they load
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# KaTeX draws each formula out of sight of screen readers and writes it once more as MathML, which axe does not judge: an
# empty box of the drawing's size and the plain text of the MathML leave axe half of the work.
BOXES = """() => {
    const boxes = [...document.querySelectorAll('.katex-html')].map(e => [e, e.getBoundingClientRect()]);
    for (const [e, { width, height }] of boxes) {
        e.replaceChildren();
        e.style.cssText = `display: inline-block; width: ${width}px; height: ${height}px`;
    }
    for (const e of document.querySelectorAll('.katex-mathml')) e.textContent = e.textContent; }"""
# The contrast of a text depends on its colour, size and weight and on what is painted behind it: of texts alike in all
# of these one is enough, and axe, which asks for each text what lies beneath it, has a fifth of the work.
EACH_LOOK = """() => {
    const grounds = new Map(), seen = new Set();
    for (const e of document.documentElement.querySelectorAll('*')) {
        const s = getComputedStyle(e), own = [s.backgroundColor, s.backgroundImage, s.opacity, s.position].join();
        const ground = (grounds.get(e.parentElement) ?? '') + (own === 'rgba(0, 0, 0, 0),none,1,static' ? '' : own);
        grounds.set(e, ground);
        const text = [...e.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!(text || e.matches('input, textarea')) || !e.checkVisibility({ visibilityProperty: true })) continue;
        const look = [ground, s.color, s.fontSize, s.fontWeight, s.textShadow].join();
        e.toggleAttribute('data-look', !seen.has(look));
        seen.add(look);
    } }"""
# Colours depend on the mode, and nothing else does; on a phone the colours are those of the desktop.
RULES = {
    "all": "",
    "colours": "runOnly: ['color-contrast']",
    "but colours": "rules: {'color-contrast': {enabled: false}}",
}

SITE = ROOT / "_build" / "html"
BOOK_PAGES = [("book", str(path.relative_to(SITE))) for path in all_pages(SITE) if path != SITE / "index.html"]
PAGES = [*BOOK_PAGES, *(("small", f"book/{name}.html") for name in ("index", "sample", "live", "back"))]


class Visit:
    """One page, opened with the network cut off, and what happened meanwhile."""

    def __init__(self, chromium: Any, address: str, viewport: dict[str, int], scheme: str, scripts: bool = True):
        self.faults: list[str] = []
        self.responses: list[Any] = []
        self.host = urlsplit(address).netloc
        self.context = chromium.new_context(
            viewport=viewport, color_scheme=scheme, java_script_enabled=scripts, reduced_motion="reduce"
        )
        self.context.route("**/*", self.allow_own_host)
        self.page = self.context.new_page()
        self.page.on("console", self.note_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.on("response", self.note_response)
        self.page.goto(address, wait_until="load")
        self.page.wait_for_timeout(SETTLE_MS)

    def allow_own_host(self, route: Any) -> None:
        if urlsplit(route.request.url).netloc == self.host:
            route.continue_()
        else:
            route.abort()

    def note_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text}")

    def note_response(self, response: Any) -> None:
        self.responses.append(response)
        if not response.ok:
            self.faults.append(f"{response.status}: {response.url}")

    def weights(self) -> dict[str, int]:
        """The bytes of all that was loaded, compressed, by address."""
        for response in self.responses:
            if response.ok and response.url not in WEIGHED:
                body, suffix = response.body(), Path(urlsplit(response.url).path).suffix
                WEIGHED[response.url] = len(body) if suffix in COMPRESSED else len(gzip.compress(body))
        return {response.url: WEIGHED.get(response.url, 0) for response in self.responses}

    def violations(self, rules: str = "all") -> list[str]:
        """What axe-core finds, with the element."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(BOXES)
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
            self.page.evaluate("axe.configure({rules: [{id: 'color-contrast', selector: '[data-look]'}]})")
        if rules != "but colours":
            self.page.evaluate(EACH_LOOK)
        run = f"() => axe.run({{exclude: ['.katex-html']}}, {{resultTypes: ['violations'], {RULES[rules]}}})"
        found = self.page.evaluate(f"{run}.then(result => result.violations)")
        return [f"{rule['id']}: {node['target']} {node['html'][:120]}" for rule in found for node in rule["nodes"]]

    def show_mode(self, mode: str) -> None:
        self.page.evaluate(f"document.documentElement.dataset.theme = {json.dumps(mode)}")
