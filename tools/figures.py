"""Tell whether two figures show the same: their last digits depend on the processor, what a reader sees does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from nbval.plugin import IPyNbCell

NUMBER = re.compile(r"-?\d*\.?\d+")
PLACES = {"d", "height", "points", "transform", "width", "x", "x1", "x2", "y", "y1", "y2"}
TOLERANCE = 1.0
SVG = "image/svg+xml"


def same_figure(made: str, stored: str) -> bool:
    """Compare two SVG figures: texts, colours and elements alike, and every place within a point.

    Parameters
    ----------
    made, stored : str
        SVG documents.

    Returns
    -------
    bool
    """
    pairs = zip(ElementTree.fromstring(made).iter(), ElementTree.fromstring(stored).iter(), strict=False)
    return all(_same_element(a, b) for a, b in pairs)  # each has as many parts as the other, so both end together


def compare_as_seen(compare: Callable[..., bool]) -> Callable[..., bool]:
    """Let a comparison of a cell's outputs, made and stored, take figures that show the same for equal ones."""

    def compare_outputs(cell: IPyNbCell, made: list[Any], stored: list[Any], *arguments: Any) -> bool:
        for ours, theirs in zip(_figures(made), _figures(stored), strict=False):
            if same_figure(ours[SVG], theirs[SVG]):
                ours[SVG] = theirs[SVG]
        return compare(cell, made, stored, *arguments)

    return compare_outputs


def _figures(outputs: list[Any]) -> list[Any]:
    return [output["data"] for output in outputs if SVG in output.get("data", {})]


def _same_element(made: ElementTree.Element, stored: ElementTree.Element) -> bool:
    if (made.tag, made.text, made.tail, len(made)) != (stored.tag, stored.text, stored.tail, len(stored)):
        return False
    return made.attrib.keys() == stored.attrib.keys() and all(
        _same_places(value, stored.attrib[name]) if name in PLACES else value == stored.attrib[name]
        for name, value in made.attrib.items()
    )


def _same_places(made: str, stored: str) -> bool:
    if NUMBER.split(made) != NUMBER.split(stored):
        return False
    pairs = zip(NUMBER.findall(made), NUMBER.findall(stored), strict=True)
    return all(abs(float(a) - float(b)) <= TOLERANCE for a, b in pairs)
