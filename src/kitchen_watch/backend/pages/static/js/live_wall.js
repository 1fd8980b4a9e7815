// The video wall: goes on to the next cameras without loading the page again, and shows one of them large.

import { ready, start, stop } from "./live.js";
import { showBoxes } from "./live_boxes.js";
import { enlarge } from "./live_tools.js";

const STEP = 250; // ms between looks at the clock of the patrol

const page = document.querySelector("[data-wall-page]");
let reason = "";
let spent = 0; // ms for which these cameras have been looked at
let going = false;

const wall = () => page.querySelector("[data-wall]");
const interval = () => Number(wall()?.dataset.rotate ?? 0) * 1000;
const button = () => page.querySelector("[data-wall-pause]");
const stopped = () => button()?.getAttribute("aria-pressed") === "true";

// Who looks closely at a picture is not to lose it.
function held() {
  const cells = wall();
  return (
    stopped() || document.hidden || document.fullscreenElement?.matches("[data-live]") ||
    cells.matches(":hover") || cells.contains(document.activeElement) || touched
  );
}

let touched = false;
page.addEventListener("touchstart", (event) => {
  touched = Boolean(event.target.closest("[data-wall]"));
}, { passive: true });

async function go(address) {
  if (going || !address) return;
  going = true;
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    if (answer.redirected) return location.reload(); // to the login page
    const other = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-wall-page]");
    if (!answer.ok || !other) return;
    const paused = stopped();
    stop(page);
    page.replaceChildren(...other.childNodes);
    if (paused) press(true);
    history.replaceState(null, "", address);
    start(page, reason);
    if (boxes) showAllBoxes();
    announce();
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem; // the network is down: the same cameras stay
  } finally {
    going = false;
    spent = 0;
  }
}

let boxes = false;

function showAllBoxes() {
  page.querySelector("[data-wall-boxes]")?.setAttribute("aria-pressed", String(boxes));
  for (const cell of page.querySelectorAll("[data-live]")) showBoxes(cell, boxes);
}

function announce() {
  const announcer = document.querySelector("[data-announcer]");
  if (announcer) announcer.textContent = page.querySelector("[data-wall-where]")?.textContent ?? "";
}

function press(on) {
  const one = button();
  if (!one) return;
  one.setAttribute("aria-pressed", String(on));
  one.querySelector("[data-wall-pause-words]").textContent = on ? one.dataset.goOn : one.dataset.pause;
}

page.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-wall-go]");
  if (link) {
    event.preventDefault();
    go(link.href);
  }
  if (event.target.closest("[data-wall-pause]")) {
    touched = false;
    press(!stopped());
  }
  if (event.target.closest("[data-wall-full]")) enlarge(page);
  if (event.target.closest("[data-wall-boxes]")) {
    boxes = !boxes;
    showAllBoxes();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, summary, dialog")) return;
  const act = {
    " ": () => press(!stopped()),
    ArrowRight: () => go(page.querySelector("[data-wall-go=next]")?.href),
    ArrowLeft: () => go(page.querySelector("[data-wall-go=back]")?.href),
    f: () => enlarge(page),
    Enter: () => document.activeElement?.matches("[data-live]") && enlarge(document.activeElement),
  }[event.key];
  if (!act || (event.key === " " && event.target.closest("button, a"))) return;
  if (event.key !== "Enter") event.preventDefault();
  act();
});

ready.then((given) => {
  reason = given;
  setInterval(() => {
    const cells = wall();
    if (!cells || !interval()) return;
    const waits = held();
    cells.toggleAttribute("data-held", waits);
    if (!waits && !going) spent += STEP;
    cells.style.setProperty("--patrol", String(Math.min(1, spent / interval())));
    if (spent >= interval() && !going) go(cells.dataset.next);
  }, STEP);
});
