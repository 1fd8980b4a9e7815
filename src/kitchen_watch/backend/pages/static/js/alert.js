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

// Parts are replaced only where they changed: a playing clip is never interrupted by an update.
async function refresh(force = false) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!other || (!force && other.dataset.version === part.dataset.version)) continue;
    if (!force && isBusy(part.querySelector("video"))) continue;
    part.replaceWith(document.adoptNode(other));
    refreshTimes(other);
    watchClip(other);
  }
}

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
