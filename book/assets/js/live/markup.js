// The markup of a live figure: pure functions that return HTML as text. The build writes it into the page, where it
// serves readers without script; the element (element.js) then brings it to life.
(() => {
const fo = (globalThis.fo ??= {});
fo.figures ??= {};

// Words for numbers: as HTML, and without tags.
function number(x, digits = 3) {
  if (!Number.isFinite(x)) return "∞";
  const size = Math.abs(x);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return fo.drawing.minus(Number(x.toPrecision(digits)));
  const [mantissa, power] = x.toExponential(1).split("e").map(Number);
  return `${mantissa === 1 ? "" : `${fo.drawing.minus(mantissa)} × `}10<sup>${fo.drawing.minus(power)}</sup>`;
}
const plainNumber = (x, digits) => number(x, digits).replace("<sup>", "^").replace("</sup>", "");

// What a control shows and says of its value, and where its slider stands: a logarithmic one holds the exponent.
const shown = (control, value) => (control.words ? control.words(value) : number(value, control.digits));
const spoken = (control, value) => shown(control, value).replace("<sup>", "^").replace("</sup>", "");
const position = (control, value) => (control.log ? Math.log10(value) : value);
const valueAt = (control, where) => {
  const value = control.log ? 10 ** where : where;
  return control.whole ? Math.round(value) : Number(value.toPrecision(6));
};

function slider(id, control, value) {
  const [min, max] = [control.min, control.max].map((end) => position(control, end));
  const step = control.log ? (max - min) / (control.parts ?? 100) : control.step;
  return `<div class="live-control"><label for="${id}">${control.label}</label>
<input type="range" id="${id}" name="${control.name}" min="${min}" max="${max}" step="${step}" value="${position(control, value)}" aria-valuetext="${spoken(control, value)}">
<output for="${id}" aria-live="off">${shown(control, value)}</output></div>`;
}

function controls(name, figure, state) {
  const sliders = figure.controls.map((control) => slider(`live-${name}-${control.name}`, control, state[control.name]));
  const buttons = figure.presets.map(([words], i) => `<button type="button" value="${i}">${words}</button>`);
  const reset = `<button type="button" value="reset">Reset</button>`;
  return `<div class="live-controls">${sliders.join("")}
<div class="live-presets" role="group" aria-label="Settings to try">${buttons.join("")}${reset}</div></div>`;
}

const readouts = (entries) => entries.map(([term, words]) => `<div><dt>${term}</dt><dd>${words}</dd></div>`).join("");

// The handle of a figure whose state has a start in the plane.
const startHandle = (x, y, keep = (start) => start) =>
  ({ label: "Start", x, y, at: (state) => state.start, move: (start) => ({ start: keep(start) }) });

// Where the handle stands on the first panel, in percent.
function place(figure, state, panel) {
  const [x, y] = figure.handle.at(state);
  const { width, height } = fo.drawing.SIZE;
  return `left:${((100 * panel.plot.X(x)) / width).toFixed(2)}%;top:${((100 * panel.plot.Y(y)) / height).toFixed(2)}%`;
}

function handle(figure, state, panel) {
  const [x] = figure.handle.at(state);
  const { label, x: ends } = figure.handle;
  return `<span class="live-handle" role="slider" tabindex="0" style="${place(figure, state, panel)}" aria-label="${label}; arrow keys move it" aria-valuemin="${ends[0]}" aria-valuemax="${ends[1]}" aria-valuenow="${x}" aria-valuetext="${where(figure, state)}"></span>`;
}

const where = (figure, state) => figure.handle.at(state).map((x) => plainNumber(x)).join(", ");

// A panel: what surrounds its frame, and in the frame, whose <svg> cuts off what leaves it, a group for each part.
function picture({ plot, outside, inside }, label) {
  const { width, height } = fo.drawing.SIZE;
  const [x, y, wide, high] = plot.box;
  const groups = inside.map((part) => `<g>${part}</g>`).join("");
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}"><g>${outside}</g><svg x="${x}" y="${y}" width="${wide}" height="${high}" viewBox="${x} ${y} ${wide} ${high}">${groups}</svg></svg>`;
}
const panels = (figure, state, shows, alt) => shows.map((panel, i) => {
  const label = i ? panel.plot.title.replace(/<[^>]*>/g, "") : alt;
  return `<div class="live-panel">${picture(panel, label)}${i || !figure.handle ? "" : handle(figure, state, panel)}</div>`;
}).join("");

// The whole figure at its first settings.
function page(name, alt) {
  const figure = fo.figures[name];
  const state = figure.initial;
  const show = figure.show(state);
  return `<fo-live figure="${name}" data-panels="${show.panels.length}"><div class="live-panels">${panels(figure, state, show.panels, alt)}</div>
${controls(name, figure, state)}<div class="live-words"><dl>${readouts(show.readouts)}</dl>
<p class="live-said" role="status">${show.said}</p></div></fo-live>`;
}

fo.markup = { number, plainNumber, shown, spoken, position, valueAt, readouts, startHandle, place, where, page };
})();
