// Descent in x and ascent in z on the game xz: at once, in turn, and with the extrapolation that makes it converge.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [STEPS, FAR] = [60, 1e6];

function runs({ a, theta, start }) {
  const together = math.playGame({ a, theta: 0, together: true, steps: STEPS, start });
  const own = math.playGame({ a, theta, steps: STEPS, start });
  const mean = [0, 1].map((i) => own.slice(1).reduce((sum, point) => sum + point[i], 0) / STEPS);
  return { together, own, mean };
}

const near = (points) => {
  const end = points.findIndex((point) => math.norm(point) > FAR);
  return end < 0 ? points : points.slice(0, end);
};

function showPlane({ together, own, mean }) {
  const plot = drawing.plot({ x: [-2.4, 2.4], y: [-1.75, 1.75], map: true, square: true, title: "x to the right, z upwards" });
  return plot.panel(
    drawing.axesThrough(plot), drawing.path(plot, near(together), 2), drawing.path(plot, near(own), 1),
    drawing.star(plot, [0, 0]), drawing.dots(plot, [mean], 3, 5),
    drawing.key([[2, "at once"], [1, "in turn, with θ"], [3, "mean of these"]], 190, 190),
  );
}

function showDistance({ together, own }) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-4, 3], logY: true, title: "distance from the saddle point", xLabel: "step" });
  const curve = (points) => points.map((point, k) => [k, Math.min(Math.max(math.norm(point), 1e-6), FAR)]);
  return plot.panel(
    drawing.line(plot, curve(together), 2), drawing.line(plot, curve(own), 1),
    drawing.legend([[2, "at once"], [1, "in turn, with θ"]], 60, 44),
  );
}

function say({ a, theta }, factor) {
  if (factor > 1) return "Too fast: the extrapolation overshoots, and the distance grows. The limit is a² = 4/(1 + 2θ).";
  if (theta === 0) return "In turn, without extrapolation: an ellipse, forever. Only the mean comes near the saddle point, like one over the number of steps.";
  if (a === 1 && theta === 1) return "Two steps, and it is there.";
  const more = a <= 1 ? ", the more so the larger θ is" : "";
  return `Each player answers where the other is going, not where it was: the rotation is damped${more}.`;
}

globalThis.fo.figures.game = {
  controls: [
    { name: "a", label: "learning rate a", min: 0.05, max: 1.4, step: 0.01 },
    { name: "theta", label: "extrapolation θ", min: 0, max: 1, step: 0.05 },
  ],
  initial: { a: 0.25, theta: 0, start: [1, 0.5] },
  presets: [
    ["θ = ½", () => ({ a: 0.25, theta: 0.5 })],
    ["Chambolle and Pock", () => ({ a: 0.25, theta: 1 })],
    ["a = θ = 1", () => ({ a: 1, theta: 1 })],
    ["too fast", () => ({ a: 1.2, theta: 1 })],
  ],
  handle: markup.startHandle([-2.3, 2.3], [-1.65, 1.65]),
  show(state) {
    const { a, theta } = state;
    const all = runs(state);
    const factor = math.gameDecay(a, theta);
    return {
      panels: [showPlane(all), showDistance(all)],
      readouts: [
        ["factor per step, at once", markup.number(Math.hypot(1, a), 4)],
        ["factor per step in the long run, in turn with θ", markup.number(factor, 4)],
        [`distance after ${STEPS} steps`, markup.number(math.norm(all.own.at(-1)))],
        ["distance of the mean", markup.number(math.norm(all.mean))],
      ],
      said: say(state, Number(factor.toPrecision(9))),
    };
  },
};
})();
