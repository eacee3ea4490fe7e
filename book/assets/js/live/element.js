// <fo-live figure="...">: the controls of a live figure. What it shows is computed by the figure, without state.
(() => {
const { figures, drawing, markup } = globalThis.fo;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const PARTS = 60; // of the range of a handle: what an arrow key moves it by

class Live extends HTMLElement {
  connectedCallback() {
    // In a preview (tippy) the figure is a picture.
    if (this.figure || this.closest(".tippy-box")) return;
    this.figure = figures[this.getAttribute("figure")];
    this.inputs = [...this.querySelectorAll("input")];
    this.drawings = [...this.querySelectorAll(".live-panel > svg")];
    this.handle = this.querySelector(".live-handle");
    this.state = { ...this.figure.initial };
    this.written = new Map();
    this.addEventListener("input", (event) => this.slide(event.target));
    this.addEventListener("click", (event) => this.press(event.target.closest("button")));
    if (this.handle) this.listenToHandle();
    this.redraw(); // the browser may have kept the sliders of an earlier visit
  }

  // Change some of the settings; the figure follows with the next frame.
  set(changes) {
    this.state = { ...this.state, ...changes };
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.redraw();
    });
  }

  slide(input) {
    const control = this.controlOf(input);
    this.set({ [control.name]: markup.valueAt(control, Number(input.value)) });
  }

  press(button) {
    if (!button) return;
    const preset = this.figure.presets[button.value];
    this.set(preset ? preset[1](this.state) : this.figure.initial);
  }

  listenToHandle() {
    const { handle } = this;
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      handle.focus();
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.moveTo(this.dataAt(event));
    });
    handle.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow) return;
      event.preventDefault();
      const { x, y = [0, 0] } = this.figure.handle;
      const at = this.figure.handle.at(this.state);
      this.moveTo([at[0] + (arrow[0] * (x[1] - x[0])) / PARTS, at[1] + (arrow[1] * (y[1] - y[0])) / PARTS]);
    });
  }

  // The point of the first panel under the pointer, in the units of the figure.
  dataAt(event) {
    const box = this.drawings[0].getBoundingClientRect();
    const scale = drawing.SIZE.width / box.width;
    return this.plot.inverse((event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
  }

  moveTo(point) {
    const { x, y = [-Infinity, Infinity] } = this.figure.handle;
    const within = (value, [low, high]) => Number(Math.min(Math.max(value, low), high).toPrecision(4));
    this.set(this.figure.handle.move([within(point[0], x), within(point[1], y)]));
  }

  controlOf(input) {
    return this.figure.controls.find((control) => control.name === input.name);
  }

  redraw() {
    const show = this.figure.show(this.state);
    this.plot = show.panels[0].plot;
    show.panels.forEach(({ outside, inside }, i) => {
      const groups = this.drawings[i].querySelectorAll(":scope > g, :scope > svg > g");
      [outside, ...inside].forEach((part, k) => this.write(groups[k], part));
    });
    for (const input of this.inputs) this.showValue(input);
    if (this.handle) {
      this.handle.style.cssText = markup.place(this.figure, this.state, show.panels[0]);
      this.handle.setAttribute("aria-valuenow", this.figure.handle.at(this.state)[0]);
      this.handle.setAttribute("aria-valuetext", markup.where(this.figure, this.state));
    }
    this.querySelectorAll("dd").forEach((words, i) => this.write(words, show.readouts[i][1]));
    this.write(this.querySelector(".live-said"), show.said);
  }

  // Write only what has changed: to draw text again is slow, and to announce it again is a nuisance.
  write(element, content) {
    if (this.written.get(element) === content) return;
    element.innerHTML = content;
    this.written.set(element, content);
  }

  showValue(input) {
    const control = this.controlOf(input);
    const value = this.state[control.name];
    input.value = markup.position(control, value);
    input.setAttribute("aria-valuetext", markup.spoken(control, value));
    this.write(input.nextElementSibling, markup.shown(control, value));
  }
}

customElements.define("fo-live", Live);
})();
