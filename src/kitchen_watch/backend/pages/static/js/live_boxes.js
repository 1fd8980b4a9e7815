// Boxes of what the analysis sees just now, drawn over the live picture; never part of it.
//
// The lines come a moment after the picture they speak of: a box trails what moves fast.

import { playerOf } from "./live.js";

const OLD = 1500; // ms after which boxes without news are taken away
const AGAIN = 3000; // ms until a broken line is asked for again
const SVG = "http://www.w3.org/2000/svg";

const shown = new WeakMap(); // cell: AbortController

// Whether boxes are shown over a picture.
export const boxesOf = (cell) => shown.has(cell);

export function showBoxes(cell, on) {
  cell.querySelector("[data-live-boxes]")?.setAttribute("aria-pressed", String(on));
  if (!on) {
    shown.get(cell)?.abort();
    shown.delete(cell);
    cell.querySelector("[data-live-drawn]")?.replaceChildren();
    return;
  }
  if (shown.has(cell)) return;
  const over = new AbortController();
  shown.set(cell, over);
  follow(cell, over.signal);
}

async function follow(cell, signal) {
  const place = cell.querySelector("[data-live-drawn]");
  let timer = 0;
  playerOf(cell)?.left.signal.addEventListener("abort", () => showBoxes(cell, false));
  while (!signal.aborted) {
    const player = playerOf(cell);
    try {
      if (player && ["webrtc", "fmp4", "mjpeg"].includes(cell.dataset.state)) {
        const answer = await fetch(`${player.base}/live/tracks${player.query}`, { signal });
        if (answer.ok) {
          for await (const line of lines(answer.body)) {
            const facts = JSON.parse(line);
            // Analysis that falls behind would put boxes where nobody stands any more.
            draw(cell, place, facts.age_ms < OLD ? facts.tracks : []);
            clearTimeout(timer);
            timer = setTimeout(() => place.replaceChildren(), OLD);
          }
        }
      }
    } catch (problem) {
      if (!["AbortError", "TypeError"].includes(problem.name)) throw problem; // left, or the network is down
    }
    await new Promise((done) => setTimeout(done, AGAIN));
  }
  clearTimeout(timer);
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = (waiting + value).split("\n");
    waiting = whole.pop();
    if (whole.length) yield whole.at(-1); // only the newest counts
  }
}

// The picture keeps its shape inside the cell: boxes are drawn where it really is.
function draw(cell, place, tracks) {
  const { video, image } = playerOf(cell) ?? {};
  if (!video || cell.hasAttribute("data-past")) return place.replaceChildren();
  const [width, height] = video.hidden ? [image.naturalWidth, image.naturalHeight] : [video.videoWidth, video.videoHeight];
  if (!width) return place.replaceChildren();
  place.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const unit = width / 100;
  place.replaceChildren(...tracks.flatMap((track) => {
    const [left, top, right, bottom] = track.box;
    const bad = /^no_|rat$|cockroach|smok|phone/.test(track.label);
    const box = make("rect", {
      x: left * width, y: top * height, width: (right - left) * width, height: (bottom - top) * height,
      class: bad ? "live-box live-box-bad" : "live-box",
    });
    const label = make("text", {
      x: left * width + unit / 2, y: Math.max(top * height - unit / 2, 2.6 * unit), "font-size": 2.4 * unit,
      class: bad ? "live-box-bad" : "",
    });
    label.textContent = words(track.label);
    return [box, label];
  }));
}

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const words = (label) => document.querySelector(`[data-live-labels] [data-of="${CSS.escape(label)}"]`)?.textContent ?? label;
