// Run the code of a chapter in the reader's browser. Python (Pyodide) is loaded when the first cell is run.
// Each cell has an empty <div class="fo-run"> from the build, which says in data-why it cannot run, if so.

(() => {
  const here = document.currentScript;
  const bars = [...document.querySelectorAll(".fo-run")];
  const cells = bars.map((bar, number) => ({ bar, number, why: bar.dataset.why, box: bar.closest("div.cell") }));
  const EDITING = "Tab indents, Escape leaves, Shift and Enter run.";
  const FROM_FILE =
    "Code cannot run on a page that was opened as a file. Run “make serve” in the folder of the book, and open the " +
    "address that it prints.";
  const PATIENT = 20; // seconds
  const SLOW = ". Python is slower here than on a machine of its own; some cells take minutes.";
  const STOPPED = "Stopped. What the cells had computed is lost; the next run starts Python again.";

  let worker = null;
  let running = null; // the cell that was asked for
  let clock = 0;
  const waiting = [];

  function element(tag, properties = {}, ...content) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...content);
    return made;
  }

  function say(cell, text, live = true) {
    (live ? cell.status : cell.detail).textContent = text;
    if (live) cell.detail.textContent = "";
  }

  // The code

  const original = (cell) => cell.bar.parentElement.querySelector("pre").textContent.replace(/\n$/, "");
  const source = (cell) => cell.editor?.value ?? original(cell);

  function fitHeight(area) {
    area.rows = area.value.split("\n").length;
  }

  function insert(area, text) {
    // execCommand keeps the browser's undo
    const inserted = document.execCommand("insertText", false, text);
    if (!inserted) area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  }

  function onKey(event, cell) {
    const area = cell.editor;
    if (event.key === "Enter" && (event.ctrlKey || event.shiftKey || event.metaKey)) {
      ask(cell);
    } else if (event.target !== area) {
      return;
    } else if (event.key === "Tab" && !event.shiftKey) {
      insert(area, "    ");
    } else if (event.key === "Enter" && !event.isComposing) {
      const line = area.value.slice(0, area.selectionStart).split("\n").pop();
      insert(area, `\n${line.match(/^ */)[0]}${line.trimEnd().endsWith(":") ? "    " : ""}`);
    } else if (event.key === "Escape") {
      cell.run.focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  function edit(cell) {
    const code = cell.bar.parentElement.querySelector("div.highlight");
    const area = element("textarea", { className: "fo-editor", value: original(cell), spellcheck: false, wrap: "off" });
    area.setAttribute("aria-label", `Code of cell ${cell.number + 1}`);
    area.setAttribute("aria-describedby", `fo-help-${cell.number}`);
    area.setAttribute("autocapitalize", "off");
    area.addEventListener("input", () => fitHeight(area));
    fitHeight(area);
    code.hidden = true;
    code.after(area);
    cell.editor = area;
    cell.edit.hidden = true;
    cell.reset.hidden = cell.help.hidden = false;
    area.focus();
    const dots = area.value.indexOf("...");
    area.setSelectionRange(Math.max(dots, 0), dots < 0 ? 0 : dots + 3); // where an answer goes
  }

  function reset(cell) {
    cell.editor.remove();
    cell.editor = null;
    cell.bar.parentElement.querySelector("div.highlight").hidden = false;
    cell.edit.hidden = false;
    cell.reset.hidden = cell.help.hidden = true;
    cell.output?.remove();
    say(cell, "");
    cell.edit.focus();
  }

  // What it prints and shows

  function clear(cell) {
    cell.output?.remove();
    const title = element("p", {}, "Run in your browser");
    cell.output = element("div", { className: "cell_output fo-ran", role: "group", hidden: true }, title);
    cell.output.setAttribute("aria-label", `Output of cell ${cell.number + 1}, run in your browser`);
    cell.box.append(cell.output);
  }

  function put(cell, kind, content) {
    const last = cell.output.lastElementChild;
    if (kind === "svg") {
      const figure = element("figure");
      figure.innerHTML = content;
      cell.output.append(figure);
    } else if (kind === "png") {
      const alt = "Figure drawn in your browser by the code above";
      cell.output.append(element("img", { src: `data:image/png;base64,${content}`, alt }));
    } else if (kind === last.dataset.kind) {
      last.append(content);
    } else {
      const text = element("pre", { className: `fo-${kind}` }, content);
      text.dataset.kind = kind;
      cell.output.append(text);
    }
    cell.output.hidden = false;
  }

  // Running

  const list = (numbers) => numbers.map((n) => n + 1).join(", ").replace(/, (\d+)$/, " and $1");
  const named = (numbers) => `cell${numbers.length > 1 ? "s" : ""} ${list(numbers)}`;

  function start() {
    const { pyodide, packages, archive, data } = here.dataset;
    const at = (path) => new URL(path, here.src).href;
    const script = at(`run_worker.js?${archive}`);
    worker = new Worker(script);
    worker.onmessage = ({ data: message }) => receive(message);
    worker.onerror = ({ message }) => fail(running, { address: message ? "" : script, reason: message });
    const files = data.split(" ").filter(Boolean).map((name) => at(`../run/${name}`));
    worker.postMessage({
      load: { pyodide: at(pyodide), packages: packages.split(" "), archive: at(`../run/${archive}`), data: files },
    });
  }

  function receive({ kind, content, number }) {
    const cell = running;
    const own = number === cell.number;
    if (kind === "loading") say(cell, `${(content / 1e6).toFixed(1)} MB`, false);
    else if (kind === "preparing") say(cell, "Starting Python…");
    else if (kind === "plan") cell.first = content.slice(0, -1);
    else if (kind === "start") begin(cell, number, own);
    else if (kind === "end") finish(cell.failed ? "Failed" : ranIn(cell));
    else if (kind === "broken") fail(cell, content);
    else if (own || kind === "error") {
      cell.failed ||= kind === "error";
      put(cell, kind, content);
    }
  }

  function begin(cell, number, own) {
    cell.since = performance.now();
    clearInterval(clock);
    clock = setInterval(() => tick(cell), 1000);
    say(cell, own ? "Running…" : `Running cell ${number + 1} first, as this one needs ${named(cell.first)}…`);
  }

  function tick(cell) {
    say(cell, `${seconds(cell).toFixed(0)} s${seconds(cell) > PATIENT ? SLOW : ""}`, false);
  }

  const seconds = (cell) => (performance.now() - cell.since) / 1000;

  function ranIn(cell) {
    return `Ran in ${seconds(cell).toFixed(1)} s${cell.first.length ? `, after ${named(cell.first)}` : ""}`;
  }

  function fail(cell, { address, reason }) {
    const cause = address ? `${address} cannot be reached` : reason;
    const advice = address ? "Running code needs this file, the rest of the page does not. Is there a connection?" : "";
    put(cell, "error", `Python does not run: ${cause}.\n${advice}\n`);
    halt("Failed");
  }

  function ask(cell) {
    if (cell === running || waiting.includes(cell) || !cell.run) return;
    waiting.push(cell);
    say(cell, "Waiting for the cell that is running…");
    if (!running) next();
  }

  function next() {
    const cell = (running = waiting.shift() ?? null);
    if (!cell) return;
    Object.assign(cell, { failed: false, first: [] });
    clear(cell);
    if (location.protocol === "file:") {
      put(cell, "error", FROM_FILE);
      finish("");
      return;
    }
    cell.stop.hidden = false;
    cell.bar.classList.add("fo-busy");
    say(cell, worker ? "Running…" : "Loading Python, once for this page…");
    if (!worker) start();
    worker.postMessage({ sources: cells.map(source), target: cell.number });
  }

  function finish(text) {
    clearInterval(clock);
    running.bar.classList.remove("fo-busy");
    if (document.activeElement === running.stop) running.run.focus();
    running.stop.hidden = true;
    say(running, text);
    dispatchEvent(new Event("resize")); // what scrolls sideways is to be reached by keyboard (repairs.js)
    next();
  }

  function halt(text) {
    worker.terminate();
    worker = null;
    finish(text);
  }

  function stop(cell) {
    put(cell, "error", STOPPED);
    halt("Stopped");
  }

  // The bar under each cell

  function button(text, label, action, hidden = false) {
    const made = element("button", { type: "button", hidden }, text);
    made.setAttribute("aria-label", label);
    made.addEventListener("click", action);
    return made;
  }

  function fill(cell) {
    const name = `cell ${cell.number + 1}`;
    cell.bar.append(element("span", { className: "fo-number" }, `Cell ${cell.number + 1}`));
    if (cell.why) {
      const colab = document.querySelector("a[href*='colab.research.google.com']")?.href;
      const link = colab ? element("a", { href: colab }, "run it in Colab") : "";
      cell.bar.append(element("span", {}, cell.why, colab ? ": " : "", link));
      return;
    }
    cell.run = button("Run", `Run ${name}`, () => ask(cell));
    cell.stop = button("Stop", `Stop ${name}`, () => stop(cell), true);
    cell.edit = button("Edit", `Edit ${name}`, () => edit(cell));
    cell.reset = button("Reset", `Reset ${name}`, () => reset(cell), true);
    cell.help = element("span", { className: "fo-help", id: `fo-help-${cell.number}`, hidden: true }, EDITING);
    cell.status = element("span", { className: "fo-status", role: "status" });
    cell.detail = element("span", { className: "fo-status" });
    cell.bar.append(cell.run, cell.stop, cell.edit, cell.reset, cell.help, cell.status, cell.detail);
    cell.box.addEventListener("keydown", (event) => onKey(event, cell));
  }

  cells.forEach(fill);
})();
