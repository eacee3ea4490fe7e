"""A figure of matplotlib as a part of a page: it takes the page's ink and fonts, and its ids are its own."""

from __future__ import annotations

import re

INK = "#0b0b0b"  # the ink colour in fo_lib's figures
STROKES = 'stroke-linejoin="round" stroke-linecap="butt"'


def shorten(svg: str) -> str:
    """Drop what a page does not need: prologue, metadata, comments, and most of the digits of curves.

    matplotlib's <style> goes, too: inlined it would hold for the whole page. STROKES says the same of one figure.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.S)
    return re.sub(r'(?<= d=")[^"]*', lambda path: relative(path[0]), svg)


def relative(path: str) -> str:
    """Write a path of straight lines in steps, in hundredths of a point: small numbers compress better.

    Each point is rounded first, so that no error adds up. Other paths keep two digits of their numbers.
    """
    tokens = re.findall(r"[A-Za-z]|[^A-Za-z\s,]+", path)
    if {token for token in tokens if token.isalpha()} - {"M", "L", "z"}:
        return re.sub(r"(\.\d\d)\d+", r"\1", path)
    written, at, command, rest = [], (0, 0), "", iter(tokens)
    for token in rest:
        if token.isalpha():
            command = token
            written += ["z"] if token == "z" else []
            continue
        point = round(float(token) * 100), round(float(next(rest)) * 100)
        if command == "M":
            written.append(f"M{hundredths(point[0])} {hundredths(point[1])}")
        elif point != at:
            written.append(f"l{hundredths(point[0] - at[0])} {hundredths(point[1] - at[1])}")
        at = point
    return "".join(written).replace(" -", "-")


def hundredths(n: int) -> str:
    """A number of hundredths as SVG writes it shortest."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{n / 100:.2f}".rstrip("0").rstrip(".")) if n else "0"


def own_ids(svg: str, prefix: str) -> str:
    """Give every id of a figure a prefix, so that two figures on one page cannot share a clip path."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)


def inline_svg(svg: str, alt: str, prefix: str) -> str:
    """Return the <svg> element that stands for an image."""
    svg = own_ids(shorten(svg), prefix).replace(INK, "currentColor")
    return svg.replace("<svg ", f'<svg class="fo-svg" role="img" aria-label="{alt}" {STROKES} ', 1)
