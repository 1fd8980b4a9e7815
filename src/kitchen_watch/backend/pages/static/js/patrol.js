// Filling a check beside the cameras: drafts are kept after every change, pictures are sent at once.

import "./live_tools.js";

const form = document.querySelector("[data-patrol]");
const base = form.dataset.patrol;
const state = form.querySelector("[data-state]");
const progress = form.querySelector("[data-progress]");
const headers = { "x-csrf-token": form.dataset.token };

let timer = 0;
let saving = Promise.resolve();

form.addEventListener("input", (event) => {
  openFindings();
  if (event.target.matches("[data-file]")) return;
  clearTimeout(timer);
  timer = setTimeout(save, 900);
});

// One draft after the other: each carries the version that the one before it made.
function save() {
  clearTimeout(timer);
  saving = saving.then(keep);
  return saving;
}

async function keep() {
  state.textContent = form.dataset.saving;
  try {
    const answer = await fetch(`${base}/draft`, { method: "POST", body: new URLSearchParams(new FormData(form)), headers });
    const told = await answer.json();
    if (!answer.ok) {
      state.textContent = told.problem ?? form.dataset.unsaved;
      return;
    }
    for (const field of document.querySelectorAll("[data-version]")) field.value = told.version;
    progress.value = told.answered;
    state.textContent = `${form.dataset.saved} · ${told.answered} / ${told.items}`;
  } catch {
    state.textContent = form.dataset.unsaved;
  }
}

// A number out of its limits, or an answer out of order: its remark, pictures and deadline come open.
function openFindings() {
  for (const item of form.querySelectorAll("[data-item]")) {
    const bad = isBad(item);
    item.classList.toggle("patrol-bad-item", bad);
    const more = item.querySelector("details");
    if (more && bad && !item.dataset.opened) {
      more.open = true;
      item.dataset.opened = "yes";
    }
  }
}

function isBad(item) {
  if (item.dataset.kind !== "number") return item.querySelector("input[data-bad]:checked") !== null;
  const text = item.querySelector("input").value.trim().replace(",", ".");
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) return false;
  const { minimum, maximum } = item.dataset;
  return (minimum !== undefined && value < Number(minimum)) || (maximum !== undefined && value > Number(maximum));
}

form.addEventListener("click", async (event) => {
  const item = event.target.closest("[data-item]");
  if (!item) return;
  if (event.target.closest("[data-photo]")) item.querySelector("[data-file]").click();
  const shoot = event.target.closest("[data-shoot]");
  if (shoot) {
    const query = new URLSearchParams({ item: item.dataset.item, camera_id: shoot.dataset.shoot });
    await send(item, `${base}/snapshots?${query}`);
  }
  const remove = event.target.closest("[data-remove]");
  if (remove) {
    const query = new URLSearchParams({ item: item.dataset.item });
    await send(item, `${base}/pictures/${remove.dataset.remove}/remove?${query}`);
  }
});

form.addEventListener("change", async (event) => {
  if (!event.target.matches("[data-file]")) return;
  const item = event.target.closest("[data-item]");
  const files = [...event.target.files];
  event.target.value = ""; // the same picture may be chosen again
  const query = new URLSearchParams({ item: item.dataset.item });
  for (const file of files) await send(item, `${base}/photos?${query}`, file);
});

async function send(item, address, body) {
  const says = item.querySelector("[data-says]");
  const buttons = item.querySelectorAll(".patrol-shoot button");
  for (const button of buttons) button.disabled = true;
  says.hidden = false;
  says.textContent = form.dataset.taking;
  try {
    const type = body ? { "content-type": body.type || "application/octet-stream" } : {};
    const answer = await fetch(address, { method: "POST", body, headers: { ...headers, ...type } });
    if (!answer.ok) {
      const json = (answer.headers.get("content-type") ?? "").includes("json");
      says.textContent = (json && (await answer.json()).problem) || form.dataset.failed;
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-tray]");
    item.querySelector("[data-tray]").replaceWith(fresh);
    says.hidden = true;
  } catch {
    says.textContent = form.dataset.failed;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

// Handing in waits for the draft that is under way: otherwise it would name an old version.
form.addEventListener("submit", async (event) => {
  if (form.dataset.sent) return;
  event.preventDefault();
  const button = event.submitter;
  clearTimeout(timer);
  await saving;
  form.dataset.sent = "yes";
  setTimeout(() => form.requestSubmit(button)); // within its own submit event a form ignores this
});

openFindings();
document.querySelector("[data-refused]")?.focus();
document.querySelector(".patrol-wrong")?.scrollIntoView({ block: "center" });
