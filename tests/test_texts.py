"""Text that ships, text from files, and judgements on words: checked bytes, flat memory, typed errors."""

import bz2
import gzip
import importlib.util
import itertools
import lzma
import tracemalloc

import numpy as np
import pytest

from fo_lib import datasets, text
from fo_lib.datasets import texts
from tools import make_glosses

LATIN = b"caf\xe9\n"


# ---- what ships


def test_glosses_are_those_of_wordnet_without_its_synonyms():
    data = datasets.glosses()
    assert len(data.lines) == len(data.topics) == 117_659
    assert data.lines[0].startswith("that which is perceived or known or inferred")
    assert (data.topics.min(), data.topics.max(), len(data.topic_names)) == (0, 44, 45)
    by_topic = dict(zip(data.topic_names, np.bincount(data.topics), strict=True))
    assert by_topic["noun.animal"] == 7509
    assert data.topic_names[4:8] == ("noun.act", "noun.animal", "noun.artifact", "noun.attribute")  # lexnames(5WN)
    hammer = data.lines.index(
        next(line for line in data.lines if line.startswith("a hand tool with a heavy rigid head"))
    )
    assert data.topic_names[data.topics[hammer]] == "noun.artifact"
    assert by_topic["adj.ppl"] == 60
    horse = data.lines.index("solid-hoofed herbivorous quadruped domesticated since prehistoric times")
    assert data.topic_names[data.topics[horse]] == "noun.animal"


def test_the_licence_of_the_glosses_ships_with_them():
    notice = (texts.DATA / "WORDNET_LICENSE").read_text(encoding="utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University.  All rights reserved." in notice
    assert "Permission to use, copy, modify and distribute" in notice


def test_tampered_glosses_are_refused(tmp_path, monkeypatch):
    tampered = tmp_path / "glosses.xz"
    tampered.write_bytes(lzma.compress(b"0\tnothing\n"))
    monkeypatch.setattr(texts, "_GLOSSES", tampered)
    with pytest.raises(ValueError, match=r"glosses\.xz is not the original: its SHA-256 must be 6d5c"):
        datasets.glosses()


def test_tool_makes_the_shipped_glosses(tmp_path, monkeypatch):
    """From records in the database's own format (wndb(5WN)); the whole database is not here."""
    record = "00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | that which is perceived  \n"
    for part in make_glosses.PARTS:
        (tmp_path / part).write_text("  1 This software and database is being provided\n" + record)
    monkeypatch.setattr(make_glosses, "TARGET", tmp_path / "made.xz")
    make_glosses.main(tmp_path)
    assert lzma.decompress((tmp_path / "made.xz").read_bytes()).decode() == "3\tthat which is perceived\n" * 4
    with pytest.raises(SystemExit, match="no gloss in"):
        make_glosses.line_of("00001740 03 n 01 entity")


# ---- judgements, from an installed gensim


@pytest.mark.parametrize(("name", "n", "score"), [("wordsim353", 353, 8.00), ("simlex999", 999, 3.27)])
def test_word_pairs_tell_relatedness_from_similarity(name, n, score):
    pairs = datasets.word_pairs(name)
    assert len(pairs.first) == len(pairs.second) == len(pairs.scores) == n
    assert 0 <= pairs.scores.min() < pairs.scores.max() <= 10
    found = [s for a, b, s in zip(*pairs[:3], strict=True) if {a, b} == {"closet", "clothes"}]
    assert found == [score]
    assert all(word == word.lower() for word in pairs.first + pairs.second)


def test_word_pairs_of_another_name_are_refused():
    with pytest.raises(ValueError, match="name must be one of wordsim353, simlex999, got 'men'"):
        datasets.word_pairs("men")


def test_analogies_have_their_published_number():
    questions = datasets.analogies()
    assert sum(map(len, questions.values())) == 19_544  # Mikolov et al. (2013)
    assert ("boy", "girl", "king", "queen") in questions["family"]


def test_without_gensim_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install gensim"):
        datasets.analogies()


# ---- any file


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_lines_of_a_file_compressed_or_not(tmp_path, compress):
    file = tmp_path / "x.txt"
    file.write_bytes(compress("\ufeffone two\r\n\n   \n drei \u00fc \nlast".encode()))
    assert list(datasets.text_lines(file)) == ["one two", "drei ü", "last"]


@pytest.mark.parametrize("longest", [100, 101, 1000])
def test_long_lines_come_in_pieces_without_a_word_lost(tmp_path, longest):
    file = tmp_path / "text8"
    words = [f"w{i * i}" for i in range(500)]
    file.write_text(" ".join(words))
    pieces = list(datasets.text_lines(file, longest=longest))
    assert " ".join(pieces).split() == words
    assert max(map(len, pieces)) <= longest


def test_a_line_without_white_space_is_cut_anywhere(tmp_path):
    file = tmp_path / "x"
    file.write_text("a" * 250 + " b")
    assert [len(piece) for piece in datasets.text_lines(file, longest=100)] == [100, 100, 52]


def test_a_file_that_ends_with_a_full_piece_keeps_its_last_word(tmp_path):
    file = tmp_path / "x"
    file.write_text("a" * 90 + " " + "b" * 9)
    assert list(datasets.text_lines(file, longest=100)) == ["a" * 90, "b" * 9]


def test_memory_does_not_grow_with_the_file(tmp_path):
    """A vocabulary and memory-mapped tokens of ten times as much text take no more memory at their peak."""
    peaks = []
    for n in (2_000, 20_000):
        file, folder = tmp_path / f"{n}.txt", tmp_path / str(n)
        folder.mkdir()
        with file.open("w") as out:
            out.writelines("some words that come again and again in one long line " for _ in range(n))
        tracemalloc.start()
        vocabulary = text.build_vocabulary(datasets.text_lines(file))
        corpus = text.encode(datasets.text_lines(file), vocabulary, folder=folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(corpus.tokens) == 11 * n
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must hold text, got none"),
        (b" \n\n", "must hold text, got none"),
        (b"fine\n\x7fELF\0\0\n", "must be plain text, got a NUL, as binary files have, in line 2"),
        (b"fine\n" * 5000 + LATIN, r"must be UTF-8, got other bytes after line \d+: invalid continuation byte"),
        (gzip.compress(b"x\n" * 1000, mtime=0)[:-9], "must be a whole archive, got a damaged one after line"),
        (
            gzip.compress(b"x\n" * 1000, mtime=0)[:-8] + b"12345678",
            "must be a whole archive, got a damaged one after line",
        ),
        (lzma.compress(b"x\n" * 1000)[:-9], "must be a whole archive, got a damaged one after line"),
        (bz2.compress(b"x\n" * 1000)[:-9], "must be a whole archive, got a damaged one after line"),
        (
            bz2.compress(b"x\n" * 1000).replace(b"1AY", b"1AZ"),
            "must be a whole archive, got a damaged one after line 0",
        ),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(tmp_path, content, message):
    file = tmp_path / "x.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.txt {message}"):
        list(datasets.text_lines(file))


def test_errors_of_the_system_stay_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        next(datasets.text_lines(tmp_path / "nowhere"))
    with pytest.raises(IsADirectoryError):
        next(datasets.text_lines(tmp_path))
    with pytest.raises(ValueError, match="longest must be a whole number >= 100, got 10"):
        next(datasets.text_lines(tmp_path / "nowhere", longest=10))


def test_lines_are_read_as_they_are_asked_for(tmp_path):
    file = tmp_path / "x.txt"
    file.write_bytes(b"one\n" * 100_000 + LATIN)
    assert list(itertools.islice(datasets.text_lines(file), 3)) == ["one"] * 3  # the bad end is not reached
