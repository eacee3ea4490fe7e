// Remember, in this browser only, which options of the quizzes were chosen; tick the chapters whose quizzes are solved.

(() => {
  const STORE = "fo-progress";
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href).pathname;
  const pageOf = (path) => path.slice(root.length).replace(/\.html$/, "");
  const here = pageOf(location.pathname);
  const quizzes = [...document.querySelectorAll(".fo-quiz")];

  function load() {
    try {
      return JSON.parse(localStorage.getItem(STORE)) ?? {};
    } catch {
      return {}; // storage is switched off, or what is in it is not ours
    }
  }

  function save(progress) {
    try {
      localStorage.setItem(STORE, JSON.stringify(progress));
    } catch {
      // storage is switched off: the quizzes work without memory
    }
  }

  const options = (quiz) => [...quiz.querySelectorAll(".fo-option")];
  const chosen = (quiz) => options(quiz).flatMap((option, k) => (option.classList.contains("fo-chosen") ? [k] : []));
  const solved = () => quizzes.filter((quiz) => quiz.querySelector(".fo-right.fo-chosen")).length;

  function tick(progress) {
    for (const link of document.querySelectorAll(".bd-links a")) {
      const page = progress[pageOf(new URL(link.href).pathname)];
      const done = Boolean(page) && page.solved === page.of;
      link.classList.toggle("fo-solved", done);
      if (done) link.title = "All questions answered";
      else link.removeAttribute("title");
    }
  }

  function show(line) {
    line.firstChild.textContent = `${solved()} of ${quizzes.length} questions answered. Kept in this browser only. `;
    line.hidden = !quizzes.some((quiz) => chosen(quiz).length);
  }

  function remember(line) {
    const progress = load();
    progress[here] = { chosen: quizzes.map(chosen), solved: solved(), of: quizzes.length };
    if (!progress[here].chosen.flat().length) delete progress[here];
    save(progress);
    show(line);
    tick(progress);
  }

  if (quizzes.length) {
    const line = document.createElement("p");
    const forget = document.createElement("button");
    line.className = "fo-progress";
    line.setAttribute("role", "status");
    forget.type = "button";
    forget.textContent = "Forget";
    line.append("", forget);
    quizzes.at(-1).after(line);

    (load()[here]?.chosen ?? []).forEach((ks, i) => {
      for (const k of ks) quizzes[i]?.querySelectorAll(".fo-choice")[k]?.click();
    });
    for (const quiz of quizzes) quiz.addEventListener("click", () => remember(line));
    forget.addEventListener("click", () => {
      for (const open of document.querySelectorAll(".fo-quiz .fo-chosen .fo-choice")) open.click();
      quizzes[0].querySelector(".fo-choice").focus();
    });
    show(line);
  }
  tick(load());
})();
