// Gradient descent in one direction with gradients that come late: the roots of its recursion, and the run.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [STEPS, FAR] = [80, 1e4];

function showRoots({ delay }, roots) {
  const plot = drawing.plot({ x: [-1.6, 1.6], y: [-1.25, 1.25], map: true, square: true, title: "roots in the complex plane" });
  const circle = (r, k) => drawing.line(plot, Array.from({ length: 73 }, (_, i) => [r * Math.cos((i * Math.PI) / 36), r * Math.sin((i * Math.PI) / 36)]), k);
  return plot.panel(
    drawing.axesThrough(plot), circle(1, "bound"), circle(delay / (delay + 1), "now"), drawing.dots(plot, roots, 1, 4),
    drawing.word(plot, 0.73, 0.78, "1"), drawing.key([[1, "roots"]], -4, 228),
  );
}

function showRun({ b }, run) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-1.5, 1.5], title: "weight, from 1; the minimizer is 0", xLabel: "step" });
  const points = (values) => values.map((x, k) => [k, Math.min(Math.max(x, -FAR), FAR)]);
  return plot.panel(
    drawing.line(plot, points(math.delayed(b, 0, STEPS)), "bound"), drawing.path(plot, points(run), 1),
    drawing.legend([["bound", "gradients in time"], [1, "late"]], 200, 44),
  );
}

function say({ b, delay }, largest) {
  const [limit, best] = [math.delayLimit(delay), math.delayBest(delay)];
  if (Math.abs(b - limit) < 1e-12) return "At the limit: two roots on the unit circle (without delay one), and the run swings forever.";
  if (b > limit) return `Above the limit: every answer comes so late that it makes things worse. In time the limit would be 2, here it is ${markup.plainNumber(limit)}.`;
  if (Math.abs(b - best) < 1e-12) return delay ? "The best rate for this delay: two roots have met on the real axis, at τ/(τ + 1). No other rate has all roots as near to 0." : "No delay: one step, and it is there.";
  if (b < best) return "A small step: a real root leads, and it is no larger than without delay. Here the delay costs nothing.";
  return `Beyond the best rate the run swings, and decays by ${markup.plainNumber(largest)} per step.`;
}

globalThis.fo.figures.delay = {
  controls: [
    { name: "delay", label: "delay τ, in steps", min: 0, max: 16, step: 1, whole: true },
    { name: "b", label: "learning rate times curvature", min: 0.005, max: 2.2, log: true, parts: 200 },
  ],
  initial: { delay: 4, b: 0.25 },
  presets: [
    ["best for this delay", ({ delay }) => ({ b: math.delayBest(delay) })],
    ["limit of this delay", ({ delay }) => ({ b: math.delayLimit(delay) })],
    ["no delay", () => ({ delay: 0 })],
    ["late by 16", () => ({ delay: 16 })],
  ],
  show(state) {
    const { b, delay } = state;
    const [roots, run] = [math.delayRoots(b, delay), math.delayed(b, delay, STEPS)];
    const largest = Math.max(...roots.map(math.norm));
    return {
      panels: [showRoots(state, roots), showRun(state, run)],
      readouts: [
        ["limit for this delay", markup.number(math.delayLimit(delay), 4)],
        ["best for this delay", markup.number(math.delayBest(delay), 4)],
        ["factor per step in the long run", markup.number(largest, 4)],
        [`weight after ${STEPS} steps`, markup.number(run.at(-1))],
      ],
      said: say(state, largest),
    };
  },
};
})();
