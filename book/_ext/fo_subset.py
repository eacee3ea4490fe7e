"""Style rules and glyphs that no page of the site uses, removed from its style sheets and fonts."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinycss2
from fontTools import subset

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table

WORD = re.compile(r"[A-Za-z_][\w-]*")
FEATURES = ["kern", "liga", "calt", "ccmp", "locl", "mark", "lnum", "tnum"]  # those that the style sheets use
CHARACTERS_OF_ICONS = range(0xE000, 0xF900)  # the private area that icon fonts use
ICON_RULE = re.compile(r"\.(fa-[a-z0-9-]+)")


def read(paths: Iterable[Path]) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def words_in_use(site: Path, pages: list[Path]) -> set[str]:
    """Every word of the pages' tags and of the scripts: a class that is none of them is nowhere."""
    tags = " ".join(re.findall(r"<[^<>]*>", read(pages)))
    scripts = [path for path in (site / "_static").rglob("*.js") if "fontawesome" not in path.name]
    return set(WORD.findall(tags)) | set(WORD.findall(read(scripts)))


def classes_of(selector: list[Any]) -> set[str]:
    """The classes that a selector needs. Those inside :not() and its like are not looked at."""
    pairs = pairwise(selector)
    return {name.value for dot, name in pairs if dot.type == "literal" and dot.value == "." and name.type == "ident"}


def split_selectors(prelude: list[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def shrink_rule(rule: Any, used: set[str]) -> str:
    """A rule as text, without the selectors that cannot match; empty if none is left."""
    if rule.type == "qualified-rule":
        kept = [part for part in split_selectors(rule.prelude) if classes_of(part) <= used]
        if not kept:
            return ""
        selectors = ",".join(tinycss2.serialize(part).strip() for part in kept)
        return f"{selectors}{{{tinycss2.serialize(rule.content).strip()}}}"
    if rule.type == "at-rule" and rule.lower_at_keyword in {"media", "supports"}:
        inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        body = "".join(shrink_rule(part, used) for part in inner)
        return f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{body}}}" if body else ""
    return str(rule.serialize())


def shrink_css(css: str, used: set[str]) -> str:
    """A style sheet without the rules that no page can use."""
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return "".join(shrink_rule(rule, used) for rule in rules).replace("font-display:block", "font-display:swap")


def subset_font(path: Path, characters: set[int]) -> None:
    """Keep only the glyphs of some characters."""
    options = subset.Options(flavor="woff2", layout_features=FEATURES, notdef_outline=True)
    font = subset.load_font(str(path), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, str(path), options)


def icons_in(css: str) -> set[int]:
    """The icon characters that style sheets mention: written as escapes, or as they are."""
    escaped = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", css)}
    return escaped | {ord(letter) for letter in css if ord(letter) in CHARACTERS_OF_ICONS}


def subset_site(site: Path, pages: list[Path]) -> None:
    """Shrink every style sheet and every font."""
    static = site / "_static"
    used = words_in_use(site, pages)
    sheets = list(static.rglob("*.css"))
    for path in sheets:
        path.write_text(shrink_css(path.read_text(encoding="utf-8"), used), encoding="utf-8")
    for path in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        subset_font(path, icons_in(read(sheets)))
    letters = {ord(letter) for letter in read(pages)} | set(range(0x20, 0x7F))
    for path in [*static.glob("katex/fonts/*.woff2"), *static.glob("fonts/*.woff2")]:
        subset_font(path, letters)
    for path in [*static.rglob("*.map"), static / "scripts" / "fontawesome.js"]:
        path.unlink(missing_ok=True)
