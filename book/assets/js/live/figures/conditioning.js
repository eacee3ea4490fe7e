// What the condition number does: the gradient points past the minimizer, and the steps multiply.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const STEPS = 400;
const degrees = (angle) => `${Math.round((180 * angle) / Math.PI)}°`;

// Angle between the way down and the way to the minimizer, at a point and at its worst.
function angleAt(kappa, w) {
  const g = [w[0], kappa * w[1]];
  const cosine = (w[0] * g[0] + w[1] * g[1]) / (math.norm(w) * math.norm(g));
  return Math.acos(Math.min(1, cosine));
}
const worstAngle = (kappa) => Math.acos((2 * Math.sqrt(kappa)) / (1 + kappa));

function showBowl({ kappa, start }) {
  const plot = drawing.plot({ x: [-2.2, 2.2], y: [-1.49, 1.49], map: true, title: "the bowl, the way down, and the steps" });
  const outermost = (4 + 2.2 * kappa) / 2;
  const levels = Array.from({ length: 10 }, (_, i) => outermost * 0.45 ** i).filter((level) => level > 0.08);
  const rate = 2 / (1 + kappa);
  const run = math.minimize({ ...math.quadratic([1, kappa]), start, steps: STEPS, rate });
  return plot.panel(
    drawing.bowl(plot, [1, kappa], levels), drawing.line(plot, [start, [0, 0]], "bound"), drawing.path(plot, run.points, 1),
  );
}

function showSteps({ kappa }) {
  const plot = drawing.plot({ x: [0, 3], y: [0, 4], logX: true, logY: true, title: "steps to a millionth of the distance", xLabel: "condition number κ" });
  const kappas = Array.from({ length: 61 }, (_, i) => 10 ** (i / 20)).slice(1);
  const plain = (k) => Math.log(1e-6) / Math.log((k - 1) / (k + 1));
  const heavy = (k) => Math.log(1e-6) / Math.log((Math.sqrt(k) - 1) / (Math.sqrt(k) + 1));
  const points = (steps) => kappas.map((k) => [k, steps(k)]);
  const marks = kappa > 1.1 ? drawing.dots(plot, [[kappa, plain(kappa)]], 1, 4.5) + drawing.dots(plot, [[kappa, heavy(kappa)]], 2, 4.5) : "";
  return plot.panel(
    drawing.vertical(plot, kappa, "now"), drawing.line(plot, points(plain), 1), drawing.line(plot, points(heavy), 2), marks,
    drawing.word(plot, 200, 3500, "gradient descent: ∝ κ", "end"), drawing.word(plot, 1000, 22, "with momentum: ∝ √κ", "end"),
  );
}

globalThis.fo.figures.conditioning = {
  controls: [{ name: "kappa", label: "condition number κ = L/μ", min: 1, max: 1000, log: true }],
  initial: { kappa: 12, start: [1.9, 0.6] },
  presets: [
    ["κ = 1, round", () => ({ kappa: 1 })],
    ["κ = 10", () => ({ kappa: 10 })],
    ["κ = 470, the diabetes data", () => ({ kappa: 470 })],
  ],
  handle: markup.startHandle([-2.1, 2.1], [-1.4, 1.4], (start) => (math.norm(start) ? start : [0.01, 0])),
  show(state) {
    const { kappa, start } = state;
    const rho = (kappa - 1) / (kappa + 1);
    const said = kappa === 1
      ? "A round bowl: the way down leads to the minimizer, and one step is enough."
      : `A step at the best constant rate leaves up to ${markup.plainNumber(100 * rho, 3)} % of the distance.`;
    return {
      panels: [showBowl(state), showSteps(state)],
      readouts: [
        ["the way down is off by", degrees(angleAt(kappa, start))],
        ["at the worst point of this bowl", degrees(worstAngle(kappa))],
        ["left after a step, at most", markup.number(rho, 4)],
        ["steps to a millionth", markup.number(kappa === 1 ? 1 : math.stepsTo(1e-6, rho), 6)],
      ],
      said,
    };
  },
};
})();
