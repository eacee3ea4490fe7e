"""Neighbours, similarity, analogies, and files of word vectors that gensim reads."""

import numpy as np
import pytest
from gensim.models import KeyedVectors

from fo_lib.datasets import WordPairs
from fo_lib.word_vectors import WordVectors, load_word2vec

WORDS = ("cat", "naïve", "don't")
VECTORS = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32) * [[1e-30], [1], [1e30]]
PLANE = WordVectors(
    ("east", "north", "northeast", "west", "nowhere"), np.array([[2, 0], [0, 1], [3, 3], [-1, 0], [0, 0]])
)


# ---- neighbours and tests


def test_neighbours_are_sorted_by_their_cosine():
    found = PLANE.nearest("east", 3)
    assert [word for word, _ in found] == ["northeast", "north", "nowhere"]
    np.testing.assert_allclose([cosine for _, cosine in found], [0.5**0.5, 0, 0], atol=1e-7)
    assert len(PLANE.nearest("east", 99)) == 4
    assert PLANE.nearest([0, 5], 1)[0][0] == "north"
    assert len(PLANE.nearest([0, 5], 99)) == 5
    assert PLANE["west"].tolist() == [-1, 0]


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_vectors_of_any_length_have_their_cosines(scale):
    far = WordVectors(PLANE.words, scale * PLANE.vectors)
    np.testing.assert_allclose(far.unit, PLANE.unit, rtol=1e-6)
    assert far.nearest("east", 1) == [("northeast", pytest.approx(0.5**0.5))]
    assert PLANE.nearest([1e300, 1e300], 1) == [("northeast", pytest.approx(1))]


def test_similarity_is_the_rank_correlation_over_known_pairs():
    pairs = WordPairs(
        ("east", "east", "east", "up"), ("northeast", "north", "west", "down"), np.array([9.0, 5, 1, 3]), ""
    )
    assert PLANE.similarity(pairs) == (pytest.approx(1), 3)
    assert PLANE.similarity(pairs._replace(scores=-pairs.scores)) == (pytest.approx(-1), 3)


def test_analogy_leaves_out_the_words_of_the_question():
    grid = WordVectors(
        ("man", "woman", "king", "queen", "pawn", "pope"),
        np.array([[1, 0, 0], [1, 0.1, 0], [1, 0, 1], [1, 0.3, 1], [1, -0.3, 1], [1, 0, -1]]),
    )
    assert grid.nearest(grid.unit[1] - grid.unit[0] + grid.unit[2], 1)[0][0] == "king"  # it would win, were it let
    assert grid.analogy([("man", "woman", "king", "queen"), ("man", "woman", "king", "bishop")]) == (1.0, 1)
    assert grid.analogy([("woman", "man", "king", "pawn")]) == (1.0, 1)
    assert grid.analogy([("man", "woman", "king", "king")]) == (0.0, 1)
    longer = WordVectors(grid.words, grid.vectors * [[1], [30], [1], [1], [1], [1]])  # unit vectors: no difference
    assert longer.analogy([("man", "woman", "king", "queen")]) == (1.0, 1)
    line = WordVectors(("a", "b", "c", "d"), np.array([[1, 0], [0, 1], [1, 0.1], [1, 1]]))
    assert line.analogy([("a", "b", "c", "d")]) == (1.0, 1)  # b itself lies nearer


def test_analogies_are_solved_in_blocks_as_one_by_one():
    rng = np.random.default_rng(1)
    words = WordVectors([f"w{i}" for i in range(30)], rng.normal(size=(30, 4)))
    questions = [tuple(f"w{i}" for i in rng.permutation(30)[:4]) for _ in range(600)]
    one_by_one = [words.analogy([question])[0] for question in questions]
    assert words.analogy(questions) == (pytest.approx(np.mean(one_by_one)), 600)
    assert 0 < np.mean(one_by_one) < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PLANE["up"], "word must be one of the 5 that have a vector, got 'up'"),
        (lambda: PLANE.nearest("up"), "got 'up'"),
        (lambda: PLANE.nearest("east", 0), "count must be a whole number >= 1"),
        (lambda: PLANE.nearest([1, 2, 3]), r"query must be a non-empty array of shape \(2,\)"),
        (lambda: PLANE.similarity(WordPairs(("up",), ("down",), np.ones(1), "")), "three pairs of words .*, got 0"),
        (
            lambda: PLANE.analogy([("a", "b", "c", "d")]),
            "questions must hold one whose four words have vectors, got none",
        ),
        (lambda: WordVectors(("a",), np.ones((2, 3))), "words must be as many as the vectors, 2, got 1"),
        (lambda: WordVectors(("a", "b c"), np.ones((2, 3))), "words must be strings without white space, got 'b c'"),
        (lambda: WordVectors(("a", ""), np.ones((2, 3))), "words must be strings without white space, got ''"),
        (lambda: WordVectors(("a", 1), np.ones((2, 3))), "words must be strings without white space, got 1"),
        (lambda: WordVectors(("a", "a"), np.ones((2, 3))), "words must all be different, got 'a' twice"),
        (lambda: WordVectors(("a",), [[np.nan]]), "vectors must hold finite numbers only"),
        (lambda: WordVectors(("a",), [[1e300]]), "vectors must hold finite numbers only"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- files


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_and_we_read_what_was_written_exactly(tmp_path, binary):
    ours = WordVectors(WORDS, VECTORS)
    ours.save(tmp_path / "v", binary=binary)
    theirs = KeyedVectors.load_word2vec_format(tmp_path / "v", binary=binary)
    again = load_word2vec(tmp_path / "v")
    assert tuple(theirs.index_to_key) == again.words == WORDS
    assert np.array_equal(theirs.vectors, ours.vectors)
    assert np.array_equal(again.vectors, ours.vectors)


@pytest.mark.parametrize("binary", [False, True])
def test_we_read_what_gensim_writes(tmp_path, binary):
    theirs = KeyedVectors(5)
    theirs.add_vectors(list(WORDS), VECTORS.astype(np.float32))
    theirs.save_word2vec_format(tmp_path / "v", binary=binary)
    read = load_word2vec(tmp_path / "v")
    assert read.words == WORDS
    np.testing.assert_allclose(read.vectors, VECTORS, rtol=1e-6)


def test_a_write_that_fails_leaves_the_good_copy(tmp_path, monkeypatch):
    file = tmp_path / "v"
    file.write_text("the good copy")
    monkeypatch.setattr(type(file), "replace", lambda self, target: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        WordVectors(("a",), [[1.0]]).save(file)
    assert [path.name for path in tmp_path.iterdir()] == ["v"]
    assert file.read_text() == "the good copy"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must begin with the number of words and of dimensions, got b''"),
        (b"cat 1.0 2.0\n", "must begin with the number of words"),
        (b"2 3\na 1 2 3\n", "must hold 2 vectors of 3 numbers, got 8 bytes for them"),
        (b"99999999999 300\na 1", "must hold 99999999999 vectors of 300 numbers, got 3 bytes for them"),
        (b"0 0\n", "must hold 0 vectors"),
        (b"2 1\na 1\na 2\n", "words must all be different, got 'a' twice"),
        (b"1 1\na nan\n", "vectors must hold finite numbers only"),
        (b"1 1\na \0\0\0\0\nb ", "must hold 1 vectors of 1 numbers, got more: b"),
        (b"2 1\na \0\0\x80?\nbbbb \0\0", "must hold 2 vectors of 1 numbers, got 1"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_word2vec(tmp_path / "v")
