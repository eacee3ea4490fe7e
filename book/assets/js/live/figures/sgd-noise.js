// SGD on a bowl: it falls until the noise holds it up; a smaller rate lowers that floor.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [CURVATURES, STEPS, EVERY] = [[1, 4], 400, 100];
const bowl = math.quadratic(CURVATURES);
const scheduleOf = ({ alpha, factor }) => math.schedules.stepDecay(alpha, factor, EVERY);
const total = (parts) => parts[0].map((_, k) => parts[0][k] + parts[1][k]);

const expected = ({ sigma, start, ...rest }) => total(CURVATURES.map((curvature, i) =>
  math.noisyQuadratic(scheduleOf(rest), STEPS, { curvature, variance: sigma * sigma, start: start[i] ** 2 })));
const floor = (rate, sigma) => CURVATURES.reduce((sum, h) => sum + math.stationaryVariance(rate, h, sigma * sigma), 0);

function showPath({ start }, run) {
  const plot = drawing.plot({ x: [-2.2, 2.2], y: [-1.49, 1.49], map: true, title: `${STEPS} steps, each with a noisy gradient` });
  const levels = [8, 4.5, 2.4, 1.1, 0.4, 0.08];
  return plot.panel(drawing.bowl(plot, CURVATURES, levels), drawing.thin(plot, run.points, 1), drawing.dots(plot, run.points, 1, 1.4));
}

function showDistance(state, run, mean) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-5, 2.4], logY: true, title: "squared distance to the minimizer", xLabel: "step" });
  const last = scheduleOf(state)(STEPS);
  return plot.panel(
    drawing.thin(plot, run.points.map((w, k) => [k, w[0] ** 2 + w[1] ** 2]), 1),
    state.sigma ? drawing.horizontal(plot, floor(last, state.sigma), "now") : "",
    drawing.line(plot, mean.map((value, k) => [k, value]), 2),
    drawing.legend([[1, "this sample"], [2, "expected"], ["now", "floor of the last rate"]], 165, 42),
  );
}

globalThis.fo.figures["sgd-noise"] = {
  controls: [
    { name: "alpha", label: "learning rate α", min: 0.005, max: 0.45, log: true },
    { name: "sigma", label: "noise σ of each entry", min: 0, max: 2, step: 0.05 },
    { name: "factor", label: "after every 100 steps, α times", min: 0.1, max: 1, step: 0.05 },
  ],
  initial: { alpha: 0.2, sigma: 1, factor: 1, start: [-2, 1.1], seed: 1 },
  presets: [
    ["large and constant", () => ({ alpha: 0.4, factor: 1 })],
    ["small and constant", () => ({ alpha: 0.01, factor: 1 })],
    ["large, then decay", () => ({ alpha: 0.4, factor: 0.25 })],
    ["New sample", ({ seed }) => ({ seed: seed + 1 })],
  ],
  handle: markup.startHandle([-2.1, 2.1], [-1.4, 1.4]),
  show(state) {
    const { sigma, start, seed } = state;
    const gradient = math.noisy(bowl.gradient, sigma, seed, STEPS);
    const run = math.minimize({ gradient, start, steps: STEPS, rate: scheduleOf(state) });
    const mean = expected(state);
    const last = scheduleOf(state)(STEPS);
    const resting = mean[STEPS] < 1.1 * floor(last, sigma);
    return {
      panels: [showPath(state, run), showDistance(state, run, mean)],
      readouts: [
        ["expected at the end", markup.number(mean[STEPS], 2)],
        ["floor of the last rate", markup.number(floor(last, sigma), 2)],
        ["floor of the first rate", markup.number(floor(state.alpha, sigma), 2)],
        ["this sample at the end", markup.number(math.norm(run.points[STEPS]) ** 2, 2)],
      ],
      said: !sigma ? "Without noise there is no floor: this is gradient descent."
        : resting ? "It has come down to the floor of its rate: what is left is noise, which only a smaller rate can lower."
          : "It is still falling towards the floor of its last rate.",
    };
  },
};
})();
