"""The live figure of the shuffle buffer: its mathematics against fo_lib, and what the chapter says of it."""

from __future__ import annotations

import numpy as np
import pytest

from fo_lib.out_of_core import shuffle_buffer
from tests.book.live_numbers import SEEDS, Js, close
from tests.book.live_page import Figure

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n", "size"), [(9, 1), (40, 5), (40, 40), (12, 30)])
def test_the_buffer_gives_out_as_that_of_the_library_does(n: int, size: int, seed: int, js: Js) -> None:
    order = np.array(js("m.shuffleBuffer(a[0], a[1], m.uniforms(a[2]))", n, size, seed))
    assert sorted(order) == list(range(n))
    early = np.arange(n) - np.argsort(order)
    assert -early.min() >= 0
    assert np.max(np.argsort(np.argsort(order)) - np.arange(n)) <= size - 1
    if size == 1:
        assert order.tolist() == shuffle_buffer(n, 1, seed=0).tolist()


def test_places_have_the_law_of_the_library(js: Js) -> None:
    n, size, draws = 30, 4, 800
    program = "Array.from({length: a[2]}, (_, s) => m.shuffleBuffer(a[0], a[1], m.uniforms(s + 1)))"
    theirs = np.argsort(js(program, n, size, draws), axis=1)
    ours = np.argsort([shuffle_buffer(n, size, seed=s) for s in range(draws)], axis=1)
    for row in (0, 3, 12, 29):
        found, wanted = (np.bincount(places[:, row], minlength=n) / draws for places in (theirs, ours))
        np.testing.assert_allclose(found, wanted, atol=0.07)
    late = theirs[:, 12] - 12
    for k in (-3, -1, 0, 2, 6):
        exact = js("m.bufferLate(a[0], a[1])", size, k)
        close(exact, (1 - 1 / size) ** (k + size - 1))
        assert np.mean(late >= k) == pytest.approx(exact, abs=0.06)
    close(js("m.bufferLate(a[0], a[1])", size, -9), 1)


@pytest.mark.site
@pytest.mark.parametrize("name", ["shuffle-buffer"])
def test_what_comes_out_is_early_by_less_than_the_buffer(figure: Figure) -> None:
    def read() -> tuple[int, int, float, float]:
        moved, most, _, share = figure.read()
        return int(moved.split(", ")[0].replace("−", "-")), int(most), float(figure.read()[2]), float(share)

    figure.press("sorted by class")
    for size in (10, 30, 100, 300):
        figure.set(size=size)
        early, most, late, _ = read()
        assert early <= most == size - 1
        assert late == pytest.approx((1 - 1 / size) ** (2 * size), rel=6e-3)
    for size, least, words in (
        (33, 0.75, "nearly of one class"),
        (34, 0.5, "more than half"),
        (99, 0.5, "more than half"),
    ):
        figure.set(size=size)
        assert read()[3] > least
        assert words in figure.said()
    figure.press("one row")
    assert read()[0] == 0
    assert read()[3] == 1  # 25 divides 100
    figure.press("as long as a class")
    assert read()[3] > 0.4
    assert "far from the mix" in figure.said()
    figure.press("the whole file")
    mixed = read()[3]
    assert mixed < 0.4
    assert "equally likely" in figure.said()
    figure.press("shuffled when written")
    figure.press("one row")
    assert read()[3] == pytest.approx(mixed, abs=0.06)
    assert "shuffled when it was written" in figure.said()
