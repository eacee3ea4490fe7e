// Gradient descent on a bowl: what the learning rate does to each of two directions.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [MU, L, STEPS] = [1, 10, 60];
const FAR = 100; // times the distance of the start: the run has diverged
const bowl = math.quadratic([MU, L]);
const factor = (x) => markup.number(x, 3);

function showPath({ alpha, start }) {
  const run = math.minimize({ ...bowl, start, steps: STEPS, rate: alpha, limit: FAR * math.norm(start) });
  const plot = drawing.plot({ x: [-2.2, 2.2], y: [-1.55, 1.55], map: true, title: `${STEPS} steps on a bowl, <tspan class="live-i">L</tspan> = 10, <tspan class="live-i">μ</tspan> = 1` });
  const levels = [18, 11, 6, 3, 1.2, 0.3];
  return { run, panel: plot.panel(drawing.bowl(plot, [MU, L], levels), drawing.path(plot, run.points, 1)) };
}

function showFactors({ alpha }) {
  const plot = drawing.plot({ x: [0, 0.24], y: [0, 1.4], title: "factor of the error per step", xLabel: "learning rate α" });
  const curve = (h) => [0, 1 / h, 0.24].filter((a) => a <= 0.24).map((a) => [a, Math.abs(1 - a * h)]);
  const points = [MU, L].map((h) => [alpha, Math.abs(1 - alpha * h)]);
  return plot.panel(
    drawing.horizontal(plot, 1, "bound"), drawing.vertical(plot, alpha, "now"),
    drawing.line(plot, curve(MU), 2), drawing.line(plot, curve(L), 3),
    drawing.dots(plot, [points[0]], 2, 4.5), drawing.dots(plot, [points[1]], 3, 4.5),
    drawing.word(plot, 0.012, 0.86, "flat direction"), drawing.word(plot, 0.11, 0.05, "steep direction"),
    drawing.word(plot, 0.004, 1.06, "above 1 the error grows"),
  );
}

function say({ alpha }, run) {
  const steep = 1 - alpha * L;
  if (run.diverged) return `Diverges: beyond 2/L = 0.2 the steep direction grows. After step ${run.diverged} it is ${FAR} times as far away as at the start.`;
  if (Math.abs(steep) > 1 + 1e-12) return "Beyond 2/L = 0.2: the steep direction grows in every step, slowly here, but without end.";
  if (Math.abs(steep + 1) <= 1e-12) return "Exactly 2/L: the steep direction jumps from wall to wall forever.";
  if (alpha === 0) return "A learning rate of zero: nothing moves.";
  if (steep < 0) return "Below 2/L, above 1/L: it jumps across the valley and converges all the same.";
  return "At most 1/L: no jumps, but the flat direction crawls.";
}

globalThis.fo.figures["step-size"] = {
  controls: [{ name: "alpha", label: "learning rate α", min: 0, max: 0.24, step: 0.002, digits: 4 }],
  initial: { alpha: 0.16, start: [-1.9, 0.9] },
  presets: [
    ["1/L", () => ({ alpha: 1 / L })],
    ["2/(L + μ), the best", () => ({ alpha: 2 / (L + MU) })],
    ["2/L, the edge", () => ({ alpha: 2 / L })],
    ["beyond", () => ({ alpha: 0.21 })],
  ],
  handle: markup.startHandle([-2.1, 2.1], [-1.4, 1.4]),
  show(state) {
    const { run, panel } = showPath(state);
    const rho = math.contraction(state.alpha, MU, L);
    return {
      panels: [panel, showFactors(state)],
      readouts: [
        ["factor, flat direction", factor(1 - state.alpha * MU)],
        ["factor, steep direction", factor(1 - state.alpha * L)],
        ["the larger size decides", factor(rho)],
        ["steps to a millionth", markup.number(math.stepsTo(1e-6, rho), 6)],
      ],
      said: say(state, run),
    };
  },
};
})();
