// A document beside the chat, at the cited sentence. Its markup comes from the service, which escapes it.
(() => {
  "use strict";

  const roomy = window.matchMedia("(min-width: 1100px) and (hover: hover)");
  let opened = null; // what is shown: its place, what was asked, and what opened it

  function close(back = true) {
    if (!opened) return;
    const { view, from } = opened;
    opened = null;
    view.parentElement.classList.remove("wz-viewing");
    view.remove();
    if (back && from && from.isConnected) from.focus({ preventScroll: true });
  }

  function problem(view, text, again) {
    const said = document.createElement("p");
    said.className = "wz-placeholder";
    said.setAttribute("role", "alert");
    said.textContent = text;
    const actions = document.createElement("p");
    actions.className = "wz-actions";
    for (const [label, act] of [[words().retry, again], [words().back, () => close()]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "wz-small";
      button.textContent = label;
      button.addEventListener("click", act);
      actions.append(button);
    }
    view.replaceChildren(said, actions);
    view.querySelector("button").focus();
  }

  const words = () => document.querySelector("#wz-view-words")?.dataset || {};

  async function load(changes = {}, focus = true) {
    const now = opened;
    Object.assign(now.asked, changes);
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(now.asked)) if (name !== "id" && value) asked.set(name, value);
    const late = window.setTimeout(() => {
      const said = document.createElement("p");
      said.className = "wz-placeholder";
      said.setAttribute("role", "status");
      said.textContent = words().loading;
      now.view.replaceChildren(said);
    }, 200);
    let answer = null;
    let text = words().offline;
    try {
      answer = await fetch(`wenzheng/documents/${encodeURIComponent(now.asked.id)}/view?${asked}`, { cache: "no-store" });
      text = await answer.text();
    } catch { /* told below */ }
    window.clearTimeout(late);
    if (opened !== now) return;
    if (!answer || !answer.ok) { problem(now.view, text, () => load()); return; }
    now.view.innerHTML = text;
    const body = now.view.querySelector(".wz-view-text");
    const target = now.view.querySelector("#wz-view-target");
    if (target && !changes.around) {
      const top = target.getBoundingClientRect().top - body.getBoundingClientRect().top;
      body.scrollTop += top - Math.min(140, body.clientHeight / 3);
    }
    if (focus) body.focus({ preventScroll: true });
  }

  function open(place, asked, from) {
    close(false);
    const view = document.createElement("section");
    view.className = "wz-view";
    place.append(view);
    place.classList.add("wz-viewing");
    opened = { view, asked, from };
    load();
  }

  document.addEventListener("wz-view", (event) => {
    open(document.querySelector(".wz-docs-detail"), { id: event.detail.id }, event.detail.from);
  });

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const title = event.target.closest(".wz-open-document");
    if (title) {
      const { document: id, at, page, digest } = title.dataset;
      open(document.getElementById("wz-panel"), { id, at, page, digest }, title);
      return;
    }
    const reference = event.target.closest(".wz-ref");
    if (reference) {
      close(false);
      // Beside the chat there is room for the whole document; by touch, or on a sheet, the sentence comes first.
      const button = document.getElementById(`wz-${reference.dataset.turn}-source-${reference.dataset.source}`)?.querySelector(".wz-open-document");
      if (button && roomy.matches && document.querySelector("#wz-view-words")) {
        const { document: id, at, page, digest } = button.dataset;
        open(document.getElementById("wz-panel"), { id, at, page, digest }, reference);
      }
      return;
    }
    // Another place of the evidence is wanted, or another conversation.
    if (event.target.closest("[data-action=sources], [data-action=close], [data-history=open], #wz-fresh, [data-docs]:not([data-docs=text])")) close(false);
    const button = event.target.closest("[data-view]");
    if (!button || !opened) return;
    if (button.dataset.view === "back") close();
    else if (button.dataset.view === "script") load({ script: button.dataset.script });
    else if (button.dataset.view === "around") load({ around: button.dataset.around });
  });

  // Before what else Escape closes: the sheet in which the document lies.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !opened) return;
    event.stopImmediatePropagation();
    close();
  }, true);
})();
