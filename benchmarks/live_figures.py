"""How long a live figure takes to follow a slider, on a processor four times slower than this one, and what it weighs.

usage: python -m benchmarks.live_figures [ROUNDS]

Each place of each slider is measured several times and the shortest time counts, since other jobs can only add to it.
The budget, one frame, is compared with the 95 % quantile over the places.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks import measure as shared
from tools import browser

ASSETS = Path(__file__).resolve().parent.parent / "book" / "assets"
LIVE = ASSETS / "js" / "live"
SHARED = [LIVE / name for name in ("mathematics.js", "drawing.js", "markup.js")]
ELEMENT, STYLE = LIVE / "element.js", ASSETS / "css" / "live.css"
THROTTLE = 4
BAR_MS = 16
ROUNDS, REPEATS = 2, 5
# Every slider from end to end; each redraw includes the layout of what was drawn.
SWEEP = """({name, parts}) => {
  document.body.innerHTML = `<main style="width:664px">${fo.markup.page(name, "")}</main>`;
  const element = document.querySelector("fo-live"), times = [];
  for (const control of element.figure.controls) {
    const ends = [control.min, control.max].map(end => fo.markup.position(control, end));
    for (let i = 0; i <= parts; i++) {
      const value = fo.markup.valueAt(control, ends[0] + (ends[1] - ends[0]) * i / parts);
      const begin = performance.now();
      element.state = {...element.figure.initial, [control.name]: value};
      element.redraw();
      element.getBoundingClientRect();
      times.push(performance.now() - begin);
    }
  }
  return times;
}"""


def packed(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for path in paths)


def slow(page: Any, name: str) -> float:
    """The 95 % quantile of the milliseconds of a redraw."""
    found = np.min([page.evaluate(SWEEP, {"name": name, "parts": 60}) for _ in range(REPEATS)], axis=0)
    return float(np.quantile(found, 0.95))


def measure(rounds: int) -> list[shared.Row]:
    """A row for each live figure."""
    path, rows = browser.find(), []
    if path is None:
        raise FileNotFoundError("no Chromium: python -m tools.browser installs one")
    figures = sorted((LIVE / "figures").glob("*.js"))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = chromium.new_page()
        page.add_style_tag(path=STYLE)
        for script in (*SHARED, *figures, ELEMENT):
            page.add_script_tag(path=script)
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
        for figure in figures:
            page.evaluate(SWEEP, {"name": figure.stem, "parts": 10})  # warm up
            found = [slow(page, figure.stem) for _ in range(rounds)]
            note = f"{np.median(found):.1f} ms; script of {packed(figure) / 1e3:.1f} kB, compressed"
            what = f"redraw of {figure.stem}"
            rows.append(shared.row(what, f"{BAR_MS} ms", shared.ratio([BAR_MS] * rounds, found), 1.0, note))
        chromium.close()
    return rows


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
