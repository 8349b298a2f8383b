// The documents' tab: uploads, the queue, the list, what is known of one document; and the choice of tab and language.
// Markup comes from the service, which escapes it; what is made here is made of text alone.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const BASE = "wenzheng/library/";
  const OWN = { "x-wenzheng": "1" };
  let root = null; // the tab's frame, once it is there
  let words = {};
  let revision = "";
  let finished = -1;
  let shown = 0;
  let timer = 0;
  let typing = 0;
  let listing = 0;
  let opener = null;
  const picked = new Set();

  const one = (selector) => root.querySelector(selector);
  const isOpen = () => document.documentElement.dataset.wzTab === "documents";

  function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === "class") made.className = value;
      else if (key.startsWith("data-") || key.startsWith("aria-")) made.setAttribute(key, value);
      else made[key] = value;
    }
    made.append(...children);
    return made;
  }

  // -- Talking to the service

  async function reason(answer) {
    try { return (await answer.json()).problem || String(answer.status); } catch { return String(answer.status); }
  }

  async function get(path) {
    try {
      const answer = await fetch(BASE + path, { cache: "no-store" });
      if (answer.ok) return { answer, text: answer.status === 204 ? "" : await answer.text() };
      return { problem: await reason(answer) };
    } catch { return { problem: words.offline || byId("wz-view-words")?.dataset.offline || "" }; }
  }

  async function post(path, given) {
    try {
      const answer = await fetch(BASE + path, {
        method: "POST", headers: { ...OWN, "content-type": "application/json" }, body: JSON.stringify(given),
      });
      return answer.ok ? await answer.json() : { problem: await reason(answer) };
    } catch { return { problem: words.offline }; }
  }

  function say(text, failed = false) {
    const said = one(".wz-docs-said");
    said.textContent = text;
    said.classList.toggle("wz-failed", failed);
  }

  // -- The list

  const query = () => new URLSearchParams(new FormData(one(".wz-docs-filter")));

  async function list() {
    const asked = query();
    if (shown) asked.set("shown", String(shown));
    const turn = ++listing;
    const { text, problem } = await get(`list?${asked}`);
    if (turn !== listing) return; // another one has been asked for meanwhile
    const table = one(".wz-docs-table");
    if (problem !== undefined) {
      const again = element("button", { type: "button", class: "wz-small", textContent: words.retry });
      again.addEventListener("click", list);
      table.replaceChildren(element("p", { class: "wz-placeholder wz-failed", textContent: problem }), again);
      return;
    }
    const held = table.scrollTop;
    table.innerHTML = text;
    table.scrollTop = held;
    for (const options of table.querySelectorAll("template[data-options]")) {
      const control = one(`.wz-docs-filter [name=${options.dataset.options}]`);
      control.replaceChildren(options.content.cloneNode(true));
      control.closest("label").hidden = control.options.length < 2;
      if (options.dataset.options === "collection") {
        byId("wz-collections").replaceChildren(...[...control.options]
          .filter((option) => option.value && option.value !== "-")
          .map((option) => element("option", { value: option.value })));
      }
      options.remove();
    }
    for (const box of table.querySelectorAll(".wz-pick")) box.checked = picked.has(box.closest("tr").dataset.id);
    select();
  }

  function select() {
    const bulk = one(".wz-bulk");
    bulk.hidden = picked.size === 0;
    one(".wz-bulk-count").textContent = words.selected.replace("{count}", picked.size);
    one(".wz-confirm").hidden = true;
    const boxes = [...root.querySelectorAll(".wz-pick")];
    const all = one(".wz-pick-all");
    if (all) {
      all.checked = boxes.length > 0 && boxes.every((box) => box.checked);
      all.indeterminate = !all.checked && boxes.some((box) => box.checked);
    }
  }

  // -- One document

  async function open(id, from) {
    const aside = one(".wz-docs-detail");
    if (from) opener = from;
    aside.hidden = false;
    aside.dataset.id = id;
    root.classList.add("wz-detailed");
    const late = window.setTimeout(() => {
      aside.replaceChildren(element("p", { class: "wz-placeholder", textContent: words.loading }));
    }, 200);
    const { text, problem } = await get(`detail?id=${encodeURIComponent(id)}`);
    window.clearTimeout(late);
    if (aside.dataset.id !== id) return;
    if (problem !== undefined) {
      const again = element("button", { type: "button", class: "wz-small", textContent: words.retry });
      again.addEventListener("click", () => open(id));
      const close = element("button", { type: "button", class: "wz-small", "data-docs": "close", textContent: words.dismiss });
      aside.replaceChildren(element("p", { class: "wz-placeholder wz-failed", textContent: problem }), again, close);
      return;
    }
    aside.innerHTML = text;
    aside.scrollTop = 0;
    aside.focus({ preventScroll: true });
  }

  function shut() {
    const aside = one(".wz-docs-detail");
    if (aside.hidden) return;
    const id = aside.dataset.id;
    aside.hidden = true;
    aside.dataset.id = "";
    aside.replaceChildren();
    root.classList.remove("wz-detailed");
    const row = [...root.querySelectorAll("tr[data-id]")].find((found) => found.dataset.id === id);
    const back = opener && opener.isConnected ? opener : row && row.querySelector(".wz-docs-open");
    if (back) back.focus({ preventScroll: true });
    opener = null;
  }

  function confirm(button) {
    const confirmed = one(".wz-confirm");
    if (button.dataset.id) {
      picked.clear();
      picked.add(button.dataset.id);
      for (const box of root.querySelectorAll(".wz-pick")) box.checked = picked.has(box.closest("tr").dataset.id);
      select();
      if (window.matchMedia("(max-width: 1400px)").matches) shut();
    }
    confirmed.querySelector("p").textContent = words.deleteAsk.replace("{count}", picked.size);
    confirmed.hidden = false;
    confirmed.scrollIntoView({ block: "nearest" });
    confirmed.querySelector("[data-docs=keep]").focus();
  }

  async function remove() {
    const ids = [...picked];
    one(".wz-confirm").hidden = true;
    say(words.deleteWaits);
    const { deleted, problem } = await post("delete", { ids });
    if (problem !== undefined) { say(problem, true); return; }
    if (picked.has(one(".wz-docs-detail").dataset.id)) shut();
    picked.clear();
    select();
    say(words.deleted.replace("{count}", deleted));
    one(".wz-docs-filter [name=query]").focus({ preventScroll: true });
    list();
  }

  async function collect(ids, name) {
    const { problem } = await post("collect", { ids, name });
    say(problem === undefined ? words.moveDone : problem, problem !== undefined);
    if (problem === undefined) list();
  }

  // -- Uploads

  let sending = 0;
  let settled = null; // what to do with further files of a name that is known
  const line = [];

  function tell(entry, text, failed = false) {
    entry.told.textContent = text;
    entry.told.classList.toggle("wz-failed", failed);
  }

  function enqueue(files, options = {}) {
    const into = one("[name=into]").value;
    for (const file of files) {
      const told = element("p", { class: "wz-queue-told" });
      const bar = element("progress", { max: 100, value: 0, "aria-label": file.name });
      const item = element("li", { class: "wz-queue-item" }, element("p", { class: "wz-queue-name", textContent: file.name }), told, bar);
      const entry = { file, into, told, bar, item, conflict: options.conflict || "ask", name: options.name || file.name };
      tell(entry, words.uploading.replace("{percent}", "0"));
      one(".wz-sending").append(item);
      line.push(entry);
    }
    pump();
  }

  function pump() {
    // One after the other, so that files come in the order in which they were given.
    if (sending || !line.length) { if (!sending) settled = null; return; }
    send(line.shift());
  }

  function fail(entry, text) {
    entry.bar.remove();
    tell(entry, words.uploadFailed.replace("{reason}", text), true);
    const again = element("button", { type: "button", class: "wz-small", textContent: words.retry });
    again.addEventListener("click", () => { entry.item.remove(); enqueue([entry.file], { conflict: entry.conflict, name: entry.name }); });
    const gone = element("button", { type: "button", class: "wz-small", textContent: words.dismiss });
    gone.addEventListener("click", () => entry.item.remove());
    entry.item.append(element("p", { class: "wz-actions" }, again, gone));
  }

  function send(entry) {
    if (entry.file.size > Number(root.dataset.limit) * 1e6) {
      fail(entry, words.uploadLarge.replace("{limit}", root.dataset.limit));
      pump();
      return;
    }
    sending += 1;
    const request = new XMLHttpRequest();
    const asked = new URLSearchParams({ name: entry.name, conflict: entry.conflict, collection: entry.into });
    request.open("POST", `${BASE}upload?${asked}`);
    request.setRequestHeader("x-wenzheng", "1");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.round((100 * event.loaded) / event.total);
      entry.bar.value = percent;
      tell(entry, words.uploading.replace("{percent}", percent));
    });
    const end = () => { sending -= 1; pump(); };
    request.addEventListener("error", () => { fail(entry, words.offline); end(); });
    request.addEventListener("load", () => {
      let given = {};
      try { given = JSON.parse(request.responseText); } catch { /* told below by its status */ }
      if (request.status === 200 && given.exists) choose(entry, given.exists);
      else if (request.status === 200) { entry.item.remove(); poll(); }
      else fail(entry, given.problem || String(request.status));
      end();
    });
    request.send(entry.file);
  }

  function choose(entry, name) {
    if (settled) { settle(entry, settled); return; }
    entry.bar.remove();
    tell(entry, words.exists.replace("{name}", name));
    const all = element("input", { type: "checkbox" });
    const buttons = ["replace", "both", "skip"].map((answer) => {
      const label = words[`exists${answer[0].toUpperCase()}${answer.slice(1)}`];
      const button = element("button", { type: "button", class: "wz-small", textContent: label, "aria-label": `${label}: ${name}` });
      button.addEventListener("click", () => {
        if (all.checked) {
          settled = answer;
          for (const other of [...one(".wz-sending").querySelectorAll(".wz-asking")]) if (other !== entry.item) other.settle(answer);
        }
        settle(entry, answer);
      });
      return button;
    });
    entry.item.classList.add("wz-asking");
    entry.item.settle = (answer) => settle(entry, answer);
    entry.item.append(element("p", { class: "wz-actions" }, ...buttons),
      element("label", { class: "wz-soft" }, all, document.createTextNode(` ${words.existsAll}`)));
  }

  function settle(entry, answer) {
    entry.item.remove();
    if (answer !== "skip") enqueue([entry.file], { conflict: answer, name: entry.name });
  }

  async function within(entry) {
    if (entry.isFile) return new Promise((done) => entry.file((file) => done([file]), () => done([])));
    if (!entry.isDirectory) return [];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((done) => reader.readEntries(done, () => done([])));
      if (!some.length) return found;
      for (const inner of some) found.push(...await within(inner));
    }
  }

  async function drop(event) {
    event.preventDefault();
    root.classList.remove("wz-over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    const files = entries.length ? (await Promise.all(entries.map(within))).flat() : [...event.dataTransfer.files];
    // What a folder holds beside documents: the system's own files.
    enqueue(files.filter((file) => !/^(\.|~\$|Thumbs\.db$|desktop\.ini$)/.test(file.name)));
  }

  function replaceWith(input) {
    const name = input.dataset.replaces;
    const [file] = input.files;
    if (!file) return;
    const suffix = (text) => (text.match(/\.[^.]+$/) || [""])[0].toLowerCase();
    if (suffix(name) !== suffix(file.name)) say(words.detailReplaceKind.replace("{suffix}", suffix(name)), true);
    else enqueue([file], { conflict: "replace", name });
    input.value = "";
  }

  // -- The queue

  async function poll() {
    window.clearTimeout(timer);
    if (!root) return;
    let wait = 10000;
    if (isOpen() && !document.hidden) {
      const { answer, text, problem } = await get(`queue?revision=${revision}`);
      if (problem !== undefined) wait = 4000;
      else if (answer.status === 204) wait = root.dataset.active > 0 ? 1000 : 3000;
      else {
        revision = answer.headers.get("x-revision");
        root.dataset.active = answer.headers.get("x-active");
        const done = answer.headers.get("x-done");
        const queue = one(".wz-queue");
        const focused = queue.contains(document.activeElement) && document.activeElement.dataset;
        queue.innerHTML = text;
        if (focused && focused.queue) {
          const same = queue.querySelector(`[data-queue="${focused.queue}"]${focused.id ? `[data-id="${focused.id}"]` : ""}`);
          if (same) same.focus({ preventScroll: true });
        }
        if (done !== finished) { finished = done; list(); }
        wait = root.dataset.active > 0 ? 1000 : 3000;
      }
    }
    window.clearTimeout(timer);
    timer = window.setTimeout(poll, wait);
  }

  // -- Joining it to the page

  async function build() {
    const place = byId("wz-documents-place");
    if (!place || root) return;
    const { text, problem } = await get("frame");
    if (root) return;
    const holder = byId("wz-documents");
    for (const old of holder.querySelectorAll(".wz-docs, .wz-docs-failed")) old.remove();
    if (problem !== undefined) {
      const again = element("button", { type: "button", class: "wz-small", textContent: byId("wz-view-words")?.dataset.retry || "" });
      again.addEventListener("click", build);
      holder.append(element("div", { class: "wz-docs-failed" }, element("p", { textContent: problem }), again));
      return;
    }
    holder.insertAdjacentHTML("beforeend", text);
    root = holder.querySelector(".wz-docs");
    words = root.dataset;
    join();
    list();
    poll();
  }

  function show(tab, remember = true) {
    document.documentElement.dataset.wzTab = tab;
    for (const button of document.querySelectorAll("[data-tab]")) {
      if (button.dataset.tab === tab) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    if (remember) {
      try { window.sessionStorage.setItem("wz-tab", tab); } catch { /* then it is not remembered */ }
    }
    if (tab === "documents") { if (root) { list(); poll(); } else build(); }
  }

  function act(button) {
    const action = button.dataset.docs;
    const row = button.closest("tr");
    if (action === "open") open(row.dataset.id, button);
    else if (action === "close") shut();
    else if (action === "more") { shown = (shown || 100) + 100; list(); }
    else if (action === "deleting") confirm(button);
    else if (action === "keep") { one(".wz-confirm").hidden = true; one(".wz-bulk [data-docs=deleting]").focus(); }
    else if (action === "delete") remove();
    else if (action === "text") document.dispatchEvent(new CustomEvent("wz-view", { detail: { id: button.dataset.id, from: button } }));
    else if (action === "restore") {
      post("restore", { id: button.dataset.id, version: button.dataset.version }).then(({ problem }) => {
        if (problem !== undefined) say(problem, true);
        shut();
        poll();
      });
    }
  }

  function join() {
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-docs]");
      if (button) { act(button); return; }
      const queued = event.target.closest("[data-queue]");
      if (queued) post("queue", { action: queued.dataset.queue, id: queued.dataset.id || "" }).then(poll);
    });
    root.addEventListener("change", (event) => {
      const target = event.target;
      if (target.matches(".wz-pick")) {
        const id = target.closest("tr").dataset.id;
        if (target.checked) picked.add(id); else picked.delete(id);
        select();
      } else if (target.matches(".wz-pick-all")) {
        for (const box of root.querySelectorAll(".wz-pick")) {
          box.checked = target.checked;
          const id = box.closest("tr").dataset.id;
          if (target.checked) picked.add(id); else picked.delete(id);
        }
        select();
      } else if (target.matches("[data-replaces]")) replaceWith(target);
      else if (target.matches("input[type=file]")) { enqueue([...target.files]); target.value = ""; }
      else if (target.closest(".wz-docs-filter") && target.name !== "query") { shown = 0; list(); }
    });
    const search = (event) => {
      if (event.target.name !== "query" || event.isComposing) return;
      window.clearTimeout(typing);
      typing = window.setTimeout(() => { shown = 0; list(); }, 250);
    };
    root.addEventListener("input", search);
    root.addEventListener("compositionend", search);
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      if (form.matches(".wz-move")) collect([...picked], form.elements.name.value);
      else if (form.matches(".wz-collect")) collect([form.dataset.id], form.elements.name.value);
      else if (form.matches(".wz-address")) {
        post("address", { url: form.elements.url.value, collection: one("[name=into]").value }).then(({ problem }) => {
          say(problem === undefined ? "" : problem, problem !== undefined);
          if (problem === undefined) form.reset();
          poll();
        });
      }
    });
    root.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      root.classList.add("wz-over");
    });
    root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) root.classList.remove("wz-over"); });
    root.addEventListener("drop", drop);
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      if (!one(".wz-confirm").hidden) act(one("[data-docs=keep]"));
      else shut();
    });
  }

  window.addEventListener("beforeunload", (event) => { if (sending || line.length) event.preventDefault(); });
  // Beside its place a dropped file would take the page's own place.
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      if (event.dataTransfer && [...event.dataTransfer.types].includes("Files") && !(root && root.contains(event.target))) event.preventDefault();
    });
  }
  document.addEventListener("visibilitychange", poll);
  document.addEventListener("click", (event) => {
    const tab = event.target instanceof Element && event.target.closest("[data-tab]");
    if (tab) show(tab.dataset.tab);
  });
  document.addEventListener("change", (event) => {
    if (!(event.target instanceof Element) || !event.target.matches(".wz-language")) return;
    document.cookie = `wenzheng_language=${event.target.value}; Path=/; Max-Age=34560000; SameSite=Lax`;
    window.location.reload();
  });

  const waiting = new MutationObserver(() => {
    if (!byId("wz-documents-place") || !document.querySelector(".wz-head-controls")) return;
    waiting.disconnect();
    byId("wz-documents").setAttribute("role", "main");
    let tab = "chat";
    try { tab = window.sessionStorage.getItem("wz-tab") || "chat"; } catch { /* the chat, then */ }
    if (document.querySelector(`[data-tab="${tab === "documents" ? tab : "chat"}"]`)) show(tab === "documents" ? tab : "chat", false);
  });
  waiting.observe(document.documentElement, { childList: true, subtree: true });
})();
