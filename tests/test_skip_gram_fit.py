"""Skip-gram's model in TensorFlow: the formula's steps, no true context among the negatives, and what `fit` does with it."""

import numpy as np
import pytest
import tensorflow as tf

from fo_lib import datasets, rules, text
from fo_lib._skip_gram_tensorflow import Model
from fo_lib.skip_gram import edges, fit, noise_distribution
from tests.corpora import corpus_of

SMALL = {"dimension": 4, "batch_size": 4, "shared": 3, "epochs": 3, "learning_rate": 0.05, "sample": 1.0}


def formula(U, V, centers, contexts, negatives, weight):
    """The loss of a batch and its gradients, term by term."""

    def sigmoid(s):
        return 1 / (1 + np.exp(-s))

    loss, gU, gV = 0.0, np.zeros_like(U), np.zeros_like(V)
    for c, o in zip(centers, contexts, strict=True):
        terms = [(o, 1.0, 1)] + [(n, weight, -1) for n in negatives if n != o]
        for word, share, sign in terms:
            s = sign * (U[c] @ V[word])
            loss -= share * np.log(sigmoid(s))
            gU[c] -= share * sign * sigmoid(-s) * V[word]
            gV[word] -= share * sign * sigmoid(-s) * U[c]
    return loss, gU, gV


def drawn(model):
    rng = np.random.default_rng(3)
    for table in (model.words, model.contexts):
        table.assign(rng.normal(size=table.shape))
    return rng.integers(0, 6, 8), rng.integers(0, 6, 8), rng.integers(0, 6, 3)


def test_a_step_of_gradient_descent_is_that_of_the_formula_without_true_contexts():
    """Error D of well-known code: negatives that contain the true context. Here some do, and they do not count."""
    model = Model(6, 4, rules.gradient_descent, 0.1, True, 5 / 3, 0, {})
    centers, contexts, negatives = drawn(model)
    assert np.isin(contexts, negatives).any()
    U, V = (table.astype(np.float64) for table in model.tables())
    loss, gU, gV = formula(U, V, centers, contexts, negatives, 5 / 3)
    batch = [np.int32(a)[None] for a in (centers, contexts, negatives)]
    assert model.train(*batch, np.array([0.1])) == pytest.approx(loss / 8, rel=1e-5)
    after = model.tables()
    np.testing.assert_allclose(after[0], U - 0.1 * gU, atol=1e-5)
    np.testing.assert_allclose(after[1], V - 0.1 * gV, atol=1e-5)


def test_the_compiled_graph_makes_the_steps_of_its_text():
    """Its text run line by line, without compilation, against the graph."""
    texts, graph = (Model(6, 4, rules.adam, 0.1, True, 5 / 3, 0, {}) for _ in range(2))
    batches = [np.int32(a)[None].repeat(3, 0) for a in drawn(texts)]
    drawn(graph)
    rates = np.array([0.1, 0.05, 0.02])
    loss = texts._steps(*map(tf.constant, (*batches, rates)))
    assert graph.train(*batches, rates) == pytest.approx(float(loss), rel=1e-5)
    for ours, theirs in zip(texts.tables(), graph.tables(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("lazy", [True, False])
def test_only_a_lazy_rule_with_momentum_leaves_other_rows_alone(lazy):
    model = Model(20, 4, rules.momentum, 0.1, lazy, 1.0, 0, {})
    batches = [np.int32(a) for a in ([[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8], [9]])]
    before = model.tables()[1].copy()
    model.train(*batches, np.array([0.1, 0.0]))
    middle = model.tables()[1].copy()
    assert np.array_equal(middle[10:], before[10:])
    model.train(*[b[1:] for b in batches], np.array([0.1]))
    moved = (model.tables()[1] != middle).any(axis=1)
    assert moved[[6, 7, 9]].all()
    assert moved[[4, 5]].tolist() == [not lazy] * 2  # contexts of the first batch only: their velocity carries them on


@pytest.mark.parametrize("rule", [rules.gradient_descent, rules.momentum, rules.adagrad, rules.adam])
def test_every_rule_learns_who_stands_next_to_whom(rule):
    rng = np.random.default_rng(0)
    topics = [list("abcdef"), list("uvwxyz")]
    corpus, vocabulary = corpus_of([" ".join(rng.choice(topics[i % 2], 6)) for i in range(400)])
    learned = fit(corpus, vocabulary, rule, 0.05, dimension=4, batch_size=32, epochs=4, sample=1.0)
    assert learned.run.records["loss"][-1] < learned.run.records["loss"][0]
    assert learned.vectors.words == vocabulary.words
    assert learned.contexts.vectors.shape == (len(vocabulary), 4)
    same = {a: {b for b, _ in learned.vectors.nearest(a, 5)} for a in "abcdef"}
    assert all(found <= set("abcdef") for found in same.values())


def test_chunks_hold_every_line_once_and_memory_mapped_text_gives_the_same(tmp_path):
    lines = ["a b c d e", "f g h", "a c e g", "b d f h"] * 5
    corpus, vocabulary = corpus_of(lines)
    mapped, _ = corpus_of(lines, folder=tmp_path)
    ours = fit(corpus, vocabulary, chunk=25, **SMALL)
    theirs = fit(mapped, vocabulary, chunk=25, **SMALL)
    assert len(ours.run.records["loss"]) == 3 * 4  # 80 tokens in four chunks, three epochs
    cuts = edges(corpus, 25, len(vocabulary))
    assert (cuts[0], cuts[-1]) == (0, len(lines))
    assert min(np.diff(corpus.starts[cuts])) >= 16  # none is short
    assert np.array_equal(ours.vectors.vectors, theirs.vectors.vectors)


def test_runs_repeat_and_resume_bit_for_bit(tmp_path):
    corpus, vocabulary = corpus_of(["a b c d e f g h"] * 30)
    options = {**SMALL, "rule": rules.adam, "chunk": 80}
    whole = fit(corpus, vocabulary, **options)
    calls = []
    original = Model.train

    def interrupted(self, *batch):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(self, *batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(corpus, vocabulary, folder=tmp_path, **options)
    resumed = fit(corpus, vocabulary, folder=tmp_path, **options)
    assert np.array_equal(whole.vectors.vectors, resumed.vectors.vectors)
    assert np.array_equal(whole.run.records["loss"], resumed.run.records["loss"])
    assert not np.array_equal(whole.vectors.vectors, fit(corpus, vocabulary, seed=1, **options).vectors.vectors)
    with pytest.raises(ValueError, match="settings must be those of"):
        fit(corpus, vocabulary, folder=tmp_path, window=3, **options)
    with pytest.raises(ValueError, match="settings must be those of"):
        fit(*corpus_of(["h g f e d c b a"] * 30), folder=tmp_path, **options)


def test_every_epoch_draws_anew(monkeypatch):
    corpus, vocabulary = corpus_of(["a b c d e f g h"] * 30)
    drawn_batches = []
    original = Model.train
    monkeypatch.setattr(Model, "train", lambda self, *batch: drawn_batches.append(batch) or original(self, *batch))
    fit(corpus, vocabulary, **SMALL)
    first, second = drawn_batches[:2]
    assert not any(np.array_equal(a[:50], b[:50]) for a, b in zip(first[:3], second[:3], strict=True))


def test_the_learning_rate_falls_linearly_to_its_floor(monkeypatch):
    corpus, vocabulary = corpus_of(["a b c d e f g h"] * 30)
    rates = []
    original = Model.train
    monkeypatch.setattr(Model, "train", lambda self, *batch: rates.append(batch[3]) or original(self, *batch))
    fit(corpus, vocabulary, chunk=80, **SMALL)
    first = [row[0] for row in rates]
    np.testing.assert_allclose(first, 0.05 * (1 - np.arange(9) / 9))
    assert all(np.all(np.diff(row) < 0) for row in rates)


def test_the_learning_rate_follows_the_words_read_in_chunks_of_any_length(monkeypatch):
    """Two lines of 70 and 30 words, a chunk each."""
    lines = [" ".join("abcdefg" * 10), " ".join("abc" * 10)]
    corpus, vocabulary = corpus_of(lines)
    rates = []
    original = Model.train
    monkeypatch.setattr(Model, "train", lambda self, *batch: rates.append(batch[3]) or original(self, *batch))
    fit(corpus, vocabulary, chunk=60, **{**SMALL, "epochs": 2, "batch_size": 1})
    np.testing.assert_allclose([row[0] for row in rates], 0.05 * (1 - np.array([0, 0.7, 1, 1.7]) / 2))


def test_the_learning_rate_has_a_floor(monkeypatch):
    """That of word2vec.c, a ten thousandth of the first; reached where a pair is less than that of the text."""
    corpus, vocabulary = corpus_of([" ".join("abcdefgh" * 500)] * 2)
    rates = []
    monkeypatch.setattr(Model, "train", lambda self, *batch: rates.append(batch[3]) or 1.0)
    fit(corpus, vocabulary, **{**SMALL, "epochs": 1, "batch_size": 1})
    assert rates[0].min() == pytest.approx(0.05 * 1e-4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dimension": 0}, ValueError, "dimension must be a whole number >= 1"),
        ({"negatives": 0}, ValueError, "negatives must be"),
        ({"epochs": 0}, ValueError, "epochs must be"),
        ({"chunk": 0}, ValueError, "chunk must be"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a finite number and > 0"),
        (
            {"learning_rate": 1e30},
            ValueError,
            "learning_rate must be smaller than 1e[+]30 for gradient_descent: training div",
        ),
        ({"batch_size": 10_000}, ValueError, r"batch_size must be at most the pairs of a chunk, \d+, got 10000"),
        ({"speed": 1}, TypeError, "speed"),
    ],
)
def test_bad_arguments_of_fit_are_named(options, error, message):
    corpus, vocabulary = corpus_of(["a b c d e"] * 10)
    with pytest.raises(error, match=message):
        fit(corpus, vocabulary, **{**SMALL, **options})


def test_what_fit_passes_on(monkeypatch):
    """Noise by counts, window, sample, lazy and seed reach their places; the tables are not exchanged."""
    corpus, vocabulary = corpus_of(["a a a a a a a a b c d e f g h"] * 40)
    seen, batches = {}, []
    make, step = Model.__init__, Model.train

    def spy(self, size, dimension, rule, rate, lazy, weight, seed, hyper):
        make(self, size, dimension, rule, rate, lazy, weight, seed, hyper)
        seen.update(lazy=lazy, weight=weight, seed=seed, first=self.tables(), model=self)

    monkeypatch.setattr(Model, "__init__", spy)
    monkeypatch.setattr(Model, "train", lambda self, *batch: batches.append(batch) or step(self, *batch))
    options = {**SMALL, "epochs": 1, "shared": 40, "negatives": 6, "seed": 5, "lazy": False, "window": 1}
    learned = fit(corpus, vocabulary, **options)
    assert (seen["lazy"], seen["weight"], seen["seed"]) == (False, 6 / 40, 5)
    words, contexts = seen["first"]
    assert 0.9 * 0.5 / 4 < np.abs(words).max() <= 0.5 / 4  # uniform on +-1/2, divided by d
    assert not contexts.any()
    assert np.array_equal(learned.vectors.vectors, seen["model"].tables()[0])
    ((centers, near, noise, _),) = batches
    share = np.bincount(noise.ravel(), minlength=8) / noise.size
    np.testing.assert_allclose(share, noise_distribution(vocabulary.counts), atol=0.02)
    assert np.abs(centers - near).max() == 1  # the words are numbered in the order of the line
    batches.clear()
    fit(corpus, vocabulary, **{**options, "sample": 0.01})
    assert batches[0][0].size < 0.5 * centers.size


def test_tokens_outside_the_vocabulary_are_refused():
    corpus, _ = corpus_of(["a b c d e"] * 10)
    small = text.build_vocabulary(["a b"], min_count=1)
    with pytest.raises(ValueError, match="corpus must hold tokens from 0 to 1, the vocabulary's, got 4"):
        fit(corpus, small, **SMALL)
    with pytest.raises(ValueError, match="got -1"):
        fit(text.Corpus(np.array([-1, 0], np.int32), np.array([0, 2])), small, **SMALL)
    with pytest.raises(ValueError, match="corpus must hold tokens, got none"):
        fit(text.Corpus(np.empty(0, np.int32), np.array([0])), small, **SMALL)


@pytest.mark.slow
def test_one_pass_over_the_glosses_learns_what_people_find_related():
    """Six seconds of training, to a correlation that random vectors have with probability far below 1e-9."""
    lines = datasets.glosses().lines
    vocabulary = text.build_vocabulary(lines)
    learned = fit(text.encode(lines, vocabulary), vocabulary, epochs=1, sample=1e-4)
    correlation, known = learned.vectors.similarity(datasets.word_pairs("wordsim353"))
    assert known > 300
    assert correlation > 0.3
