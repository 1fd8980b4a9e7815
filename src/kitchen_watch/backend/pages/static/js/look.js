// The quick look: the clip of a suspicion loops, one key verifies it, two call it a false alarm.

import { refreshTimes } from "./times.js";

const dialog = document.querySelector("[data-look-dialog]");
const body = dialog.querySelector("[data-look-body]");
const list = document.querySelector("[data-feed-list]");
const announcer = document.querySelector("[data-announcer]");
let shown = null; // id of the alert that is looked at
let ahead = []; // what waited when the look began, in the order of the feed

function waiting() {
  return [...list.querySelectorAll("[data-alert][data-state=pending_verification]")].map((card) => card.dataset.alert);
}

async function open(id) {
  const answer = await fetch(`/alerts/${id}/look`, { headers: { accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-look-of]");
  if (!fresh) {
    location.reload(); // the session is over, or the alert is not ours any more
    return;
  }
  show(fresh);
}

function show(fresh) {
  shown = fresh.dataset.lookOf;
  body.replaceChildren(document.adoptNode(fresh));
  refreshTimes(body);
  dialog.querySelector("[data-look-whole]").href = `/alerts/${shown}`;
  if (!dialog.open) dialog.showModal();
  body.querySelector("#look-title").focus();
  body.querySelector("video")?.play().catch(() => {}); // a browser that saves data waits for a touch
}

function begin(id) {
  ahead = waiting();
  if (!ahead.includes(id)) ahead.unshift(id);
  tried(() => open(id));
}

function neighbour(step) {
  const at = ahead.indexOf(shown);
  return ahead[at + step];
}

function next() {
  const done = shown;
  const following = neighbour(1) ?? neighbour(-1);
  ahead = ahead.filter((id) => id !== done);
  if (following) {
    tried(() => open(following));
    return;
  }
  dialog.close();
  announcer.textContent = dialog.dataset.done;
}

function complain(words) {
  const place = body.querySelector("[data-look-problem]");
  if (!place) return;
  place.textContent = words;
  place.hidden = false;
}

async function tried(act) {
  try {
    await act();
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem; // TypeError: the network is down
    complain(dialog.dataset.offline);
  }
}

async function send(form, submitter) {
  const fields = new URLSearchParams(new FormData(form));
  if (submitter?.name) fields.set(submitter.name, submitter.value);
  const answer = await fetch(form.action, { method: "POST", headers: { accept: "text/html" }, body: fields });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok && fresh.querySelector("[data-look-of]")) {
    next();
    return;
  }
  const refused = fresh.querySelector("[data-refused]");
  if (!refused) {
    location.reload();
    return;
  }
  const id = shown;
  await open(id); // how it stands now, and above it why the step was not taken
  complain(refused.textContent.trim().replace(/\s+/g, " "));
}

dialog.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-look-step]");
  if (!form) return;
  event.preventDefault();
  const note = form.querySelector("textarea");
  if (event.submitter?.dataset.needsNote !== undefined && note.value.trim() === "") {
    note.focus();
    return;
  }
  for (const button of body.querySelectorAll("button")) button.disabled = true;
  tried(() => send(form, event.submitter)).finally(() => {
    for (const button of body.querySelectorAll("button")) button.disabled = false;
  });
});

dialog.addEventListener("click", (event) => {
  const move = event.target.closest("[data-look-move]");
  if (move) go(Number(move.dataset.lookMove));
  if (event.target.closest("[data-look-close]") || event.target === dialog) dialog.close();
});

dialog.addEventListener("close", () => {
  body.replaceChildren(); // a clip that nobody sees stops
  const card = shown && list.querySelector(`[data-alert="${CSS.escape(shown)}"] h3 a`);
  card?.focus();
});

function go(step) {
  const id = neighbour(step);
  if (id) tried(() => open(id));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, select, textarea")) return;
  const key = event.key.toLowerCase();
  if (!dialog.open) {
    const card = document.activeElement?.closest("[data-alert]");
    const id = card?.dataset.alert ?? waiting()[0];
    if (key === "o" && id) begin(id);
    return;
  }
  if (key === "j") go(1);
  if (key === "k") go(-1);
  const reject = body.querySelector("[data-reject]");
  if (key === "f" && reject) reject.open = !reject.open;
  if (key === "v") body.querySelector("[data-key=v]")?.click();
  // A number counts only while the reasons are open: nothing is rejected by a slip.
  if (reject?.open && /^[0-9-]$/.test(key)) reject.querySelector(`[data-key="${key}"]`)?.click();
});

list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-look]");
  if (button) begin(button.dataset.look);
});
