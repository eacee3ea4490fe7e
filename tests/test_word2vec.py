"""Skip-gram pair by pair: the steps are gradients of the formula, the draws those that it names."""

import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fo_lib import compiling, word2vec
from fo_lib.skip_gram import noise_distribution
from fo_lib.word2vec import alias_table, fit
from tests.corpora import corpus_of

SMALL = {"dimension": 4, "epochs": 3, "sample": 1.0}


@given(npst.arrays(float, st.integers(1, 30), elements=st.floats(0, 1e3).filter(lambda x: x == 0 or x > 1e-3)))
def test_the_alias_table_holds_the_distribution(weights):
    if weights.sum() == 0:
        weights[0] = 1.0
    keep, alias = alias_table(weights)
    held = keep.copy()
    np.add.at(held, alias, 1 - keep)
    np.testing.assert_allclose(held / len(weights), weights / weights.sum(), rtol=1e-9, atol=1e-12)
    assert keep.min() >= 0
    assert keep.max() <= 1


def test_weights_whose_sum_overflows_are_a_distribution():
    keep, _ = alias_table(np.full(3, 1e308))
    np.testing.assert_allclose(keep, 1.0)


def test_words_are_drawn_as_often_as_the_noise_distribution_says():
    noise = noise_distribution(np.array([1, 10, 100, 1000]))
    draws = np.random.default_rng(0).integers(1 << 62, size=40_000)
    found = Counter(word2vec._drawn(int(draw), *alias_table(noise)) for draw in draws)
    shares = np.array([found[x] for x in range(4)]) / len(draws)
    np.testing.assert_allclose(shares, noise, atol=4 * np.sqrt(0.25 / len(draws)))


def loss_of(U, V, center, context, negatives):
    """The formula of the page, minus log-likelihood of one pair."""
    value = np.logaddexp(0, -U[center] @ V[context])
    return value + sum(np.logaddexp(0, U[center] @ V[n]) for n in negatives if n != context)


def learn(function, tokens, left, right, words, U, V, rates, watched=1):
    """Make steps with these negatives: the draws that choose them and keep them."""
    size = len(U)
    draws = np.array([[(((n << 31) + size - 1) // size) for n in row] for row in words], dtype=np.int64)
    arrays = [np.array(a) for a in (tokens, left, right)]
    return function(
        *arrays,
        draws,
        np.ones(size),
        np.arange(size, dtype=np.int32),
        U,
        V,
        rates,
        np.empty(U.shape[1], U.dtype),
        watched,
    )


def test_a_pair_makes_a_step_against_the_gradient_of_its_loss():
    """Against differences of the formula in double precision; one of the negatives is the context, and does not count."""
    rng = np.random.default_rng(0)
    U, V = rng.normal(size=(2, 6, 3))
    before, h = (U.copy(), V.copy()), 1e-6
    total, seen = learn(word2vec._learn, [4, 2], [0, 0], [1, 0], [[0, 2, 5]], U, V, np.array([0.1, 0.1]))
    assert seen == 1
    assert total == pytest.approx(loss_of(*before, 4, 2, [0, 2, 5]), rel=1e-6)
    for which, moved in enumerate((U, V)):
        for place in np.ndindex(U.shape):
            shifted = [a.copy() for a in before], [a.copy() for a in before]
            shifted[0][which][place] += h
            shifted[1][which][place] -= h
            slope = (loss_of(*shifted[0], 4, 2, [0, 2, 5]) - loss_of(*shifted[1], 4, 2, [0, 2, 5])) / (2 * h)
            assert moved[place] - before[which][place] == pytest.approx(-0.1 * slope, abs=1e-7), (which, place)


def test_the_rate_falls_over_the_tokens_and_watched_pairs_are_counted():
    U, V = np.full((2, 2), 0.5), np.full((2, 2), 0.5)
    total, seen = learn(
        word2vec._learn, [0, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0], [[1]] * 6, U, V, np.array([0.0, 0.0]), 4
    )
    assert seen == 2  # the first and the fifth of six pairs
    assert total == pytest.approx(2 * np.log1p(np.exp(-0.5)), rel=1e-6)  # their negative is the context
    one, two = (np.full((2, 2), 0.5) for _ in range(2))
    learn(word2vec._learn, [0, 1], [0, 1], [0, 0], [[1]], one, V.copy(), np.array([0.4, 0.0]))
    learn(word2vec._learn, [1, 0], [0, 0], [1, 0], [[1]], two, V.copy(), np.array([0.2, 0.0]))
    np.testing.assert_allclose(one, two)  # halfway the rate is a half


def test_the_compiled_loop_makes_the_steps_of_its_text():
    rng = np.random.default_rng(1)
    tables = rng.normal(size=(2, 9, 7)).astype(np.float32)
    tokens, words = rng.integers(9, size=30), rng.integers(9, size=(58, 4)).tolist()
    left, right = np.r_[0, np.ones(29, int)], np.r_[np.ones(29, int), 0]
    results = []
    for function in (word2vec._learn, compiling.jit(word2vec._learn)):
        U, V = (a.copy() for a in tables)
        results.append((*learn(function, tokens, left, right, words, U, V, np.array([0.1, 0.01]), 3), U, V))
    for plain, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=2e-5, atol=2e-6)
    assert np.abs(results[0][2] - tables[0]).max() > 0.01


def pairs_of(lines, monkeypatch, **options):
    """The pairs that a run asks for, as words, and the tokens that it saw."""
    corpus, vocabulary = corpus_of(lines)
    found, seen = Counter(), []

    def note(tokens, left, right, draws, *rest):
        seen.append((tokens, rest[4]))
        before = sum(found.values())
        for i, token in enumerate(tokens):
            for j in range(i - left[i], i + right[i] + 1):
                if j != i:
                    found[vocabulary.words[token], vocabulary.words[tokens[j]]] += 1
        assert len(draws) == sum(found.values()) - before
        assert draws.shape[1] == options.get("negatives", 5)
        return 0.0, 1

    monkeypatch.setattr(compiling, "jit", lambda function, cached: note)
    fit(corpus, vocabulary, 0.05, **{"sample": 1.0, **options})
    return found, seen


def test_pairs_stay_within_lines_and_the_nearest_are_seen_most(monkeypatch):
    lines = ["a b c", "", "d", "e f"]
    found, _ = pairs_of(lines, monkeypatch, window=1, epochs=1)
    expected = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("e", "f"), ("f", "e")]
    assert found == Counter(expected)
    found, seen = pairs_of(["a b c d e f g"] * 3000, monkeypatch, window=3, epochs=1, chunk=7000)
    assert len(seen) == 3
    for distance, share in ((1, 1.0), (2, 2 / 3), (3, 1 / 3)):
        counts = [found[a, b] for a, b in zip("abcdefg", "abcdefg"[distance:], strict=False)]
        np.testing.assert_allclose(np.array(counts) / 3000, share, atol=0.05)
    assert not any(found[a, b] for a, b in zip("abcdefg", "efg", strict=False))


def test_frequent_words_are_thinned_and_the_rate_falls_with_the_words_read(monkeypatch):
    monkeypatch.setattr(word2vec, "TOKENS_AT_ONCE", 1000)
    _, seen = pairs_of(["a a a a a a a a a b"] * 400, monkeypatch, sample=0.1, epochs=2, chunk=2000)
    kept = np.sqrt(1 / 9) + 1 / 9
    assert len(seen) == 8
    assert sum((tokens == 0).sum() for tokens, _ in seen) / (2 * 3600) == pytest.approx(kept, abs=0.02)
    rates = np.concatenate([rates for _, rates in seen])
    np.testing.assert_allclose(rates, 0.05 * np.maximum(1e-4, 1 - np.repeat(np.arange(9) / 8, 2)[1:-1]))


def test_it_learns_who_stands_next_to_whom():
    rng = np.random.default_rng(0)
    topics = [list("abcdef"), list("uvwxyz")]
    corpus, vocabulary = corpus_of([" ".join(rng.choice(topics[i % 2], 6)) for i in range(400)])
    learned = fit(corpus, vocabulary, 0.05, **{**SMALL, "epochs": 8})
    assert learned.run.records["loss"][-1] < learned.run.records["loss"][0]
    assert learned.vectors.words == vocabulary.words
    assert learned.contexts.vectors.shape == (len(vocabulary), 4)
    same = {a: {b for b, _ in learned.vectors.nearest(a, 5)} for a in "abcdef"}
    assert all(found <= set("abcdef") for found in same.values())


def test_vectors_start_uniform_within_one_over_the_dimension_and_contexts_at_zero():
    lines = [" ".join(f"w{i}" for i in range(k, k + 20)) for k in range(0, 400, 20)]
    learned = fit(*corpus_of(lines), 1e-12, dimension=50, epochs=1)
    start = 50 * learned.vectors.vectors
    assert np.abs(start).max() == pytest.approx(1.0, abs=0.01)
    assert start.std() == pytest.approx(1 / np.sqrt(3), abs=0.02)
    assert np.abs(learned.contexts.vectors).max() < 1e-9


def test_runs_repeat_resume_and_read_mapped_text_bit_for_bit(tmp_path):
    lines = ["a b c d e f g h"] * 30
    corpus, vocabulary = corpus_of(lines)
    options = {**SMALL, "chunk": 80}
    whole = fit(corpus, vocabulary, **options)
    assert len(whole.run.records["loss"]) == 9
    original, calls = word2vec._Passes.round, []

    def interrupted(self, k):
        calls.append(k)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(self, k)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word2vec._Passes, "round", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(corpus, vocabulary, folder=tmp_path / "run", **options)
    resumed = fit(corpus, vocabulary, folder=tmp_path / "run", **options)
    mapped = fit(*corpus_of(lines, folder=tmp_path), **options)
    for again in (resumed, mapped):
        assert np.array_equal(whole.vectors.vectors, again.vectors.vectors)
        assert np.array_equal(whole.run.records["loss"], again.run.records["loss"])
    assert not np.array_equal(whole.vectors.vectors, fit(corpus, vocabulary, seed=1, **options).vectors.vectors)
    with pytest.raises(ValueError, match="settings must be those of"):
        fit(corpus, vocabulary, folder=tmp_path / "run", window=3, **options)
    with pytest.raises(ValueError, match="settings must be those of"):
        fit(*corpus_of(["h g f e d c b a"] * 30), folder=tmp_path / "run", **options)


def test_vectors_that_blow_up_are_reported():
    with pytest.raises(ValueError, match="learning_rate must be smaller than 1e\\+30: training diverged in round 1"):
        fit(*corpus_of(["a b c d"] * 50), 1e30, **SMALL)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be a finite number and > 0, got 0"),
        ({"dimension": 0}, ValueError, "dimension must be a whole number >= 1, got 0"),
        ({"epochs": 1.5}, TypeError, "epochs must be a whole number >= 1, got 1.5"),
        ({"negatives": -1}, ValueError, "negatives must be a whole number >= 1, got -1"),
        ({"window": 0}, ValueError, "window must be a whole number >= 1, got 0"),
        ({"chunk": 0}, ValueError, "chunk must be a whole number >= 1, got 0"),
        ({"sample": 0.0}, ValueError, "sample must be a finite number and > 0, got 0"),
        ({"seed": -1}, ValueError, "seed must be a whole number >= 0, got -1"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        fit(*corpus_of(["a b c d"] * 5), **{**SMALL, **arguments})


def test_tokens_that_the_vocabulary_does_not_hold_are_refused():
    corpus, _ = corpus_of(["a b c d"])
    _, smaller = corpus_of(["a b"])
    with pytest.raises(ValueError, match="corpus must hold tokens from 0 to 1, the vocabulary's, got 3"):
        fit(corpus, smaller)
    for bad in ([-1.0, 2.0], [0.0, 0.0]):
        with pytest.raises(ValueError, match="probabilities must be numbers from 0 on, not all 0"):
            alias_table(np.array(bad))


def test_without_numba_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError, match="numba"):
        fit(*corpus_of(["a b c d"] * 5))
