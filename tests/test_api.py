"""The public names: sorted, complete, and cheap to import."""

import importlib
import subprocess
import sys

import pytest

import fo_lib

MODULES = [
    "accelerated", "all_reduce", "averages", "checks", "compiled_run", "compiling", "compression", "conventions", "coordinate", "datasets", "diagnosis", "distributed", "engine", "exercises", "finite_sums", "gradients", "iteration", "keras", "layout", "learning_rates", "linear_models", "local_steps", "loop",
    "matrix_rules", "mirror", "newton", "out_of_core", "plain_run", "planning", "plots", "primal_dual", "problem", "problems", "question_bank", "rates", "rules", "sampling", "schedules", "skip_gram", "staleness",
    "stored", "sweeps", "team", "text", "trace", "training", "transforms", "variance_reduction", "word2vec", "word_vectors", "workers",
]  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_all_is_sorted_and_every_name_exists_and_is_documented(module):
    loaded = importlib.import_module(f"fo_lib.{module}")
    assert sorted(loaded.__all__) == loaded.__all__
    assert loaded.__doc__
    for name in loaded.__all__:
        assert getattr(loaded, name).__doc__, name


def test_every_public_name_resolves_and_others_do_not():
    assert sorted(fo_lib.__all__) == fo_lib.__all__
    for name in fo_lib.__all__:
        assert getattr(fo_lib, name) is not None
        assert name in dir(fo_lib)
    with pytest.raises(AttributeError, match="module 'fo_lib' has no attribute 'minimise'"):
        _ = fo_lib.minimise


def test_no_module_shares_the_name_of_a_public_function():
    functions = {n for m in MODULES for n in importlib.import_module(f"fo_lib.{m}").__all__}
    assert not functions & set(MODULES)


def test_the_core_imports_numpy_and_nothing_else_that_is_large():
    code = (
        "import sys; from fo_lib import minimize, problems, rules; minimize(problems.rosenbrock(), steps=2, "
        "learning_rate=1e-4); heavy = {'matplotlib', 'numba', 'scipy', 'sklearn', 'tensorflow', 'keras', 'tqdm', 'gensim'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_fo_lib_alone_does_not_import_numpy():
    """So `import fo_lib` costs next to nothing over importing NumPy; seconds are measured in benchmarks."""
    subprocess.run([sys.executable, "-c", "import sys, fo_lib; assert 'numpy' not in sys.modules"], check=True)
