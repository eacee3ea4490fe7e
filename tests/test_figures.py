"""Figures are compared as a reader sees them: places within a point, all else to the letter."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from fo_lib import plots
from tools.figures import SVG, compare_as_seen, same_figure

CURVE = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 1 0 \nL 2.58 154.14" style="stroke-opacity: 0.25"/></svg>'


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("154.14", "154.19", True),
        ("154.14", "155.15", False),
        ("1 0", "1 -0", True),
        ("L 2.58 154.14", "L 2.58 154.14 \nL 3 154.14", False),
        ("L 2.58", "M 2.58", False),
        ("0.25", "0.26", False),
        ("stroke-opacity", "fill-opacity", False),
        ("style=", "class=", False),
        ("/></svg>", "/><path/></svg>", False),
        ("/></svg>", ">1</path></svg>", False),
        ("</svg>", "later</svg>", False),
        ("path", "line", False),
    ],
)
def test_same_figure(old: str, new: str, same: bool) -> None:
    changed = CURVE.replace(old, new)
    assert changed != CURVE
    assert same_figure(changed, CURVE) is same_figure(CURVE, changed) is same


def drawn(height: float, label: str = "loss") -> str:
    fig, ax = plots.figure()
    ax.plot([0, 1, 2], [0, height, 2], label=label)
    ax.legend()
    return str(fig._repr_mimebundle_()[SVG])


def test_a_figure_of_the_book_in_its_last_digits_and_beyond() -> None:
    assert drawn(1.001) != drawn(1.0)
    assert same_figure(drawn(1.001), drawn(1.0))
    assert not same_figure(drawn(1.02), drawn(1.0))
    assert not same_figure(drawn(1.0, "gap"), drawn(1.0))


@pytest.mark.parametrize(("height", "same"), [("154.2", True), ("155.2", False)])
def test_only_figures_are_compared_so(height: str, same: bool) -> None:
    def outputs(figure: str, text: str) -> list[dict[str, object]]:
        stream = {"output_type": "stream", "text": text}
        return [stream, {"output_type": "execute_result", "data": {SVG: figure, "text/plain": "<Figure>"}}]

    compare = compare_as_seen(lambda cell, made, stored: made == stored)
    made = CURVE.replace("154.14", height)
    assert compare(Mock(), outputs(made, "1"), outputs(CURVE, "1")) is same
    assert not compare(Mock(), outputs(made, "1"), outputs(CURVE, "2"))
