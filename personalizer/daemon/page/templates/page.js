// Asks for the page again when something changed, and swaps the sections that differ. In an
// editor's panel the editor asks; in a browser the daemon tells by server-sent events.
"use strict";
(() => {
  const editor = typeof acquireVsCodeApi === "function" ? acquireVsCodeApi() : null;
  const said = document.getElementById("said");
  let quiet;

  function say(text) {
    said.textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => { said.textContent = ""; }, 8000);
  }

  /** What tells a control apart, so that the keyboard's place outlives a swap. */
  function nameOf(element) {
    return element.getAttribute("aria-label") || element.textContent.trim();
  }

  function take(html) {
    const next = new DOMParser().parseFromString(html, "text/html");
    const focused = document.activeElement?.closest("main") ? nameOf(document.activeElement) : null;
    const here = document.querySelector("main"), there = next.querySelector("main");
    for (const id of new Set([...here.children, ...there.children].map((one) => one.id))) {
      const old = [...here.children].find((one) => one.id === id);
      const fresh = [...there.children].find((one) => one.id === id);
      if (!fresh) {
        old.remove();
      } else if (!old) {
        here.insertBefore(fresh, here.lastElementChild);
      } else {
        for (const open of old.querySelectorAll("details[open]")) {
          fresh.querySelector(`#${open.id}`)?.setAttribute("open", "");
        }
        if (old.outerHTML !== fresh.outerHTML) old.replaceWith(fresh);
      }
    }
    if (focused && !document.activeElement?.closest("main")) {
      const again = [...document.querySelectorAll("main button, main summary, main [tabindex]")];
      again.find((one) => nameOf(one) === focused)?.focus();
    }
  }

  async function refresh() {
    const answer = await fetch("./");
    if (answer.ok) take(await answer.text());
  }

  async function act(what) {
    if (editor) {
      editor.postMessage(what);
      return;
    }
    const answer = await fetch("act", { method: "POST", body: JSON.stringify(what) });
    const told = await answer.json();
    say(answer.ok ? told.said : told.error.message);
    await refresh();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    button.disabled = true;
    act({ act: button.dataset.act, adapter: button.dataset.adapter ?? null })
      .catch(() => say("The daemon does not answer: run `personalizer status --web` again."))
      .finally(() => { button.disabled = false; });
  });

  if (editor) {
    addEventListener("message", ({ data }) => { if (typeof data.html === "string") take(data.html); });
  } else {
    const events = new EventSource("events");
    events.onmessage = () => void refresh();
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED) say("The daemon has ended this view.");
    };
  }
})();
