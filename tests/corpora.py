"""Small texts for the tests of word vectors."""

import pytest

from fo_lib import text

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")


def corpus_of(lines, **options):
    vocabulary = text.build_vocabulary(lines, min_count=1)
    return text.encode(lines, vocabulary, **options), vocabulary
