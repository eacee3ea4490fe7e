"""SVG images become part of the page, so that figures follow its colours and fonts.

The one ink colour of the figures turns into `currentColor` (dark mode and print then need no second file),
ids are made unique on the page, and the alt text becomes the accessible name. An image without alt text is a
build warning.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from fo_browser.svg import inline_svg

LOGGER = logging.getLogger(__name__)
CSS_DPI, FIGURE_DPI = 96, 160  # the second is that of fo_lib's raster figures
IMAGE = re.compile(r"<img [^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
# The previews, at 450, copy what they show: an <img> that waits to be seen weighs less there than the figure.
BEFORE_PREVIEWS, AFTER_PREVIEWS = 400, 600
# With these fonts a figure's minus and slash are other characters, which only look right in the font itself.
TEX_FONTS = re.compile(r"\bcm(?:sy|mi|ex|r|ss|tt|b)10\b", re.I)


def source_of(app: Sphinx, src: str) -> Path | None:
    """The file behind an image of a page, or None for an image that is not the book's."""
    sources = {name: uri for uri, (_, name) in app.env.images.items()}
    uri = sources.get(Path(src).name)
    return None if uri is None or "_images/" not in src else Path(app.srcdir) / uri


def size_of(path: Path) -> str:
    """Width and height of a PNG in CSS pixels, so that a page does not jump when the image comes."""
    header = path.read_bytes()[16:24]
    width, height = (round(int.from_bytes(header[k : k + 4], "big") * CSS_DPI / FIGURE_DPI) for k in (0, 4))
    return f'width="{width}" height="{height}"'


def put_figures_inline(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Replace every SVG image in the body of a page."""
    if not context.get("body") or app.builder.format != "html":
        return
    number = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal number
        attributes = dict(ATTRIBUTE.findall(match[0]))
        alt, src = attributes.get("alt", ""), attributes.get("src", "")
        if not alt or alt == src:
            LOGGER.warning("image without alt text: %s", src, location=pagename, type="fo", subtype="alt")
        path = source_of(app, src)
        if path is not None and path.suffix == ".png":
            return match[0].replace("<img ", f"<img {size_of(path)} ", 1)
        if path is None or path.suffix != ".svg":
            return match[0]
        number += 1
        svg = path.read_text(encoding="utf-8")
        if TEX_FONTS.search(svg):
            LOGGER.warning("figure with TeX's own letters; set mathtext.fontset to dejavusans", location=pagename)
        return inline_svg(svg, html.escape(html.unescape(alt)), f"fig{number}-")

    context["body"] = IMAGE.sub(replace, context["body"])


def load_lazily(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    context["body"] = (context.get("body") or "").replace("<img ", '<img loading="lazy" ')


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", load_lazily, priority=BEFORE_PREVIEWS)
    app.connect("html-page-context", put_figures_inline, priority=AFTER_PREVIEWS)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
