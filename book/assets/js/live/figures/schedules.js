// Learning-rate schedules on one steep and one flat direction with noise: travel against noise.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [STEEP, FLAT, STEPS] = [1, 0.02, 200];
const { schedules } = math;
const KINDS = {
  constant: ["constant", schedules.constant],
  step: ["a tenth at the middle", (rate) => schedules.stepDecay(rate, 0.1, STEPS / 2)],
  cosine: ["cosine", (rate) => schedules.cosine(rate, STEPS)],
  warm: ["warm-up, then cosine", (rate) => schedules.cosine(rate, STEPS, STEPS / 10)],
  cycle: ["one cycle", (rate) => schedules.oneCycle(rate, STEPS)],
  root: ["warm-up, then inverse root", (rate) => schedules.inverseSqrt(rate, STEPS / 10)],
};
const times = Array.from({ length: STEPS }, (_, i) => i + 1);

// What is left in expectation: of the start, and of the noise, in both directions together. The noise has variance
// sigma^2 times the curvature, as it has for a model with squared loss near its minimum.
function expected(schedule, sigma) {
  const left = (curvature, start, noise) => math.noisyQuadratic(schedule, STEPS, { curvature, start, variance: noise * curvature });
  const sum = (start, noise) => {
    const [steep, flat] = [left(STEEP, start, noise), left(FLAT, start, noise)];
    return steep.map((x, k) => x + flat[k]);
  };
  return { start: sum(1, 0), noise: sum(0, sigma * sigma) };
}

// The best highest rate for a kind of schedule, to 2 %.
function bestRate({ kind, sigma }) {
  const tried = Array.from({ length: 265 }, (_, i) => 0.01 * 1.02 ** i);
  const errors = tried.map((rate) => {
    const { start, noise } = expected(KINDS[kind][1](rate), sigma);
    return start[STEPS] + noise[STEPS];
  });
  return tried[errors.indexOf(Math.min(...errors))];
}

function showRates(kind, schedule, rate) {
  const plot = drawing.plot({ x: [0, STEPS], y: [0, 2], title: "learning rate", xLabel: "step" });
  const others = Object.values(KINDS).map(([, make]) => drawing.thin(plot, times.map((t) => [t, make(rate)(t)]), "faint"));
  return plot.panel(...others, drawing.line(plot, times.map((t) => [t, schedule(t)]), 1), drawing.word(plot, STEPS, 1.85, KINDS[kind][0], "end", -4));
}

function showErrors({ start, noise }) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-4, 1.4], logY: true, title: "squared error, expected", xLabel: "step" });
  const curve = (values) => values.map((value, k) => [k, value]);
  return plot.panel(
    drawing.line(plot, curve(start), 3), drawing.line(plot, curve(noise), 2),
    drawing.line(plot, curve(start.map((x, k) => x + noise[k])), 1),
    drawing.legend([[1, "all"], [3, "left of the start"], [2, "from noise"]], 190, 42),
  );
}

globalThis.fo.figures.schedules = {
  controls: [
    { name: "rate", label: "highest learning rate", min: 0.01, max: 1.9, log: true },
    { name: "sigma", label: "noise σ", min: 0, max: 1, step: 0.05 },
  ],
  initial: { kind: "constant", rate: 0.5, sigma: 0.3 },
  presets: [
    ...Object.entries(KINDS).map(([kind, [words]]) => [words, () => ({ kind })]),
    ["the best rate for this schedule", (state) => ({ rate: bestRate(state) })],
  ],
  show({ kind, rate, sigma }) {
    const schedule = KINDS[kind][1](rate);
    const { start, noise } = expected(schedule, sigma);
    const [left, kicked] = [start[STEPS], noise[STEPS]];
    return {
      panels: [showRates(kind, schedule, rate), showErrors({ start, noise })],
      readouts: [
        ["sum of the rates", markup.number(times.reduce((sum, t) => sum + schedule(t), 0), 3)],
        ["left of the start", markup.number(left, 2)],
        ["from noise", markup.number(kicked, 2)],
        ["squared error at the end", markup.number(left + kicked, 2)],
      ],
      said: left > 2 * kicked ? "Most of the error is distance not yet travelled: a higher rate would help."
        : kicked > 2 * left ? "Most of the error is noise: a lower rate at the end would help."
          : "Distance and noise are about even: this rate suits this schedule.",
    };
  },
};
})();
