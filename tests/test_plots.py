"""Figures: what they draw, that they are the same bytes every time, and legible in light, dark and grey."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fo_lib import _plot_style, minimize, plots, problems

BOWL = problems.quadratic([1.0, 10.0])
TRACE = minimize(BOWL, learning_rate=0.1, steps=20, iterates=True)


def svg(figure):
    return figure._repr_mimebundle_()["image/svg+xml"]


def test_a_figure_shows_itself_as_the_same_svg_every_time():
    one, two = (svg(plots.convergence({"GD": TRACE})) for _ in range(2))
    assert one == two
    assert "<text" in one
    assert re.search(r"<dc:date>", one) is None


def test_a_raster_figure_shows_itself_as_png():
    figure, _ = plots.figure(raster=True)
    bundle = figure._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert "image/svg+xml" not in bundle
    assert repr(figure) == "<Figure with 1 axes>"


def test_the_last_bits_of_the_data_do_not_show():
    """As on another processor: the same figure, to the byte, for numbers a few rounding errors away."""
    noise = 1 + 4e-16 * np.random.default_rng(0).standard_normal(301)
    values = np.exp(-0.1 * np.arange(301)) + 1e-3
    one, two = (
        svg(plots.convergence({"rate 0.0123": v}, bounds={"b": lambda k: 1 / (k + 1)}))
        for v in (values, values * noise)
    )
    assert one == two
    assert "rate 0.0123" in one
    assert 'id="i0"' in one


def test_convergence_draws_the_gap_and_the_bound():
    figure = plots.convergence(
        {"GD": TRACE, "by hand": [1.0, 0.1]}, minimum=-1.0, bounds={"bound": lambda k: 2.0**-k}, log_x=True, floor=1e-3
    )
    gd, hand, bound = figure.axes[0].lines
    np.testing.assert_allclose(gd.get_ydata(), TRACE.value + 1.0)
    np.testing.assert_array_equal(hand.get_xydata(), [[0, 1], [1, 0.1]])
    np.testing.assert_array_equal(bound.get_xdata(), np.arange(1, 21))
    np.testing.assert_array_equal(bound.get_ydata()[:9], 2.0 ** -np.arange(1, 10))
    assert np.isnan(bound.get_ydata()[9:]).all()
    long = plots.convergence({"long": np.arange(10_001.0) + 1}).axes[0].lines[0]
    assert len(long.get_xdata()) == plots.MOST_POINTS
    assert list(long.get_xdata()[[0, -1]]) == [0, 10_000]
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_ylabel().startswith("gap")


def test_convergence_and_paths_draw_into_given_axes():
    figure, (left, right) = plots.figure(2)
    assert plots.convergence({"GD": TRACE}, ax=left, ylabel="gap") is figure
    assert plots.paths(BOWL, {"GD": TRACE}, x=(-1, 2), y=(-1, 2), ax=right) is figure
    assert left.get_ylabel() == "gap"
    np.testing.assert_array_equal(right.lines[0].get_xydata(), TRACE.iterates)
    np.testing.assert_array_equal(right.lines[1].get_xydata(), [[0, 0]])


def test_paths_choose_levels_from_the_range_or_take_them():
    saddle = problems.from_functions(lambda w: w[0] ** 2 - w[1] ** 2, lambda w: w * [2, -2], np.ones(2))
    trace = minimize(saddle, learning_rate=0.1, steps=3, iterates=True)
    figure = plots.paths(saddle, {"GD": trace}, x=(-2, 2), y=(-2, 2), levels=[-1.0, 0.0, 1.0])
    assert len(figure.axes[0].lines) == 1
    assert plots.paths(saddle, {"GD": trace}, x=(-2, 2), y=(-2, 2), levels=4).axes[0].get_xlim() == (-2, 2)


def test_paths_need_iterates():
    with pytest.raises(ValueError, match=r"traces\['GD'\] must be recorded with iterates=True"):
        plots.paths(BOWL, {"GD": minimize(BOWL, steps=1)}, x=(-1, 1), y=(-1, 1))


def test_axes_of_another_figure_are_refused():
    other, ax = plt.subplots()
    with pytest.raises(TypeError, match=r"ax must be made by plots\.figure"):
        plots.convergence({"GD": TRACE}, ax=ax)
    plt.close(other)


def test_images_are_a_row_of_titled_pictures():
    figure = plots.images([np.eye(3), np.ones((3, 3))], ["one", "two"])
    assert [ax.get_title() for ax in figure.axes] == ["one", "two"]
    assert "image/png" in figure._repr_mimebundle_()
    with pytest.raises(ValueError, match="titles must be as many as the pictures"):
        plots.images([np.eye(3)], ["one", "two"])


def test_what_a_reader_draws_has_the_style_of_the_book():
    figure, ax = plots.figure()
    (curve,) = ax.loglog([1, 2], [3, 4], label="mine")
    assert curve.get_linewidth() == plots.STYLE["lines.linewidth"]
    assert not ax.legend().get_frame_on()
    assert svg(figure)


def luminance(color):
    rgb = np.array(mpl.colors.to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("color", plots.COLORS)
@pytest.mark.parametrize("ground", ["white", "#14181e"])
def test_every_curve_stands_out_from_the_page_in_light_and_dark(color, ground):
    """WCAG 2.1, 1.4.11: graphical objects need a contrast of 3 : 1."""
    light, dark = sorted([luminance(color), luminance(ground)], reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_curves_differ_in_dashes_as_well_as_colour():
    assert len({str(d) for d in _plot_style.DASHES}) == len(_plot_style.DASHES) == len(set(plots.COLORS))


def test_drawing_leaves_the_readers_own_style_alone():
    before = dict(mpl.rcParams)
    svg(plots.convergence({"GD": TRACE}))
    assert dict(mpl.rcParams) == before


def test_text_that_a_reader_writes_has_the_ink_of_the_page():
    """Or else it would be black on black in dark mode."""
    figure, ax = plots.figure()
    written = [ax.text(0, 0, "a"), ax.annotate("b", (0, 0))]
    assert [text.get_color() for text in written] == [plots.INK] * 2
    assert svg(figure).count("#000000") == 0


def test_named_points_show_their_names_when_pointed_at():
    figure, ax = plots.figure()
    ax.named_points([0, 1], [1, 0], ["cat", "arthur's <&>"], color="red")
    text = svg(figure)
    assert text.count("<g><title>") == 2
    assert "<title>cat</title>" in text
    assert "<title>arthur's &lt;&amp;&gt;</title>" in text
    with pytest.raises(ValueError, match="zip"):
        ax.named_points([0, 1], [1, 0], ["one"])


def test_contours_alone_have_no_legend():
    (ax,) = plots.paths(BOWL, {}, x=(-1, 1), y=(-1, 1)).axes
    assert ax.get_legend() is None
