// Turn the options of each quiz into buttons that open their explanations.
for (const quiz of document.querySelectorAll(".fo-quiz")) {
  quiz.querySelectorAll(".fo-option").forEach((option) => {
    const right = option.classList.contains("fo-right");
    const text = option.querySelector(".fo-text");
    const why = option.querySelector(".fo-why");
    const button = document.createElement("button");
    const label = document.createElement("span");
    const verdict = document.createElement("span");

    button.type = "button";
    button.className = "fo-choice";
    button.setAttribute("aria-expanded", "false");
    for (const paragraph of text.querySelectorAll("p")) label.append(...paragraph.childNodes);
    button.append(label);
    // A button with nothing but a formula in it has no name for a screen reader: give it the formula's source.
    const plain = label.cloneNode(true);
    plain.querySelectorAll(".katex").forEach((formula) => formula.remove());
    if (!plain.textContent.trim()) {
      const sources = [...label.querySelectorAll("annotation")].map((source) => source.textContent);
      button.setAttribute("aria-label", sources.join(" "));
    }
    text.replaceChildren(button);

    verdict.className = "fo-verdict";
    verdict.textContent = right ? "Right." : "Not quite.";
    (why.querySelector("p") ?? why).prepend(verdict, " ");

    button.addEventListener("click", () => {
      const open = option.classList.toggle("fo-chosen");
      button.setAttribute("aria-expanded", String(open));
    });
  });
  quiz.classList.add("fo-ready");
}
