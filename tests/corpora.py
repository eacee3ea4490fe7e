"""Small texts for the tests of word vectors."""

from fo_lib import text


def corpus_of(lines, **options):
    vocabulary = text.build_vocabulary(lines, min_count=1)
    return text.encode(lines, vocabulary, **options), vocabulary
