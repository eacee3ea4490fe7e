// Drawing of the live figures: pure functions that return SVG as text, in units of about a pixel.
(() => {
const fo = (globalThis.fo ??= {});
const FAR = 4000; // pixels: further out nothing can be seen, and browsers draw it badly
const SIZE = { width: 330, height: 250 };
const MARGIN = { left: 40, right: 14, top: 30, bottom: 34 };
const MAP_MARGIN = { left: 4, right: 4, top: 24, bottom: 8 };

const tidy = (x) => Math.round(Math.min(Math.max(x, -FAR), FAR) * 10) / 10;
const minus = (text) => String(text).replace("-", "−");

// Round numbers between two ends, about four of them.
function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.99);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// Powers of ten between two ends, at most five of them; a logarithmic axis has the exponents as its ends.
function powers(low, high) {
  const step = Math.max(1, Math.ceil((high - low) / 5));
  const first = Math.ceil(low / step - 1e-9) * step;
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, i) => first + i * step);
}

const text = (x, y, content, kind, anchor = "start") =>
  `<text x="${tidy(x)}" y="${tidy(y)}" class="${kind}" text-anchor="${anchor}">${content}</text>`;
const tickText = (value, log) =>
  log ? `10<tspan dy="-4" class="live-power">${minus(value)}</tspan>` : minus(value);

// From numbers to places in a panel, and back. `x` and `y` are [low, high], with logX or logY exponents of ten; a map has
// no axes around it; `square` gives both axes one scale.
function scales({ x, y, logX, logY, map, square }) {
  const { left, right, top, bottom } = map ? MAP_MARGIN : MARGIN;
  const [wide, high] = [SIZE.width - left - right, SIZE.height - top - bottom];
  const [across, up] = [wide / (x[1] - x[0]), high / (y[1] - y[0])];
  const [kx, ky] = square ? [Math.min(across, up), Math.min(across, up)] : [across, up];
  const [x0, y0] = [left + (wide - kx * (x[1] - x[0])) / 2, top + (high + ky * (y[1] - y[0])) / 2];
  const at = (value, log) => (log ? Math.log10(Math.max(value, 1e-300)) : value);
  return {
    X: (value) => tidy(x0 + kx * (at(value, logX) - x[0])),
    Y: (value) => tidy(y0 - ky * (at(value, logY) - y[0])),
    inverse: (px, py) => [x[0] + (px - x0) / kx, y[0] + (y0 - py) / ky],
    box: [left, top, wide, high],
  };
}

function axes({ X, Y, box: [left, top, wide, high] }, { x, y, logX, logY, xLabel }) {
  const below = top + high;
  const rows = (logY ? powers(...y) : ticks(...y)).map((value) => {
    const py = Y(logY ? 10 ** value : value);
    const words = text(left - 6, py + 4, tickText(value, logY), "live-tick", "end");
    return `<path d="M${left},${py}h${wide}" class="live-grid"/>${words}`;
  });
  const columns = (logX ? powers(...x) : ticks(...x)).map((value) => {
    const px = X(logX ? 10 ** value : value);
    const words = text(px, below + 16, tickText(value, logX), "live-tick", "middle");
    return `<path d="M${px},${below}v4" class="live-axis"/>${words}`;
  });
  const line = `<path d="M${left},${below}h${wide}" class="live-axis"/>`;
  return rows.join("") + line + columns.join("") + text(left + wide, below + 30, xLabel, "live-label", "end");
}

// An empty panel, with a title. Its `panel(parts)` tells what surrounds the frame from what is in it, part by part: a
// part that stays the same is not drawn again.
function plot(options) {
  const { title, map } = options;
  const self = { ...scales(options), title };
  const outside = text(map ? MAP_MARGIN.left : 2, 14, title, "live-title") + (map ? "" : axes(self, options));
  self.panel = (...inside) => ({ plot: self, outside, inside });
  return self;
}

// A curve through points; `k` names its colour and dashes in live.css.
const corners = (plotted, points) => points.map(([x, y]) => `${plotted.X(x)},${plotted.Y(y)}`).join("L");
const line = (plotted, points, k) =>
  (points.length > 1 ? `<path d="M${corners(plotted, points)}" class="live-line live-${k}"/>` : "");

function dots(plotted, points, k, radius = 2) {
  const d = points.map(([x, y]) => `M${plotted.X(x)},${plotted.Y(y)}h0`).join("");
  return `<path d="${d}" class="live-dots live-${k}" stroke-width="${2 * radius}"/>`;
}

const thin = (plotted, points, k) => line(plotted, points, k).replace("live-line", "live-line live-fine");
// The strip between two values on the x axis.
const band = (plotted, from, to) =>
  `<path d="M${plotted.X(from)},0V${SIZE.height}H${plotted.X(to)}V0z" class="live-band"/>`;
// The level set |v| <= sqrt(room(u)) for u between two ends, a closed shape for each stretch of u that has room. With
// `upright` u is the second coordinate.
function level(plotted, room, [from, to], upright = false) {
  const parts = 72;
  const stretches = [];
  let last = null;
  for (let i = 0; i <= parts; i++) {
    const u = from + ((to - from) * i) / parts;
    const now = { u, room: room(u) };
    const turns = last !== null && last.room < 0 !== now.room < 0;
    const end = turns ? [(last.u * now.room - now.u * last.room) / (now.room - last.room), 0] : null;
    if (now.room >= 0 && (i === 0 || turns)) stretches.push(turns ? [end] : []);
    if (now.room >= 0) stretches.at(-1).push([u, Math.sqrt(now.room)]);
    else if (turns) stretches.at(-1).push(end);
    last = now;
  }
  return stretches.map((half) => {
    const around = [...half, ...half.map(([u, v]) => [u, -v]).reverse()];
    const points = around.map(([u, v]) => (upright ? [v, u] : [u, v]));
    return `<path d="M${corners(plotted, points)}z" class="live-level"/>`;
  }).join("");
}

const path = (plotted, points, k) => line(plotted, points, k) + dots(plotted, points, k);
const word = (plotted, x, y, content, anchor = "start", dx = 0, dy = 0) =>
  text(plotted.X(x) + dx, plotted.Y(y) + dy, content, "live-word", anchor);
const horizontal = (plotted, y, k) => `<path d="M0,${plotted.Y(y)}h${SIZE.width}" class="live-line live-${k}"/>`;
const vertical = (plotted, x, k) => `<path d="M${plotted.X(x)},0v${SIZE.height}" class="live-line live-${k}"/>`;

function star(plotted, [x, y]) {
  const corner = (i) => {
    const [angle, radius] = [(Math.PI * (i - 2.5)) / 5, i % 2 ? 2.8 : 6.5];
    return `${tidy(plotted.X(x) + radius * Math.cos(angle))},${tidy(plotted.Y(y) + radius * Math.sin(angle))}`;
  };
  return `<path d="M${Array.from({ length: 10 }, (_, i) => corner(i)).join("L")}z" class="live-star"/>`;
}

// Level sets of a quadratic with the minimizer at 0: ellipses, from the outermost in.
function bowl(plotted, curvatures, levels) {
  const [x, y] = [plotted.X(0), plotted.Y(0)];
  const shapes = levels.map((level) => {
    const [rx, ry] = curvatures.map((h) => Math.sqrt((2 * level) / h));
    return `<ellipse cx="${x}" cy="${y}" rx="${tidy(plotted.X(rx) - x)}" ry="${tidy(y - plotted.Y(ry))}" class="live-level"/>`;
  });
  return shapes.join("") + star(plotted, [0, 0]);
}

// Coordinate axes through the origin.
const axesThrough = (plotted) =>
  `<path d="M0,${plotted.Y(0)}h${SIZE.width}M${plotted.X(0)},0v${SIZE.height}" class="live-line live-thin"/>`;

// Keys: [kind, words] each, from a place in pixels down, on a plate that hides curves; for dots and for lines.
const plate = (entries, x, y) => {
  const wide = 32 + 6.5 * Math.max(...entries.map(([, words]) => words.length));
  return `<rect x="${x - 4}" y="${y - 9}" width="${wide}" height="${16 * entries.length + 2}" style="fill: var(--pst-color-background); opacity: .85"/>`;
};
const rows = (entries, x, y, row) =>
  plate(entries, x, y) + entries.map(([k, words], i) => row(k, y + 16 * i) + text(x + 26, y + 16 * i + 4, words, "live-word")).join("");
const key = (entries, x, y) =>
  rows(entries, x, y, (k, py) => `<path d="M${x + 16},${py}h0" class="live-dots live-${k}" stroke-width="8"/>`);
const legend = (entries, x, y) =>
  rows(entries, x, y, (k, py) => `<path d="M${x},${py}h20" class="live-line live-${k}"/>`);

fo.drawing = {
  SIZE, plot, line, thin, band, level, dots, path, word, horizontal, vertical, star, bowl, axesThrough, key, legend, ticks, powers, minus,
};
})();
