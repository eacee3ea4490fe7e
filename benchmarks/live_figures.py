"""How long a live figure takes to follow a slider, on a processor four times slower than this one, and what it weighs.

Each place of each slider is measured several times and the shortest time counts, since other jobs can only add to it;
printed are the median and the 95 % quantile over the places.

usage: python -m benchmarks.live_figures
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from tools import browser

ASSETS = Path(__file__).resolve().parent.parent / "book" / "assets"
LIVE = ASSETS / "js" / "live"
SHARED = [LIVE / name for name in ("mathematics.js", "drawing.js", "markup.js")]
ELEMENT, STYLE = LIVE / "element.js", ASSETS / "css" / "live.css"
THROTTLE = 4
BAR_MS = 16
REPEATS = 7
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


def measure(page: Any, name: str) -> np.ndarray:
    page.evaluate(SWEEP, {"name": name, "parts": 10})  # warm up
    return np.min([page.evaluate(SWEEP, {"name": name, "parts": 60}) for _ in range(REPEATS)], axis=0)


def main() -> None:
    path = browser.find()
    assert path, browser.MISSING
    figures = sorted((LIVE / "figures").glob("*.js"))
    print(f"scripts and style of every live figure: {packed(*SHARED, ELEMENT, STYLE):,} bytes, compressed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = chromium.new_page()
        page.add_style_tag(path=STYLE)
        for script in (*SHARED, *figures, ELEMENT):
            page.add_script_tag(path=script)
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
        slow = {}
        for figure in figures:
            times = measure(page, figure.stem)
            slow[figure.stem] = float(np.quantile(times, 0.95))
            print(
                f"{figure.stem:14} median {np.median(times):5.1f} ms, p95 {slow[figure.stem]:5.1f} ms, "
                f"script {packed(figure):,} bytes"
            )
        chromium.close()
    above = {name: round(p95, 1) for name, p95 in slow.items() if p95 >= BAR_MS}
    print(f"p95 at or above {BAR_MS} ms: {json.dumps(above) if above else 'none'}")


if __name__ == "__main__":
    main()
