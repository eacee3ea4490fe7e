"""A figure of matplotlib as a part of a page: it takes the page's ink and fonts, and its ids are its own."""

from __future__ import annotations

import re

INK = "#0b0b0b"  # the ink colour in fo_lib's figures
STROKES = 'stroke-linejoin="round" stroke-linecap="butt"'


def shorten(svg: str) -> str:
    """Drop what a page does not need: prologue, metadata, comments, digits beyond a hundredth of a point.

    matplotlib's <style> goes, too: inlined it would hold for the whole page. STROKES says the same of one figure.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.S)
    rounded = re.compile(r'(?<= d=")[^"]*')
    return rounded.sub(lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)


def own_ids(svg: str, prefix: str) -> str:
    """Give every id of a figure a prefix, so that two figures on one page cannot share a clip path."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)


def inline_svg(svg: str, alt: str, prefix: str) -> str:
    """Return the <svg> element that stands for an image."""
    svg = own_ids(shorten(svg), prefix).replace(INK, "currentColor")
    return svg.replace("<svg ", f'<svg class="fo-svg" role="img" aria-label="{alt}" {STROKES} ', 1)
