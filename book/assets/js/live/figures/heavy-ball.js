// The heavy ball on a bowl, and the roots that say how fast each direction decays.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [MU, L, STEPS] = [1, 25, 100];
const FAR = 100; // times the distance of the start: the run has diverged
const bowl = math.quadratic([MU, L]);
const BETWEEN = Array.from({ length: 23 }, (_, i) => MU * (L / MU) ** ((i + 1) / 24)); // curvatures between the two

function showPath(start, run) {
  const plot = drawing.plot({ x: [-2.2, 2.2], y: [-1.55, 1.55], map: true, title: `${STEPS} steps on a bowl, κ = 25` });
  const levels = [28, 15, 7, 3, 1.2, 0.3];
  return plot.panel(drawing.bowl(plot, [MU, L], levels), drawing.path(plot, run.points, 1));
}

function showRoots({ alpha, beta }) {
  const plot = drawing.plot({ x: [-1.45, 1.45], y: [-1.25, 1.25], map: true, square: true, title: "roots in the complex plane" });
  const circle = (r, k) => drawing.line(plot, Array.from({ length: 73 }, (_, i) => [r * Math.cos((i * Math.PI) / 36), r * Math.sin((i * Math.PI) / 36)]), k);
  const rootsAt = (h) => math.heavyBallRoots(alpha * h, beta);
  return plot.panel(
    drawing.axesThrough(plot), circle(1, "bound"), circle(Math.sqrt(beta), "now"),
    drawing.dots(plot, BETWEEN.flatMap(rootsAt), "faint", 1.6),
    drawing.dots(plot, rootsAt(MU), 2, 4.5), drawing.dots(plot, rootsAt(L), 3, 4.5),
    drawing.word(plot, 0.72, 0.78, "1"), drawing.word(plot, 0, Math.sqrt(beta), "√β", "middle", 0, -5),
    drawing.key([[2, "flat direction"], [3, "steep direction"]], -4, 212),
  );
}

function showDistance(start, run, rho) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-8, 1], logY: true, title: "distance to the minimizer, relative", xLabel: "step" });
  const distance = run.points.map((w, k) => [k, math.norm(w) / math.norm(start)]);
  const theory = [[0, 1], [STEPS, rho ** STEPS]];
  return plot.panel(drawing.line(plot, theory, "bound"), drawing.line(plot, distance, 1));
}

function say({ alpha, beta }, run) {
  const inside = (h) => math.heavyBallRoots(alpha * h, beta)[0][1] > 1e-6;
  const double = (h) => Math.abs((1 + beta - alpha * h) ** 2 - 4 * beta) < 1e-12;
  if (run.diverged) return `Diverges: a root is outside the unit circle. After step ${run.diverged} the ball is ${FAR} times as far away as at the start.`;
  if (alpha * L > 2 * (1 + beta) + 1e-12) return "A root is outside the unit circle: the steep direction grows, slowly here, but without end.";
  if (alpha === 0) return "A learning rate of zero: nothing moves.";
  if (beta === 0) return "No momentum: this is gradient descent, and each direction has one root, 1 − αλ (the other is 0).";
  if (double(MU) && double(L)) return "All roots have just arrived on the circle, the two of each end together: it is the smallest that has room for all.";
  if (inside(MU) && inside(L)) return "All directions swing, and all decay by √β per step, whatever their curvature. There is room to lower β.";
  if (inside(L)) return "The steep direction swings. The flat one creeps, overdamped: more momentum would help it.";
  if (inside(MU)) return "The steep direction has left the circle of radius √β, and now decays more slowly than it could.";
  return "The roots are real in both directions.";
}

const polyak = math.tunedHeavyBall(MU, L);
globalThis.fo.figures["heavy-ball"] = {
  controls: [
    { name: "alpha", label: "learning rate α", min: 0, max: 0.16, step: 0.001, digits: 4 },
    { name: "beta", label: "momentum β", min: 0, max: 0.99, step: 0.01, digits: 4 },
  ],
  initial: { alpha: 0.08, beta: 0.75, start: [-1.9, 0.9] },
  presets: [
    ["gradient descent at its best", () => ({ alpha: 2 / (L + MU), beta: 0 })],
    ["Polyak’s tuning", () => ({ alpha: polyak.rate, beta: polyak.momentum })],
    ["β = 0.9", () => ({ alpha: polyak.rate, beta: 0.9 })],
    ["too fast", () => ({ alpha: 0.125, beta: polyak.momentum })],
  ],
  handle: markup.startHandle([-2.1, 2.1], [-1.4, 1.4]),
  show(state) {
    const { alpha, beta, start } = state;
    const run = math.minimize({ ...bowl, start, rule: math.rules.momentum, steps: STEPS, rate: alpha, momentum: beta, limit: FAR * math.norm(start) });
    const decays = [MU, L].map((h) => math.heavyBallDecay(alpha * h, beta));
    const rho = Math.max(...decays);
    return {
      panels: [showPath(start, run), showRoots(state), showDistance(start, run, rho)],
      readouts: [
        ["decay per step, flat direction", markup.number(decays[0])],
        ["decay per step, steep direction", markup.number(decays[1])],
        ["steps to a millionth, about", markup.number(math.stepsTo(1e-6, rho), 6)],
      ],
      said: say(state, run),
    };
  },
};
})();
