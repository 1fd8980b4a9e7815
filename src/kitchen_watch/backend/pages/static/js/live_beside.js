// The alert page: the live picture and the recording of that moment, beside the evidence; both only when asked for.

import { start } from "./live.js";
import "./live_tools.js";
import { startPast } from "./live_past.js";

const place = document.querySelector("[data-beside]");
place?.querySelector("[data-beside-open]").addEventListener("click", (event) => {
  const inner = place.querySelector("template").content.cloneNode(true);
  place.querySelector("[data-beside-place]").replaceChildren(inner);
  event.currentTarget.hidden = true;
  start(place, place.dataset.beside);
  startPast(place);
});
