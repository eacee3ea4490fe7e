"""Text, words, data, plans, sweeps, exercises and what else reads or writes."""

import numpy as np

from fo_lib import planning, text, word_vectors
from fo_lib.exercises import NotYet
from fo_lib.loop import minimize

from .calls import call, not_called
from .calls_slots import BOWL, X, Y

LINES = ["a cat sat on a mat", "a dog sat on a cat", "the dog and the cat"]
VOCABULARY = text.build_vocabulary(LINES, min_count=1)
CORPUS = text.encode(LINES, VOCABULARY)
SHARES = VOCABULARY.counts / VOCABULARY.counts.sum()
WORDS = word_vectors.WordVectors(("a", "b", "c"), np.eye(3, dtype=np.float32))
AUTHOR = "what the author of an exercise says"
PASSED_ON = "passed on to Matplotlib"
ROWS = np.array([0, 5, 9])
TRACE = minimize(BOWL, learning_rate=0.125, steps=5, iterates=True)


call("text", "build_vocabulary", lambda v: v.counts)(lines=LINES, min_count=1, size=5, tokenize=text.tokenize)
call("text", "encode", also=("line",), leave={"folder": "a path: what is no path says the system"})(
    lines=LINES, vocabulary=VOCABULARY, tokenize=text.tokenize, folder=None
)
call("text", "tokenize", lambda words: len(words))(line="A cat, two cats.")
call("text", "windows")(tokens=np.array([3, 1, 2, 0]), length=2)
not_called("text", "what encode and build_vocabulary return", "Corpus", "Vocabulary")

call("skip_gram", "keep_probability")(frequencies=np.array([0.5, 0.25, 0.25]), sample=0.125)
call("skip_gram", "noise_distribution")(counts=np.array([8, 4, 2]), power=0.75)
call("skip_gram", "edges", long=("chunk",))(corpus=CORPUS, chunk=4, size=len(VOCABULARY))
call("skip_gram", "pairs")(
    corpus=CORPUS, frequencies=SHARES, lines=(0, 3), rng=np.random.default_rng(0), window=2, sample=0.5
)
call("skip_gram", "text_digest", lambda digest: len(digest))(corpus=CORPUS, vocabulary=VOCABULARY)
not_called("skip_gram", "what fit returns", "SkipGram")
not_called("skip_gram", "a run of TensorFlow: calls_keras", "fit")
call("word2vec", "alias_table")(probabilities=np.array([0.5, 0.25, 0.25]))

call("word_vectors", "WordVectors", lambda v: [v.vectors, v["a"], v.nearest("a", 1)[0][1]])(
    words=["a", "b", "c"], vectors=np.eye(3)
)
call("datasets", "standardize")(X=X)
call("datasets", "train_test_split", spreads="it only deals out rows")(X=X, y=Y, test_fraction=0.5, seed=0)
call("datasets", "diabetes", lambda d: d.X)(scaled=False)
call("datasets", "upper_body", lambda d: d.X[:5])(components=2, images=40)
call("datasets", "word_pairs", lambda p: p.scores)(name="wordsim353")
not_called("datasets", "no arguments", "analogies", "breast_cancer", "digits", "glosses")
not_called("datasets", "one flag; the whole set is downloaded", "fashion_mnist")
not_called("datasets", "a file: test_fashion_mnist, test_texts", "read_idx", "text_lines")
not_called("datasets", "what the others return", "Dataset", "Glosses", "ImageDataset", "Standardized", "WordPairs")

CLUSTER = planning.Cluster(parameters=100.0, sample_seconds=0.125, latency=0.5, bandwidth=1000.0)
TIME = {"infinite": "a time beyond the range of floats"}
MESSAGE = {"latency": 0.5, "bandwidth": 1000.0}
call("planning", "Cluster", lambda c: c.step(2, 8), also=("nbytes",), **TIME)(
    parameters=100.0, sample_seconds=0.125, **MESSAGE, overhead=0.5, bytes_each=4.0, method="ring", overlap=0.0
)
call("planning", "all_reduce_time", **TIME)(workers=np.array([1.0, 2.0, 4.0]), nbytes=100.0, **MESSAGE, method="ring")
call("planning", "crossover_bytes", **TIME)(workers=4, **MESSAGE)
call("planning", "steps_to_target", **TIME)(batch=np.array([1.0, 8.0]), least=10.0, critical_batch=4.0)
call("planning", "plan", **TIME)(
    cluster=CLUSTER, workers=2, samples=100, batch=8.0, least_steps=10.0, critical_batch=4.0
)
call("planning", "best_workers", long=("most",), **TIME)(
    cluster=CLUSTER, most=4, efficiency=0.25, samples=100, batch=8.0, least_steps=10.0, critical_batch=4.0
)
not_called("planning", "what plan returns", "Plan")
not_called("planning", "a table", "ALGORITHMS")

call("out_of_core", "groups", long=("n",))(n=6, block=2, together=2, seed=0, epoch=0)
call("out_of_core", "shuffle_buffer", long=("n",))(n=6, size=2, seed=0)
call("out_of_core", "pages")(rows=ROWS, row_bytes=100, page=256)
not_called("out_of_core", "files: test_out_of_core", "Synthetic")
not_called("out_of_core", "reads what the system says", "Memory", "memory")
not_called("out_of_core", "a file: test_out_of_core", "evict")

call("sweeps", "successive_halving")(losses=np.array([[3.0, 2.0], [1.0, 1.0], [2.0, 3.0]]), eta=2)
not_called("sweeps", "a study in a database: test_sweeps", "Sweep")
call("exercises", "close", errors=(NotYet,), leave={"expected": AUTHOR, "tolerance": AUTHOR})(
    answer=1.0, expected=1.0, tolerance=1e-3
)
call("exercises", "check", lambda f: f.correct)(exercise="gradient-descent-1", answer=0.5)
not_called("exercises", "what check returns or raises", "Feedback", "NotYet")
call("question_bank", "ask", lambda q: list(q.numbers.values()))(name="gradient-descent/steps", seed=3)
call("question_bank", "grade", lambda g: len(g), also=("name",))(answers={"gradient-descent/steps": 1.0}, seed=3)
not_called("question_bank", "what ask returns; a table", "Question", "QUESTIONS")
not_called("stored", "a file beside a chapter: test_stored", "result")
not_called("diagnosis", "what diagnose returns; a table", "CAUSES", "Diagnosis", "Finding")
call("diagnosis", "diagnose", lambda d: len(d.findings))(run={"loss": np.linspace(2, 1, 20), "grad_norm": np.ones(20)})


def drawn(figure):
    import matplotlib.pyplot as plt

    figure.canvas.draw()
    plt.close(figure)
    return len(figure.axes)


call("plots", "convergence", drawn, long=("minimum",), leave=dict.fromkeys(("ax", "xlabel", "ylabel"), PASSED_ON))(
    traces={"run": TRACE}, minimum=0.0, bounds={"bound": lambda k: 1 / (k + 1)}, xlabel="k", ylabel="f", floor=1e-16,
    log_x=False, ax=None,
)  # fmt: skip
call("plots", "figure", lambda made: drawn(made[0]))(columns=1, width=6.5, height=3.5, raster=False)
call("plots", "images", drawn)(pictures=[np.eye(3), np.ones((3, 3))], titles=["one", "two"], height=1.5)
call("plots", "paths", drawn, leave=dict.fromkeys(("ax", "labels", "levels"), PASSED_ON))(
    problem=BOWL, traces={"run": TRACE}, x=(-2.0, 2.0), y=(-2.0, 2.0), levels=5, labels=("a", "b"), ax=None
)
not_called("plots", "Matplotlib's, styled", "Figure", "StyledAxes", "style")
