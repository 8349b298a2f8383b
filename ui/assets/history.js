// Conversations that were kept: the drawer with their list, and what can be done with the last question.
// All texts come from the page; nothing here is turned into markup.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const wide = window.matchMedia("(min-width: 1400px)");
  const KEY = "wz-history";
  let timer = 0;

  const query = () => document.querySelector(".wz-history-search input")?.value || "";
  const send = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
  const browse = (action, more = {}) => send("wz-history", { action, query: query(), ...more });
  const isOpen = () => document.documentElement.dataset.wzHistory === "open";

  function remembered() {
    try { return localStorage.getItem(KEY) === "open"; } catch { return false; }
  }

  function remember(open) {
    // Only where the drawer stands beside the chat: over it, it would hide the page at the next visit.
    if (!wide.matches) return;
    try { localStorage.setItem(KEY, open ? "open" : ""); } catch { /* without a store it starts closed */ }
  }

  function show(open, focus = true) {
    const within = byId("wz-history").contains(document.activeElement);
    document.documentElement.dataset.wzHistory = open ? "open" : "";
    byId("wz-history-toggle")?.setAttribute("aria-expanded", String(open));
    if (open) {
      browse("list");
      if (focus) document.querySelector(".wz-history-search input")?.focus({ preventScroll: true });
    } else if (within) {
      byId("wz-history-toggle")?.focus({ preventScroll: true });
    }
  }

  // One row at a time shows something else than itself.
  function fold(list, but = null) {
    for (const part of list.querySelectorAll(".wz-history-naming, .wz-history-deleting")) {
      if (part !== but) part.hidden = true;
    }
    for (const more of list.querySelectorAll(".wz-history-more[open]")) more.open = false;
  }

  function unfold(item, name) {
    const part = item.querySelector(name);
    fold(byId("wz-history-list"), part);
    part.hidden = false;
    const field = part.querySelector("input");
    if (field) { field.focus(); field.select(); }
    else part.querySelector("[data-history=cancel]").focus();
  }

  function act(button) {
    const action = button.dataset.history;
    const item = button.closest(".wz-history-item");
    if (action === "close") { remember(false); show(false); return; }
    if (!item) return;
    if (action === "open") {
      browse("open", { id: item.dataset.id });
      if (!wide.matches) show(false);
      document.querySelector("#wz-box textarea")?.focus({ preventScroll: true });
    } else if (action === "naming") unfold(item, ".wz-history-naming");
    else if (action === "deleting") unfold(item, ".wz-history-deleting");
    else if (action === "delete") {
      browse("delete", { id: item.dataset.id });
      document.querySelector(".wz-history-search input").focus();
    } else if (action === "cancel") {
      fold(byId("wz-history-list"));
      item.querySelector(".wz-history-more > summary").focus();
    }
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const target = event.target;
    for (const more of document.querySelectorAll(".wz-history-more[open]")) {
      if (!more.contains(target) || target.closest("a")) more.open = false;
    }
    if (target.closest("#wz-history-toggle")) {
      remember(!isOpen());
      show(!isOpen());
      return;
    }
    const history = target.closest("[data-history]");
    if (history) { act(history); return; }
    const last = target.closest("[data-last]");
    if (last) {
      send("wz-last", { action: last.dataset.last, answer: last.closest("[data-answer]").dataset.answer });
      if (last.dataset.last !== "again") document.querySelector("#wz-box textarea")?.focus({ preventScroll: true });
      return;
    }
    // Over the chat, the drawer gives way to a click beside it.
    if (isOpen() && !wide.matches && target.isConnected && !target.closest("#wz-history")) show(false);
  });

  document.addEventListener("submit", (event) => {
    if (event.target.matches(".wz-history-search")) event.preventDefault();
    if (!event.target.matches(".wz-history-naming")) return;
    event.preventDefault();
    const id = event.target.closest(".wz-history-item").dataset.id;
    browse("rename", { id, title: event.target.elements.title.value });
    document.querySelector(".wz-history-search input").focus({ preventScroll: true });
  });

  document.addEventListener("input", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest(".wz-history-search")) return;
    window.clearTimeout(timer);
    if (!event.isComposing) timer = window.setTimeout(() => browse("list"), 250);
  });
  document.addEventListener("compositionend", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest(".wz-history-search")) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => browse("list"), 250);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !isOpen()) return;
    const history = byId("wz-history");
    const busy = history.querySelector(".wz-history-naming:not([hidden]), .wz-history-deleting:not([hidden])");
    const more = history.querySelector(".wz-history-more[open]");
    if (busy || more) {
      const item = (busy || more).closest(".wz-history-item");
      fold(byId("wz-history-list"));
      item.querySelector(".wz-history-more > summary").focus();
    } else if (!wide.matches || history.contains(document.activeElement)) {
      remember(false);
      show(false);
    }
  });

  // A question has been answered, or another conversation is on the page: the list may have changed with it.
  function changed() {
    const busy = byId("wz-history-list").querySelector(
      ".wz-history-naming:not([hidden]), .wz-history-deleting:not([hidden]), .wz-history-more[open]");
    if (isOpen() && !busy) browse("list");
  }

  const waiting = new MutationObserver(() => {
    const history = byId("wz-history");
    if (!byId("wz-history-toggle") || !history || !byId("wz-last") || !byId("wz-history-title")) return;
    waiting.disconnect();
    history.setAttribute("role", "complementary");
    history.setAttribute("aria-labelledby", "wz-history-title");
    byId("wz-history-list").tabIndex = -1;
    const last = () => document.querySelector("#wz-last [data-answer]")?.dataset.answer;
    let answer = last();
    new MutationObserver(() => {
      // Gradio keeps a clock of its own in there, so that only the answer's name tells.
      const now = last();
      if (!now || now === answer) return;
      answer = now;
      changed();
    }).observe(byId("wz-last"), { childList: true, subtree: true });
    // What stood beside the chat would cover it.
    wide.addEventListener("change", () => { if (isOpen() && !wide.matches) show(false); });
    if (wide.matches && remembered()) show(true, false);
  });
  waiting.observe(document.documentElement, { childList: true, subtree: true });
})();
