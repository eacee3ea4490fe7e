// The subgradient method on a function with kinks: rates that stay, that shrink, and Polyak's.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [STEPS, SHOWN] = [300, 60];
const WEIGHTS = [1, 3];
const G = math.norm(WEIGHTS);
const edges = math.weightedL1(WEIGHTS);
const value = (point) => edges.value(point);
// Best value up to each step.
const best = (values) => values.reduce((low, v) => [...low, Math.min(v, low.at(-1) ?? Infinity)], []);

function runs({ alpha, p, start }) {
  const rate = math.schedules.power(alpha, p);
  const own = math.minimize({ ...edges, start, steps: STEPS, rate });
  const polyak = math.minimize({ gradient: math.polyak(edges), start, steps: STEPS, rate: 1 });
  const [values, other] = [own, polyak].map((run) => run.points.map(value));
  return { own, polyak, values, best: best(values), other, bound: math.subgradientBound(rate, STEPS, { G, R: math.norm(start) }) };
}

function showPath({ own, polyak }) {
  const plot = drawing.plot({ x: [-2.2, 2.2], y: [-1.55, 1.55], map: true, title: `the function |x| + 3|y|, first ${SHOWN} steps` });
  const diamonds = [5, 3.5, 2.2, 1.2, 0.5].map((c) => drawing.level(plot, (x) => ((c - Math.abs(x)) * Math.abs(c - Math.abs(x))) / 9, [-5.2, 5.2]));
  const first = (run) => run.points.slice(0, SHOWN + 1);
  return plot.panel(
    diamonds.join(""), drawing.axesThrough(plot), drawing.star(plot, [0, 0]),
    drawing.path(plot, first(own), 2), drawing.path(plot, first(polyak), 3),
  );
}

function showGap({ values, best: lowest, other, bound }) {
  const plot = drawing.plot({ x: [0, 2.5], y: [-5, 1], logX: true, logY: true, title: "value, with minimum 0", xLabel: "number of points" });
  const curve = (list) => list.map((v, i) => [i + 1, Math.max(v, 1e-6)]);
  return plot.panel(
    drawing.line(plot, curve(bound), "bound"), drawing.thin(plot, curve(values), 2), drawing.line(plot, curve(lowest), 2),
    drawing.line(plot, curve(other), 3), drawing.legend([["bound", "bound of the best"], [2, "best, and each (thin)"], [3, "Polyak’s step"]], 52, 168),
  );
}

function say({ p }) {
  if (p === 0) return "A constant rate: it comes near, and then leaps to and fro across the kinks. The step does not shrink, because the slope does not.";
  if (p < 1) return "Steps that shrink, with an infinite sum: it comes as near as you like, slowly.";
  if (p === 1) return "The sum of 1/t is infinite, but only just: 300 steps together are 6.3 times the first.";
  return "Shrinking too fast: the sum of all steps is finite, and from a far start the run ends on its way.";
}

globalThis.fo.figures.subgradient = {
  controls: [
    { name: "alpha", label: "first rate α", min: 0.01, max: 0.5, step: 0.005, digits: 3 },
    { name: "p", label: "power p of α/tᵖ", min: 0, max: 1.5, step: 0.05, digits: 3 },
  ],
  initial: { alpha: 0.2, p: 0, start: [-1.9, 0.95] },
  presets: [
    ["a smaller constant", () => ({ alpha: 0.02, p: 0 })],
    ["α/√t", () => ({ alpha: 0.2, p: 0.5 })],
    ["α/t", () => ({ alpha: 0.2, p: 1 })],
    ["too fast", () => ({ alpha: 0.2, p: 1.5 })],
  ],
  handle: markup.startHandle([-2.1, 2.1], [-1.4, 1.4]),
  show(state) {
    const all = runs(state);
    return {
      panels: [showPath(all), showGap(all)],
      readouts: [
        ["value, last point", markup.number(all.values.at(-1))],
        ["value, best point", markup.number(all.best.at(-1))],
        ["bound of the best", markup.number(all.bound.at(-1))],
        ["Polyak’s step, best", markup.number(best(all.other).at(-1))],
      ],
      said: say(state),
    };
  },
};
})();
