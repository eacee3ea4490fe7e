// A calculator: how long a data-parallel step takes, how many workers are worth having, and what a larger batch buys.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const MOST = 100000;
const COUNTS = math.workerCounts(MOST);
const SHOWN = [...new Set(Array.from({ length: 76 }, (_, i) => Math.round(10 ** (i / 15))))];

const NAMES = { ring: "ring", tree: "tree", halving: "halving", central: "central" };

// Seconds of a step and times to the target, at the critical batch and at the best one, both as multiples of its least
// number of steps.
function predict(state, p) {
  const cluster = { ...state, bytesEach: 4, overhead: 0, latency: state.latency * 1e-6, bandwidth: state.bandwidth * 1.25e8, sampleSeconds: state.compute * 1e-3 };
  const law = { least: 1, critical: state.critical };
  const sum = math.allReduceTime[state.method](p, 4 * state.parameters, cluster);
  const best = math.bestBatch(cluster, p, state.critical, state.samples);
  return {
    p, sum, compute: (cluster.sampleSeconds * state.critical) / p, step: math.stepTime(cluster, p, state.critical), best,
    fixedTarget: math.stepsToTarget(state.critical, law) * math.stepTime(cluster, p, state.critical),
    bestTarget: math.stepsToTarget(best, law) * math.stepTime(cluster, p, best),
  };
}

const fastest = (plans, key) => plans.reduce((found, other) => (other[key] < found[key] ? other : found));
const span = (values) => {
  const powers = values.filter((value) => value > 0).map(Math.log10);
  const [low, high] = [Math.floor(Math.min(...powers)), Math.ceil(Math.max(...powers))];
  return [Math.max(low, high - 8), Math.max(high, low + 1)];
};
const X = { x: [0, 5], logX: true, xLabel: "workers" };

function showStep(state, plans) {
  const all = plans.flatMap(({ sum, compute, step }) => [sum, compute, step]);
  const plot = drawing.plot({ ...X, y: span(all), logY: true, title: "seconds of a step, critical batch" });
  const curve = (key) => plans.filter((plan) => plan[key] > 0).map((plan) => [plan.p, plan[key]]);
  return plot.panel(
    drawing.line(plot, curve("compute"), 3), drawing.line(plot, curve("sum"), 2), drawing.line(plot, curve("step"), 1),
    drawing.vertical(plot, state.workers, "thin"),
    drawing.legend([[1, "step"], [3, "computing"], [2, `summing, ${NAMES[state.method]}`]], 60, 44),
  );
}

function showTarget(state, plans, alone) {
  const fixed = plans.map(({ p, fixedTarget }) => [p, fixedTarget / alone.fixedTarget]);
  const free = plans.map(({ p, bestTarget }) => [p, bestTarget / alone.fixedTarget]);
  const plot = drawing.plot({ ...X, y: span([...fixed, ...free].map(([, y]) => y)), logY: true, title: "time to the target, 1 = one worker" });
  return plot.panel(
    drawing.line(plot, fixed, 1), drawing.line(plot, free, 4), drawing.vertical(plot, state.workers, "thin"),
    drawing.legend([[1, "critical batch"], [4, "best batch"]], 60, 44),
  );
}

function showEfficiency(state, plans, alone) {
  const plot = drawing.plot({ ...X, y: [0, 1.05], title: "efficiency" });
  const curve = (key) => plans.map((plan) => [plan.p, alone[key] / (plan.p * plan[key])]);
  return plot.panel(
    drawing.line(plot, curve("fixedTarget"), 1), drawing.line(plot, curve("bestTarget"), 4),
    drawing.vertical(plot, state.workers, "thin"),
    drawing.legend([[1, "critical batch"], [4, "best batch"]], 190, 44),
  );
}

function say(state, chosen, best) {
  if (best.p === 1) return "Nobody can help: summing one gradient takes longer than computing the whole batch. Compute more for each message, or send less.";
  if (chosen.p > 2 * best.p) return "Too many workers: with fewer, each step of this batch would be faster.";
  if (chosen.sum > chosen.compute) return "Most of a step is summing: more workers gain little.";
  return "Most of a step is computing: more workers are still worth having.";
}

const time = (seconds) => markup.number(seconds, 3);

globalThis.fo.figures.workers = {
  controls: [
    { name: "workers", label: "workers p", min: 1, max: MOST, log: true, whole: true },
    { name: "parameters", label: "parameters", min: 1e4, max: 1e12, log: true, digits: 2 },
    { name: "compute", label: "ms for a sample", min: 1e-3, max: 1e5, log: true, digits: 2 },
    { name: "bandwidth", label: "bandwidth, Gbit/s", min: 0.1, max: 4000, log: true, digits: 2 },
    { name: "latency", label: "latency, µs", min: 0.1, max: 1e5, log: true, digits: 2 },
    { name: "critical", label: "critical batch", min: 1, max: 1e6, log: true, whole: true },
    { name: "samples", label: "samples", min: 1e3, max: 1e10, log: true, whole: true, digits: 2 },
  ],
  initial: { workers: 16, parameters: 2.5e7, compute: 5, bandwidth: 10, latency: 50, critical: 2000, samples: 1e6, method: "ring" },
  presets: [
    ...Object.keys(NAMES).map((method) => [NAMES[method], () => ({ method })]),
    ["small network, slow wires", () => ({ parameters: 1e5, compute: 0.01, bandwidth: 1, latency: 200, critical: 200, workers: 4 })],
    ["1,000 accelerators", () => ({ parameters: 1e9, compute: 20, bandwidth: 400, latency: 10, critical: 4000, workers: 1000, samples: 1e9 })],
    ["100,000 accelerators", () => ({ parameters: 1e11, compute: 5000, bandwidth: 400, latency: 10, critical: 4000, workers: 100000, samples: 1e9 })],
  ],
  show(state) {
    const plans = COUNTS.map((p) => predict(state, p));
    const shown = SHOWN.map((p) => predict(state, p));
    const [alone, chosen] = [plans[0], predict(state, state.workers)];
    const [best, bestFree] = [fastest(plans, "step"), fastest(plans, "bestTarget")];
    const good = plans.filter(({ p, step }) => alone.step >= 0.5 * p * step).at(-1);
    return {
      panels: [showStep(state, shown), showTarget(state, shown, alone), showEfficiency(state, shown, alone)],
      readouts: [
        ["a step: computing + summing, s", `${time(chosen.compute)} + ${time(chosen.sum)}`],
        ["an epoch at the critical batch, s", time(Math.ceil(state.samples / state.critical) * chosen.step)],
        ["efficiency", markup.number(alone.step / (chosen.p * chosen.step), 3)],
        ["fastest at the critical batch", markup.number(best.p)],
        ["most with efficiency ½", markup.number(good.p)],
        ["fastest at the best batch", markup.number(bestFree.p)],
        ["best batch of these p", markup.number(chosen.best)],
      ],
      said: say(state, chosen, best),
    };
  },
};
})();
