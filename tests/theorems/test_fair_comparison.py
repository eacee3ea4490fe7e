"""Search and comparison: how often a search hits, and how often a comparison errs."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import integrate, stats

from fo_lib import rates


def test_grid_and_random_search_hit_as_often_as_stated():
    assert rates.random_hit(59, share=0.05) >= 0.95 > rates.random_hit(58, share=0.05)
    rng = np.random.default_rng(0)
    repeats = 40_000
    for d, k, q in ((1, 9, 0.05), (2, 3, 0.1), (3, 3, 0.2), (3, 3, 0.5)):
        n = k**d
        place = rng.random(repeats)

        def hits(values, place=place, q=q):
            return np.mean(np.any((values - place[:, None]) % 1 < q, axis=1))

        grid, trials = hits((np.arange(k) + 0.5) / k), hits(rng.random((repeats, n)))
        deviation = 4 * 0.5 / np.sqrt(repeats)
        assert grid == pytest.approx(rates.grid_hit(n, share=q, dimensions=d), abs=deviation)
        assert trials == pytest.approx(rates.random_hit(n, share=q), abs=deviation)
        assert (rates.grid_hit(n, share=q, dimensions=d) > rates.random_hit(n, share=q)) == (d == 1 or q * k > 1)
    ratio = rates.random_hit(27, share=1e-6) / rates.grid_hit(27, share=1e-6, dimensions=3)
    assert ratio == pytest.approx(9, rel=1e-4)


def with_replacement(scores, n):
    N, ordered = len(scores), np.sort(scores)
    i = np.arange(1, N + 1)
    return ordered @ (((N - i + 1) / N) ** n - ((N - i) / N) ** n)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_expected_best_is_unbiased_over_all_outcomes(n):
    values, probabilities, N = np.array([0.0, 1.0, 5.0]), np.array([0.2, 0.5, 0.3]), 4
    above = np.array([1.0, 0.8, 0.3, 0.0]) ** n  # P(least of n >= value)
    truth = values @ (above[:-1] - above[1:])
    mean = biased = 0.0
    for outcome in product(range(3), repeat=N):
        weight, scores = np.prod(probabilities[list(outcome)]), values[list(outcome)]
        estimate = rates.expected_best(scores, n)
        assert estimate == pytest.approx(np.mean([min(s) for s in combinations(scores, n)]), abs=1e-12)
        mean += weight * estimate
        biased += weight * with_replacement(scores, n)
    assert mean == pytest.approx(truth, rel=1e-12)
    assert biased == pytest.approx(truth, rel=1e-12) if n == 1 else biased > truth + 0.02


def test_how_often_the_worse_method_wins():
    rng = np.random.default_rng(0)
    repeats = 100_000
    for n, delta, s, rho in ((1, 0.5, 1.0, 0.0), (5, 0.5, 1.0, 0.0), (5, 0.1, 0.4, 0.8), (3, 1.0, 2.0, -0.5)):
        a, b = rng.multivariate_normal([0, delta], s**2 * np.array([[1, rho], [rho, 1]]), (repeats, n)).T
        wrong = np.mean(a.mean(0) > b.mean(0))  # lower is better, and a is better
        stated = rates.wrong_winner(n, difference=delta, deviation=s, correlation=rho)
        assert wrong == pytest.approx(stated, abs=4 * 0.5 / np.sqrt(repeats))
        assert stated == pytest.approx(stats.norm.cdf(-delta * np.sqrt(n) / (s * np.sqrt(2 - 2 * rho))), rel=1e-12)


def test_coverage_of_intervals():
    samples = np.random.default_rng(0).standard_normal((200_000, 5))
    reach = np.abs(samples.mean(1)) / stats.sem(samples, axis=1)
    normal, student = np.mean(reach < 1.96), np.mean(reach < stats.t.ppf(0.975, 4))
    assert normal == pytest.approx(1 - 2 * stats.t.sf(1.96, 4), abs=0.003) == pytest.approx(0.878, abs=0.003)
    assert student == pytest.approx(0.95, abs=0.002)
    assert stats.t.ppf(0.975, 4) == pytest.approx(2.78, abs=0.005)


def test_the_best_of_several_seeds():
    def e(m):
        return integrate.quad(lambda z: z * m * stats.norm.pdf(z) * stats.norm.cdf(z) ** (m - 1), -9, 9)[0]

    assert e(2) == pytest.approx(np.pi**-0.5, rel=1e-9)
    for m, stated in ((5, 1.16), (10, 1.54), (60, 2.3)):
        assert e(m) == pytest.approx(stated, abs=0.02)
        drawn = 3 * np.random.default_rng(m).standard_normal((40_000, m)).max(1)
        assert drawn.mean() == pytest.approx(3 * e(m), abs=0.05)
