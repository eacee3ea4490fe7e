"""Gauss-Newton, the Fisher information, and products with a Hessian."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize

from fo_lib.newton import newton_method
from tests.theorems.instances import one_variable


@pytest.mark.parametrize("c", [0.5, -0.5, -0.9, -1.1, -2.0])
def test_gauss_newton_factor_is_exact_in_the_limit(c):
    """r = (w + 1, c w^2 + w - 1): J'J = 2 and S = -2 c at 0, so the error is multiplied by c; curvature 2 - 2 c."""

    def step(w):
        J, r = np.array([1, 2 * c * w + 1]), np.array([w + 1, c * w**2 + w - 1])
        return w - J @ r / (J @ J)

    assert step(1e-7) / 1e-7 == pytest.approx(c, rel=1e-5)
    w = 1e-3
    for _ in range(200):
        w = step(w)
    assert (abs(w) < 1e-6) == (abs(c) < 1)
    f = one_variable(
        lambda w: 0.5 * ((w + 1) ** 2 + (c * w**2 + w - 1) ** 2),
        lambda w: w + 1 + (2 * c * w + 1) * (c * w**2 + w - 1),
        lambda w: 1 + (2 * c * w + 1) ** 2 + 2 * c * (c * w**2 + w - 1),
        1e-3,
    )
    assert f.hessian(np.zeros(1))[0, 0] == 2 - 2 * c
    assert abs(newton_method(f, steps=20).w[0]) < 1e-12


@pytest.mark.parametrize("residual", [0.0, 0.3])
def test_gauss_newton_factor_on_a_curve_fit(residual):
    """A decaying exponential: the measured factor is the spectral radius of inv(J'J) S, zero without residual."""
    x = np.linspace(0, 3, 12)
    y = 2 * np.exp(-0.7 * x) + residual * np.cos(5 * x)

    def parts(w):
        e = np.exp(-w[1] * x)
        r, J = w[0] * e - y, np.column_stack([e, -w[0] * x * e])
        S = np.array([[0, -(r @ (x * e))], [-(r @ (x * e)), w[0] * (r @ (x**2 * e))]])
        return r, J, S

    best = optimize.least_squares(
        lambda w: parts(w)[0], [1.0, 1.0], lambda w: parts(w)[1], method="lm", ftol=1e-15, xtol=1e-15, gtol=1e-15
    ).x
    for _ in range(5):  # polished by Newton's method
        r, J, S = parts(best)
        best = best - np.linalg.solve(J.T @ J + S, J.T @ r)
    _, J, S = parts(best)
    rho = np.abs(np.linalg.eigvals(np.linalg.solve(J.T @ J, S))).max()
    w, errors = best + np.array([3e-2, -2e-2]), []
    for _ in range(6):
        r, J, _ = parts(w)
        w = w - np.linalg.lstsq(J, r, rcond=None)[0]
        errors.append(np.linalg.norm(w - best))
    if residual:
        assert 0.01 < rho < 1
        assert errors[4] / errors[3] == pytest.approx(rho, rel=0.05)
    else:
        assert rho < 1e-9
        assert errors[2] < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_generalized_gauss_newton_is_the_fisher_information(seed):
    """A layer of tanh below a softmax, by complex steps: the gradient of each label, and the Jacobian of the logits."""
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(3), rng.standard_normal(12 + 20)

    def logits(w):
        return w[12:].reshape(5, 4) @ np.tanh(w[:12].reshape(4, 3) @ x)

    def losses(w):
        z = logits(w)
        return np.log(np.exp(z).sum()) - z

    def jacobian(function):
        return np.column_stack([function(w + 1e-30j * e).imag / 1e-30 for e in np.eye(32)])

    J, gradients = jacobian(logits), jacobian(losses)
    p = np.exp(-losses(w))
    G = J.T @ (np.diag(p) - np.outer(p, p)) @ J
    np.testing.assert_allclose(sum(p[y] * np.outer(gradients[y], gradients[y]) for y in range(5)), G, atol=1e-12)
    assert np.linalg.eigvalsh(G)[0] > -1e-12
    # linear in the second layer: there it is the Hessian, for whichever label
    h = 1e-4
    top = w[12:]

    def at(v, y):
        return losses(np.concatenate([w[:12], v]))[y]

    for y in (0, 3):
        e = h * np.eye(20)[:3]
        second = [
            [
                (at(top + a + b, y) - at(top + a - b, y) - at(top - a + b, y) + at(top - a - b, y)) / (4 * h * h)
                for b in e
            ]
            for a in e
        ]
        np.testing.assert_allclose(second, G[12:15, 12:15], atol=1e-6)
    empirical = np.outer(gradients[0], gradients[0])
    assert np.linalg.norm(empirical - G) > 0.1 * np.linalg.norm(G)


class Counted:
    """A matrix, or a matrix with its derivative in a direction, that counts the multiplications of its products."""

    work = 0

    def __init__(self, value, tangent=None):
        self.value, self.tangent = value, tangent

    @staticmethod
    def multiply(a, b):
        Counted.work += a.shape[0] * a.shape[1] * b.shape[1]
        return a @ b

    def __matmul__(self, other):
        value = self.multiply(self.value, other.value)
        parts = [
            self.multiply(a, b) for a, b in ((self.tangent, other.value), (self.value, other.tangent))
            if a is not None and b is not None
        ]  # fmt: skip
        return Counted(value, sum(parts) if parts else None)

    @property
    def T(self):
        return Counted(self.value.T, None if self.tangent is None else self.tangent.T)

    def apply(self, function, derivative):
        tangent = None if self.tangent is None else derivative(self.value) * self.tangent
        return Counted(function(self.value), tangent)

    def times(self, other):
        """Entry by entry."""
        if self.tangent is None:
            return Counted(self.value * other.value)
        return Counted(self.value * other.value, self.tangent * other.value + self.value * other.tangent)


def network_gradient(weights, X, Y):
    """Gradient of half the squared error of a network with tanh units, by a forward and a backward pass."""
    hidden = [X]
    for W in weights[:-1]:
        hidden.append((hidden[-1] @ W).apply(np.tanh, lambda z: 1 / np.cosh(z) ** 2))
    out = hidden[-1] @ weights[-1]
    back, gradients = Counted(out.value - Y, out.tangent), []
    for i in range(len(weights) - 1, -1, -1):
        gradients.insert(0, hidden[i].T @ back)
        if i:
            back = (back @ weights[i].T).times(hidden[i].apply(lambda h: 1 - h**2, lambda h: -2 * h))
    return gradients


@pytest.mark.parametrize("widths", [(7, 5, 3), (4, 9, 9, 2), (30, 3, 3, 3, 1)])
def test_a_hessian_product_costs_at_most_three_gradients(widths):
    rng = np.random.default_rng(0)
    X, Y = Counted(rng.standard_normal((20, widths[0]))), rng.standard_normal((20, widths[-1]))
    W, V = ([rng.standard_normal(shape) for shape in pairwise(widths)] for _ in range(2))

    def gradient(t):
        return network_gradient([Counted(a + t * b) for a, b in zip(W, V, strict=True)], X, Y)

    Counted.work = 0
    gradient(0.0)
    once, Counted.work = Counted.work, 0
    product = network_gradient([Counted(a, b) for a, b in zip(W, V, strict=True)], X, Y)
    assert once < Counted.work <= 3 * once
    # exactly three times, but for the two products with the data, which have no tangent
    assert Counted.work == 3 * once - 2 * 20 * widths[0] * widths[1]
    for exact, ahead, behind in zip(product, gradient(1e-5), gradient(-1e-5), strict=True):
        np.testing.assert_allclose(exact.tangent, (ahead.value - behind.value) / 2e-5, rtol=1e-5, atol=1e-6)
