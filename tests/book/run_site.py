"""For the tests of code in the browser: a small site that carries its own Python, and pages that may ask for one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest

from tests.book.small_book import write_book
from tests.book.visit import DESK, Visit
from tools import build_book, pyodide
from tools.run_notebooks import METADATA

CELLS = [
    "import keras\nimport matplotlib.pyplot as plt\nimport numpy as np\n\nfrom fo_lib import exercises, plots",
    "a = np.arange(3)",
    "print(a.sum())\na * 2",
    "keras.Model()",
    'exercises.check("gradient-descent-2", ...)',
    "fig, ax = plots.figure()\nax.plot(a, label='a line')\nfig",
    'plots.images([np.eye(3)], ["eye"])',
    "while True:\n    pass",
    "plt.plot(a)\nplt.show()",
    "a[7]",
]
LOAD_MS = 120_000  # on a busy machine; it takes ten seconds on an idle one
CDN = re.compile(r"https://cdn\.jsdelivr\.net/pyodide/v0\.27\.7/full/(?P<file>[\w.+-]+)")
TYPES = {".js": "text/javascript", ".wasm": "application/wasm"}


def distribution() -> Path:
    """A Pyodide on this machine; the only place where tests that need one are skipped."""
    folder = pyodide.find()
    if folder is None:
        if os.environ.get("CI") == "true":
            pytest.fail(pyodide.MISSING)
        pytest.skip(pyodide.MISSING)
    return folder


def stored(output: Any) -> str:
    """The text of a stored output, as a page shows it; nothing for a figure."""
    if output.output_type == "stream":
        return str(output.text)
    return "" if "image/svg+xml" in output.data or "image/png" in output.data else output.data["text/plain"] + "\n"


def build_run_site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Build a book of one chapter, with its Python."""
    monkeypatch.setenv("PYODIDE", str(distribution()))
    write_book(folder, "# A book\n")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n- file: book/cells.ipynb\n", encoding="utf-8"
    )
    title = nbformat.v4.new_markdown_cell("# Cells")
    (folder / "book" / "cells.md").write_text(title.source, encoding="utf-8")  # a chapter's source stands beside it
    code = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=[title, *code], metadata=METADATA)
    nbformat.write(notebook, folder / "book" / "cells.ipynb")
    assert build_book.build(folder) == 0
    return folder / "_build" / "html"


class RunVisit(Visit):
    """A page whose cells are run. With `cdn`, what it asks of the book's own address comes from this machine."""

    def __init__(
        self, chromium: Any, address: str, cdn: Path | None = None, viewport: Any = None, scripts: bool = True
    ):
        self.cdn = cdn
        self.asked: list[str] = []
        super().__init__(chromium, address, viewport or DESK, "light", scripts)

    def allow_own_host(self, route: Any) -> None:
        address = route.request.url
        self.asked.append(address)
        match = CDN.fullmatch(address)
        if match and self.cdn:
            file = self.cdn / match["file"]
            kind = TYPES.get(file.suffix, "application/octet-stream")
            route.fulfill(path=file, content_type=kind, headers={"access-control-allow-origin": "*"})
        elif urlsplit(address).netloc == self.host:
            route.continue_()
        else:
            route.abort()

    def weigh(self, response: Any) -> None:
        """Nothing: what Python loads is large, and its weight is no test's matter."""

    def cell(self, number: int) -> Any:
        """The element of a cell, counted from 0."""
        return self.page.locator("div.cell", has=self.page.locator(".fo-run")).nth(number)

    def button(self, number: int, name: str) -> Any:
        return self.cell(number).locator(".fo-run").get_by_role("button", name=name)

    def status(self, number: int) -> str:
        return str(self.cell(number).locator(".fo-status").first.inner_text())

    def wait(self, number: int, status: str = "Ran in") -> None:
        """Wait until the status of a cell starts with some words."""
        self.cell(number).locator(".fo-status", has_text=re.compile(f"^{status}")).wait_for(timeout=LOAD_MS)

    def press(self, number: int, end: str = "Ran in") -> None:
        """Run a cell, and wait for its end."""
        self.button(number, "Run").click()
        self.wait(number, end)

    def text(self, number: int) -> str:
        """What a cell printed when it was run."""
        return "".join(self.cell(number).locator(".fo-ran pre").all_text_contents())

    def figures(self, number: int) -> int:
        return int(self.cell(number).locator(".fo-ran svg.fo-svg, .fo-ran img").count())
