// The lasso with two weights: three methods on the way to its minimizer, and the minimizer for every penalty.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [R, CENTRE, STEPS, MOST] = [0.9, [1.5, 0.8], 40, 2.4];
const PATH = Array.from({ length: 121 }, (_, i) => (MOST * i) / 120).map((lambda) => [lambda, math.lasso(R, CENTRE, lambda).minimizer]);

// A level set of the smooth part: an ellipse along the diagonals.
function ellipse(plot, level) {
  const [long, short] = [1 - R, 1 + R].map((h) => Math.sqrt(level / h));
  const points = Array.from({ length: 73 }, (_, i) => {
    const [u, v] = [long * Math.cos((i * Math.PI) / 36), short * Math.sin((i * Math.PI) / 36)];
    return [CENTRE[0] + u + v, CENTRE[1] - u + v];
  });
  return drawing.line(plot, points, "contour");
}

function showPlane(problem, runs) {
  const plot = drawing.plot({ x: [-0.9, 3.1], y: [-1.05, 1.85], map: true, square: true, title: "the weights" });
  const [u, v] = problem.minimizer;
  const size = Math.abs(u) + Math.abs(v);
  const diamond = [[size, 0], [0, size], [-size, 0], [0, -size], [size, 0]];
  return plot.panel(
    drawing.axesThrough(plot), [0.9, 0.4, 0.1].map((level) => ellipse(plot, level)).join(""),
    drawing.line(plot, diamond, "bound"), drawing.thin(plot, PATH.map(([, w]) => w), "ink"),
    drawing.path(plot, runs.ista, 1), drawing.path(plot, runs.fista, 3), drawing.path(plot, runs.subgradient, 2),
    drawing.star(plot, problem.minimizer), drawing.word(plot, ...CENTRE, "λ = 0", "start", 6, -4),
    drawing.legend([[1, "ISTA"], [3, "FISTA"], [2, "subgradient"]], 225, 38),
  );
}

function showWeights({ lambda }) {
  const plot = drawing.plot({ x: [0, MOST], y: [0, 1.6], title: "the minimizer’s weights", xLabel: "penalty λ" });
  const weight = (i) => PATH.map(([at, w]) => [at, w[i]]);
  return plot.panel(
    drawing.vertical(plot, lambda, "now"), drawing.line(plot, weight(0), 4), drawing.line(plot, weight(1), 5),
    drawing.word(plot, 0.9, 1.32, "w<tspan dy='3' class='live-power'>1</tspan>"),
    drawing.word(plot, 0.35, 0.42, "w<tspan dy='3' class='live-power'>2</tspan>"),
  );
}

const zeros = (w) => w.filter((x) => x === 0).length;

function say({ lambda }, problem, runs) {
  if (lambda === 0) return "Without a penalty there is no kink: ISTA and the subgradient method differ only in their learning rates.";
  const wanted = zeros(problem.minimizer);
  if (wanted === 0) return "Both weights survive. Each is smaller than without a penalty: that is the bias of the lasso.";
  const first = (points) => points.findIndex((w, k) => points.slice(k).every((v) => zeros(v) === wanted));
  const words = wanted === 1 ? "The minimizer lies on an axis" : "The penalty is too large for any weight";
  const [ista, fista] = [first(runs.ista), first(runs.fista)];
  if (ista < 0 || fista < 0) return `${words}. ${STEPS} steps are not enough for all to stay there.`;
  const left = zeros(runs.subgradient.at(-1));
  return `${words}. ISTA is there, exactly, from step ${ista} on, FISTA from step ${fista}. Exact zeros of the subgradient method after ${STEPS} steps: ${left}.`;
}

globalThis.fo.figures.proximal = {
  controls: [{ name: "lambda", label: "penalty λ", min: 0, max: MOST, step: 0.02 }],
  initial: { lambda: 1.8, start: [-0.5, 1.6] },
  presets: [
    ["no penalty", () => ({ lambda: 0 })],
    ["two weights", () => ({ lambda: 0.8 })],
    ["one weight", () => ({ lambda: 1.8 })],
    ["none", () => ({ lambda: 2.3 })],
  ],
  handle: markup.startHandle([-0.8, 3], [-1, 1.75]),
  show(state) {
    const { lambda, start } = state;
    const problem = math.lasso(R, CENTRE, lambda);
    const settings = { ...problem, start, rate: 1 / problem.L, steps: STEPS };
    const slope = (w) => problem.gradient(w).map((g, i) => g + lambda * Math.sign(w[i]));
    const runs = {
      ista: math.accelerate({ ...settings, momentum: () => 0 }), fista: math.accelerate(settings),
      subgradient: math.minimize({ ...settings, gradient: slope, rate: math.schedules.power(1 / problem.L, 0.5) }).points,
    };
    const gap = (points) => {
      const size = problem.value(points.at(-1)) - problem.value(problem.minimizer);
      return size < 1e-12 ? `below ${markup.number(1e-12)}` : markup.number(size, 2);
    };
    const last = [problem.minimizer, runs.ista.at(-1), runs.fista.at(-1), runs.subgradient.at(-1)];
    return {
      panels: [showPlane(problem, runs), showWeights(state)],
      readouts: [
        ["minimizer", problem.minimizer.map((x) => markup.number(x)).join(", ")],
        [`gap after ${STEPS} steps: ISTA`, gap(runs.ista)],
        ["gap: FISTA", gap(runs.fista)],
        ["gap: subgradient, rate 1/L√t", gap(runs.subgradient)],
        ["exact zeros: minimizer, ISTA, FISTA, subgradient", last.map(zeros).join(", ")],
      ],
      said: say(state, problem, runs),
    };
  },
};
})();
