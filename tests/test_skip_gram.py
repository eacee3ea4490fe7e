"""Skip-gram: the right pairs with the right probabilities, no true context among the negatives, the formula's steps."""

import numpy as np
import pytest

from fo_lib.skip_gram import keep_probability, noise_distribution, pairs
from tests.corpora import corpus_of

LINES = ["a b c d", "e f", "a"]


def all_pairs(lines, window, seed=0, repeats=1, sample=1e9):
    corpus, vocabulary = corpus_of(lines)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(repeats):
        c, o = pairs(corpus, vocabulary.frequencies, (0, len(lines)), rng, window=window, sample=sample)
        found += [(vocabulary.words[i], vocabulary.words[j]) for i, j in zip(c, o, strict=True)]
    return found


# ---- what is drawn


def test_pairs_are_neighbours_within_a_line():
    assert set(all_pairs(LINES, 1)) == {(x, y) for x, y in ["ab", "ba", "bc", "cb", "cd", "dc", "ef", "fe"]}
    far = set(all_pairs(LINES, 3, repeats=50))
    assert ("a", "d") in far
    assert ("d", "a") in far
    assert not {(x, y) for x, y in far if (x in "ef") != (y in "ef")}
    assert not {(x, y) for x, y in far if x == y}


def test_a_word_at_distance_r_is_seen_with_the_share_of_reaches_that_long():
    """The reach is uniform on 1..5: a context at distance r comes with probability (6 - r) / 5."""
    found = all_pairs(["a b c d e f"], 5, repeats=4000)
    for r in range(1, 6):
        share = found.count(("a", "abcdef"[r])) / 4000
        assert share == pytest.approx((6 - r) / 5, abs=0.03)


def test_pairs_come_in_random_order_that_the_generator_fixes():
    lines = ["a b c d e f g h"] * 20
    assert all_pairs(lines, 2, seed=1) == all_pairs(lines, 2, seed=1)
    assert all_pairs(lines, 2, seed=1) != all_pairs(lines, 2, seed=2)
    first = all_pairs(lines, 2)[:40]
    assert any(x < y for x, y in first)  # not first all that lie ahead, then all that lie behind
    assert any(x > y for x, y in first)


def test_each_word_reaches_out_for_itself():
    """Of a and c, two apart, each sees the other with probability 1/2, and both with 1/4: two reaches, not one."""
    draws = [set(all_pairs(["a b c"], 2, seed=seed)) for seed in range(2000)]
    ahead, behind = (np.array([pair in found for found in draws]) for pair in [("a", "c"), ("c", "a")])
    assert ahead.mean() == pytest.approx(0.5, abs=0.05)
    assert (ahead & behind).mean() == pytest.approx(0.25, abs=0.04)
    assert all(("b", other) in found for other in "ac" for found in draws)


def test_subsampling_follows_the_program_and_not_the_paper():
    f = np.array([0.1, 1e-3, 1e-4])
    np.testing.assert_allclose(keep_probability(f), [0.1 + 0.01, 1, 1])
    assert keep_probability(np.array([0.01]), sample=1e-4) == pytest.approx(0.1 + 0.01)
    found = all_pairs(["a b"] * 5000, 1, sample=0.05)
    kept = keep_probability(np.array([0.5]), 0.05)[0]
    assert len(found) / 5000 == pytest.approx(2 * kept**2, abs=0.03)


def test_thinning_brings_rarer_words_together():
    assert ("x", "y") not in all_pairs(["x the y"] * 100, 1)
    assert ("x", "y") in all_pairs(["x the y"] * 100, 1, sample=1e-3)


def test_noise_is_the_three_quarter_power():
    np.testing.assert_allclose(noise_distribution(np.array([16, 1])), [8 / 9, 1 / 9])
    np.testing.assert_allclose(noise_distribution(np.array([16, 1]), 0.0), [0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: keep_probability(np.ones(1), 0), "sample must be a finite number and > 0"),
        (lambda: noise_distribution(np.ones(1), 2), "power must be a finite number and >= 0 and <= 1"),
        (lambda: all_pairs(LINES, 0), "window must be a whole number >= 1"),
    ],
)
def test_bad_arguments_of_the_draws_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
