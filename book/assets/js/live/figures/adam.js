// Adam in a noisy ravine: its two running means, and the ratio that is its step.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [CURVATURES, STEPS] = [[0.5, 10], 150];
const bowl = math.quadratic(CURVATURES);
const WEIGHTS = [0, 1];

function showPath(run) {
  const plot = drawing.plot({ x: [-2.2, 2.2], y: [-1.49, 1.49], map: true, title: `${STEPS} steps of Adam in a ravine` });
  const levels = [12, 6, 3, 1.2, 0.4, 0.1];
  return plot.panel(drawing.bowl(plot, CURVATURES, levels), drawing.path(plot, run.points, 1));
}

function showMoments(run, gradients) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-12, 12], title: "gradients of the steep weight, and their means", xLabel: "step" });
  const states = run.states.slice(1);
  const spread = states.map(({ vHat }, k) => [k + 1, Math.sqrt(vHat[1])]);
  return plot.panel(
    drawing.dots(plot, gradients.map((g, k) => [k + 1, g[1]]), "faint", 1.4),
    drawing.line(plot, spread, 2), drawing.line(plot, spread.map(([k, y]) => [k, -y]), 2),
    drawing.line(plot, states.map(({ mHat }, k) => [k + 1, mHat[1]]), 1),
    drawing.legend([[1, "mean m̂"], [2, "root mean square ±√v̂"]], 150, 42),
  );
}

function showRatio(run) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-2, 2], title: "length of the steps, in learning rates", xLabel: "step" });
  const ratio = (i) => run.states.slice(1).map(({ mHat, vHat }, k) => [k + 1, -mHat[i] / (Math.sqrt(vHat[i]) + 1e-8)]);
  return plot.panel(
    drawing.horizontal(plot, 0, "thin"), drawing.line(plot, ratio(0), 4), drawing.line(plot, ratio(1), 3),
    drawing.legend([[4, "flat weight"], [3, "steep weight"]], 210, 42),
  );
}

function say(beta1, sigma) {
  if (!sigma) return "Without noise both weights move alike at first, though one is twenty times as steep: the ratio knows no scale.";
  if (beta1 < 0.1) return "With hardly a mean, a noisy gradient is divided by its own typical size: the steps stay long to the end.";
  return "While gradients agree, a weight moves by about α a step. Near the floor noise makes them disagree: they cancel in the mean, not in the squares.";
}

globalThis.fo.figures.adam = {
  controls: [
    { name: "alpha", label: "learning rate α", min: 0.005, max: 0.5, log: true },
    { name: "beta1", label: "decay of the mean, β₁", min: 0, max: 0.98, step: 0.02 },
    { name: "beta2", label: "decay of the squares, β₂", min: 0.5, max: 0.999, step: 0.001 },
    { name: "sigma", label: "noise σ", min: 0, max: 6, step: 0.25 },
  ],
  initial: { alpha: 0.05, beta1: 0.9, beta2: 0.999, sigma: 2, start: [-1.9, 1], seed: 1 },
  presets: [
    ["the usual decays", () => ({ beta1: 0.9, beta2: 0.999 })],
    ["no momentum: RMSProp", () => ({ beta1: 0 })],
    ["short memory of squares", () => ({ beta2: 0.5 })],
    ["New sample", ({ seed }) => ({ seed: seed + 1 })],
  ],
  handle: markup.startHandle([-2.1, 2.1], [-1.4, 1.4]),
  show({ alpha, beta1, beta2, sigma, start, seed }) {
    const gradient = math.noisy(bowl.gradient, sigma, seed, STEPS);
    const run = math.minimize({ gradient, start, rule: math.rules.adam, steps: STEPS, rate: alpha, beta1, beta2 });
    const gradients = run.points.slice(0, STEPS).map((w, k) => gradient(w, k + 1));
    const last = run.states.slice(-50);
    const typical = WEIGHTS.map((i) => last.reduce((sum, { mHat, vHat }) => sum + Math.abs(mHat[i]) / (Math.sqrt(vHat[i]) + 1e-8), 0) / 50);
    const first = run.points[1].map((w, i) => Math.abs(w - start[i]) / alpha);
    return {
      panels: [showPath(run), showMoments(run, gradients), showRatio(run)],
      readouts: [
        ["first step, in learning rates", first.map((x) => markup.number(x, 3)).join(" and ")],
        ["last 50 steps, flat weight", markup.number(typical[0], 2)],
        ["last 50 steps, steep weight", markup.number(typical[1], 2)],
      ],
      said: say(beta1, sigma),
    };
  },
};
})();
