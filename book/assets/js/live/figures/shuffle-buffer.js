// A shuffle buffer in front of a file: where rows come out, and what is in a batch.
(() => {
const { drawing, markup, mathematics: math } = globalThis.fo;
const [ROWS, CLASSES, BATCH] = [600, 6, 25];
const LENGTH = ROWS / CLASSES;
const SHUFFLED = math.shuffleBuffer(ROWS, ROWS, math.uniforms(7)); // a file that was shuffled when it was written

// Rows by their place in the file, in the order of coming out; and the class of each place.
const classOf = ({ sorted }) => (place) => Math.floor((sorted ? place : SHUFFLED[place]) / LENGTH);
const orderOf = ({ size, seed }) => math.shuffleBuffer(ROWS, size, math.uniforms(seed));

function commonest(classes) {
  return Array.from({ length: ROWS / BATCH }, (_, k) => {
    const batch = classes.slice(k * BATCH, (k + 1) * BATCH);
    return Math.max(...Array.from({ length: CLASSES }, (_, c) => batch.filter((other) => other === c).length)) / BATCH;
  });
}

function showOrder(state, order, classes) {
  const plot = drawing.plot({ x: [0, ROWS], y: [0, ROWS], title: "place in the file of what comes out", xLabel: "step" });
  const points = (c) => order.map((place, step) => [step, place]).filter((_, step) => classes[step] === c);
  const edge = [[0, state.size - 1], [Math.max(ROWS - state.size, 0), ROWS - 1]];
  return plot.panel(
    drawing.line(plot, edge, "bound"),
    ...Array.from({ length: CLASSES }, (_, c) => drawing.dots(plot, points(c), (c % 3) + 1, c < 3 ? 1.5 : 1)),
  );
}

function showBatches(shares) {
  const plot = drawing.plot({ x: [0, shares.length], y: [0, 1.05], title: "share of the commonest class in a batch", xLabel: "batch" });
  return plot.panel(
    drawing.horizontal(plot, 1 / CLASSES, "bound"), drawing.path(plot, shares.map((share, k) => [k + 0.5, share]), 1),
    drawing.legend([["bound", "if all were equal"]], 180, 204),
  );
}

function say({ size, sorted }, mean) {
  if (!sorted) return "The file was shuffled when it was written: a buffer of any size, even of one row, gives mixed batches.";
  if (size === 1) return "A buffer of one row: out they come as they are stored, a class at a time.";
  if (size >= ROWS) return "The buffer holds the whole file: every order is equally likely.";
  if (size < LENGTH / 3) return `The buffer is shorter than a class of ${LENGTH} rows: most batches are nearly of one class.`;
  if (size < LENGTH) return `The buffer is shorter than a class of ${LENGTH} rows: on average more than half of a batch is of one class.`;
  return mean > 0.4 ? "The buffer holds a class or two: batches are still far from the mix of the file." : "The buffer holds several classes: batches come near the mix of the file.";
}

globalThis.fo.figures["shuffle-buffer"] = {
  controls: [
    { name: "size", label: "rows in the buffer", min: 1, max: ROWS, log: true, whole: true },
    { name: "seed", label: "draw", min: 1, max: 20, step: 1, whole: true },
  ],
  initial: { size: 30, seed: 1, sorted: true },
  presets: [
    ["sorted by class", () => ({ sorted: true })],
    ["shuffled when written", () => ({ sorted: false })],
    ["one row", () => ({ size: 1 })],
    ["as long as a class", () => ({ size: LENGTH })],
    ["the whole file", () => ({ size: ROWS })],
  ],
  show(state) {
    const order = orderOf(state);
    const classes = order.map(classOf(state));
    const shares = commonest(classes);
    const moved = order.map((place, step) => step - place);
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    return {
      panels: [showOrder(state, order, classes), showBatches(shares)],
      readouts: [
        ["most places early, late", `${-Math.min(...moved)}, ${Math.max(...moved)}`],
        ["early at most", markup.number(Math.min(state.size, ROWS) - 1)],
        ["long file: later than the buffer is long", markup.number(math.bufferLate(state.size, state.size + 1), 3)],
        ["commonest class, mean over batches", markup.number(mean, 3)],
      ],
      said: say(state, mean),
    };
  },
};
})();
