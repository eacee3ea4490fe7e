"""What the pages of a built site must be. Each function takes a page and yields what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import lxml.html

HIDDEN_TEXT = {"script", "style", "pre", "code", "annotation", "textarea"}
LEFTOVERS = {
    "TeX": re.compile(r"\\[a-zA-Z]{2,}|\$|\\[(\[]"),
    "MyST": re.compile(r"\{[a-z][\w:-]*\}`|```|:::|formula with an error"),
}
# Attributes whose address the browser loads by itself, and those that lead a reader somewhere.
LOADED = [("script", "src"), ("img", "src"), ("source", "src"), ("iframe", "src"), ("video", "src"), ("use", "href")]
LOADING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}
CSS_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@cache
def parse(path: Path) -> lxml.html.HtmlElement:
    return lxml.html.fromstring(path.read_text(encoding="utf-8"))


@cache
def anchors(path: Path) -> frozenset[str]:
    """The ids of a page."""
    return frozenset(parse(path).xpath("//@id | //a/@name"))


def all_pages(site: Path) -> list[Path]:
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts)


def is_outside(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def is_file_address(address: str) -> bool:
    """Whether an address names a file of the site, not a data:, mailto: or outside one."""
    return bool(address) and not urlsplit(address).scheme and not is_outside(address)


def dead_links(site: Path, page: Path) -> Iterator[str]:
    """Links within the site whose page, file or anchor does not exist."""
    for element, attribute, address, _ in parse(page).iterlinks():
        if not is_file_address(address) or element.get("data-cfasync"):
            continue
        name, anchor = urldefrag(address)
        path = unquote(urlsplit(name).path)
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or not target.is_relative_to(site):
            yield f"<{element.tag} {attribute}> leads to nothing: {address}"
        elif anchor and target.suffix == ".html" and unquote(anchor) not in anchors(target):
            yield f"no such anchor: {address}"


def is_code(element: lxml.html.HtmlElement) -> bool:
    """Whether an element's text is code, a script or a signature, where TeX may stand."""
    return element.tag in HIDDEN_TEXT or "sig" in (element.get("class") or "").split()


def visible_texts(element: lxml.html.HtmlElement) -> Iterator[str]:
    """The pieces of text that a reader sees as text, in the order of the page."""
    if isinstance(element.tag, str) and not is_code(element):
        yield element.text or ""
        for child in element:
            yield from visible_texts(child)
            yield child.tail or ""


def raw_source(page: Path) -> Iterator[str]:
    """TeX or MyST source that a reader would see."""
    for text in visible_texts(parse(page)):
        for kind, pattern in LEFTOVERS.items():
            if found := pattern.search(text):
                yield f"raw {kind}: {text.strip()[:80]!r} ({found[0][:30]!r})"


def outside_assets(page: Path) -> Iterator[str]:
    """What a page loads from another host."""
    for tag, attribute in LOADED:
        for element in parse(page).iter(tag):
            if is_outside(element.get(attribute) or ""):
                yield f"<{tag}> loads {element.get(attribute)}"
    for link in parse(page).iter("link"):
        if LOADING_LINKS & set((link.get("rel") or "").split()) and is_outside(link.get("href") or ""):
            yield f"<link> loads {link.get('href')}"


def policy_faults(page: Path) -> Iterator[str]:
    """What is wrong with a page's content-security policy."""
    head = list(parse(page).iter("meta", "script", "link", "style"))
    if [element.get("http-equiv") for element in head] == ["Refresh"]:
        return  # the site's first page only leads to the book's
    at = next((k for k, element in enumerate(head) if element.get("http-equiv") == "Content-Security-Policy"), None)
    if at is None:
        yield "no content-security policy"
        return
    if late := [element.tag for element in head[:at] if element.tag != "meta"]:
        yield f"policy after {late}"
    rules = dict(rule.split(maxsplit=1) for rule in head[at].get("content").split("; "))
    if rules["default-src"] != "'none'":
        yield f"policy allows by default {rules['default-src']}"
    for name, allowed in rules.items():
        for source in allowed.split():
            outside = not source.startswith("'") and source != "data:"
            if outside or source == "'unsafe-eval'" or (source == "'unsafe-inline'" and name != "style-src"):
                yield f"policy allows {source} as {name}"


def css_faults(site: Path, sheet: Path) -> Iterator[str]:
    """Addresses in a style sheet that are on another host, or name no file."""
    for match in CSS_ADDRESS.finditer(sheet.read_text(encoding="utf-8")):
        address = match[1] or match[2]
        if address.startswith(("data:", "#")):
            continue
        if is_outside(address):
            yield f"loads {address}"
        elif not (sheet.parent / unquote(urlsplit(address).path)).resolve().is_relative_to(site):
            yield f"leaves the site: {address}"
        elif not (sheet.parent / unquote(urlsplit(address).path)).is_file():
            yield f"names no file: {address}"


def launched_files(page: Path) -> dict[str, str]:
    """For each launch service that a page links, the file of the repository that it opens."""
    files = {}
    for address in parse(page).xpath("//a/@href"):
        if "colab.research.google.com" in address:
            files["Colab"] = address.partition("/blob/main/")[2]
        if "mybinder.org" in address:
            files["Binder"] = unquote(address.partition("lab/tree/")[2])
    return files


def empty_headers(page: Path) -> Iterator[str]:
    """Header cells of tables in which nothing stands."""
    for cell in parse(page).iter("th"):
        if not cell.text_content().strip():
            yield f"empty header cell in the table {next(cell.iterancestors('table')).get('id')}"


def repeated_ids(page: Path) -> Iterator[str]:
    seen: set[str] = set()
    for name in parse(page).xpath("//@id"):
        if name in seen:
            yield f"id used twice: {name}"
        seen.add(name)
