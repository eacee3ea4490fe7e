"""Questions: numbers that differ between students, answers that an independent calculation confirms."""

import re
from pathlib import Path
from string import Formatter
from unittest.mock import Mock

import numpy as np
import pytest

from fo_lib import (
    learning_rates,
    planning,
    problems,
    question_bank,
    rates,
    rules,
    skip_gram,
)
from fo_lib.question_bank import QUESTIONS, ask, grade
from tests.answers_on_descent import (
    averaging_steps,
    backtracking,
    batch_variance,
    best_momentum,
    curvature_of_growth,
    first_step,
    gradient_steps,
    heavy_ball_limit,
    inverse_rate,
    last_step,
    line_search,
    one_gradient,
    settled,
)
from tests.answers_on_scaling import (
    best_ring,
    limit_by_bisection,
    rest_by_rounds,
    stays,
    steps_of_halving,
)
from tests.answers_on_structure import (
    clipped,
    largest_rate_of_the_game,
    maximum_over_one_dual_variable,
    minimized_model,
    nearest_in_relative_entropy,
    rate_with_a_floor,
    rounds_until_promised,
    slower_part_of_the_error,
    steps_below_the_frank_wolfe_bound,
    steps_down_a_slope,
    steps_of_the_flattest_coordinate,
    steps_on_the_largest_coordinate,
    threshold_by_bisection,
)

SEEDS = range(12)


INDEPENDENT = {
    "objectives/condition": lambda a, b, c: np.linalg.cond([[a, b], [b, c]]),
    "objectives/logistic": lambda s, l2: problems.logistic(np.eye(4)[:2] * np.sqrt(2 * s), [1.0, -1.0], l2=l2).L,
    "gradient-descent/limit": lambda a, b, c: 2 / np.linalg.norm([[a, b], [b, c]], 2),
    "gradient-descent/steps": gradient_steps,
    "step-sizes/exact": line_search,
    "step-sizes/armijo": backtracking,
    "mini-batches/variance": batch_variance,
    "mini-batches/size": lambda b, deviation, wanted: first_step(
        lambda k: deviation * np.sqrt(b / k) <= wanted + 1e-9, 1
    ),
    "stochastic-gradient-descent/ball": lambda rate, h, sigma: settled(1 - rate * h, (rate * sigma) ** 2),
    "stochastic-gradient-descent/inverse": inverse_rate,
    "reading-bottou/rate": lambda first, l2, passes, n: learning_rates.inverse(first, l2 * first)(passes * n + 1),
    "averaging-and-variance-reduction/stage": lambda L, mu, share, m: rates.svrg_stage(
        L_max=L, mu=mu, learning_rate=share / L, inner=m
    ),
    "averaging-and-variance-reduction/steps": averaging_steps,
    "momentum/best": best_momentum,
    "momentum/window": heavy_ball_limit,
    "momentum/effective": one_gradient,
    "nesterov/steps": lambda L, R, gap: first_step(
        lambda k: rates.nesterov_convex(k, L=L, R=R) <= gap * (1 + 1e-12), 1
    ),
    "adagrad/step": lambda rate, g, t: last_step(rules.adagrad, [g] * t, learning_rate=rate, epsilon=0.0),
    "adam/spike": lambda beta1, beta2: last_step(
        rules.adam, [0.0] * 100_000 + [1.0], learning_rate=1.0, beta1=beta1, beta2=beta2, epsilon=1e-12
    ),
    "adam/first": lambda g, rate, epsilon: last_step(rules.adam, [g], learning_rate=rate, epsilon=epsilon),
    "weight-decay/equilibrium": lambda rate, decay: np.sqrt(settled(1 - rate * decay, rate**2)),
    "beyond-adam/muon": lambda s: np.polynomial.Polynomial([0, 3.4445, 0, -4.775, 0, 2.0315])(s),
    "generalization/edge": lambda rate: first_step(lambda k: abs(1 - rate * k / 100) >= 1 - 1e-9, 1) / 100,
    "subgradients/steps": steps_on_the_largest_coordinate,
    "subgradients/rate": rate_with_a_floor,
    "proximal/steps": steps_down_a_slope,
    "proximal/step": minimized_model,
    "constraints/steps": steps_below_the_frank_wolfe_bound,
    "constraints/simplex": threshold_by_bisection,
    "mirror-descent/rounds": rounds_until_promised,
    "mirror-descent/step": nearest_in_relative_entropy,
    "coordinate-and-dual/steps": steps_of_the_flattest_coordinate,
    "coordinate-and-dual/pull": maximum_over_one_dual_variable,
    "splitting/edge": largest_rate_of_the_game,
    "splitting/penalty": slower_part_of_the_error,
    "numerical-instability/clip": clipped,
    "numerical-instability/softmax": lambda big, small: np.logaddexp(big, small) - small,
    "landscapes/saddle": lambda rate, y, h: first_step(lambda k: y * (1 + rate * h) ** k >= 1 - 1e-9),
    "second-order/quadratic": lambda digits, goal: first_step(lambda k: digits * 2**k >= goal),
    "tuning/random": lambda share, sure: first_step(lambda n: rates.random_hit(n, share=share) >= sure - 1e-12, 1),
    "tuning/critical": lambda critical, b: 1 / rates.batch_efficiency(b, noise_scale=critical) * 1.0,
    "failure-clinic/curvature": curvature_of_growth,
    "image-classification/error": lambda share, n: np.std(np.arange(n) < round(share * n)) / np.sqrt(n),
    "word-embeddings/negatives": lambda a, b, c: skip_gram.noise_distribution(np.array([a, b, c]))[2],
    "language-models/perplexity": lambda a, b, c: np.mean([-np.log(p) for p in (a, b, c)]),
    "language-models/rare": lambda n, beta2: n * rates.sparse_adam_speed(n, beta1=0.0, beta2=beta2),
    "data-parallel/workers": best_ring,
    "data-parallel/ring": lambda megabytes, p, gigabytes, microseconds: (
        1000 * planning.all_reduce_time(p, megabytes * 1e6, latency=microseconds * 1e-6, bandwidth=gigabytes * 1e9)
    ),
    "data-parallel/steps": lambda least, critical, b: round(
        b * float(planning.steps_to_target(b, least=least, critical_batch=critical))
    ),
    "your-own-problem/rows": lambda gap, deviation: first_step(
        lambda n: 2 * deviation / np.sqrt(n) <= gap * (1 + 1e-9), 1
    ),
    "fewer-messages/limit": limit_by_bisection,
    "fewer-messages/rest": rest_by_rounds,
    "large-scale/trials": lambda share, sure: first_step(
        lambda n: rates.random_hit(n, share=share / 100) >= sure / 100 - 1e-12, 1
    ),
    "large-scale/halving": steps_of_halving,
    "large-scale/late": stays,
}
LOOSE = {"stochastic-gradient-descent/inverse": 2e-3, "momentum/best": 1e-4}
SLOW = {"stochastic-gradient-descent/inverse", "adam/spike"}


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_independent_calculation_gives_the_answer(name):
    for seed in list(SEEDS)[: 1 if name in SLOW else None]:
        question = ask(name, seed)
        other = INDEPENDENT[name](**question.numbers)
        assert question.solution == pytest.approx(other, rel=LOOSE.get(name, 1e-5)), question


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_right_answer_is_right_and_others_are_not(name):
    for seed in SEEDS:
        question = ask(name, seed)
        right = question.check(question.solution)
        assert right
        assert right.text
        for wrong in (1.01 * question.solution + (1 if question.solution == round(question.solution) else 0), -1.0):
            assert not question.check(wrong)
            if len(f"{question.solution:.4g}") > 3:  # a short number may stand in a formula
                assert f"{question.solution:.4g}" not in question.check(wrong).text


def test_an_answer_may_be_rounded_to_a_thousandth_unless_it_is_a_whole_number():
    limit = ask("momentum/window", 1)
    assert limit.check(limit.solution * 1.0009)
    assert not limit.check(limit.solution * 1.0011)
    steps = ask("gradient-descent/steps", 1)
    assert not steps.check(steps.solution * 1.0009)


@pytest.mark.parametrize("name", QUESTIONS)
def test_numbers_that_are_counted_must_be_exact(name):
    template = question_bank._TEMPLATES[name]
    assert template.whole == isinstance(template.solve(**ask(name, 0).numbers), int)


def test_a_right_answer_gets_the_reason_and_a_wrong_one_the_hint():
    edge = ask("generalization/edge", 3)
    assert edge.check(edge.solution).text == "The rate chooses the sharpness, not the other way round."
    assert edge.check(0).text == "The largest curvature at which a step of this rate does not grow."


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_text_has_all_numbers_under_their_names(name):
    template = question_bank._TEMPLATES[name]
    fields = [field for _, field, _, _ in Formatter().parse(template.text) if field]
    assert set(fields) == set(ask(name, 0).numbers)
    assert all(said == field for said, field in re.findall(r"(\w+) = \{(\w+)\}", template.text))


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_number_is_the_last_of_its_list_for_some_student(name):
    last = question_bank._TEMPLATES[name].draw(Mock(integers=lambda number: number - 1))
    drawn = [ask(name, seed).numbers for seed in range(100)]
    assert all(any(numbers[key] == value for numbers in drawn) for key, value in last.items())


def test_no_two_of_many_students_have_the_same_numbers_in_all_questions():
    papers = [str([ask(name, seed).numbers for name in QUESTIONS]) for seed in range(300)]
    assert len(set(papers)) == 300


def test_numbers_are_the_same_on_every_machine():
    drawn = [tuple(ask("momentum/window", seed).numbers.values()) for seed in range(4)]
    assert drawn == [(0.9, 10.0), (0.9, 10.0), (0.5, 50.0), (0.5, 2.0)]


@pytest.mark.parametrize("name", QUESTIONS)
def test_students_get_different_numbers_and_each_the_same_again(name):
    texts = [ask(name, seed).text for seed in range(40)]
    assert len(set(texts)) >= 4
    assert texts == [ask(name, seed).text for seed in range(40)]
    assert all("{" not in text for text in texts)


def test_questions_are_shown_with_their_seed():
    assert repr(ask("generalization/edge", 3)).startswith("generalization/edge, seed 3\nGradient descent with")
    assert ask("generalization/edge", np.int64(3)) == ask("generalization/edge", 3)


def test_the_logarithm_of_a_rounded_softmax_is_infinite_from_the_stated_gap_on():
    with np.errstate(divide="ignore"):
        for dtype, gap in ((np.float64, 745), (np.float32, 103)):
            log = [np.log(np.exp(-np.arange(2, dtype=dtype) - dtype(gap + change))) for change in (-2, 1)]
            assert np.isfinite(log[0]).all()
            assert np.isinf(log[1]).all()


def test_the_listing_for_teachers_makes_a_key_and_grades_a_sheet():
    page = (Path(__file__).parents[1] / "book" / "reference" / "teaching.md").read_text(encoding="utf-8")
    space = {}
    exec(page.partition("```python\n")[2].partition("```")[0], space)
    assert space["points"] == 1
    for student, seed in space["students"].items():
        assert all(grade(space["keys"][student], seed).values())


def test_grades_name_each_question():
    right = ask("momentum/window", 5).solution
    grades = grade({"momentum/window": right, "generalization/edge": "two"}, seed=5)
    assert [bool(feedback) for feedback in grades.values()] == [True, False]
    assert "should be a number" in grades["generalization/edge"].text


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_seeds_are_whole_numbers(seed):
    with pytest.raises(ValueError, match="seed must be a whole number from 0"):
        ask("momentum/window", seed)


def test_an_unknown_question_is_named():
    with pytest.raises(ValueError, match=r"name must be one of \['objectives/condition', .* got 'momentum/x'"):
        ask("momentum/x", 1)


def test_every_question_has_an_independent_calculation():
    assert tuple(INDEPENDENT) == QUESTIONS
