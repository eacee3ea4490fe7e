"""Words, vocabularies, tokens, windows, and files of word vectors that gensim reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fo_lib import text

LINES = ["the cat sat on the mat", "The CAT'S mat: 3 mats!", "", "a cat"]


def test_words_of_a_line():
    assert text.tokenize("Don't stop -- it's 1999, O'Neill; naïve x'") == [
        "don't",
        "stop",
        "it's",
        "o'neill",
        "naïve",
        "x",
    ]


def test_vocabulary_is_sorted_by_frequency_and_first_come():
    vocabulary = text.build_vocabulary(LINES, min_count=2)
    assert vocabulary.words == ("the", "cat", "mat")
    assert vocabulary.counts.tolist() == [3, 2, 2]
    assert vocabulary.index == {"the": 0, "cat": 1, "mat": 2}
    np.testing.assert_allclose(vocabulary.frequencies, np.array([3, 2, 2]) / 7)
    assert len(vocabulary) == 3
    assert text.build_vocabulary(LINES, min_count=1, size=2).words == ("the", "cat")


def test_vocabulary_takes_another_tokenizer():
    assert text.build_vocabulary(["b c b"], min_count=2, tokenize=str.split).words == ("b",)


@pytest.mark.parametrize(
    ("lines", "options", "error", "message"),
    [
        ("one string", {}, TypeError, r"lines must be an iterable of lines, got one str: pass \[line\]"),
        ([], {}, ValueError, "got 0 words"),
        (["a b a"], {}, ValueError, r"occurs 5 times or more \(min_count\), got 2 words, the most frequent 2 times"),
        (["a"], {"min_count": 0}, ValueError, "min_count must be a whole number >= 1"),
        (["a"], {"size": 0}, ValueError, "size must be a whole number >= 1"),
    ],
)
def test_vocabulary_refuses(lines, options, error, message):
    with pytest.raises(error, match=message):
        text.build_vocabulary(lines, **options)


@pytest.mark.parametrize("mapped", [False, True])
def test_encode_is_undone_by_the_vocabulary(tmp_path, mapped):
    vocabulary = text.build_vocabulary(LINES, min_count=2)
    corpus = text.encode(LINES, vocabulary, folder=tmp_path if mapped else None)
    assert corpus.tokens.dtype == np.int32
    assert corpus.starts.tolist() == [0, 4, 6, 6, 7]
    lines = [corpus.tokens[a:b] for a, b in zip(corpus.starts[:-1], corpus.starts[1:], strict=True)]
    words = [" ".join(vocabulary.words[i] for i in line) for line in lines]
    assert words == ["the cat the mat", "the mat", "", "cat"]
    assert isinstance(corpus.tokens, np.memmap) is mapped


def test_encode_refuses_text_without_a_known_word():
    vocabulary = text.build_vocabulary(["a a"], min_count=1)
    with pytest.raises(ValueError, match=r"lines must hold words of the vocabulary \('a', ...\), got none"):
        text.encode(["b c"], vocabulary)
    with pytest.raises(TypeError, match="got one bytes"):
        text.encode(b"a", vocabulary)


@given(n=st.integers(1, 60), length=st.integers(1, 60))
def test_windows_are_consecutive_and_lose_less_than_a_row(n, length):
    tokens = np.arange(n, dtype=np.int32)
    if length > n:
        with pytest.raises(ValueError, match=rf"length must be .* <= {n} \(the number of tokens\), got {length}"):
            text.windows(tokens, length)
        return
    rows = text.windows(tokens, length)
    assert rows.shape == (n // length, length)
    assert np.array_equal(rows.ravel(), np.arange(rows.size))
    assert n - rows.size < length
    assert np.shares_memory(rows, tokens)


@pytest.mark.parametrize("tokens", [np.ones(4), np.ones((2, 2), int)])
def test_windows_refuse_what_is_no_row_of_tokens(tokens):
    with pytest.raises(TypeError, match="tokens must be an array of whole numbers"):
        text.windows(tokens, 2)


# ---- word vectors

WORDS = ("cat", "naïve", "don't")
VECTORS = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32) * [[1e-30], [1], [1e30]]


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_and_we_read_what_was_written_exactly(tmp_path, binary):
    keyed = pytest.importorskip("gensim.models.keyedvectors", reason="gensim is not installed").KeyedVectors
    text.save_word2vec(tmp_path / "v", WORDS, VECTORS, binary=binary)
    theirs = keyed.load_word2vec_format(tmp_path / "v", binary=binary)
    assert tuple(theirs.index_to_key) == WORDS
    assert np.array_equal(theirs.vectors, VECTORS.astype(np.float32))
    words, vectors = text.load_word2vec(tmp_path / "v")
    assert words == WORDS
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, VECTORS.astype(np.float32))


@pytest.mark.parametrize("binary", [False, True])
def test_we_read_what_gensim_writes(tmp_path, binary):
    keyed = pytest.importorskip("gensim.models.keyedvectors", reason="gensim is not installed").KeyedVectors
    theirs = keyed(5)
    theirs.add_vectors(list(WORDS), VECTORS.astype(np.float32))
    theirs.save_word2vec_format(tmp_path / "v", binary=binary)
    words, vectors = text.load_word2vec(tmp_path / "v")
    assert words == WORDS
    np.testing.assert_allclose(vectors, VECTORS, rtol=1e-6)


@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        (("a",), np.ones((2, 3)), "words must be as many as the vectors, 2, got 1"),
        (("a", "b c"), np.ones((2, 3)), "words must be strings without white space, got 'b c'"),
        (("a", ""), np.ones((2, 3)), "words must be strings without white space, got ''"),
        (("a", 1), np.ones((2, 3)), "words must be strings without white space, got 1"),
        (("a", "a"), np.ones((2, 3)), "words must all be different, got 'a' twice"),
        (("a",), [[np.nan]], "vectors must hold finite numbers only"),
        (("a",), [[1e300]], "vectors must hold finite numbers only"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_vectors_that_would_not_come_back_are_not_written(tmp_path, words, vectors, message):
    file = tmp_path / "v"
    file.write_text("the good copy")
    with pytest.raises(ValueError, match=message):
        text.save_word2vec(file, words, vectors)
    assert file.read_text() == "the good copy"


def test_a_write_that_fails_leaves_the_good_copy(tmp_path, monkeypatch):
    file = tmp_path / "v"
    file.write_text("the good copy")
    monkeypatch.setattr(type(file), "replace", lambda self, target: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        text.save_word2vec(file, ("a",), [[1.0]])
    assert [path.name for path in tmp_path.iterdir()] == ["v"]
    assert file.read_text() == "the good copy"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must begin with the number of words and of dimensions, got b''"),
        (b"cat 1.0 2.0\n", "must begin with the number of words"),
        (b"2 3\na 1 2 3\n", "must hold 2 vectors of 3 numbers, got 0"),
        (b"1 1\na \0\0\0\0\nb ", "must hold 1 vectors of 1 numbers, got more: b"),
        (b"2 1\na \0\0\x80?\nb \0\0", "must hold 2 vectors of 1 numbers, got 1"),
    ],
)
def test_damaged_vectors_are_refused(tmp_path, content, message):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        text.load_word2vec(tmp_path / "v")
