"use strict";
// Search and filters over the list of cases. Without this script the page shows every case in its group.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  document.documentElement.classList.add("scripted");
  const cases = [...document.querySelectorAll(".case")];
  const groups = [...document.querySelectorAll("section.group")];
  const tally = form.querySelector(".tally");
  const nothing = document.querySelector(".nothing");
  const search = form.elements.namedItem("search");
  const selects = ["loss", "type", "outcome"].map((name) => form.elements.namedItem(name)).filter(Boolean);
  let texts = null;

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) texts = cases.map((node) => node.textContent.toLowerCase());
    let shown = 0;
    cases.forEach((node, i) => {
      const keep =
        selects.every((select) => select.selectedIndex === 0 || node.dataset[select.name] === select.value) &&
        words.every((word) => texts[i].includes(word));
      node.hidden = !keep;
      if (keep) shown += 1;
    });
    for (const group of groups) group.hidden = !group.querySelector(".case:not([hidden])");
    tally.textContent = `${shown} / ${cases.length} ${tally.dataset.unit}`;
    nothing.hidden = shown > 0;
  };

  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 150);
  });
  for (const select of selects) select.addEventListener("change", apply);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  form.addEventListener("reset", () => setTimeout(apply, 0));
  for (const link of document.querySelectorAll("a[data-loss]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const loss = form.elements.namedItem("loss");
      loss.value = link.dataset.loss;
      apply();
      document.getElementById("cases").scrollIntoView();
      loss.focus({ preventScroll: true });
    });
  }
  apply();
})();
