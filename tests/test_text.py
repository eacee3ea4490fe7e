"""Words, vocabularies, tokens and windows."""

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


def test_typographic_apostrophes_and_composed_accents_are_the_plain_ones():
    assert text.tokenize("Don\u2019t cafe\u0301") == ["don't", "café"]


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
        ([b"bytes"], {}, TypeError, "lines must hold strings, got b'bytes'"),
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


def test_encode_takes_the_tokenizer_of_the_vocabulary():
    vocabulary = text.build_vocabulary(["a-b c a-b"], min_count=1, tokenize=str.split)
    assert text.encode(["a-b c"], vocabulary, tokenize=str.split).tokens.tolist() == [0, 1]


def test_an_encoding_that_fails_leaves_the_good_files(tmp_path):
    vocabulary = text.build_vocabulary(LINES, min_count=2)
    good = text.encode(LINES, vocabulary, folder=tmp_path).tokens.tolist()
    with pytest.raises(TypeError):
        text.encode(["the cat", None], vocabulary, folder=tmp_path)
    assert np.fromfile(tmp_path / "tokens.int32", np.int32).tolist() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["starts.int64", "tokens.int32"]


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
