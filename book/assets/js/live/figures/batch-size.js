// Mini-batches at equal cost: what a larger batch buys, and what it costs.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [CURVATURES, N, EPOCHS] = [[1, 4], 256, 4];
const drawnAt = (b) => Math.min(200, Math.ceil(8192 / b)); // batches in the second panel
// Sample i is the bowl around the centre c_i; the centres have mean 0, so that the mean of the bowls is one around 0.
const raw = [math.normals(11, N), math.normals(12, N)];
const CENTRES = raw.map((c) => c.map((x) => x - c.reduce((sum, value) => sum + value, 0) / N));
const VARIANCES = CENTRES.map((c, j) => (CURVATURES[j] ** 2 * c.reduce((sum, x) => sum + x * x, 0)) / N);
const BUDGET = EPOCHS * N; // sample gradients
const bowl = math.quadratic(CURVATURES);
const stepsOf = (b) => Math.floor(BUDGET / b);
const deviation = (b) => Math.sqrt(VARIANCES.reduce((sum, variance) => sum + math.miniBatchVariance(b, N, variance), 0));

function gradientOf(batch) {
  const centre = CENTRES.map((c) => batch.reduce((sum, i) => sum + c[i], 0) / batch.length);
  return (w) => w.map((x, j) => CURVATURES[j] * (x - centre[j]));
}

function descend({ b, alpha, start, seed }) {
  const drawn = math.batches(N, b, stepsOf(b), seed).map(gradientOf);
  return math.minimize({ gradient: (w, t) => drawn[t - 1](w), start, steps: drawn.length, rate: alpha });
}

// Expected gap after each step; exact, since a batch gradient is the full one plus noise that does not depend on w.
function expected(b, { alpha, start }) {
  const errors = CURVATURES.map((curvature, j) => math.noisyQuadratic(() => alpha, stepsOf(b), {
    curvature, variance: math.miniBatchVariance(b, N, VARIANCES[j]), start: start[j] ** 2 }));
  return errors[0].map((error, k) => (CURVATURES[0] * error + CURVATURES[1] * errors[1][k]) / 2);
}

function showPath(run) {
  const plot = drawing.plot({ x: [-2.2, 2.2], y: [-1.49, 1.49], map: true, title: `a run at the cost of ${EPOCHS} passes` });
  const levels = [8, 4.5, 2.4, 1.1, 0.4, 0.08];
  return plot.panel(drawing.bowl(plot, CURVATURES, levels), drawing.thin(plot, run.points, 1), drawing.dots(plot, run.points, 1, 1.8));
}

// Gradients of many batches at the start, around the full gradient.
function showGradients({ b, start, seed }) {
  const plot = drawing.plot({ x: [-11.5, 11.5], y: [-8, 8], map: true, square: true, title: "steps that batches ask for at the start" });
  const ways = math.batches(N, b, drawnAt(b), seed).map((batch) => gradientOf(batch)(start).map((g) => -g));
  const full = bowl.gradient(start).map((g) => -g);
  const radius = deviation(b);
  const circle = Array.from({ length: 73 }, (_, i) => [full[0] + radius * Math.cos((i * Math.PI) / 36), full[1] + radius * Math.sin((i * Math.PI) / 36)]);
  return plot.panel(
    drawing.axesThrough(plot), drawing.dots(plot, ways, "faint", 1.8), drawing.line(plot, circle, "bound"),
    drawing.line(plot, [[0, 0], full], 1), drawing.dots(plot, [full], 1, 4),
    drawing.legend([[1, "full gradient"], ["bound", "typical deviation"]], 8, 216),
  );
}

function showLoss(state, run) {
  const plot = drawing.plot({ x: [0, EPOCHS], y: [-4, 2], logY: true, title: "gap of the loss, expected", xLabel: "cost, in passes through the data" });
  const curve = (b) => expected(b, state).map((gap, k) => [(k * b) / N, gap]);
  return plot.panel(
    drawing.thin(plot, run.points.map((w, k) => [(k * state.b) / N, bowl.value(w)]), "faint"),
    drawing.line(plot, curve(1), 2), drawing.line(plot, curve(N), 3), drawing.line(plot, curve(state.b), 1),
    drawing.legend([[1, `batches of ${state.b}`], [2, "of 1"], [3, `of ${N}`]], 205, 42),
  );
}

function say(b, noise) {
  if (b === N) return `All samples in every step: no noise, and only ${EPOCHS} steps.`;
  if (noise > 0.5) return "At the start the noise is about as large as the gradient: single steps go astray, but there are many.";
  if (noise > 0.15) return "At the start the noise is a fraction of the gradient: a larger batch would hardly make a better step.";
  return "At the start a batch gradient is as good as the full one. A larger batch would only mean fewer steps.";
}

globalThis.fo.figures["batch-size"] = {
  controls: [
    { name: "b", label: "batch size b", min: 1, max: N, log: true, parts: Math.log2(N), whole: true },
    { name: "alpha", label: "learning rate α", min: 0.01, max: 0.45, log: true },
  ],
  initial: { b: 8, alpha: 0.15, start: [-1.9, 1.1], seed: 1 },
  presets: [
    ["b = 1", () => ({ b: 1 })],
    ["b = 16", () => ({ b: 16 })],
    [`b = ${N}, all`, () => ({ b: N })],
    ["New sample", ({ seed }) => ({ seed: seed + 1 })],
  ],
  handle: markup.startHandle([-2.1, 2.1], [-1.4, 1.4]),
  show(state) {
    const { b, start } = state;
    const run = descend(state);
    const noise = deviation(b) / math.norm(bowl.gradient(start));
    return {
      panels: [showPath(run), showGradients(state), showLoss(state, run)],
      readouts: [
        ["steps, at the same cost", markup.number(stepsOf(b), 4)],
        ["deviation of a batch gradient", markup.number(deviation(b), 3)],
        ["gap at the end, expected", markup.number(expected(b, state).at(-1), 2)],
      ],
      said: say(b, noise),
    };
  },
};
})();
