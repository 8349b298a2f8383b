// What the page does by itself: sources beside the answer, sending, staying at the end of the conversation.
// All texts come from the page; nothing here is turned into markup.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const reduced = window.matchMedia("(prefers-reduced-motion: reduce)");
  let opener = null;

  // -- Sources

  function choose(turn) {
    const panel = byId("wz-panel");
    if (!panel) return;
    let past = false;
    for (const section of document.querySelectorAll("#wz-past-sources .wz-sources")) {
      const chosen = section.dataset.turn === String(turn);
      section.classList.toggle("wz-chosen", chosen);
      past = past || chosen;
    }
    panel.classList.toggle("wz-showing-past", past);
  }

  function raise(from) {
    opener = from;
    byId("wz-panel").classList.add("wz-raised");
  }

  function lower() {
    byId("wz-panel").classList.remove("wz-raised");
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
  }

  function show(reference) {
    choose(reference.dataset.turn);
    raise(reference);
    for (const old of document.querySelectorAll(".wz-target")) old.classList.remove("wz-target");
    for (const old of document.querySelectorAll(".wz-ref[aria-current]")) old.removeAttribute("aria-current");
    const source = byId(`wz-${reference.dataset.turn}-source-${reference.dataset.source}`);
    if (!source) return;
    reference.setAttribute("aria-current", "true");
    source.classList.add("wz-target");
    const scroller = byId("wz-panel-scroll");
    const mark = source.querySelector("mark");
    const box = scroller.getBoundingClientRect();
    const top = source.getBoundingClientRect().top - box.top;
    // The head of the source at the top, unless the marked sentence would then lie below the edge.
    const deep = mark ? mark.getBoundingClientRect().bottom - box.top - scroller.clientHeight + 24 : 0;
    scroller.scrollTo({
      top: scroller.scrollTop + Math.max(top - 12, deep),
      behavior: reduced.matches ? "auto" : "smooth",
    });
    source.focus({ preventScroll: true });
  }

  // -- The cited sentence at [n]

  const tip = document.createElement("div");
  tip.id = "wz-tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // the link's own label says the same

  function point(reference) {
    const title = document.createElement("b");
    title.textContent = reference.dataset.title;
    tip.replaceChildren(title, document.createTextNode(reference.dataset.quote));
    if (!tip.isConnected) document.body.append(tip);
    tip.hidden = false;
    tip.style.left = "0"; // measured where the window's edge does not narrow it
    const at = reference.getBoundingClientRect();
    const own = tip.getBoundingClientRect();
    const most = window.innerWidth - own.width - 16;
    const left = Math.max(16, Math.min(at.left + at.width / 2 - own.width / 2, most));
    const above = at.top - own.height - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 8}px`;
  }

  const reference = (event) => (event.target instanceof Element ? event.target.closest(".wz-ref") : null);
  document.addEventListener("mouseover", (event) => {
    const found = reference(event);
    if (found) point(found);
    else tip.hidden = true;
  });
  document.addEventListener("focusin", (event) => {
    const found = reference(event);
    if (found && found.matches(":focus-visible")) point(found);
    else tip.hidden = true;
  });
  document.addEventListener("scroll", () => { tip.hidden = true; }, true);

  // -- Asking

  function ask(question) {
    const box = document.querySelector("#wz-box textarea");
    const send = byId("wz-send");
    if (!box || !send) return;
    box.value = question;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    // Gradio takes the new value over in its next turn.
    window.setTimeout(() => send.click(), 50);
    box.focus({ preventScroll: true });
  }

  async function copy(button) {
    const text = button.dataset.copy;
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https a browser offers no clipboard, and offices often serve plain http.
      const area = document.createElement("textarea");
      area.value = text;
      area.style.position = "fixed";
      area.style.opacity = "0";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = button.dataset.done;
    window.setTimeout(() => { button.textContent = label; }, 1600);
  }

  // -- What the visitor thinks of an answer

  const drafts = new Map(); // what is being written about an answer, by its id: a new question draws the page anew
  const waits = new Map();
  let serial = "";

  const barOf = (element) => element.closest(".wz-feedback");
  const bars = () => [...document.querySelectorAll(".wz-feedback")];

  function say(bar, text, failed) {
    const said = bar.querySelector(".wz-said");
    said.textContent = text;
    said.classList.toggle("wz-failed", failed);
  }

  function rate(bar, verdict, more) {
    const answer = bar.dataset.answer;
    if (waits.has(answer)) return;
    say(bar, "", false);
    waits.set(answer, window.setTimeout(() => {
      waits.delete(answer);
      const now = bars().find((other) => other.dataset.answer === answer);
      if (now) say(now, now.dataset.lost, true);
    }, 12000));
    document.dispatchEvent(new CustomEvent("wz-rate", { detail: { answer, verdict, ...more } }));
  }

  function press(button) {
    const pressed = button.getAttribute("aria-pressed") === "true";
    rate(barOf(button), pressed ? "none" : button.dataset.rate, {});
  }

  function written(form) {
    const data = new FormData(form);
    return Object.fromEntries(["reason", "comment", "better"].map((name) => [name, data.get(name) || ""]));
  }

  function open(bar, draft) {
    const form = bar.querySelector(".wz-form");
    if (draft) {
      for (const choice of form.querySelectorAll("[name=reason]")) choice.checked = choice.value === draft.reason;
      form.elements.comment.value = draft.comment;
      form.elements.better.value = draft.better;
    }
    form.hidden = false;
    if (!draft) form.scrollIntoView({ block: "nearest", behavior: reduced.matches ? "auto" : "smooth" });
  }

  function shut(bar) {
    const form = bar.querySelector(".wz-form");
    const within = form.contains(document.activeElement);
    drafts.delete(bar.dataset.answer);
    form.hidden = true;
    form.reset();
    if (within) bar.querySelector('[data-rate="down"]').focus({ preventScroll: true });
  }

  // The service has stored it, or said why not.
  function judged() {
    const result = document.querySelector("#wz-rated [data-answer]");
    // Gradio may draw the same outcome more than once.
    if (!result || result.dataset.serial === serial) return;
    serial = result.dataset.serial;
    const answer = result.dataset.answer;
    window.clearTimeout(waits.get(answer));
    waits.delete(answer);
    const bar = bars().find((other) => other.dataset.answer === answer);
    if (!bar) return;
    const verdict = result.dataset.verdict;
    say(bar, result.textContent, verdict === undefined);
    if (verdict === undefined) return;
    const before = bar.querySelector('[data-rate="down"]').getAttribute("aria-pressed") === "true";
    for (const button of bar.querySelectorAll(".wz-thumb")) {
      button.setAttribute("aria-pressed", String(button.dataset.rate === verdict));
    }
    if (verdict === "down" && !before) open(bar, null);
    else shut(bar);
  }

  function redraft() {
    for (const bar of bars()) {
      const draft = drafts.get(bar.dataset.answer);
      if (draft && bar.querySelector(".wz-form").hidden) open(bar, draft);
    }
  }

  document.addEventListener("input", (event) => {
    const form = event.target instanceof Element ? event.target.closest(".wz-form") : null;
    if (form) drafts.set(barOf(form).dataset.answer, written(form));
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches(".wz-filter-form")) event.preventDefault();
    if (!event.target.matches(".wz-form")) return;
    event.preventDefault();
    rate(barOf(event.target), "down", written(event.target));
  });

  // -- Filters

  let settling = 0;

  const send = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

  function narrow(form) {
    const data = new FormData(form);
    send("wz-narrow", Object.fromEntries(["body", "since", "until", "collection"].map((name) => [name, data.get(name) || ""])));
  }

  // The form shows what the service says is set: also after a filter was removed or a new conversation begun.
  function chosen() {
    const set = document.querySelector("#wz-chosen [data-body]");
    const form = document.querySelector(".wz-filter-form");
    if (!set || !form) return;
    for (const name of ["body", "since", "until", "collection"]) {
      const field = form.elements[name];
      if (field && field.value !== set.dataset[name]) field.value = set.dataset[name];
    }
  }

  function drop(button) {
    send("wz-narrow", { drop: button.dataset.drop });
    document.querySelector("#wz-box textarea").focus({ preventScroll: true });
  }

  function refine(button) {
    send("wz-refine", { answer: button.dataset.answer, part: button.dataset.refine });
    document.querySelector("#wz-box textarea").focus({ preventScroll: true });
  }

  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element ? event.target.closest(".wz-filter-form") : null;
    if (!form) return;
    // A date that is typed is another one at each key.
    window.clearTimeout(settling);
    settling = window.setTimeout(() => { if (form.isConnected) narrow(form); }, event.target.type === "date" ? 600 : 0);
  });

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const found = reference(event);
    if (found) {
      // Followed as a link it would leave the page's address behind, and with it the session.
      event.preventDefault();
      tip.hidden = true;
      show(found);
      return;
    }
    const button = event.target.closest("[data-ask], [data-copy], [data-rate], [data-drop], [data-refine], [data-action]");
    if (!button) return;
    if (button.dataset.ask !== undefined) ask(button.dataset.ask);
    else if (button.dataset.copy !== undefined) copy(button);
    else if (button.dataset.rate !== undefined) press(button);
    else if (button.dataset.drop !== undefined) drop(button);
    else if (button.dataset.refine !== undefined) refine(button);
    else if (button.dataset.action === "cancel") shut(barOf(button));
    else if (button.dataset.action === "sources") { choose(button.dataset.turn); raise(button); }
    else if (button.dataset.action === "latest") choose(null);
    else if (button.dataset.action === "close") lower();
    else if (button.dataset.action === "reload") window.location.reload();
  });

  // Enter that ends the choice of a Chinese word in the input method is not Enter that sends. Gradio sends at
  // "keypress"; some browsers report the end of the composition before the key, with key code 229.
  let composing = false;
  document.addEventListener("keydown", (event) => {
    composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Escape" && !composing) {
      tip.hidden = true;
      lower();
    }
  }, true);
  document.addEventListener("keypress", (event) => {
    if (event.key === "Enter" && (composing || event.isComposing)) event.stopImmediatePropagation();
  }, true);

  // -- At the end of the conversation, unless the reader has gone up

  let following = true;
  let turn = null;

  function attend(scroller) {
    scroller.addEventListener("scroll", () => {
      following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
    }, { passive: true });
    new MutationObserver(() => {
      const live = document.querySelector("#wz-live .wz-exchange");
      const now = live ? live.dataset.turn : null;
      if (now !== turn) {
        turn = now;
        following = true;
        choose(null);
        byId("wz-panel").classList.remove("wz-raised");
        byId("wz-panel-scroll").scrollTop = 0;
      }
      redraft();
      if (following) scroller.scrollTop = now ? scroller.scrollHeight : 0;
    }).observe(scroller, { childList: true, subtree: true, characterData: true });
  }

  // -- Whether the service is still there, and still the one that knows this conversation

  let service = null;
  let later = 0;

  async function look() {
    window.clearTimeout(later);
    let state = "";
    if (!document.hidden) {
      try {
        const answer = await fetch("gradio_api/app_id", { cache: "no-store" });
        const now = (await answer.json()).app_id;
        if (service === null) service = now;
        state = now === service ? "" : "restarted";
      } catch {
        state = "lost";
      }
      document.documentElement.dataset.wzService = state;
    }
    window.clearTimeout(later);
    later = window.setTimeout(look, state === "lost" ? 3000 : 15000);
  }

  window.addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);

  function name(id, role, label) {
    const element = byId(id);
    element.setAttribute("role", role);
    if (label) element.setAttribute("aria-labelledby", label);
  }

  const waiting = new MutationObserver(() => {
    const scroller = byId("wz-scroll");
    if (!scroller || !byId("wz-panel-scroll") || !byId("wz-rated") || !byId("wz-chosen")) return;
    waiting.disconnect();
    name("wz-header", "banner");
    name("wz-chat", "main");
    name("wz-panel", "complementary", "wz-sources-title");
    // What can be scrolled must be reachable by keyboard.
    scroller.tabIndex = 0;
    byId("wz-panel-scroll").tabIndex = 0;
    attend(scroller);
    new MutationObserver(judged).observe(byId("wz-rated"), { childList: true, subtree: true });
    new MutationObserver(chosen).observe(byId("wz-chosen"), { childList: true, subtree: true, attributes: true });
    look();
  });
  waiting.observe(document.documentElement, { childList: true, subtree: true });
})();
