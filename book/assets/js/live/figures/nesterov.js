// Nesterov's method and the heavy ball on a function of one variable that is a parabola but for one piece.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [MU, L, STEPS, SHOWN] = [1, 25, 90, 45];
const TUNED = math.tunedHeavyBall(MU, L);
const RUNS = {
  heavy: { rule: math.rules.momentum, ...TUNED },
  nesterov: { rule: math.rules.nesterov, rate: 1 / L, momentum: Math.sqrt(TUNED.momentum) },
};

function showFunction({ middle, start }, runs) {
  const { value } = math.kinked(middle);
  const plot = drawing.plot({ x: [-3.6, 3.9], y: [-12, 130], map: true, title: "the function, and where the last points are" });
  const curve = Array.from({ length: 101 }, (_, i) => [-3.6 + 0.075 * i, value([-3.6 + 0.075 * i])]);
  const points = (run, from) => run.points.slice(from).map(([w]) => [w, value([w])]);
  return plot.panel(
    drawing.band(plot, 1, 2), drawing.line(plot, curve, "ink"), drawing.star(plot, [0, 0]),
    drawing.dots(plot, points(runs.heavy, STEPS - 20), 2, 4), drawing.dots(plot, points(runs.nesterov, STEPS - 20), 3, 2.5),
    drawing.key([[2, "heavy ball"], [3, "Nesterov"]], 110, 40),
    drawing.word(plot, 1.5, -9, "other curvature", "middle"),
  );
}

function showSteps(runs) {
  const plot = drawing.plot({ x: [0, SHOWN], y: [-3.6, 3.9], title: "the iterates", xLabel: "step" });
  const curve = (run) => run.points.slice(0, SHOWN + 1).map(([w], k) => [k, w]);
  return plot.panel(
    drawing.horizontal(plot, 0, "thin"), drawing.path(plot, curve(runs.heavy), 2), drawing.path(plot, curve(runs.nesterov), 3),
  );
}

// Whether a run has settled, and where it is after its last steps.
const away = (run) => Math.max(...run.points.slice(-20).map(([w]) => Math.abs(w)));
const verdict = (run) => (away(run) > 1e-3 ? `does not converge, |w| up to ${markup.number(away(run), 2)}` : "converges");

globalThis.fo.figures.nesterov = {
  controls: [{ name: "middle", label: "curvature between 1 and 2", min: 1, max: 25, step: 0.5 }],
  initial: { middle: 1, start: [3.3] },
  presets: [
    ["a parabola", () => ({ middle: 25 })],
    ["curvature 1", () => ({ middle: 1 })],
    ["another start", () => ({ middle: 1, start: [2.5] })],
  ],
  handle: {
    label: "Start", x: [-3.4, 3.7],
    at: ({ start, middle }) => [start[0], math.kinked(middle).value(start)],
    move: ([w]) => ({ start: [w] }),
  },
  show(state) {
    const problem = math.kinked(state.middle);
    const run = (settings) => math.minimize({ ...problem, start: state.start, steps: STEPS, ...settings });
    const runs = { heavy: run(RUNS.heavy), nesterov: run(RUNS.nesterov) };
    return {
      panels: [showFunction(state, runs), showSteps(runs)],
      readouts: [["heavy ball", verdict(runs.heavy)], ["Nesterov", verdict(runs.nesterov)]],
      said: away(runs.heavy) > 1e-3
        ? "The heavy ball jumps between the same three points, forever. Nesterov’s method, on the same function, arrives."
        : "From here both arrive.",
    };
  },
};
})();
