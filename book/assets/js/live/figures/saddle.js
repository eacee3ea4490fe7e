// A saddle between two minima: how long a start close to its ridge waits, and what noise and momentum do.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const { value, gradient } = math.saddle;
const [STEPS, AWAY, NO_NOISE] = [400, 0.5, 1e-12];

const PLOT = drawing.plot({ x: [-1.9, 1.9], y: [-1.3, 1.3], map: true, title: "a saddle and its two minima" });
const LEVELS = [1.2, 0.7, 0.3, 0.1, 0, -0.05, -0.13, -0.2, -0.24]
  .map((level) => drawing.level(PLOT, (y) => 2 * (level - value([0, y])), [-1.5, 1.5], true)).join("");

const showPath = (run) => PLOT.panel(
  LEVELS, drawing.star(PLOT, [0, 1]), drawing.star(PLOT, [0, -1]), drawing.path(PLOT, run.points, 1), drawing.word(PLOT, 0, 0, "saddle", "start", 8, 4),
);

function showDistance({ y }, run, growth) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-10, 1], logY: true, title: "distance from the ridge, |w₂|", xLabel: "step" });
  const theory = [[0, y], [STEPS, y * growth ** STEPS]];
  return plot.panel(
    drawing.horizontal(plot, AWAY, "now"), drawing.line(plot, theory, "bound"),
    drawing.line(plot, run.points.map((w, k) => [k, Math.abs(w[1])]), 1),
  );
}

function say({ y, alpha, noise }, growth, left) {
  if (left < 0) return `After ${STEPS} steps it still looks converged: the gradient is tiny, and the loss does not move.`;
  if (noise > NO_NOISE && alpha * noise > y) return "The first noisy step leads further from the ridge than the start was: from now on the start does not matter.";
  return `A start ten times as close waits ${markup.plainNumber(Math.log(10) / Math.log(growth), 3)} steps longer, no more.`;
}

globalThis.fo.figures.saddle = {
  controls: [
    { name: "y", label: "distance of the start from the ridge", min: 1e-10, max: 1, log: true },
    { name: "alpha", label: "learning rate α", min: 0.01, max: 0.5, log: true },
    { name: "beta", label: "momentum β", min: 0, max: 0.95, step: 0.05 },
    { name: "noise", label: "noise σ", min: NO_NOISE, max: 0.1, log: true, words: (x) => (x > NO_NOISE ? markup.number(x, 2) : "none") },
  ],
  initial: { x: 1.5, y: 1e-4, alpha: 0.1, beta: 0, noise: NO_NOISE, seed: 1 },
  presets: [
    ["10⁻² away", () => ({ y: 1e-2 })],
    ["10⁻¹⁰ away", () => ({ y: 1e-10 })],
    ["noise of 10⁻⁴", () => ({ y: 1e-10, noise: 1e-4 })],
    ["momentum 0.9", () => ({ beta: 0.9 })],
  ],
  handle: { label: "Start", x: [-1.8, 1.8], y: [1e-10, 1.2], at: ({ x, y }) => [x, y], move: ([x, y]) => ({ x, y: Math.min(y, 1) }) },
  show(state) {
    const { x, y, alpha, beta, noise, seed } = state;
    const slope = noise > NO_NOISE ? math.noisy(gradient, noise, seed, STEPS) : gradient;
    const run = math.minimize({ gradient: slope, start: [x, y], rule: math.rules.momentum, steps: STEPS, rate: alpha, momentum: beta });
    const growth = math.saddleGrowth(alpha, beta);
    const left = run.points.findIndex((w) => Math.abs(w[1]) >= AWAY);
    const theory = Math.max(0, Math.log(AWAY / y) / Math.log(growth));
    return {
      panels: [showPath(run), showDistance(state, run, growth)],
      readouts: [
        ["factor per step at the saddle", markup.number(growth, 4)],
        ["steps for a factor of ten", markup.number(Math.log(10) / Math.log(growth), 3)],
        [`steps to |w₂| = ${AWAY}, by that factor`, markup.number(Math.ceil(theory), 5)],
        ["this run", left < 0 ? `more than ${STEPS}` : String(left)],
      ],
      said: say(state, growth, left),
    };
  },
};
})();
