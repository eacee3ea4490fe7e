// The mathematics of the live figures: pure functions on plain arrays. Each says the same as its namesake in fo_lib,
// and tests/book/test_live_mathematics.py compares the two.
(() => {
const fo = (globalThis.fo ??= {});

// Rules: (weights, gradient, state, settings, step) -> [weights, state].
const rules = {
  gradientDescent: (w, g, state, { rate }) => [w.map((x, i) => x - rate * g[i]), state],

  momentum(w, g, state, { rate, momentum }) {
    const v = g.map((slope, i) => momentum * (state.v?.[i] ?? 0) - rate * slope);
    return [w.map((x, i) => x + v[i]), { v }];
  },

  nesterov(w, g, state, { rate, momentum }) {
    const v = g.map((slope, i) => momentum * (state.v?.[i] ?? 0) - rate * slope);
    return [w.map((x, i) => x + momentum * v[i] - rate * g[i]), { v }];
  },

  adam(w, g, state, { rate, beta1, beta2, epsilon = 1e-8 }, t) {
    const m = g.map((slope, i) => beta1 * (state.m?.[i] ?? 0) + (1 - beta1) * slope);
    const v = g.map((slope, i) => beta2 * (state.v?.[i] ?? 0) + (1 - beta2) * slope * slope);
    const mHat = m.map((x) => x / (1 - beta1 ** t));
    const vHat = v.map((x) => x / (1 - beta2 ** t));
    return [w.map((x, i) => x - (rate * mHat[i]) / (Math.sqrt(vHat[i]) + epsilon)), { m, v, mHat, vHat }];
  },
};

const norm = (w) => Math.hypot(...w);

// Run a rule. `gradient(w, t)` and a rate `rate(t)` may depend on the step; what comes out is the list of weights, the
// list of states, and the step at which the weights left the ball of radius `limit`, if they did.
function minimize({ gradient, start, rule = rules.gradientDescent, steps, limit = Infinity, transform, ...settings }) {
  const points = [start];
  const states = [{}];
  for (let t = 1; t <= steps; t++) {
    let g = gradient(points[t - 1], t);
    if (transform) g = transform(g);
    const rate = typeof settings.rate === "function" ? settings.rate(t) : settings.rate;
    const [w, state] = rule(points[t - 1], g, states[t - 1], { ...settings, rate }, t);
    points.push(w);
    states.push(state);
    if (!(norm(w) <= limit)) return { points, states, diverged: t };
  }
  return { points, states, diverged: null };
}

// Shorten a gradient that is longer than a limit.
const clipNorm = (limit) => (g) => {
  const length = norm(g);
  return length > limit ? g.map((x) => x * (limit / length)) : g;
};

// Problems: value and gradient.
const quadratic = (curvatures) => ({
  value: (w) => curvatures.reduce((sum, h, i) => sum + 0.5 * h * w[i] * w[i], 0),
  gradient: (w) => curvatures.map((h, i) => h * w[i]),
});

// Both roots of z^2 - sum z + product, as [real part, imaginary part].
function roots(sum, product) {
  const inside = (sum * sum) / 4 - product;
  const root = Math.sqrt(Math.abs(inside));
  if (inside < 0) return [[sum / 2, root], [sum / 2, -root]];
  return [[sum / 2 + root, 0], [sum / 2 - root, 0]];
}
const largest = (pair) => Math.max(...pair.map(norm));

// Decay per step; x is learning rate times curvature.
const contraction = (rate, mu, L) => Math.max(Math.abs(1 - rate * mu), Math.abs(1 - rate * L));
const heavyBallRoots = (x, momentum) => roots(1 + momentum - x, momentum);
const nesterovRoots = (x, momentum) => roots((1 - x) * (1 + momentum), (1 - x) * momentum);
const heavyBallDecay = (x, momentum) => largest(heavyBallRoots(x, momentum));
const nesterovDecay = (x, momentum) => largest(nesterovRoots(x, momentum));

// The tuning of the heavy ball for curvatures from mu to L.
function tunedHeavyBall(mu, L) {
  const [low, high] = [Math.sqrt(mu), Math.sqrt(L)];
  return { rate: 4 / (low + high) ** 2, momentum: ((high - low) / (high + low)) ** 2 };
}

// Steps until a decay of rho per step has come down to a part of the start; infinite where nothing decays.
const stepsTo = (part, rho) => (rho < 1 ? Math.ceil(Math.log(part) / Math.log(rho)) : Infinity);

// Heavy ball on a direction of curvature -gamma: the factor by which it leaves a saddle; x is rate times gamma.
const saddleGrowth = (x, momentum) => largest(heavyBallRoots(-x, momentum));

// Noise. Squared errors of SGD on h w^2 / 2 with noise of a given variance, in expectation, under a schedule ...
function noisyQuadratic(schedule, steps, { curvature, variance, start }) {
  const errors = [start];
  for (let t = 1; t <= steps; t++) {
    const rate = schedule(t);
    errors.push((1 - rate * curvature) ** 2 * errors[t - 1] + rate * rate * variance);
  }
  return errors;
}
// ... at rest, under a constant rate; and the variance of a batch of b out of n.
const stationaryVariance = (rate, curvature, variance) =>
  (rate * curvature < 2 ? (rate * variance) / (curvature * (2 - rate * curvature)) : Infinity);
const miniBatchVariance = (b, n, variance) => ((variance / b) * (n - b)) / (n - 1);

// Schedules: functions of the step t = 1, 2, ...
const schedules = {
  constant: (rate) => () => rate,
  stepDecay: (first, factor, every) => (t) => first * factor ** Math.floor((t - 1) / every),
  inverseSqrt: (highest, warmup) => (t) => highest * Math.min(t / warmup, Math.sqrt(warmup / t)),
  cosine: (highest, steps, warmup = 0) => (t) =>
    (t <= warmup ? (highest * t) / warmup : 0.5 * highest * (1 + Math.cos((Math.PI * (t - 1 - warmup)) / (steps - warmup)))),
  power: (first, p) => (t) => first * t ** -p,
  oneCycle(highest, steps, rise = 0.3, first = 1 / 25, last = 1 / 250000) {
    const top = rise * steps;
    return (t) => {
      const [u, a, b] = t <= top ? [(t - 1) / (top - 1), first, 1] : [(t - top) / (steps - top), 1, last];
      return highest * (b + 0.5 * (a - b) * (1 + Math.cos(Math.PI * u)));
    };
  },
};

// Random numbers from a seed, the same at every visit: mulberry32, and normal ones by Box and Muller.
function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}
function normals(seed, count) {
  const draw = uniforms(seed);
  return Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - draw()));
    return radius * Math.cos(2 * Math.PI * draw());
  });
}
// A gradient with normal noise of deviation sigma in each entry, the same noise for the same seed.
function noisy(gradient, sigma, seed, steps, size = 2) {
  const noise = normals(seed, size * steps);
  return (w, t) => gradient(w, t).map((g, i) => g + sigma * noise[size * (t - 1) + i]);
}
// Batches of b distinct samples out of n, each drawn independently of the others.
function batches(n, b, count, seed) {
  const draw = uniforms(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: count }, () => {
    for (let i = 0; i < b; i++) {
      const j = i + Math.floor(draw() * (n - i));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order.slice(0, b);
  });
}

// One variable: curvature 25 but for 1 < w < 2, where it is `middle`.
const kinked = (middle) => ({
  value([w]) {
    const [one, two] = [Math.min(Math.max(w - 1, 0), 1), Math.max(w - 2, 0)];
    const low = Math.min(w, 1);
    return 12.5 * low * low + 25 * (one + two) + (middle * one * one) / 2 + middle * two + 12.5 * two * two;
  },
  gradient: ([w]) => [w < 1 ? 25 * w : w < 2 ? middle * (w - 1) + 25 : 25 * (w - 2) + 25 + middle],
});

// A sum of absolute values with weights: kinks along the axes, where the subgradient that it returns has a zero.
const weightedL1 = (weights) => ({
  value: (w) => weights.reduce((sum, c, i) => sum + c * Math.abs(w[i]), 0),
  gradient: (w) => weights.map((c, i) => c * Math.sign(w[i])),
});

// A problem of minimum 0 whose gradient is as long as Polyak's step: to be run at the rate 1.
const polyak = ({ value, gradient }) => (w) => {
  const g = gradient(w);
  const squared = g.reduce((sum, x) => sum + x * x, 0);
  return g.map((x) => (squared > 0 ? (value(w) / squared) * x : 0));
};

// The bound of the subgradient method on its best gap after 1, 2, ... steps with rates `rate(t)`.
function subgradientBound(rate, steps, { G, R }) {
  let [sum, squares] = [0, 0];
  return Array.from({ length: steps }, (_, i) => {
    sum += rate(i + 1);
    squares += rate(i + 1) ** 2;
    return (R * R + G * G * squares) / (2 * sum);
  });
}

// Proximal gradient steps from points ahead: without momentum ISTA, with the growing one FISTA.
const softThreshold = (w, threshold) => w.map((x) => x - Math.min(Math.max(x, -threshold), threshold));
const growingMomentum = (t) => (t - 1) / (t + 2);
function accelerate({ gradient, prox, start, rate, steps, momentum = growingMomentum }) {
  const points = [start];
  let y = start;
  for (let t = 1; t <= steps; t++) {
    const g = gradient(y);
    const x = prox(y.map((v, i) => v - rate * g[i]), rate);
    y = x.map((v, i) => v + momentum(t) * (v - points[t - 1][i]));
    points.push(x);
  }
  return points;
}

// The lasso with two weights: (w - c)' A (w - c) / 2 + lambda |w|_1 with A = [[1, r], [r, 1]]. The minimizer is the best of
// those that any two signs, or zeros, of the weights would make.
function lasso(r, [a, b], lambda) {
  const value = ([u, v]) =>
    ((u - a) ** 2 + (v - b) ** 2) / 2 + r * (u - a) * (v - b) + lambda * (Math.abs(u) + Math.abs(v));
  const gradient = ([u, v]) => [u - a + r * (v - b), v - b + r * (u - a)];
  const candidates = [[0, 0]];
  for (const s of [-1, 1]) {
    candidates.push([a + r * b - lambda * s, 0], [0, b + r * a - lambda * s]);
    for (const t of [-1, 1]) {
      const size = lambda / (1 - r * r);
      candidates.push([a - size * (s - r * t), b - size * (t - r * s)]);
    }
  }
  const minimizer = candidates.reduce((best, w) => (value(w) < value(best) ? w : best));
  return { value, gradient, minimizer, L: 1 + Math.abs(r), prox: (w, rate) => softThreshold(w, rate * lambda) };
}

// Mirror maps for weights that add up to one: to dual weights and back, and the nearest point of the simplex in duals.
const mirrors = {
  entropy: {
    toDual: (w) => w.map(Math.log),
    toPrimal: (theta) => theta.map(Math.exp),
    project(theta) {
      const top = Math.max(...theta);
      const shift = top + Math.log(theta.reduce((sum, x) => sum + Math.exp(x - top), 0));
      return theta.map((x) => x - shift);
    },
  },
  euclidean: {
    toDual: (w) => w,
    toPrimal: (theta) => theta,
    project(theta) {
      let [sum, shift] = [0, 0];
      [...theta].sort((a, b) => b - a).forEach((x, i) => {
        sum += x;
        if (x > (sum - 1) / (i + 1)) shift = (sum - 1) / (i + 1);
      });
      return theta.map((x) => Math.max(x - shift, 0));
    },
  },
};
function mirrorDescent({ gradient, mirror, start, rate, steps }) {
  const points = [start];
  let theta = mirror.toDual(start);
  for (let t = 1; t <= steps; t++) {
    const g = gradient(points[t - 1]);
    theta = mirror.project(theta.map((x, i) => x - rate * g[i]));
    points.push(mirror.toPrimal(theta));
  }
  return points;
}

// Convex sets of the plane: the nearest point, and the corner where a linear function is least. A polygon is given by its
// corners, around it.
const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);
const disc = (radius) => ({
  project: (w) => w.map((x) => x * Math.min(1, radius / (norm(w) || 1))),
  corner: (g) => g.map((x) => (norm(g) > 0 ? (-radius * x) / norm(g) : 0)),
});
function polygon(corners) {
  const edges = corners.map((a, i) => [a, corners[(i + 1) % corners.length]].flat());
  const side = ([w1, w2], [a1, a2, b1, b2]) => (b1 - a1) * (w2 - a2) - (b2 - a2) * (w1 - a1);
  function onEdge([w1, w2], [a1, a2, b1, b2]) {
    const [d1, d2] = [b1 - a1, b2 - a2];
    const t = Math.min(Math.max(((w1 - a1) * d1 + (w2 - a2) * d2) / (d1 * d1 + d2 * d2), 0), 1);
    return [a1 + t * d1, a2 + t * d2];
  }
  function project(w) {
    const sides = edges.map((edge) => side(w, edge));
    if (sides.every((s) => s >= 0) || sides.every((s) => s <= 0)) return w;
    const distance = (p) => Math.hypot(p[0] - w[0], p[1] - w[1]);
    return edges.map((edge) => onEdge(w, edge)).reduce((best, p) => (distance(p) < distance(best) ? p : best));
  }
  return { project, corner: (g) => corners.reduce((best, s) => (dot(g, s) < dot(g, best) ? s : best)) };
}

// Move a mixture of corners towards one of them, or away from it: the new point, in the hull of the corners.
function mix(used, corner, step) {
  const key = String(corner);
  used.forEach((entry) => (entry[1] *= 1 - step));
  used.set(key, [corner, (used.get(key)?.[1] ?? 0) + step]);
  used.forEach(([, weight], other) => weight > 1e-14 || used.delete(other));
  const total = [...used.values()].reduce((sum, [, weight]) => sum + weight, 0);
  used.forEach((entry) => (entry[1] /= total));
  return corner.map((_, i) => [...used.values()].reduce((sum, [point, weight]) => sum + weight * point[i], 0));
}

// Frank and Wolfe's method with short steps, and with away steps: the points, and the certificate at each.
function frankWolfe({ gradient, L, over, start, steps, away = false }) {
  const [points, gaps] = [[start], []];
  const used = new Map([[String(start), [start, 1]]]); // corners and their weights
  for (let k = 0; k <= steps; k++) {
    const w = points[k];
    const g = gradient(w);
    const s = over.corner(g);
    gaps.push(Math.max(dot(g, w) - dot(g, s), 0));
    if (k === steps) break;
    let [target, sign, longest] = [s, 1, 1];
    if (away) {
      const [worst, weight] = [...used.values()].reduce((best, other) => (dot(g, other[0]) > dot(g, best[0]) ? other : best));
      if (dot(g, worst) - dot(g, w) > gaps[k]) [target, sign, longest] = [worst, -1, weight / (1 - weight)];
    }
    const d = target.map((x, i) => sign * (x - w[i]));
    const step = dot(d, d) > 0 ? Math.min(longest, -dot(g, d) / (L * dot(d, d))) : 0;
    points.push(w.map((x, i) => x + step * d[i]));
    if (away) points[k + 1] = mix(used, target, sign * step);
  }
  return { points, gaps };
}

// The game x z: descent in x and ascent in z with learning rate a, both from where they are, or z from x extrapolated by
// theta. And its factor per step in the latter case: 1 - theta a^2 is the product of two roots.
function playGame({ a, theta, together = false, start, steps }) {
  const points = [start];
  for (let k = 0; k < steps; k++) {
    const [x, z] = points[k];
    const next = x - a * z;
    points.push([next, z + a * (together ? x : next + theta * (next - x))]);
  }
  return points;
}
const gameDecay = (a, theta) => largest(roots(2 - (1 + theta) * a * a, 1 - theta * a * a));

// Gradients that are `delay` steps late, for one direction, b being learning rate times curvature: the run from 1, and
// all roots of z^(delay + 1) - z^delay + b, by Durand and Kerner's iteration.
function delayed(b, delay, steps) {
  const x = [1];
  for (let k = 0; k < steps; k++) x.push(x[k] - b * x[Math.max(k - delay, 0)]);
  return x;
}
const times = ([a, b], [c, d]) => [a * c - b * d, a * d + b * c];
const ratio = (p, q) => times(p, [q[0] / dot(q, q), -q[1] / dot(q, q)]);
const power = (z, n) => Array.from({ length: n }).reduce((product) => times(product, z), [1, 0]);
function delayRoots(b, delay) {
  const found = Array.from({ length: delay + 1 }, (_, i) => power([0.4, 0.9], i));
  for (let round = 0; round < 500; round++) {
    let moved = 0;
    found.forEach((z, i) => {
      const below = times(power(z, delay), [z[0] - 1, z[1]]);
      const others = found.reduce((product, other, j) => (j === i ? product : times(product, [z[0] - other[0], z[1] - other[1]])), [1, 0]);
      const step = ratio([below[0] + b, below[1]], others);
      found[i] = [z[0] - step[0], z[1] - step[1]];
      moved = Math.max(moved, norm(step));
    });
    if (moved < 1e-15) break;
  }
  return found;
}
const delayLimit = (delay) => 2 * Math.sin(Math.PI / (2 * (2 * delay + 1)));
const delayBest = (delay) => (delay / (delay + 1)) ** delay / (delay + 1);

// Data parallelism, as in fo_lib.planning: seconds to sum `bytes` over p workers; seconds of a step of a batch; the steps
// that a batch needs; the batch with which p workers are done soonest; and the numbers of workers that a search tries.
const levels = (p) => Math.ceil(Math.log2(p) - 1e-12);
const allReduceTime = {
  ring: (p, bytes, { latency, bandwidth }) => 2 * (p - 1) * latency + ((2 * (p - 1)) / p) * (bytes / bandwidth),
  tree: (p, bytes, { latency, bandwidth }) => 2 * levels(p) * (latency + bytes / bandwidth),
  halving: (p, bytes, { latency, bandwidth }) => 2 * levels(p) * latency + ((2 * (p - 1)) / p) * (bytes / bandwidth),
  central: (p, bytes, { latency, bandwidth }) => 2 * (p - 1) * (latency + bytes / bandwidth),
};
const summing = (cluster, p) => allReduceTime[cluster.method](p, cluster.parameters * cluster.bytesEach, cluster);
const stepTime = (cluster, p, batch) => cluster.overhead + (cluster.sampleSeconds * batch) / p + summing(cluster, p);
const stepsToTarget = (batch, { least, critical }) => least * (1 + critical / batch);
function bestBatch(cluster, p, critical, samples) {
  const free = Math.sqrt(((cluster.overhead + summing(cluster, p)) * critical * p) / cluster.sampleSeconds);
  return Math.min(Math.max(free, Math.min(p, samples)), samples);
}
function workerCounts(most) {
  const few = Array.from({ length: Math.min(most, 1000) }, (_, i) => i + 1);
  const many = most > 1000 ? Array.from({ length: 400 }, (_, i) => Math.round(1000 * (most / 1000) ** (i / 399))) : [];
  return [...new Set([...few, ...many])];
}

// A shuffle buffer, as in fo_lib.out_of_core: the order in which rows 0 to n - 1 come out, a draw in [0, 1) for each; and
// the probability that a row of a long file is `late` places or more behind its place (before it, if negative).
function shuffleBuffer(n, size, draw) {
  const buffer = [];
  const out = [];
  for (let row = 0; row < n + size; row++) {
    if (row < n) buffer.push(row);
    if (row < size - 1 || buffer.length === 0) continue;
    const place = Math.floor(draw() * buffer.length);
    out.push(buffer[place]);
    buffer[place] = buffer.at(-1);
    buffer.pop();
  }
  return out;
}
const bufferLate = (size, late) => (1 - 1 / size) ** Math.max(late + size - 1, 0);

// A gentle slope that ends in a cliff; minimizer (1 - log(10) / 5, 0).
const cliff = {
  value: ([x, y]) => -x / 2 + Math.exp(5 * (x - 1)) + (y * y) / 2,
  gradient: ([x, y]) => [-1 / 2 + 5 * Math.exp(5 * (x - 1)), y],
  minimizer: [1 - Math.log(10) / 5, 0],
};

// A saddle at 0 between minima at (0, 1) and (0, -1).
const saddle = {
  value: ([x, y]) => (x * x) / 2 - (y * y) / 2 + y ** 4 / 4,
  gradient: ([x, y]) => [x, y ** 3 - y],
};

// A small network, four layers of one weight each with two pairs of equals: (u^2 v^2 - 1)^2 / 4. Its sharpness is the
// larger eigenvalue of the Hessian.
const layers = {
  value: ([u, v]) => ((u * v) ** 2 - 1) ** 2 / 4,
  gradient([u, v]) {
    const r = (u * v) ** 2 - 1;
    return [r * u * v * v, r * u * u * v];
  },
  sharpness([u, v]) {
    const r = (u * v) ** 2 - 1;
    const [first, second, mixed] = [2 * (u * v * v) ** 2 + r * v * v, 2 * (u * u * v) ** 2 + r * u * u, 2 * (u * v) ** 3 + 2 * r * u * v];
    return (first + second) / 2 + Math.hypot((first - second) / 2, mixed);
  },
};

fo.mathematics = {
  rules, minimize, clipNorm, norm, quadratic, kinked, weightedL1, lasso, disc, polygon, frankWolfe, cliff, saddle, layers,
  roots, contraction, heavyBallRoots, heavyBallDecay, nesterovRoots, nesterovDecay, tunedHeavyBall, saddleGrowth, stepsTo,
  softThreshold, growingMomentum, accelerate, polyak, subgradientBound, mirrors, mirrorDescent,
  playGame, gameDecay, allReduceTime, stepTime, stepsToTarget, bestBatch, workerCounts, delayed, delayRoots, delayLimit, delayBest,
  shuffleBuffer, bufferLate,
  noisyQuadratic, stationaryVariance, miniBatchVariance, schedules, uniforms, normals, noisy, batches,
};
})();
