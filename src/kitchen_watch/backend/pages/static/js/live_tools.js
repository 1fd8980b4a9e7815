// What can be done with a live picture: full screen, boxes of what is seen, a snapshot that is written down.

import { boxesOf, showBoxes } from "./live_boxes.js";
import { playerOf } from "./live.js";

export function enlarge(element) {
  if (document.fullscreenElement) return document.exitFullscreen();
  return element.requestFullscreen().catch(() => {}); // refused where the device has none
}

async function takeSnapshot(cell) {
  const dialog = document.querySelector("[data-snapshot-dialog]");
  const player = playerOf(cell);
  if (!dialog || !player) return;
  const [image, hash, link, words] = ["img", "code", "a", "[role=status]"].map((one) => dialog.querySelector(one));
  const shown = dialog.querySelector("[data-snapshot-shown]");
  shown.hidden = true;
  words.textContent = words.dataset.waiting;
  // In full screen only what lies inside of the element is seen.
  (document.fullscreenElement ?? document.body).append(dialog);
  dialog.showModal();
  try {
    const answer = await fetch(`${player.base}/live/snapshot${player.query}`, {
      method: "POST",
      headers: { "x-csrf-token": cell.dataset.token },
    });
    if (answer.status !== 200) throw new TypeError("refused");
    if (image.src) URL.revokeObjectURL(image.src);
    image.src = link.href = URL.createObjectURL(await answer.blob());
    hash.textContent = answer.headers.get("x-content-sha256");
    link.download = `${cell.dataset.live}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jpg`;
    words.textContent = "";
    shown.hidden = false;
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem;
    words.textContent = words.dataset.failed;
  }
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-live]");
  if (!cell) return;
  if (event.target.closest("[data-live-full]")) enlarge(cell);
  if (event.target.closest("[data-live-snapshot]")) takeSnapshot(cell);
  if (event.target.closest("[data-live-boxes]")) showBoxes(cell, !boxesOf(cell));
});

document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest("[data-live]");
  if (cell && !event.target.closest("button, input")) enlarge(cell);
});

// Large: the main stream. Else what the page began with.
document.addEventListener("fullscreenchange", () => {
  for (const cell of document.querySelectorAll("[data-live]")) {
    playerOf(cell)?.choose(cell === document.fullscreenElement ? "main" : cell.dataset.quality);
  }
});
