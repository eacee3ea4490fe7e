// Previews of what a link refers to. They and their library are loaded when the reader first points or tabs.

const here = document.currentScript;
const WAKING = ["pointermove", "pointerdown", "focusin"];

function load(name) {
  const script = document.createElement("script");
  script.src = new URL(`../tippy/${name}`, here.src);
  document.head.append(script);
  return new Promise((loaded) => script.addEventListener("load", loaded));
}

async function wake() {
  for (const event of WAKING) removeEventListener(event, wake);
  for (const name of ["popper.min.js", "tippy-bundle.umd.min.js", here.dataset.previews]) await load(name);
  // The link that is pointed at meanwhile has missed the event that shows its preview.
  document.querySelector("article a:hover")?.dispatchEvent(new MouseEvent("mouseenter"));
  document.querySelector("article a:focus")?.dispatchEvent(new FocusEvent("focus"));
}

for (const event of WAKING) addEventListener(event, wake);
