// A gentle slope that ends in a cliff: one long step throws a run far back, a clipped one does not.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const STEPS = 120;
const { value, gradient, minimizer } = math.cliff;
const LOWEST = value(minimizer);
const X = [-4.4, 1.9];
const NEAR = 1e-3;

const PLOT = drawing.plot({ x: X, y: [-2.1, 2.1], map: true, title: "a slope, and a cliff at its right end" });
const LEVELS = [6, 4.2, 2.9, 2, 1.3, 0.8, 0.4, 0.1]
  .map((part) => drawing.level(PLOT, (x) => 2 * (LOWEST + part - value([x, 0])), [-8, 2])).join("");

const showPaths = (runs) => PLOT.panel(
  LEVELS, drawing.star(PLOT, minimizer), drawing.path(PLOT, runs.free.points, 2), drawing.path(PLOT, runs.clipped.points, 1),
  drawing.key([[1, "clipped"], [2, "not clipped"]], -2, 212),
);

function showGap(runs) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-6, 3], logY: true, title: "gap of the loss", xLabel: "step" });
  const curve = (run) => run.points.map((w, k) => [k, value(w) - LOWEST]);
  return plot.panel(drawing.line(plot, curve(runs.free), 2), drawing.line(plot, curve(runs.clipped), 1));
}

const arrival = (run) => run.points.findIndex((w) => value(w) - LOWEST < NEAR);
const told = (run) => (arrival(run) < 0 ? `not within ${STEPS} steps` : `step ${arrival(run)}`);

function say(first, limit, runs) {
  if (runs.free.diverged) return `Without clipping the run overflows at step ${runs.free.diverged}: thrown up the cliff again, higher each time.`;
  if (first <= limit && arrival(runs.free) === arrival(runs.clipped)) return "The first gradient is within the limit: clipping does nothing here.";
  return `Without clipping the first step is ${markup.plainNumber(first / limit, 2)} times as long. The direction is the same.`;
}

globalThis.fo.figures.clipping = {
  controls: [
    { name: "limit", label: "largest norm c", min: 0.1, max: 100, log: true },
    { name: "alpha", label: "learning rate α", min: 0.02, max: 1, log: true },
  ],
  initial: { limit: 1, alpha: 0.25, start: [1.28, 1.1] },
  presets: [
    ["c = 1", () => ({ limit: 1 })],
    ["c = 0.1, too tight", () => ({ limit: 0.1 })],
    ["c = 100, as good as none", () => ({ limit: 100 })],
    ["start on the slope", () => ({ start: [-2.5, 1.1] })],
  ],
  handle: markup.startHandle([-4.2, 1.8], [-2, 2]),
  show({ limit, alpha, start }) {
    const settings = { gradient, start, steps: STEPS, rate: alpha, limit: 1e6 };
    const runs = { free: math.minimize(settings), clipped: math.minimize({ ...settings, transform: math.clipNorm(limit) }) };
    const first = math.norm(gradient(start));
    return {
      panels: [showPaths(runs), showGap(runs)],
      readouts: [
        ["norm of the first gradient", markup.number(first, 3)],
        ["longest step with clipping, αc", markup.number(alpha * limit, 3)],
        ["gap below 0.001, clipped", told(runs.clipped)],
        ["gap below 0.001, not clipped", told(runs.free)],
      ],
      said: say(first, limit, runs),
    };
  },
};
})();
