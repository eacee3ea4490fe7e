"""Figures as parts of a page: shorter, and still the same curves."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from tests.book.small_book import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from fo_browser.svg import inline_svg, relative

NUMBER = re.compile(r"-?\d*\.?\d+")


def points(path: str) -> list[tuple[str, float, float]]:
    """Follow a path of M, L, l and z: each command with the point where it ends."""
    found, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MLlz])([^A-Za-z]*)", path):
        if command == "z":
            found.append(("z", 0.0, 0.0))
            continue
        a, b = map(float, NUMBER.findall(numbers))
        x, y = (x + a, y + b) if command == "l" else (a, b)
        found.append((command.upper(), x, y))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_written_in_steps_is_the_same_to_half_a_hundredth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = np.cumsum(rng.normal(0, rng.choice([0.3, 40.0]), (400, 2)), axis=0)
    path = "M " + " L ".join(f"{x:.6f} {y:.6f}\n" for x, y in ends)
    found = points(relative(path))
    assert len(relative(path)) < len(path)
    assert np.abs(np.array([p[1:] for p in found]) - ends).max() <= 0.005 + 1e-9


def test_parts_ends_and_repeated_points() -> None:
    assert (
        relative("M 1 2 \nL 1.5 1 \nL 1.5 1.001 \nL 0.25 1 \nz\nM -3 -0.5 \nL -3 -0.25")
        == "M1 2l.5-1l-1.25 0zM-3-.5l0 .25"
    )


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("M 1.2345 2 C 1.23456 2.34567 3 4 5.999 6 z", "M 1.23 2 C 1.23 2.34 3 4 5.99 6 z"),
        ("M 1 2 Q 1.001 2 3 4", "M 1 2 Q 1.00 2 3 4"),
        ("m 1 2 l 1.001 2", "m 1 2 l 1.00 2"),
    ],
)
def test_other_paths_keep_two_digits_and_their_commands(path: str, kept: str) -> None:
    assert relative(path) == kept


def test_an_inlined_figure_has_its_own_ids_alt_text_and_ink() -> None:
    svg = '<?xml?><svg viewBox="0"><metadata>m</metadata><path id="a" d="M 0 0 L 1 1" stroke="#0b0b0b"/><use href="#a"/></svg>'
    made = inline_svg(svg, "a line", "fig3-")
    assert 'aria-label="a line"' in made
    assert '<path id="fig3-a" d="M0 0l1 1" stroke="currentColor"/><use href="#fig3-a"/></svg>' in made
    assert "<metadata>" not in made
