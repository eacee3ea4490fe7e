"""After the build, take from the pages what they do not use: a chapter shrinks to about a fifth.

Scripts and styles that a page has no use for are dropped from it; style rules and font glyphs that no page
uses are dropped from the site (`fo_subset`).
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import fo_subset

AFTER_ALL_OTHERS = 900


def script(name: str) -> str:
    return rf'<script[^>]*src="[^"]*{name}[^"]*"[^>]*></script>\s*'


def style(name: str) -> str:
    return rf'<link(?=[^>]*rel="stylesheet")(?=[^>]*href="[^"]*{name})[^>]*>\s*'


# Dropped everywhere: Font Awesome's script draws the same icons as its font; thebe needs a server.
NEVER = [
    script("fontawesome.js"),
    script("sphinx-thebe.js"),
    style("sphinx-thebe.css"),
    r"<script>const THEBE_JS_URL.*?</script>\s*",
    r'<script type="text/x-thebe-config">.*?</script>\s*',
    r"<script>\s*kernelName = .*?</script>\s*",
    r'<link rel="preload" as="script"[^>]*>\s*',
    r'<meta name="viewport" content="width=device-width, initial-scale=1"\s*/>\s*',  # the second of two
]

# Dropped from a page whose article does not contain the mark.
UNLESS = [
    (r'class="[^"]*\bsd-', [style("sphinx-design"), script("design-tabs.js")]),
    (r'class="[^"]*\btoggle\b|admonition[^"]*\bdropdown\b', [style("togglebutton"), script("togglebutton.js")]),
    (
        r'class="[^"]*\btoggle\b|admonition[^"]*\bdropdown\b',
        [r"<script>(?:let toggle|var togglebutton).*?</script>\s*"],
    ),
    (r"<pre", [style("copybutton"), style("pygments"), script("copybutton"), script("clipboard")]),
    (r'class="[^"]*\bcell', [style("mystnb")]),
    (r'class="[^"]*\bproof\b', [style(r"proof\.css")]),
    (r'class="[^"]*\bexercise\b', [style(r"exercise\.css")]),
    (r'class="katex', [style("katex")]),
    (r"fo-quiz", [script("js/quiz.js"), style("css/quiz.css")]),
]
SEARCH_ONLY = [script(name) for name in ("searchtools.js", "language_data.js", "searchindex.js")]


def slim_page(page: str, is_search: bool) -> str:
    """Return a page without the scripts and styles that it does not use."""
    article = page[page.find("<article") : page.rfind("</article>")]
    patterns = [*NEVER, *([] if is_search else SEARCH_ONLY)]
    for mark, unused in UNLESS:
        if not re.search(mark, article):
            patterns += unused
    for pattern in patterns:
        page = re.sub(pattern, "", page, flags=re.S)
    # What stands in the page's own scripts needs documentation_options.js at once; the search page needs all.
    waiting = r"<script (?![^>]*(?:\bdefer\b|\basync\b|documentation_options))(?=[^>]*src=)"
    return page if is_search else re.sub(waiting, "<script defer ", page)


def defer_previews(static: Path, page: str) -> str:
    """Load a page's previews and their library when the reader first points at something (`previews.js`).

    Their file is sorted, and named after its content: the same sources then give the same site.
    """
    library = "".join(script(name) for name in ("popper.min.js", "tippy-bundle.umd.min.js"))
    match = re.search(library + r'<script[^>]*src="([^"]*)tippy/([^"]+)\.[0-9a-f-]{36}\.js"></script>', page)
    if not match:
        return re.sub(library, "", page)
    source = next(static.glob(f"tippy/{match[2]}.*.js"))
    previews = source.read_text(encoding="utf-8")
    table = re.match(r"selector_to_html = (\{.*\})\n", previews)
    assert table, f"{source} has another form than expected"
    previews = previews.replace(table[1], json.dumps(json.loads(table[1]), sort_keys=True), 1)
    previews = re.sub(r"window\.onload = function \(\) (\{.*?)\s*console\.log.*?\};", r"\1\n}", previews, flags=re.S)
    name = f"{match[2]}.{hashlib.sha256(previews.encode()).hexdigest()[:8]}.js"
    (static / "tippy" / name).write_text(previews, encoding="utf-8")
    source.unlink()
    return page.replace(match[0], f'<script defer src="{match[1]}js/previews.js" data-previews="{name}"></script>')


def slim(app: Sphinx, exception: Exception | None) -> None:
    """Slim every page, then styles and fonts."""
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    for path in pages:
        page = path.read_text(encoding="utf-8")
        page = defer_previews(site / "_static", slim_page(page, path.name == "search.html"))
        path.write_text(page, encoding="utf-8")
    fo_subset.subset_site(site, pages)
    for path in site.glob("tippy_*_cache.json"):
        path.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", slim, priority=AFTER_ALL_OTHERS)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
