// A quadratic over a set of the plane: projected gradient, and Frank-Wolfe without and with away steps.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const MOST = 100;
const square = ([a, b]) => [[-a, -b], [a, -b], [a, b], [-a, b]];
const circle = Array.from({ length: 72 }, (_, i) => [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)]);
const shape = (corners, start) => ({ corners, start, over: math.polygon(corners), curved: false });
const SETS = {
  triangle: shape([[-1.1, -0.7], [1.1, -0.7], [0, 1.1]], [0, 1.1]),
  box: shape(square([1.2, 0.8]), [-1.2, 0.8]),
  diamond: shape([[1.15, 0], [0, 1.15], [-1.15, 0], [0, -1.15]], [0, 1.15]),
  disc: { corners: circle, start: [0, 1], over: math.disc(1), curved: true },
};

function solve({ set, kappa, centre, steps }) {
  const { over, start } = SETS[set];
  const [bowl, L] = [math.quadratic([1, kappa]), Math.max(1, kappa)];
  const from = (w) => w.map((x, i) => x - centre[i]);
  const [value, gradient] = [(w) => bowl.value(from(w)), (w) => bowl.gradient(from(w))];
  const projected = (count) =>
    math.accelerate({ gradient, prox: over.project, start, rate: 1 / L, steps: count, momentum: () => 0 });
  const minimizer = projected(1000).at(-1);
  const plain = math.frankWolfe({ gradient, L, over, start, steps });
  const away = math.frankWolfe({ gradient, L, over, start, steps, away: true });
  const paths = { projected: projected(steps), plain: plain.points, away: away.points };
  return { minimizer, minimum: value(minimizer), value, paths, certificate: Math.min(...plain.gaps) };
}

function ellipse(plot, centre, kappa, level) {
  const radii = [1, kappa].map((h) => Math.sqrt((2 * level) / h));
  return drawing.line(plot, [...circle, circle[0]].map(([x, y]) => [centre[0] + radii[0] * x, centre[1] + radii[1] * y]), "contour");
}

function showPlane({ set, kappa, centre }, { minimizer, minimum, paths }) {
  const plot = drawing.plot({ x: [-1.9, 1.9], y: [-1.45, 1.35], map: true, square: true, title: "the set, and three ways in it" });
  const { corners } = SETS[set];
  return plot.panel(
    [0, 0.25, 0.8, 1.8].map((more) => ellipse(plot, centre, kappa, minimum + more)).join(""),
    drawing.line(plot, [...corners, corners[0]], "ink"),
    drawing.path(plot, paths.plain, 2), drawing.path(plot, paths.away, 3), drawing.path(plot, paths.projected, 1),
    drawing.star(plot, minimizer),
    drawing.legend([[1, "projected"], [2, "Frank-Wolfe"], [3, "away steps"]], 8, 204),
  );
}

function showGap({ value, minimum, paths }) {
  const plot = drawing.plot({ x: [0, 2], y: [-8, 1], logX: true, logY: true, title: "gap", xLabel: "steps" });
  const curve = (points) => points.map((w, k) => [k, Math.max(value(w) - minimum, 1e-12)]).slice(1);
  return plot.panel(
    drawing.line(plot, curve(paths.plain), 2), drawing.line(plot, curve(paths.away), 3), drawing.line(plot, curve(paths.projected), 1),
  );
}

function say({ set, centre }, { minimizer, value, minimum, paths }) {
  const { corners, curved, over } = SETS[set];
  if (math.norm(over.project(centre).map((x, i) => x - centre[i])) < 1e-9) return "The minimizer is in the set: the constraint does nothing, and Frank-Wolfe still has to mix corners to get there.";
  if (curved) return "The disc has no edges. With the ring well outside, the corner turns with the gradient, and there is no zigzag. Away steps are made for polygons: here they can be slower.";
  if (corners.some((c) => math.norm(c.map((x, i) => x - minimizer[i])) < 1e-6)) return "The solution is a corner: Frank-Wolfe gets there in few steps.";
  const left = value(paths.plain.at(-1)) - minimum;
  return left > 1e-9 ? "The solution is inside an edge: Frank-Wolfe heads for one end, then for the other. Away steps drop the corner off the edge." : "The solution is inside an edge, and here Frank-Wolfe is lucky: two corners are enough.";
}

globalThis.fo.figures.constraints = {
  controls: [
    { name: "kappa", label: "curvature upwards", min: 0.2, max: 8, log: true },
    { name: "steps", label: "steps", min: 2, max: MOST, step: 1 },
  ],
  initial: { set: "triangle", kappa: 0.3, steps: 40, centre: [0.15, -1.2] },
  presets: [
    ["triangle", () => ({ set: "triangle", kappa: 0.3, centre: [0.15, -1.2] })],
    ["box", () => ({ set: "box", kappa: 2, centre: [1.7, 0.3] })],
    ["diamond", () => ({ set: "diamond", kappa: 2, centre: [1, 0.6] })],
    ["disc", () => ({ set: "disc", kappa: 2, centre: [1.3, 0.9] })],
    ["minimizer inside", () => ({ centre: [0.15, -0.1] })],
    ["solution at a corner", () => ({ set: "triangle", centre: [1.7, -1] })],
  ],
  handle: {
    label: "Minimizer without the constraint", x: [-1.8, 1.8], y: [-1.35, 1.25], at: (state) => state.centre, move: (centre) => ({ centre }),
  },
  show(state) {
    const all = solve(state);
    const small = (size) => (size < 1e-12 ? `below ${markup.number(1e-12)}` : markup.number(size, 2));
    const gap = (points) => small(all.value(points.at(-1)) - all.minimum);
    return {
      panels: [showPlane(state, all), showGap(all)],
      readouts: [
        ["solution", all.minimizer.map((x) => markup.number(Math.abs(x) < 1e-9 ? 0 : x)).join(", ")],
        ["gap: projected gradient", gap(all.paths.projected)],
        ["Frank-Wolfe", gap(all.paths.plain)],
        ["with away steps", gap(all.paths.away)],
        ["Frank-Wolfe, best certificate", small(all.certificate)],
      ],
      said: say(state, all),
    };
  },
};
})();
