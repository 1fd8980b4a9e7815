// The live feed: a new or changed alert is fetched as the server's own card and put in its place.

import { chime, soundButton } from "./sound.js";
import { LiveStream } from "./stream.js";
import { refreshTimes } from "./times.js";

const MOST_CARDS = 200;
const AT_ONCE = 4;

const feed = document.querySelector("[data-feed]");
const list = feed.querySelector("[data-feed-list]");
const empty = feed.querySelector("[data-feed-empty]");
const announcer = document.querySelector("[data-announcer]");
const pill = document.querySelector("[data-new-pill]");
const wanted = new Map(); // alert id -> kind of the newest message about it
let running = 0;
let unseen = 0;

export function showState(state) {
  for (const element of document.querySelectorAll("[data-link-state]")) {
    element.dataset.state = state;
    element.querySelector("[data-link-words]").textContent = element.dataset[state];
  }
}

function cardOf(id) {
  return list.querySelector(`[data-alert="${CSS.escape(id)}"]`);
}

async function load(id, isNew) {
  const url = new URL(`/alerts/${id}/card`, location.href);
  url.search = location.search;
  const answer = await fetch(url, { headers: { accept: "text/html" } });
  if (answer.redirected) location.reload(); // to the login page
  const present = cardOf(id);
  if (answer.status === 204 || answer.status === 404) {
    present?.closest("li").remove();
  } else if (answer.ok) {
    place(await answer.text(), present, isNew);
  }
  empty.hidden = list.children.length > 0;
}

function place(html, present, isNew) {
  const holder = document.createElement("template");
  holder.innerHTML = html; // our own server's escaped markup
  const item = holder.content.firstElementChild;
  const card = item.querySelector("[data-alert]");
  refreshTimes(item);
  if (present) {
    const focused = present.contains(document.activeElement);
    card.classList.toggle("is-new", present.classList.contains("is-new"));
    present.closest("li").replaceWith(item);
    if (focused) card.querySelector("a").focus();
    return;
  }
  if (feed.dataset.firstPage === undefined) return; // older pages stand still
  const id = Number(card.dataset.alert); // alerts are numbered in the order in which they came in
  const older = [...list.children].find((other) => Number(other.querySelector("[data-alert]").dataset.alert) < id);
  list.insertBefore(item, older ?? null);
  while (list.children.length > MOST_CARDS) list.lastElementChild.remove();
  if (isNew) welcome(card);
}

function welcome(card) {
  card.classList.add("is-new");
  setTimeout(() => cardOf(card.dataset.alert)?.classList.remove("is-new"), 20_000); // it may have grown since
  announcer.textContent = card.dataset.announce;
  if (card.dataset.tier === "1") chime();
  if (window.scrollY > 240 && pill) {
    unseen += 1;
    pill.hidden = false;
    pill.querySelector("[data-count]").textContent = unseen;
  }
}

async function work() {
  if (running >= AT_ONCE) return;
  running += 1;
  while (wanted.size) {
    const [id, kind] = wanted.entries().next().value;
    wanted.delete(id);
    try {
      await load(id, kind === "opened");
    } catch (problem) {
      if (!(problem instanceof TypeError)) throw problem; // TypeError: the network is down
      wanted.set(id, kind);
      break;
    }
  }
  running -= 1;
}

pill?.addEventListener("click", () => {
  unseen = 0;
  pill.hidden = true;
  window.scrollTo({ top: 0 });
});

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { j: 1, k: -1 }[event.key];
  if (!step) return;
  const links = [...list.querySelectorAll("[data-alert] h3 a")];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + step))]?.focus();
});

if (soundButton) soundButton.hidden = false;
new LiveStream({
  after: feed.dataset.after,
  onState: (state) => {
    showState(state);
    if (state === "live") work();
  },
  onMessage: ({ alert_id: id, kind }) => {
    if (wanted.get(id) !== "opened") wanted.set(id, kind);
    document.dispatchEvent(new Event("kw:alert"));
    work();
  },
}).open();
