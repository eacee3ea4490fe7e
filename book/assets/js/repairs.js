// Repairs to the theme's markup, for readers who use a keyboard or a screen reader.

// What overflows can be reached, and then scrolled, by keyboard; what does not overflow is no stop on the way.
const SCROLLERS = "pre, .pst-scrollable-table-container, .katex-html, figure:has(> svg.fo-svg)";
const LABELS = { PRE: "code", DIV: "table", FIGURE: "figure" };

function markScrollers() {
  for (const box of document.querySelectorAll(`.bd-article :is(${SCROLLERS})`)) {
    if (box.matches(".katex-html")) {
      // KaTeX hides this element from screen readers, so its parent takes the focus instead.
      toggleStop(box.closest("div.math"), box.scrollWidth > box.clientWidth, "formula");
    } else {
      toggleStop(box, box.scrollWidth > box.clientWidth, LABELS[box.tagName]);
    }
  }
}

function toggleStop(element, scrolls, label) {
  if (!element) return;
  if (scrolls) {
    element.tabIndex = 0;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", `${label}, scrolls sideways`);
  } else if (element.getAttribute("role") === "group") {
    for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
  }
}

// The theme's buttons carry a label and labelled icons: one name is enough, and it must match what is seen.
function repairTheme() {
  for (const button of document.querySelectorAll("button.search-button-field")) button.removeAttribute("aria-label");
  const home = document.querySelector("#pst-primary-sidebar .navbar-brand")?.closest(".sidebar-primary-item");
  home?.setAttribute("role", "navigation");
  home?.setAttribute("aria-label", "Home");
}

function openForPrint() {
  for (const box of document.querySelectorAll("details:not([open])")) box.open = true;
}

repairTheme();
markScrollers();
addEventListener("load", markScrollers);
addEventListener("resize", markScrollers);
addEventListener("beforeprint", openForPrint);
document.addEventListener("toggle", markScrollers, true); // an opened box shows new scrollers
document.addEventListener("change", markScrollers); // and so does another tab
