"""The page of conventions prints what the table holds, and nothing else."""

import pytest

from fo_lib import rules
from fo_lib.conventions import METHODS, TABLE, forms, formula, markdown


def test_formulas_come_from_docstrings():
    assert formula(forms.rmsprop_inside) == r"w \gets w - \alpha g / \sqrt{v + \epsilon}"
    assert formula(rules.gradient_descent) == r"\begin{aligned} &w \gets w - \alpha g \end{aligned}"
    adam = formula(rules.adam)
    assert adam.startswith(r"\begin{aligned} m &\gets \beta_1 m")
    assert adam.endswith(r"(\sqrt{\hat v} + \epsilon). \end{aligned}")


@pytest.mark.parametrize("method", METHODS)
def test_every_row_of_the_table_is_a_row_of_the_page(method):
    text = markdown(method)
    assert f"**`{method}`**" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert [row.split("`")[0].strip("| ") for row in rows] == [c.library for c in TABLE if c.method == method]
    assert all(row.count("|") == 5 for row in rows)  # a bar in a formula would split a cell


def test_rows_say_what_the_table_holds():
    keras, pytorch, optax = [line for line in markdown("amsgrad").splitlines() if line.startswith("| ")][1:]
    assert "`Adam(amsgrad=True)`" in keras
    assert "ours with `learning_rate = learning_rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t)`" in keras
    assert "`lr=0.001`, `eps=1e-08`, `betas=(0.9, 0.999)`" in pytorch
    assert "with `bias_correction_mu=False`, `bias_correction_nu=False`" in optax
    assert "| `learning_rate` has none, `b1=0.9`" in optax
    assert "`SGD(momentum=0.9)`" in markdown("momentum")
    assert "PyTorch: `dampening=0`" in markdown("momentum")
    assert "| as above |" in markdown("adagrad")
    assert "with `epsilon=1e-30`, `initial_accumulator_value=0` and ours with `epsilon=1e-30`" in markdown("adagrad")
    assert "| never |" in markdown("muon")
    assert "; with another the gradient is scaled by `1 - dampening`." in markdown("momentum")
    assert "| at a constant learning rate |" in markdown("nesterov")
    assert "Not in Keras and PyTorch." in markdown("sign_descent")
    assert "Not in PyTorch." in markdown("lion")
    assert "None of the three has it." in markdown("shampoo")
