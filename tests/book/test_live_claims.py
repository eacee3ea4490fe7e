"""Live figures: what a chapter says of one, and what a theorem says of a preset."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fo_lib import rates
from tests.book.live_page import Figure

pytestmark = [pytest.mark.site, pytest.mark.browser]


def numbers(words: list[str]) -> list[float]:
    return [float(word.replace("−", "-")) for word in words]


@pytest.mark.parametrize("name", ["step-size"])
def test_the_best_learning_rate_has_the_factor_of_the_theorem(figure: Figure) -> None:
    L, mu = 10, 1
    for preset, alpha in {"1/L": 1 / L, "2/(L + μ), the best": 2 / (L + mu), "2/L, the edge": 2 / L}.items():
        figure.press(preset)
        assert figure.state()["alpha"] == alpha
        rho = max(abs(1 - alpha * mu), abs(1 - alpha * L))
        assert numbers(figure.read()[:3]) == pytest.approx([1 - alpha * mu, 1 - alpha * L, rho], abs=5e-4)
    assert "forever" in figure.said()
    assert figure.read()[3] == "∞"
    figure.set(alpha=0.24)
    assert re.search(r"Diverges.*After step \d+", figure.said())


@pytest.mark.parametrize("name", ["heavy-ball"])
def test_polyaks_tuning_has_the_decay_of_the_theorem_in_both_directions(figure: Figure) -> None:
    figure.press("Polyak’s tuning")
    assert figure.state()["alpha"] == pytest.approx(4 / 36, rel=1e-15)
    assert figure.state()["beta"] == pytest.approx((4 / 6) ** 2, rel=1e-15)
    assert figure.read()[:2] == ["0.667", "0.667"]
    assert "smallest that has room for all" in figure.said()
    figure.press("β = 0.9")
    decays = [float(rates.heavy_ball_decay(h * 4 / 36, momentum=0.9)) for h in (1, 25)]
    assert numbers(figure.read()[:2]) == pytest.approx(decays, abs=5e-4)
    assert decays[0] == pytest.approx(np.sqrt(0.9))
    figure.press("gradient descent at its best")
    assert numbers(figure.read()[:2]) == pytest.approx([12 / 13] * 2, abs=5e-4)
    figure.press("too fast")
    assert figure.said().startswith("Diverges")


@pytest.mark.parametrize("name", ["conditioning"])
def test_ten_times_the_condition_number_takes_ten_times_the_steps(figure: Figure) -> None:
    steps = []
    for kappa in (10, 100, 1000):
        figure.set(kappa=kappa)
        read = figure.read()
        assert float(read[2]) == pytest.approx((kappa - 1) / (kappa + 1), abs=5e-5)
        assert read[1] == f"{np.degrees(np.arccos(2 * np.sqrt(kappa) / (kappa + 1))):.0f}°"
        steps.append(float(read[3]))
    assert [steps[1] / steps[0], steps[2] / steps[1]] == pytest.approx([10, 10], rel=0.03)
    figure.press("κ = 1, round")
    assert figure.read()[0] == "0°"


@pytest.mark.parametrize("name", ["sgd-noise"])
def test_the_floor_of_sgd_is_that_of_the_library(figure: Figure) -> None:
    figure.press("large and constant")
    floor = sum(rates.sgd_stationary_variance(0.4, curvature=h, variance=1.0) for h in (1, 4))
    assert numbers(figure.read()[:2]) == pytest.approx([floor, floor], rel=0.02)
    figure.press("large, then decay")
    expected, last, first, sample = numbers(figure.read())
    assert last < expected < first / 50
    figure.press("New sample")
    assert numbers(figure.read())[:3] == [expected, last, first]
    assert numbers(figure.read())[3] != sample


@pytest.mark.parametrize("name", ["nesterov"])
def test_the_heavy_ball_cycles_and_nesterov_arrives(figure: Figure) -> None:
    assert figure.read() == ["does not converge, |w| up to 2.1", "converges"]
    assert f"{2592 / 1225:.1f}" == "2.1"  # the cycle of the chapter on momentum
    figure.press("a parabola")
    assert figure.read() == ["converges", "converges"]
    for start in np.linspace(-3.4, 3.7, 40):
        figure.set(middle=1, start=[start])
        assert figure.read()[1] == "converges"


@pytest.mark.parametrize("name", ["adam"])
def test_adams_first_step_is_one_learning_rate_and_noise_shortens_the_last(figure: Figure) -> None:
    figure.set(sigma=0)
    assert figure.read()[0] == "1 and 1"
    figure.set(sigma=2)
    shortened = numbers(figure.read()[1:])
    figure.press("no momentum: RMSProp")
    assert all(long > 2 * short for long, short in zip(numbers(figure.read()[1:]), shortened, strict=True))


@pytest.mark.parametrize("name", ["batch-size"])
def test_the_best_batch_grows_with_the_learning_rate(figure: Figure) -> None:
    sizes, best = [2**k for k in range(9)], {}
    for alpha in (0.05, 0.25):
        ends = []
        for b in sizes:
            figure.set(b=b, alpha=alpha)
            ends.append(float(figure.read()[2]))
        best[alpha] = sizes[int(np.argmin(ends))]
    assert best == {0.05: 16, 0.25: 64}
    deviations = []
    for b in (16, 64, 256):
        figure.set(b=b)
        deviations.append(float(figure.read()[1]))
    ratio = np.sqrt(
        rates.mini_batch_variance(16, n=256, variance=1.0) / rates.mini_batch_variance(64, n=256, variance=1.0)
    )
    assert deviations[0] / deviations[1] == pytest.approx(ratio, rel=0.01)
    assert deviations[2] == 0


@pytest.mark.parametrize("name", ["clipping"])
def test_a_clipped_run_arrives_sooner_from_the_cliff_and_as_soon_from_the_slope(figure: Figure) -> None:
    clipped, free = (int(words.removeprefix("step ")) for words in figure.read()[2:])
    assert clipped < free / 2
    figure.press("c = 0.1, too tight")
    assert int(figure.read()[2].removeprefix("step ")) > free
    figure.press("Reset")
    figure.press("start on the slope")
    assert figure.read()[2] == figure.read()[3]


@pytest.mark.parametrize("name", ["saddle"])
def test_the_saddle_is_left_as_the_theorem_says(figure: Figure) -> None:
    waits = {}
    for r in (1e-2, 1e-10):
        figure.set(y=r)
        factor, _, theory, run = numbers(figure.read())
        assert factor == pytest.approx(rates.saddle_growth(1.0, learning_rate=0.1), abs=1e-3)
        assert theory == np.ceil(np.log(0.5 / r) / np.log(1.1))
        assert 0 <= run - theory <= 2  # the quartic term slows the last steps
        waits[r] = run
    assert 5 < waits[1e-10] / waits[1e-2] < 6
    figure.set(noise=1e-4)
    assert float(figure.read()[3]) < 3 * waits[1e-2]
    figure.set(noise=1e-12, beta=0.9)
    assert float(figure.read()[0]) == pytest.approx(rates.saddle_growth(1.0, learning_rate=0.1, momentum=0.9), abs=1e-3)


@pytest.mark.parametrize("name", ["schedules"])
def test_a_schedule_has_its_own_best_rate(figure: Figure) -> None:
    at_half, best = {}, {}
    for kind in ("constant", "a tenth at the middle", "cosine", "one cycle"):
        figure.press("Reset")
        figure.press(kind)
        at_half[kind] = float(figure.read()[3])
        figure.press("the best rate for this schedule")
        best[kind] = (figure.state()["rate"], float(figure.read()[3]))
    assert min(at_half, key=at_half.__getitem__) == "constant"
    assert 2.5 < best["cosine"][0] / best["constant"][0] < 3.1
    assert 0.4 < best["cosine"][1] / best["constant"][1] < 0.5


@pytest.mark.parametrize("name", ["edge"])
def test_the_sharpness_ends_just_below_two_over_alpha(figure: Figure) -> None:
    for preset, alpha in {"at the edge": 0.12, "beyond": 0.2}.items():
        figure.press(preset)
        two_over, sharpness, rises = numbers(figure.read())
        assert two_over == pytest.approx(2 / alpha, rel=5e-3)
        assert 0.95 * two_over < sharpness < two_over
        assert rises > 100
    figure.press("below the edge")
    assert figure.read()[2] == "0"
    figure.press("too large")
    assert figure.said().startswith("Diverges")


@pytest.mark.parametrize("name", ["subgradient"])
def test_a_constant_rate_stays_away_and_polyaks_step_arrives(figure: Figure) -> None:
    floors = []
    for alpha in (0.2, 0.02):
        figure.set(alpha=alpha, p=0)
        last, best, bound, polyak = (float(re.sub(r" × 10(.*)", r"e\1", w.replace("−", "-"))) for w in figure.read())
        tried = rates.subgradient_steps(np.full(300, alpha), G=np.sqrt(10), R=np.hypot(1.9, 0.95))
        assert bound == pytest.approx(tried[-1], rel=5e-3)
        assert polyak < 1e-20
        assert best <= last <= 10 * alpha  # half as much is the limit of the bound
        floors.append(best)
    assert floors[1] < floors[0] / 5
    figure.press("too fast")
    assert float(figure.read()[1]) > 1.9 - 0.2 * 2.62 - 0.01  # the sum of all steps of the slope 1
    assert "finite" in figure.said()
    figure.press("α/√t")
    assert float(figure.read()[1]) < floors[0] / 3


@pytest.mark.parametrize("name", ["proximal"])
def test_prox_methods_have_exact_zeros_and_the_subgradient_method_has_none(figure: Figure) -> None:
    assert figure.read()[4] == "1, 1, 1, 0"
    A, centre, w = np.array([[1, 0.9], [0.9, 1]]), np.array([1.5, 0.8]), np.array([-0.5, 1.6])
    for t in range(1, 41):
        w = w - (A @ (w - centre) + 1.8 * np.sign(w)) / (1.9 * np.sqrt(t))
    best = np.array([1.5 + 0.9 * 0.8 - 1.8, 0])
    above = [(v - centre) @ A @ (v - centre) / 2 + 1.8 * np.abs(v).sum() for v in (w, best)]
    assert float(figure.read()[3]) == pytest.approx(above[0] - above[1], rel=0.05)
    assert "ISTA is there, exactly, from step 29 on, FISTA from step 11" in figure.said()
    assert figure.said().endswith("subgradient method after 40 steps: 0.")
    # second weight from 1.52 down, first from 2.22: |gradient at 0| = 1.5 + 0.9 * 0.8, and where both are equal in size
    zeros = {2.24: "2, 2, 2, 0", 2.2: "1, 1, 1, 0", 1.7: "1, 1, 1, 0", 1.68: "1, 0, 1, 0", 1.54: "1, ", 1.5: "0, "}
    for penalty, wanted in zeros.items():
        figure.set(**{"lambda": penalty})
        assert figure.read()[4].startswith(wanted)
    figure.press("two weights")
    slopes = np.linalg.solve([[1, 0.9], [0.9, 1]], [1, 1])
    assert numbers(figure.read()[0].split(", ")) == pytest.approx([1.5, 0.8] - 0.8 * slopes, abs=5e-3)
    ista, fista, subgradient = (float(re.sub(r" × 10(.*)", r"e\1", w.replace("−", "-"))) for w in figure.read()[1:4])
    assert fista < ista / 10 < subgradient / 100


@pytest.mark.parametrize("name", ["mirror"])
def test_only_projected_gradient_arrives_in_a_corner(figure: Figure) -> None:
    projected, exponentiated, least, other = figure.read()
    assert int(projected.removeprefix("step ")) < 30
    assert exponentiated == "not within 60 steps"
    assert least == "0"
    assert 0 < float(re.sub(r" × 10(.*)", r"e\1", other.replace("−", "-"))) < 1e-3
    figure.press("minimum inside")
    assert all(words.startswith("step ") for words in figure.read()[:2])
    figure.press("too fast")
    assert figure.read()[:2] == ["not within 60 steps"] * 2
    assert figure.said().startswith("Too fast for projected and exponentiated")
    figure.set(eg=0.05, pg=0.01)
    assert figure.said() == "Too slow for projected and exponentiated: still on its way after 60 steps."
    figure.set(eg=5, pg=0.01)
    assert figure.said().startswith("Too fast for exponentiated")
    assert figure.said().endswith("Too slow for projected: still on its way after 60 steps.")
    figure.press("start at the centre")  # a preset sets the rates, too
    assert "bends away" in figure.said()
    figure.press("minimum in a corner")
    figure.set(eg=0.05)
    assert "bends away" not in figure.said()


@pytest.mark.parametrize("name", ["constraints"])
def test_frank_wolfe_zigzags_opposite_an_edge_only(figure: Figure) -> None:
    def gaps() -> list[float]:
        words = [re.sub(r"^10−", "1 × 10−", w.removeprefix("below ")) for w in figure.read()[1:4]]
        return numbers([re.sub(r" × 10−", "e−", w) for w in words])

    for preset in ("triangle", "box", "diamond"):
        figure.press(preset)
        left = []
        for steps in (25, 50, 100):
            figure.set(steps=steps)
            projected, plain, away = gaps()
            left.append(plain)
        assert max(projected, away) < 1e-9
        assert left[0] / left[1] == pytest.approx(2, rel=0.5)  # like 1 / k, and no faster
        assert left[1] / left[2] == pytest.approx(2, rel=0.5)
        assert "then for the other" in figure.said()
        figure.press("Reset")
    for centre, lucky in (([0.9, 1.0], True), ([0.15, -1.2], False)):  # with the start at an end of the edge, or off it
        figure.set(centre=centre, steps=100)
        assert ("lucky" in figure.said()) == (gaps()[1] < 1e-9) == lucky
    figure.press("solution at a corner")
    figure.set(steps=3)
    assert gaps()[1] <= 1e-12
    assert "is a corner" in figure.said()
    for preset in ("minimizer inside", "disc"):
        figure.press(preset)
        figure.set(steps=60)
        assert max(gaps()) < 1e-7
    assert "no zigzag" in figure.said()
    figure.set(kappa=8, steps=100, centre=[-0.9, -0.44])  # hardly outside: slow, and the words do not say otherwise
    assert gaps()[1] > 1e-5
    assert "With the ring well outside" in figure.said()
    figure.set(kappa=2, steps=40, centre=[1.06, 0.37])  # away steps are made for polygons
    projected, plain, away = gaps()
    assert max(projected, plain) < 1e-11 < 1e-6 < away
    assert "can be slower" in figure.said()


@pytest.mark.parametrize("name", ["game"])
def test_only_extrapolation_ends_the_game(figure: Figure) -> None:
    def read() -> list[float]:
        return numbers([re.sub(r" × 10(.*)", r"e\1", w).replace("−", "-") for w in figure.read()])

    at_once, in_turn, last, mean = read()
    assert at_once == pytest.approx(np.sqrt(1 + 0.25**2), abs=5e-4)
    assert in_turn == 1
    assert mean < 0.2 < 0.8 < last
    assert "ellipse" in figure.said()
    figure.press("Chambolle and Pock")
    assert read()[1] == pytest.approx(np.sqrt(1 - 0.25**2), abs=5e-4)
    assert read()[2] < 0.3
    figure.press("θ = ½")
    assert read()[1] == pytest.approx(np.sqrt(1 - 0.25**2 / 2), abs=5e-4)
    assert "the more so the larger" in figure.said()
    figure.press("a = θ = 1")
    assert read()[2] == 0
    figure.press("too fast")
    assert read()[1] > 1
    figure.set(a=1.15)  # the limit at theta = 1 is 2 / sqrt(3)
    assert read()[1] < 1
    assert figure.said().endswith("the rotation is damped.")  # beyond a = 1 a larger theta can damp less
