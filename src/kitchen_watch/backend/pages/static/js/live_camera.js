// The page of one camera: full screen with the main stream.

import { playerOf } from "./live.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-live-full]");
  if (!button) return;
  if (document.fullscreenElement) document.exitFullscreen();
  else button.closest("[data-live]").requestFullscreen().catch(() => {});
});

document.addEventListener("fullscreenchange", () => {
  for (const cell of document.querySelectorAll("[data-live]")) {
    const large = cell === document.fullscreenElement;
    playerOf(cell)?.choose(large ? "main" : cell.dataset.quality);
  }
});
