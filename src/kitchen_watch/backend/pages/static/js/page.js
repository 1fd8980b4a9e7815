// Small comforts of every page: menus that close, filters that apply themselves, parts that stay fresh.

import { refreshTimes } from "./times.js";

const MENUS = "details.menu[open], details.tabs-more[open]";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(MENUS)) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(MENUS);
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

for (const form of document.querySelectorAll("form[data-apply-at-once]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// On a wide screen filters are open from the start; on a phone they wait behind one touch.
const wide = window.matchMedia("(min-width: 48rem)");
for (const details of document.querySelectorAll("details[data-open-wide]")) {
  if (wide.matches) details.open = true;
}

for (const button of document.querySelectorAll("[data-reveal]")) {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const show = field.type === "password";
    field.type = show ? "text" : "password";
    button.setAttribute("aria-pressed", String(show));
  });
}

// Parts that describe a present state (cameras, edge nodes) are fetched anew while they are looked at.
async function keepFresh(part) {
  if (document.hidden) return;
  try {
    const answer = await fetch(part.dataset.from ?? location.href, { headers: { accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const other = answer.ok && fresh.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    part.toggleAttribute("data-stale", !other);
    if (!other || part.contains(document.activeElement)) return;
    part.replaceChildren(...other.childNodes);
    refreshTimes(part);
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem; // TypeError: the network is down
    part.toggleAttribute("data-stale", true);
  }
  const notice = document.querySelector("[data-stale-notice]");
  if (notice) notice.hidden = !document.querySelector("[data-stale]");
}

for (const part of document.querySelectorAll("[data-fresh]")) {
  setInterval(() => keepFresh(part), Number(part.dataset.every) * 1000);
  if (part.dataset.from) keepFresh(part); // the page came without it, to be there sooner
}

// Figures follow an alert that has just come in, but not each of a hundred.
let soon = 0;
document.addEventListener("kw:alert", () => {
  if (soon) return;
  soon = setTimeout(() => {
    soon = 0;
    for (const part of document.querySelectorAll("[data-from]")) keepFresh(part);
  }, 700);
});
