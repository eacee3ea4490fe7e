"""How a chapter loads: blocking time, layout shift and bytes, against the same chapter in Jupyter Book's default form.

usage: python -m benchmarks.page_speed [ROUNDS]      (the book must be built)

The default book is built into a temporary folder from the same notebook, with the theme and options that Jupyter Book
chooses; directives of this book's own are missing there. Its MathJax is taken from npm (needs npm and the network), so
that both load from this machine. Each round opens both pages, in turns, with the processor slowed down four times.
Blocking time is the sum, over tasks of more than 50 ms, of what exceeds that; bytes are compressed.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks import measure as shared
from tools import browser
from tools.vendor_assets import unpack

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "book" / "acceleration" / "momentum.ipynb"
ROUNDS = 3
MATHJAX = "mathjax@3.2.2"
COMPRESSED = {".woff2", ".png", ".jpg"}
WATCH = """() => {
  window.blocked = 0; window.shifted = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) blocked += Math.max(0, e.duration - 50); })
    .observe({type: 'longtask', buffered: true});
  new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) shifted += e.value; })
    .observe({type: 'layout-shift', buffered: true});
}"""


def default_book(chapter: Path, folder: Path) -> Path:
    """Build the chapter as Jupyter Book does by default; return the site."""
    shutil.copy(chapter, folder / "chapter.ipynb")
    shutil.copy(ROOT / "book" / "references.bib", folder)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapter\n", encoding="utf-8")
    (folder / "_config.yml").write_text(
        "title: Default\nexecute: {execute_notebooks: 'off'}\nbibtex_bibfiles: [references.bib]\n"
        "only_build_toc_files: true\nparse: {myst_enable_extensions: [amsmath, dollarmath, colon_fence]}\n"
        "sphinx: {config: {mathjax_path: mathjax/tex-mml-chtml.js}, extra_extensions: [sphinx_proof]}\n",
        encoding="utf-8",
    )
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(folder), "-q"]
    subprocess.run(command, check=False, capture_output=True)  # it warns of what it does not know
    site = folder / "_build" / "html"
    shutil.copytree(unpack(MATHJAX, folder) / "es5", site / "_static" / "mathjax")
    return site


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


def serve(site: Path) -> str:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def visit(chromium: Any, address: str) -> tuple[float, float, float]:
    """Blocking time in ms, layout shift, and kilobytes of one visit."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page, loaded = context.new_page(), {}
    page.route("**/*", lambda route: route.continue_() if "127.0.0.1" in route.request.url else route.abort())
    page.on("response", lambda response: loaded.setdefault(response.url, response))
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(f"({WATCH})()")
    page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_timeout(6000)
    size = 0
    for url, response in loaded.items():
        body = response.body() if response.ok else b""
        size += len(body) if Path(urlsplit(url).path).suffix in COMPRESSED else len(gzip.compress(body))
    found = page.evaluate("[blocked, shifted]")
    context.close()
    return found[0], found[1], size / 1000


def measure(rounds: int) -> list[shared.Row]:
    """Blocking time and bytes of the default book over ours."""
    site = ROOT / "_build" / "html"
    page = site / CHAPTER.relative_to(ROOT).with_suffix(".html")
    if not page.is_file():
        raise FileNotFoundError(f"{page.relative_to(ROOT)} is not there: run make book")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        addresses = {
            "ours": f"{serve(site)}/{page.relative_to(site)}",
            "default": f"{serve(default_book(CHAPTER, Path(name)))}/chapter.html",
        }
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=["--no-sandbox"])
        visits = [{kind: visit(chromium, address) for kind, address in addresses.items()} for _ in range(rounds)]
        chromium.close()
    rows = []
    for number, (what, unit) in enumerate([("blocking time", "ms"), ("layout shift", ""), ("bytes loaded", "kB")]):
        ours, theirs = ([found[kind][number] for found in visits] for kind in ("ours", "default"))
        if unit:  # a shift of zero has no ratio
            note = f"{np.median(ours):.0f} {unit}"
            rows.append(
                shared.row(f"a chapter: {what}", "Jupyter Book's default", shared.ratio(theirs, ours), None, note)
            )
    return rows


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
