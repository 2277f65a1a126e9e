// Keeps the parts of a page that are marked as live up to date: the page is fetched again, and
// what has changed in it takes the place of what is shown. Without this script every page works,
// and shows how things were when it was opened.
"use strict";

(() => {
  const filters = document.querySelector("[data-filters]");
  if (filters) {
    filters.addEventListener("change", (event) => {
      if (event.target.tagName !== "SELECT") return;
      if (event.target.name === "flow") filters.elements.step.value = "";
      filters.requestSubmit();
    });
    const differs = (select) => {
      const shown = [...select.options].find((option) => option.defaultSelected) ?? select.options[0];
      return select.selectedOptions[0] !== shown;
    };
    // chosen while this script was on its way
    if ([...filters.querySelectorAll("select")].some(differs)) filters.requestSubmit();
  }

  const seconds = Number(document.body.dataset.refresh);
  if (!seconds) return;
  const clock = document.querySelector("[data-clock]");
  let late = 0;

  function tell(text, stale) {
    if (!clock) return;
    clock.textContent = text;
    clock.classList.toggle("stale", stale);
  }

  function isBusy(part) {
    const selected = document.getSelection();
    const within = (node) => node && part.contains(node);
    return within(document.activeElement) ||
      (selected && !selected.isCollapsed && within(selected.anchorNode));
  }

  function show(page) {
    for (const part of document.querySelectorAll("[data-live]")) {
      const newer = page.getElementById(part.id);
      if (!newer || newer.innerHTML === part.innerHTML || isBusy(part)) continue;
      part.replaceChildren(...newer.childNodes);
    }
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (answer.status === 401 || answer.status === 403) {
        tell("logged out: load the page again", true);
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      late = 0;
      tell("live", false);
    } catch {
      late += 1;
      tell("no answer: what is shown is old", true);
    }
  }

  async function again() {
    await refresh();
    setTimeout(again, seconds * 1000 * Math.min(late + 1, 10));
  }

  tell("live", false);
  setTimeout(again, seconds * 1000);
  document.addEventListener("visibilitychange", refresh);
})();
