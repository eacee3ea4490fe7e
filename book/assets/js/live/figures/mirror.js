// Projected and exponentiated gradient on the triangle of three weights that add up to one.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [STEPS, HEIGHT, LEAST, ARRIVED] = [60, Math.sqrt(3) / 2, 1e-3, 1e-6];
const CENTRE = [0.1, 0.3, 0.6];
const FUNCTIONS = {
  linear: { value: (w) => w[0] + w[1] / 2, gradient: () => [1, 0.5, 0], minimizer: [0, 0, 1], levels: [0.1, 0.3, 0.5, 0.7, 0.9] },
  inside: { ...math.quadratic([6, 2, 1]), minimizer: CENTRE, levels: [0.01, 0.06, 0.18, 0.4, 0.8, 1.4] },
};
FUNCTIONS.inside.value = ((value) => (w) => value(w.map((x, i) => x - CENTRE[i])))(FUNCTIONS.inside.value);
FUNCTIONS.inside.gradient = ((gradient) => (w) => gradient(w.map((x, i) => x - CENTRE[i])))(FUNCTIONS.inside.gradient);

// Between weights and the plane: the first weight belongs to the corner on the left, the third to the one on top.
const toPlane = (w) => [w[1] + w[2] / 2, HEIGHT * w[2]];
const toWeights = ([x, y]) => [1 - x - y / HEIGHT / 2, x - y / HEIGHT / 2, y / HEIGHT];
const within = (point) => {
  const w = toWeights(point).map((x) => Math.max(x, LEAST));
  const sum = w.reduce((total, x) => total + x, 0);
  return toPlane(w.map((x) => x / sum));
};

const START = within(toPlane([0.6, 0.39, 0.01]));
const PLOT = drawing.plot({ x: [-0.12, 1.12], y: [-0.09, 0.93], map: true, square: true, title: "three weights that add up to one" });

// The level line of a function on the triangle: along rays from the minimizer, to where the value is reached.
function level({ value, minimizer }, wanted) {
  const stretches = [[]];
  for (let i = 0; i <= 180; i++) {
    const [x, y] = toPlane(minimizer);
    const ray = (r) => [x + r * Math.cos((i * Math.PI) / 90), y + r * Math.sin((i * Math.PI) / 90)];
    let [low, high] = [0, 1];
    for (let halving = 0; halving < 30; halving++) {
      const middle = (low + high) / 2;
      if (value(toWeights(ray(middle))) < wanted) low = middle;
      else high = middle;
    }
    if (low < 0.999 && Math.min(...toWeights(ray(low))) > -1e-6) stretches.at(-1).push(ray(low));
    else if (stretches.at(-1).length > 0) stretches.push([]);
  }
  return stretches.map((points) => drawing.line(PLOT, points, "contour")).join("");
}

const triangle = drawing.line(PLOT, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]].map(toPlane), "ink");
for (const f of Object.values(FUNCTIONS)) f.ground = f.levels.map((wanted) => level(f, wanted)).join("") + triangle;

function showTriangle(f, runs) {
  return PLOT.panel(
    f.ground, drawing.star(PLOT, toPlane(f.minimizer)),
    drawing.path(PLOT, runs.projected.map(toPlane), 1), drawing.path(PLOT, runs.exponentiated.map(toPlane), 2),
    drawing.word(PLOT, 0, 0, "w<tspan dy='3' class='live-power'>1</tspan> = 1", "start", -8, 16),
    drawing.word(PLOT, 1, 0, "w<tspan dy='3' class='live-power'>2</tspan> = 1", "end", 8, 16),
    drawing.word(PLOT, 0.5, HEIGHT, "w<tspan dy='3' class='live-power'>3</tspan> = 1", "start", 10, 6),
  );
}

function showGap(gaps) {
  const plot = drawing.plot({ x: [0, STEPS], y: [-8, 0.5], logY: true, title: "gap", xLabel: "step" });
  const curve = (list) => list.map((gap, k) => [k, Math.max(gap, 1e-12)]);
  return plot.panel(
    drawing.line(plot, curve(gaps.projected), 1), drawing.line(plot, curve(gaps.exponentiated), 2),
    drawing.legend([[1, "projected"], [2, "exponentiated"]], 195, 44),
  );
}

const arrival = (gaps) => {
  const k = gaps.findIndex((gap, i) => gaps.slice(i).every((later) => later <= ARRIVED));
  return k < 0 ? `not within ${STEPS} steps` : `step ${k}`;
};
const smallest = (points) => Math.min(...points.at(-1));

// Does a run turn back within its last ten steps? Slow descent does not, a cycle does.
const turns = (points) => {
  const moves = points.slice(-11).map((w, k, tail) => w.map((x, i) => x - (tail[k - 1] ?? w)[i])).slice(1);
  return moves.some((move, k) => k > 0 && move.reduce((total, x, i) => total + x * moves[k - 1][i], 0) < 0);
};

function say({ kind }, runs, gaps) {
  const unsettled = Object.keys(gaps).filter((name) => gaps[name].slice(-10).some((gap) => gap > 1e-3 && gap > 0.5 * gaps[name].at(-11)));
  const [fast, slow] = [true, false].map((turning) => unsettled.filter((name) => turns(runs[name]) === turning).join(" and "));
  if (kind === "inside" && unsettled.length > 0) return [
    fast && `Too fast for ${fast}: the points jump about the minimum. On a bounded set nothing blows up that would give it away.`,
    slow && `Too slow for ${slow}: still on its way after ${STEPS} steps.`,
  ].filter(Boolean).join(" ");
  const along = gaps.exponentiated.at(-1) < 0.5 * gaps.exponentiated[0]
    ? "Exponentiated gradient bends away from the edges, and only tends to the corner."
    : "At this rate exponentiated gradient is still on its way.";
  if (kind === "linear") return smallest(runs.projected) === 0
    ? `Projected gradient walks into the corner, along an edge: its weights are exactly zero. ${along}`
    : "A long way off, projected gradient moves evenly; exponentiated gradient moves in proportion to the weights.";
  return "Inside, near the centre, the two differ by little more than the scale of the learning rate. Near an edge exponentiated gradient takes small steps.";
}

globalThis.fo.figures.mirror = {
  controls: [
    { name: "eg", label: "rate, exponentiated", min: 0.05, max: 6, log: true, digits: 2 },
    { name: "pg", label: "rate, projected", min: 0.01, max: 0.6, log: true, digits: 2 },
  ],
  initial: { eg: 0.5, pg: 0.1, kind: "linear", start: START },
  presets: [
    ["minimum in a corner", () => ({ kind: "linear", eg: 0.5, pg: 0.1, start: START })],
    ["minimum inside", () => ({ kind: "inside", eg: 0.8, pg: 0.2, start: START })],
    ["too fast", () => ({ kind: "inside", eg: 5, pg: 0.5, start: START })],
    ["start at the centre", () => ({ kind: "linear", eg: 0.5, pg: 0.1, start: toPlane([1 / 3, 1 / 3, 1 / 3]) })],
  ],
  handle: markup.startHandle([0, 1], [0, HEIGHT], within),
  show(state) {
    const f = FUNCTIONS[state.kind];
    const run = (mirror, rate) => math.mirrorDescent({ ...f, mirror, rate, steps: STEPS, start: toWeights(state.start) });
    const runs = { projected: run(math.mirrors.euclidean, state.pg), exponentiated: run(math.mirrors.entropy, state.eg) };
    const gaps = Object.fromEntries(Object.entries(runs).map(([name, points]) => [name, points.map((w) => f.value(w) - f.value(f.minimizer))]));
    return {
      panels: [showTriangle(f, runs), showGap(gaps)],
      readouts: [
        ["gap below 10<sup>−6</sup>: projected", arrival(gaps.projected)],
        ["exponentiated", arrival(gaps.exponentiated)],
        ["smallest weight at the end: projected", markup.number(smallest(runs.projected), 2)],
        ["exponentiated", markup.number(smallest(runs.exponentiated), 2)],
      ],
      said: say(state, runs, gaps),
    };
  },
};
})();
