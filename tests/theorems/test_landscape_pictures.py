"""The chapter on landscapes, its second half: what slices, projections and noise show of a surface."""

import numpy as np
import pytest

from fo_lib import rates


@pytest.mark.parametrize("seed", range(4))
def test_factorization_has_only_strict_saddles(seed):
    rng = np.random.default_rng(seed)
    sigma = np.array([[3.0, 2.0, 0.5], [3.0, 1.0, 1.0]][seed % 2])
    Q, P = (np.linalg.qr(rng.standard_normal((d, 3)))[0] for d in (4, 3))
    M = Q * sigma @ P.T

    def gradient(w):
        E = np.outer(w[:4], w[4:]) - M
        return np.append(E @ w[4:], E.T @ w[:4])

    def least(w):
        assert np.linalg.norm(gradient(w)) < 1e-12
        H = np.array([gradient(w + e) - gradient(w - e) for e in 1e-4 * np.eye(7)]) / 2e-4
        return np.linalg.eigvalsh((H + H.T) / 2)[0]

    for i in range(3):
        root = np.sqrt(sigma[i])
        balanced = least(np.append(root * Q[:, i], root * P[:, i]))
        tilted = least(np.append(5 * root * Q[:, i], root / 5 * P[:, i]))
        if i == 0:
            assert min(balanced, tilted) > -1e-6
        else:
            assert balanced == pytest.approx(-(sigma[0] - sigma[i]), abs=1e-6)
            assert tilted < -1e-3
    assert least(np.zeros(7)) == pytest.approx(-sigma[0], abs=1e-6)
    null = np.linalg.svd(M.T)[2][3]  # M' u = 0
    assert least(np.append(2 * null, np.zeros(3))) < -0.1
    # and gradient descent from a random start finds the best approximation
    w = rng.standard_normal(7)
    for _ in range(3000):
        w = w - 0.05 * gradient(w)
    np.testing.assert_allclose(np.outer(w[:4], w[4:]), sigma[0] * np.outer(Q[:, 0], P[:, 0]), atol=1e-8)


@pytest.mark.parametrize("spectrum", [[1.0, -2.0, 5.0], [1.0] * 30 + [-10.0]])
def test_mean_and_variance_of_the_curvature_of_a_random_slice(spectrum):
    values, d = np.array(spectrum), len(spectrum)
    rng = np.random.default_rng(0)
    root = np.linalg.qr(rng.standard_normal((d, d)))[0]
    H = root * values @ root.T
    u = rng.standard_normal((400_000, d))
    seen = np.sum((u @ H) * u, axis=1) / np.sum(u * u, axis=1)
    trace, squares = values.sum(), np.sum(values**2)
    variance = 2 * (d * squares - trace**2) / (d**2 * (d + 2))
    assert seen.mean() == pytest.approx(trace / d, abs=5 * np.sqrt(variance / len(seen)))
    assert seen.var() == pytest.approx(variance, rel=0.02)


def test_rescaling_changes_curvature_and_not_normalized_slices():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 3)), rng.standard_normal(50)

    def f(w):
        return np.mean((np.maximum(x @ w[:12].reshape(3, 4), 0) @ w[12:] - y) ** 2)

    w, d = rng.standard_normal(16), rng.standard_normal(16)
    units = np.array([2.0, 0.1, 1.0, 5.0])
    per_unit, per_layer = np.append(np.tile(units, 3), 1 / units), np.append(np.full(12, 3.0), np.full(4, 1 / 3))
    filters = [*(np.arange(j, 12, 4) for j in range(4)), np.arange(12, 16)]

    def by_block(w):
        s = np.zeros(16)
        for B in filters:
            s[B] = d[B] * np.linalg.norm(w[B]) / np.linalg.norm(d[B])
        return s

    def curvature(w, i, h=1e-3):
        e = h * np.eye(16)[i] * abs(w[i])
        return (f(w + e) - 2 * f(w) + f(w - e)) / (h * w[i]) ** 2

    t = np.linspace(-0.5, 0.5, 11)
    for D in (per_unit, per_layer):
        assert f(D * w) == pytest.approx(f(w), rel=1e-13)
        for i in range(12, 16):  # quadratic in the outgoing weights
            assert curvature(D * w, i) == pytest.approx(curvature(w, i) / D[i] ** 2, rel=1e-5)
        for s, invariant in ((lambda w: np.abs(w) * d, True), (by_block, D is per_layer)):
            before, after = ([f(v + a * s(v)) for a in t] for v in (w, D * w))
            assert np.allclose(before, after, rtol=1e-11) == invariant
        assert not np.allclose([f(w + a * d) for a in t], [f(D * w + a * d) for a in t], rtol=0.1)


def test_principal_components_of_a_random_walk_are_cosines():
    n, j = 60, np.arange(1, 60)
    exact = 3 / (2 * (n**2 - 1) * np.sin(np.pi * j / (2 * n)) ** 2)
    assert exact.sum() == pytest.approx(1, rel=1e-12)
    # the limit of the Gram matrix: positions are sums of independent steps, centred
    sums = np.tril(np.ones((n, n)))
    center = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(center @ sums @ sums.T @ center)
    np.testing.assert_allclose(values[::-1][: n - 1] / values.sum(), exact, rtol=1e-9)
    for i in (1, 2, 3):
        cosine = np.cos(np.pi * i * (np.arange(n) + 0.5) / n)
        assert abs(vectors[:, -i] @ cosine) / np.linalg.norm(cosine) == pytest.approx(1, rel=1e-9)
    # and a walk in many dimensions
    walk = np.cumsum(np.random.default_rng(0).standard_normal((n, 50_000)), axis=0)
    s = np.linalg.svd(walk - walk.mean(0), compute_uv=False) ** 2
    np.testing.assert_allclose((s / s.sum())[:3], exact[:3], rtol=0.03)
    assert exact[:3] == pytest.approx(6 / (np.pi**2 * j[:3] ** 2), rel=0.01)


def test_langevin_escape_rate_is_the_second_eigenvalue():
    """A symmetric double well: both wells empty at the same rate, so the eigenvalue is twice that of one."""
    x = np.linspace(-2, 2, 400)
    ratios = []
    for T in (0.2, 0.12, 0.08):
        to = x - 0.002 * (4 * x**3 - 4 * x)
        P = np.exp(-((x - to[:, None]) ** 2) / (4 * 0.002 * T))
        gap = 1 - np.sort(np.linalg.eigvals(P / P.sum(1, keepdims=True)).real)[-2]
        ratios.append(gap / 0.002 / (2 * rates.langevin_escape_rate(1.0, bottom=8, top=4, temperature=T)))
    assert ratios == sorted(ratios)
    assert ratios[-1] == pytest.approx(1, abs=0.05)
