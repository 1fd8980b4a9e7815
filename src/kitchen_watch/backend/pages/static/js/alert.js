// The page of one alert: switch between the pictures, play the clip, grow while the edge still sends.

import { LiveStream } from "./stream.js";
import { refreshTimes } from "./times.js";

const page = document.querySelector("[data-alert-page]");

// Picture switch and copy buttons work by delegation, because parts of the page are replaced.
document.addEventListener("click", async (event) => {
  const choice = event.target.closest("[data-show-picture]");
  if (choice) {
    const figure = choice.closest("figure");
    for (const button of figure.querySelectorAll("[data-show-picture]")) {
      button.setAttribute("aria-pressed", String(button === choice));
    }
    for (const picture of figure.querySelectorAll("[data-picture]")) {
      picture.hidden = picture.dataset.picture !== choice.dataset.showPicture;
    }
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    document.querySelector("[data-announcer]").textContent = copy.dataset.done;
    copy.classList.add("chip-ok");
    setTimeout(() => copy.classList.remove("chip-ok"), 2_000);
  }
});

// A signed link may have expired since the page was made: ask once for a fresh one and go on.
function watchClip(scope) {
  const video = scope.querySelector("video");
  if (!video) return;
  let renewed = false;
  video.addEventListener("error", () => {
    if (renewed) return;
    renewed = true;
    refresh(true);
  }, true);
}

function isBusy(video) {
  return video && (!video.paused || video.currentTime > 0);
}

// Somebody writes: what they have written must never vanish under their hands.
function isWritten(part) {
  const fields = [...part.querySelectorAll("textarea, select")];
  return fields.some((field) => field.value !== "" && field.value !== field.defaultValue && field.name !== "into_alert_id")
    || part.querySelector("[data-upload-list] li, [data-picking]") !== null;
}

// Parts are replaced only where they changed: a playing clip is never interrupted by an update.
function replaceParts(fresh, { force = false, acted = false } = {}) {
  for (const part of page.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    const changed = other && other.dataset.version !== part.dataset.version;
    if (!other || (!force && !changed && !(acted && part.dataset.part === "actions"))) continue;
    if (!acted && part.dataset.part === "refused") continue;
    if (!force && isBusy(part.querySelector("video"))) continue;
    if (!acted && part.dataset.part === "actions" && isWritten(part)) {
      if (changed) part.querySelector("[data-moved]").hidden = false;
      continue;
    }
    part.replaceWith(document.adoptNode(other));
    refreshTimes(other);
    watchClip(other);
  }
}

let changes = 0; // what this window itself has done since it was opened
let looking = null;
let again = false;

// One look at a time, and none that was overtaken by what this window has done meanwhile: an answer
// that is older than the page must never bring an older state, or a form without its photo, back.
async function refresh(force = false) {
  if (looking) {
    again = true;
    return looking;
  }
  looking = look(force).finally(() => {
    looking = null;
    if (!again) return;
    again = false;
    refresh();
  });
  return looking;
}

async function look(force) {
  const before = changes;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (before === changes) replaceParts(fresh, { force });
  else again = true;
}

document.addEventListener("kw:photo", () => {
  changes += 1;
});

function say(words) {
  document.querySelector("[data-announcer]").textContent = words;
}

// A step is sent without leaving the page, so that a playing clip plays on; the answer is the page itself.
page.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-step]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button.button-primary");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { accept: "text/html" },
      body: new URLSearchParams(new FormData(form)),
    });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.querySelector("[data-alert-page]")) {
      location.reload(); // the session is over, or this is not ours any more: the server says what is so
      return;
    }
    changes += 1;
    replaceParts(fresh, { acted: true });
    const refused = page.querySelector("[data-refused]");
    (refused ?? page.querySelector("#do-title")).scrollIntoView({ block: "center" });
    if (refused) refused.focus();
    else say(page.querySelector("[data-part=head] .alert-state").textContent.trim());
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem; // TypeError: the network is down
    showProblem(form, page.dataset.offline);
  } finally {
    button.disabled = false;
  }
});

function showProblem(form, words) {
  const notice = form.querySelector("[data-step-problem]") ?? document.createElement("p");
  notice.className = "notice notice-bad";
  notice.dataset.stepProblem = "";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  form.append(notice);
}

page.addEventListener("click", async (event) => {
  if (event.target.closest("[data-show-anew]")) location.reload();
  const button = event.target.closest("[data-show-still]");
  if (!button) return;
  const figure = button.closest("[data-still]");
  const answer = await fetch(figure.dataset.still, { headers: { accept: "image/jpeg" } }).catch(() => null);
  const picture = figure.querySelector("img");
  if (answer?.status === 200) {
    picture.src = `${figure.dataset.still}?at=${Date.now()}`;
    picture.hidden = false;
  }
  figure.querySelector("[data-still-words]").textContent = answer?.status === 200 ? "" : figure.dataset.none;
});

watchClip(page);
new LiveStream({
  after: page.dataset.after,
  onState: () => {},
  onMessage: ({ alert_id: id }) => {
    if (String(id) === page.dataset.alertPage) refresh();
  },
}).open();
// Progress of an upload has no message of its own: look again while something is still on its way.
setInterval(() => page.querySelector("[data-on-its-way]") && !document.hidden && refresh(), 4_000);
