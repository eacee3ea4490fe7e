// A small network: its sharpness rises until it meets 2 / alpha, and ends just below.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const { value, gradient, sharpness } = math.layers;
const STEPS = 400;
const X = [-0.4, 3.4];

// uv = c, in the quadrant of the picture.
const hyperbola = (plot, c, k) => drawing.line(plot, Array.from({ length: 60 }, (_, i) => {
  const u = 0.05 * 1.075 ** i;
  return [u, c / u];
}), k);
const PLOT = drawing.plot({ x: X, y: [-0.3, 2.3], map: true, square: true, title: "all points of the thick curve are minima" });
const LEVELS = [0.25, 0.5, 1.5, 2, 3, 4, 5.5].map((c) => hyperbola(PLOT, c, "contour")).join("") + hyperbola(PLOT, 1, "ink");

// Where sharpness is below 2 / alpha at a minimum: 2 u^2 + 2 / u^2 < 2 / alpha.
function stable(alpha) {
  const half = 1 / (2 * alpha);
  if (half < 1) return "";
  const ends = [half - Math.sqrt(half * half - 1), half + Math.sqrt(half * half - 1)].map(Math.sqrt);
  const points = Array.from({ length: 41 }, (_, i) => ends[0] * (ends[1] / ends[0]) ** (i / 40));
  return drawing.line(PLOT, points.map((u) => [u, 1 / u]), "stable");
}

const showPath = (alpha, run) => PLOT.panel(
  drawing.axesThrough(PLOT), LEVELS, stable(alpha), drawing.path(PLOT, run.points, 1),
  drawing.legend([["stable", "flat enough for this rate"]], 150, 44),
);

function showSharpness(alpha, run) {
  const plot = drawing.plot({ x: [0, STEPS], y: [0, 25], title: "sharpness", xLabel: "step" });
  return plot.panel(
    drawing.dots(plot, run.points.map((w, k) => [k, sharpness(w)]), 1, 1.1), drawing.horizontal(plot, 2 / alpha, "bound"),
    drawing.word(plot, STEPS, 2 / alpha, "2/α", "end", -4, -5),
  );
}

function showLoss(run) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-8, 2], logY: true, title: "loss", xLabel: "step" });
  return plot.panel(drawing.dots(plot, run.points.map((w, k) => [k, value(w)]), 1, 1.1));
}

function say(alpha, run, rises) {
  const sharp = run.points.map(sharpness);
  if (run.diverged) return `Diverges: each step overshoots further than the last, and step ${run.diverged} leaves all bounds.`;
  if (!rises && Math.max(...sharp) < 2 / alpha) return "The loss falls in every step: the sharpness stays below 2/α all the way.";
  if (!rises) return "The loss falls in every step.";
  return `The loss rises in ${rises} of ${STEPS} steps, and falls all the same. The sharpness ends at ${markup.plainNumber(sharp[STEPS], 3)}; 2/α is ${markup.plainNumber(2 / alpha, 3)}.`;
}

globalThis.fo.figures.edge = {
  controls: [{ name: "alpha", label: "learning rate α", min: 0.03, max: 0.3, log: true }],
  initial: { alpha: 0.12, start: [2.9, 0.1] },
  presets: [
    ["below the edge", () => ({ alpha: 0.08 })],
    ["at the edge", () => ({ alpha: 0.12 })],
    ["beyond", () => ({ alpha: 0.2 })],
    ["too large", () => ({ alpha: 0.3 })],
  ],
  handle: markup.startHandle([0.05, 3.3], [0.05, 2.2]),
  show({ alpha, start }) {
    const run = math.minimize({ gradient, start, steps: STEPS, rate: alpha, limit: 1e3 });
    const rises = run.points.filter((w, k) => k && value(w) > value(run.points[k - 1]) + 1e-15).length;
    return {
      panels: [showPath(alpha, run), showSharpness(alpha, run), showLoss(run)],
      readouts: [
        ["2/α", markup.number(2 / alpha, 3)],
        ["sharpness at the end", markup.number(sharpness(run.points.at(-1)), 3)],
        ["steps in which the loss rose", String(rises)],
      ],
      said: say(alpha, run, rises),
    };
  },
};
})();
