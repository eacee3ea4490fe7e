"""Any rule as a Keras optimizer: the steps of NumPy's rule, in every way that Keras trains, saves and loads."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from fo_lib import learning_rates, matrix_rules, rules
from fo_lib.engine import Stepper, signature

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
from fo_lib import keras as fo_keras  # noqa: E402
from fo_lib.keras import optimizer  # noqa: E402

# saving: TensorFlow's arrays under NumPy 2.4
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

RULES = {name: getattr(rules, name) for name in rules.__all__}
RULES |= {"muon": matrix_rules.muon, "shampoo": matrix_rules.shampoo}
EVERY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
EVERY_DTYPE = pytest.mark.parametrize("dtype", ["float32", "float64"])
SHAPES = [(3, 4), (5,), (6, 2)]
# Measured, in machine epsilons times 1 + |w|, after any of 100 steps: element-wise rules 0 in float64 and 2.4 in
# float32 (nadam); 19 and 7.3 with matrices (shampoo).
ROUNDING = {True: 60, False: 8}


def arrays(dtype, steps, shapes=SHAPES):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    sizes = [[10 ** rng.uniform(-4, 0, shape) for shape in shapes] for _ in range(steps)]
    return weights, [[(rng.choice([-1, 1], s.shape) * s).astype(dtype) for s in step] for step in sizes]


def numpy_run(rule, weights, gradients, rate=None, **hyper):
    """The last weights under the NumPy rule; ``rate`` is a schedule."""
    weights = [w.copy() for w in weights]
    steppers = [Stepper(rule, fused=False, **hyper) for _ in weights]
    for t, step in enumerate(gradients, start=1):
        now = {} if rate is None else {"learning_rate": rate(t)}
        for w, g, stepper in zip(weights, step, steppers, strict=True):
            stepper(w, g, **now)
    return weights


def keras_run(opt, weights, gradients, *, compiled=False, jit=False):
    variables = [keras.Variable(w, dtype=w.dtype) for w in weights]
    opt.build(variables)

    def step(*gradients):
        opt.apply_gradients(zip(gradients, variables, strict=True))

    call = tf.function(step, jit_compile=jit, autograph=False) if compiled else step
    for gradient in gradients:
        call(*map(tf.convert_to_tensor, gradient))
    return [v.numpy() for v in variables]


def assert_close(got, expected, epsilons=8):
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        tolerance = epsilons * float(np.finfo(b.dtype).eps)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, strict=True)


def differ(a, b):
    return max(float(np.abs(x - y).max()) for x, y in zip(a, b, strict=True))


@EVERY_DTYPE
@EVERY_RULE
def test_every_rule_takes_the_steps_of_numpy(rule, dtype):
    weights, gradients = arrays(dtype, 100)
    hyper = {"learning_rate": 0.003} if rule is not matrix_rules.shampoo else {"learning_rate": 0.03}
    expected = numpy_run(rule, weights, gradients, **hyper)
    assert_close(
        keras_run(optimizer(rule, **hyper), weights, gradients), expected, ROUNDING[rule in vars(matrix_rules).values()]
    )


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@EVERY_RULE
def test_every_rule_runs_in_a_compiled_graph(rule, jit):
    weights, gradients = arrays("float64", 5)
    got = keras_run(optimizer(rule), weights, gradients, compiled=True, jit=jit)
    # XLA's eigh is exact to float32 only, whatever the dtype: 3e-7 measured
    assert_close(got, numpy_run(rule, weights, gradients), 2e10 if rule is matrix_rules.shampoo and jit else 60)


def test_other_hyperparameters_than_the_defaults():
    weights, gradients = arrays("float64", 20)
    hyper = {"learning_rate": 0.01, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.1, "momentum_decay": 0.5}
    got = keras_run(optimizer(rules.nadam, **hyper), weights, gradients)
    assert_close(got, numpy_run(rules.nadam, weights, gradients, **hyper))


def test_wrong_arguments_are_refused_as_by_the_stepper():
    with pytest.raises(TypeError, match=r"rule 'adam' has hyperparameters \['learning_rate', 'beta1',.*got 'beta_1'"):
        optimizer(rules.adam, beta_1=0.9)
    for name, value in {
        "beta1": 1.0,
        "learning_rate": -1.0,
        "epsilon": math.nan,
        "clipnorm": 0.0,
        "weight_decay": -1,
    }.items():
        with pytest.raises(ValueError, match=f"^{name} must be a finite number"):
            optimizer(rules.adam, **{name: value})
    with pytest.raises(TypeError, match="rule must be a plain function"):
        optimizer(np.sqrt)
    with pytest.raises(ValueError, match="lazy=True updates rows one by one, and rule 'muon' sees a whole matrix"):
        optimizer(matrix_rules.muon, lazy=True)
    with pytest.raises(TypeError, match=r"tabulate it by fo_lib.keras.schedule"):
        optimizer(rules.adam, learning_rates.inverse(0.1, 0.1))


# Learning rates


def test_the_learning_rate_changes_between_steps_of_one_compiled_graph():
    weights, gradients = arrays("float64", 3)
    opt = optimizer(rules.momentum, learning_rate=0.1)
    variables = [keras.Variable(w, dtype="float64") for w in weights]
    opt.build(variables)
    step = tf.function(lambda *g: opt.apply(g, variables), autograph=False)
    for t, gradient in enumerate(gradients):
        if t == 1:
            opt.learning_rate = 0.3
        if t == 2:
            opt.learning_rate.assign(0.7)
        step(*map(tf.convert_to_tensor, gradient))
    expected = numpy_run(rules.momentum, weights, gradients, rate=lambda t: [0.1, 0.3, 0.7][t - 1])
    assert_close([v.numpy() for v in variables], expected, 1)  # 0.1 as float32 would be off by 1e-9


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_our_schedules_from_a_table(jit):
    weights, gradients = arrays("float64", 6)
    cosine = learning_rates.cosine(0.3, 6, warmup=2)
    opt = optimizer(rules.momentum, fo_keras.schedule(cosine, steps=6))
    got = keras_run(opt, weights, gradients, compiled=True, jit=jit)
    assert_close(got, numpy_run(rules.momentum, weights, gradients, rate=cosine), 2)
    opt.build(opt._trainable_variables)  # no new state
    opt.apply([tf.convert_to_tensor(g) for g in gradients[0]])  # a step too many is seen
    assert np.isnan(opt._trainable_variables[0].numpy()).all()
    with pytest.raises(ValueError, match=r"learning_rate\(3\) must be a finite number and > 0, got 0"):
        fo_keras.schedule(lambda t: 3.0 - t, steps=3)


def test_schedules_of_keras():
    weights, gradients = arrays("float64", 6)
    halving = keras.optimizers.schedules.ExponentialDecay(0.25, decay_steps=2, decay_rate=0.5, staircase=True)
    got = keras_run(optimizer(rules.adam, halving), weights, gradients)
    assert_close(got, numpy_run(rules.adam, weights, gradients, rate=learning_rates.step_decay(0.25, 0.5, 2)), 2)


# Sparse gradients


def sparse(rows, width=4):
    """Gradients of an embedding of 6 rows, in which row 1 occurs twice, and the same as dense arrays."""
    rng = np.random.default_rng(1)
    slices, dense = [], []
    for _ in range(8):
        indices = np.array([1, rng.choice(rows), 1])
        values = rng.standard_normal((3, width))
        slices.append(tf.IndexedSlices(tf.constant(values), tf.constant(indices), tf.constant([6, width])))
        dense.append(np.zeros((6, width)))
        np.add.at(dense[-1], indices, values)
    return slices, dense


def sparse_run(opt, slices, w, jit=False):
    variable = keras.Variable(w, dtype=w.dtype)
    opt.build([variable])
    step = tf.function(lambda g: opt.apply([g], [variable]), autograph=False, jit_compile=jit)
    for g in slices:
        step(g)
    return variable.numpy()


@EVERY_RULE
def test_a_sparse_gradient_is_the_dense_one(rule):
    w = np.random.default_rng(2).standard_normal((6, 4))
    slices, dense = sparse([2, 3, 4])
    got = sparse_run(optimizer(rule), slices, w)
    assert_close([got], numpy_run(rule, [w], [[g] for g in dense]), 60)


def lazily(rule, w, dense, **hyper):
    """The lazy semantics in NumPy: state and weights of the rows with a gradient, and ``t`` of the whole run."""
    sig = signature(rule)
    w, state = w.copy(), [np.zeros_like(w) for _ in sig.state]
    for t, g in enumerate(dense, start=1):
        rows = np.flatnonzero(np.abs(g).sum(1))
        new = rule(w[rows], g[rows], *(s[rows] for s in state), *([float(t)] if sig.takes_t else []), **hyper)
        for array, value in zip([w, *state], new if sig.state else (new,), strict=True):
            array[rows] = value
    return w


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("name", rules.__all__)
def test_lazy_updates_only_rows_with_a_gradient(name, jit):
    rule, w = RULES[name], np.random.default_rng(2).standard_normal((6, 4))
    slices, dense = sparse([2, 3, 4])
    got = sparse_run(optimizer(rule, lazy=True), slices, w, jit)
    assert_close([got], [lazily(rule, w, dense)])
    np.testing.assert_array_equal(got[[0, 5]], w[[0, 5]])
    same_as_dense = name in {"gradient_descent", "sign_descent", "adagrad"}
    assert (differ([got], numpy_run(rule, [w], [[g] for g in dense])) < 1e-14) == same_as_dense


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_a_sparse_gradient_is_clipped_after_its_rows_are_summed(clip, lazy):
    w = np.zeros((6, 4))
    slices, dense = sparse([2, 3, 4])
    got = sparse_run(optimizer(rules.gradient_descent, lazy=lazy, **{clip: 0.5}), slices, w)
    assert_close([got], [keras_run(optimizer(rules.gradient_descent, **{clip: 0.5}), [w], [[g] for g in dense])[0]])


# What Keras does around a step


def test_clipping():
    g = [np.full(4, 3.0), np.full((2, 2), 0.1)]  # norms 6 and 0.2
    w = [np.zeros(4), np.zeros((2, 2))]

    def after(**clip):
        first, second = keras_run(optimizer(rules.gradient_descent, learning_rate=1.0, **clip), w, [g])
        return -first[0], -second[0, 0]

    assert after() == pytest.approx((3, 0.1))
    assert after(clipnorm=1.0) == pytest.approx((0.5, 0.1), rel=1e-6)
    assert after(clipvalue=1.0) == pytest.approx((1, 0.1))
    norm = math.hypot(6, 0.2)
    assert after(global_clipnorm=1.0) == pytest.approx((3 / norm, 0.1 / norm), rel=1e-6)


def test_weight_decay_goes_to_the_rule_that_has_one_and_else_to_keras():
    weights, gradients = arrays("float64", 10)
    ours = optimizer(rules.adamw, weight_decay=0.25)
    assert (ours.hyper["weight_decay"], ours.weight_decay) == (0.25, None)
    by_rule = keras_run(ours, weights, gradients)
    assert_close(by_rule, numpy_run(rules.adamw, weights, gradients, weight_decay=0.25))
    theirs = optimizer(rules.adam, weight_decay=0.25)
    assert theirs.weight_decay == 0.25
    assert_close(keras_run(theirs, weights, gradients), by_rule)  # 1 - alpha lambda either way
    plain = numpy_run(rules.adam, weights, gradients)
    assert differ(plain, by_rule) > 1e-3
    for rule in (rules.adamw, rules.adam):
        opt = optimizer(rule, weight_decay=0.25)
        opt.exclude_from_weight_decay(var_names=["variable"])
        assert_close(keras_run(opt, weights, gradients), plain)


def test_moving_average_and_accumulation():
    weights, gradients = arrays("float64", 4, [(3,)])
    opt = optimizer(rules.gradient_descent, use_ema=True, ema_momentum=0.5)
    last = keras_run(opt, weights, gradients)
    path = [numpy_run(rules.gradient_descent, weights, gradients[:n])[0] for n in range(1, 5)]
    average = path[0]
    for w in path[1:]:
        average = 0.5 * average + 0.5 * w
    opt.finalize_variable_values(opt._trainable_variables)
    assert_close([opt._trainable_variables[0].numpy()], [average])
    assert differ(last, [average]) > 1e-4
    opt = optimizer(rules.gradient_descent, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=1)
    w = average = numpy_run(rules.gradient_descent, weights, gradients[:1])[0]
    for step in gradients[1:]:
        w = average = 0.5 * average + 0.5 * (w - 0.1 * step[0])
    assert_close(keras_run(opt, weights, gradients), [w])
    got = keras_run(optimizer(rules.adam, gradient_accumulation_steps=2), weights, gradients)
    means = [[(a + b) / 2 for a, b in zip(*gradients[i : i + 2], strict=True)] for i in (0, 2)]
    assert_close(got, numpy_run(rules.adam, weights, means))


# Models


def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((64, 6)).astype("float32")
    return X, (X @ rng.standard_normal((6, 1)) > 0).astype("float32")


def model(opt, policy="float32", **compile_arguments):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, activation="tanh", dtype=policy), keras.layers.Dense(1, dtype=policy)]
    net = keras.Sequential([keras.Input((6,)), *layers])
    net.compile(optimizer=opt, loss=keras.losses.BinaryCrossentropy(from_logits=True), **compile_arguments)
    return net


def fit(net, epochs=5):
    return net.fit(*data(), batch_size=16, epochs=epochs, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_fit_trains_as_a_loop_of_your_own(jit):
    net = model(optimizer(rules.adam, learning_rate=0.02), jit_compile=jit)
    losses = fit(net)
    assert losses[-1] < losses[0] - 0.1
    twin, opt = model("sgd"), optimizer(rules.adam, learning_rate=0.02)
    X, y = data()
    for start in [0, 16, 32, 48] * 5:
        with tf.GradientTape() as tape:
            loss = twin.loss(y[start : start + 16], twin(X[start : start + 16], training=True))
        variables = twin.trainable_variables
        opt.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    assert_close(net.get_weights(), twin.get_weights(), 200)  # float32, 20 steps, sums in another order


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_variables_of_float32(policy):
    opt = optimizer(rules.adam, learning_rate=0.01)
    if policy == "mixed_float16":
        opt = keras.optimizers.LossScaleOptimizer(opt, initial_scale=2.0**10)
    net = model(opt, policy)
    losses = fit(net, 10)
    assert losses[-1] < losses[0] - 0.1
    state = [v for v in opt.variables if v.path.endswith(("_m", "_v"))]
    assert len(state) == 8
    assert {v.dtype for v in [*net.trainable_variables, *state]} == {"float32"}


def test_loss_scaling_leaves_the_steps_as_they_are():
    weights, gradients = arrays("float64", 5)
    scaled = [[1024 * g for g in step] for step in gradients]
    opt = keras.optimizers.LossScaleOptimizer(optimizer(rules.adam), initial_scale=1024)
    expected = numpy_run(rules.adam, weights, gradients)
    assert_close(keras_run(opt, weights, scaled), expected)
    assert_close(keras_run(optimizer(rules.adam, loss_scale_factor=1024.0), weights, scaled), expected)


# Saving


def test_a_loaded_model_goes_on_bit_for_bit(tmp_path):
    cosine = learning_rates.cosine(0.01, steps=40, warmup=5)
    for opt in [
        optimizer(rules.nadam, learning_rate=0.1, beta1=0.8, clipnorm=1.0, name="mine"),
        optimizer(rules.adamw, fo_keras.schedule(cosine, steps=40), weight_decay=0.1, use_ema=True),
        optimizer(matrix_rules.shampoo, lazy=False),
    ]:
        net = model(opt)
        fit(net)
        net.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.optimizer.get_config() == opt.get_config()
        assert loaded.optimizer.rule is opt.rule
        assert fit(net) == fit(loaded)
        for a, b in zip(net.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_config_round_trip():
    opt = optimizer(rules.lion, learning_rate=0.1, weight_decay=0.2, lazy=True, global_clipnorm=3.0)
    twin = fo_keras.RuleOptimizer.from_config(opt.get_config())
    assert twin.get_config() == opt.get_config()
    assert (twin.hyper, twin.lazy, twin.rule) == (opt.hyper, True, rules.lion)
    assert opt.get_config()["learning_rate"] == 0.1  # not its float32
    assert (opt.name, optimizer(rules.lion, name="mine").name) == ("lion", "mine")


WEIGHTS = np.array([0.5, 2.0])


def my_helper(g, depth=2):
    return my_helper(g, depth - 1) if depth else np.sign(g) + np.linalg.norm(g) * np.pi * np.sum(WEIGHTS)


def my_rule(w, g, learning_rate=0.1):
    return w - learning_rate * my_helper(g)


def test_your_own_rule_is_saved_by_a_name_that_leads_back_to_it(tmp_path):
    net, path = model(optimizer(my_rule)), tmp_path / "model.keras"
    with pytest.raises(ValueError, match=r"rule 'my_rule' cannot be saved by name: decorate it with @keras"):
        net.save(path)
    with keras.saving.custom_object_scope({"my_rule": my_rule}):
        net.save(path)
    assert keras.saving.load_model(path, custom_objects={"my_rule": my_rule}).optimizer.rule is my_rule
    config = {"rule": "my_rule"}
    with pytest.raises(ValueError, match="no rule is known by the name 'my_rule'"):
        fo_keras.RuleOptimizer.from_config(config)
    assert fo_keras.RuleOptimizer.from_config(config, {"my_rule": my_rule}).rule is my_rule

    @keras.saving.register_keras_serializable("test")
    def adam(w, g, learning_rate=0.1):  # the name of one of ours
        return w - learning_rate * g

    config = optimizer(adam).get_config()
    assert config["rule"] == "test>adam"
    assert fo_keras.RuleOptimizer.from_config(config).rule is adam


# Rules of your own


def test_a_rule_sees_tensors_wherever_it_reads_numpy():
    from numpy import sqrt

    factor = 2.0

    def closure(w, g, learning_rate=0.1):
        return w - learning_rate * sqrt(np.abs(g)) * max(factor for _ in range(1)) * my_helper(g)

    weights, gradients = arrays("float64", 3)
    before = dict(closure.__globals__)
    got = keras_run(optimizer(closure), weights, gradients, compiled=True)
    assert_close(got, numpy_run(closure, weights, gradients))
    assert closure.__globals__["np"] is np
    assert {k: v for k, v in closure.__globals__.items() if before.get(k) is not v} == {}


def inner_only(w, g, learning_rate=0.1):
    return w - learning_rate * (lambda x: np.sign(x) * np.sqrt(np.abs(x)))(g)


def test_numpy_inside_an_inner_function():
    weights, gradients = arrays("float64", 3)
    assert_close(
        keras_run(optimizer(inner_only), weights, gradients, compiled=True), numpy_run(inner_only, weights, gradients)
    )


def test_a_rule_without_source_text_runs_in_a_graph_without_a_warning(capfd):
    scope = {"np": np}
    exec("def typed(w, g, learning_rate=0.1):\n    return w - learning_rate * np.sign(g)", scope)
    variable, opt = keras.Variable(np.ones(3)), optimizer(scope["typed"])
    opt.build([variable])

    @tf.function
    def step(g):
        opt.apply([g], [variable])

    step(tf.constant([1.0, -1.0, 0.0]))
    assert variable.numpy() == pytest.approx([0.9, 1.1, 1.0])
    assert "AutoGraph" not in capfd.readouterr().err


def test_a_gradient_of_lower_precision_is_cast():
    variable, opt = keras.Variable(np.ones(3, "float32"), dtype="float32"), optimizer(rules.momentum, learning_rate=0.5)
    opt.apply([tf.constant([1.0, -1.0, 0.0], tf.bfloat16)], [variable])
    assert variable.numpy().tolist() == [0.5, 1.5, 1.0]


def test_what_keras_lacks_is_named():
    def spline(w, g, learning_rate=0.1):
        return w - learning_rate * np.interp(g, [0, 1], [0, 1])

    with pytest.raises(AttributeError, match=r"the rule uses np.interp, and keras.ops has no such function"):
        keras_run(optimizer(spline), *arrays("float64", 1))


def test_importing_fo_lib_imports_neither_keras_nor_tensorflow():
    code = "import sys, fo_lib, fo_lib.rules; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
