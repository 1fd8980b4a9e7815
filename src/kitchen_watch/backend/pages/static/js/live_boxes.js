// Boxes of what the analysis sees, drawn over the live picture; never part of it.
//
// The analysis knows of a picture a moment after it is shown. So while boxes are on, the film is held
// back for as long as the analysis takes, and each box is drawn when the picture it belongs to is
// shown. Both are placed in time by when they came here less how old they were: a box says its age, of a
// picture the browser says when it arrived.

import { playerOf } from "./live.js";
import { media } from "./live_fallback.js";

const OLD = 1500; // ms after which boxes without newer ones are taken away
const MOST_HELD = 2000; // ms for which the picture is held back at most
const NEAR = 60; // ms by which a box may be newer than the picture and still belongs to it
const AGAIN = 3000; // ms until a broken line is asked for again
const SOON = 300; // ms until a picture that is not there yet is looked for again
const SVG = "http://www.w3.org/2000/svg";
const PLAYING = ["webrtc", "fmp4", "mjpeg"];

const shown = new WeakMap(); // cell: AbortController

// Whether boxes are shown over a picture.
export const boxesOf = (cell) => shown.has(cell);

export function showBoxes(cell, on) {
  cell.querySelector("[data-live-boxes]")?.setAttribute("aria-pressed", String(on));
  if (!on) {
    shown.get(cell)?.abort();
    shown.delete(cell);
    cell.querySelector("[data-live-drawn]")?.replaceChildren();
    hold(playerOf(cell), 0);
    return;
  }
  if (shown.has(cell)) return;
  const over = new AbortController();
  shown.set(cell, over);
  follow(cell, over.signal);
}

async function follow(cell, signal) {
  const boxes = new Boxes(cell);
  playerOf(cell)?.left.signal.addEventListener("abort", () => showBoxes(cell, false));
  boxes.watch(signal);
  while (!signal.aborted) {
    const player = playerOf(cell);
    const playing = player && PLAYING.includes(cell.dataset.state);
    try {
      if (playing) {
        const { chunks } = await media(player, "tracks", signal);
        for await (const line of lines(chunks)) boxes.came(JSON.parse(line));
      }
    } catch (problem) {
      // left, refused, or the network is down
      if (!["AbortError", "TypeError"].includes(problem.name) && !problem.reason) throw problem;
    }
    await new Promise((done) => setTimeout(done, playing ? AGAIN : SOON));
  }
}

class Boxes {
  constructor(cell) {
    this.cell = cell;
    this.place = cell.querySelector("[data-live-drawn]");
    this.known = []; // { at, tracks }, the oldest first; `at` on this page's clock
    this.age = 0;
    this.timer = 0;
  }

  came(facts) {
    const now = performance.now();
    this.age = this.age ? 0.8 * this.age + 0.2 * facts.age_ms : facts.age_ms;
    this.known.push({ at: now - facts.age_ms, tracks: facts.tracks });
    this.known = this.known.filter((one) => now - one.at < MOST_HELD + OLD);
    hold(playerOf(this.cell), Math.min(this.age + NEAR, MOST_HELD));
    if (!this.frames || now - this.frames > OLD) this.draw(now - facts.age_ms); // nothing tells which picture is shown
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.place.replaceChildren(), MOST_HELD + OLD);
  }

  // Draws with every picture that is shown.
  watch(signal) {
    const { video } = playerOf(this.cell) ?? {};
    if (!video?.requestVideoFrameCallback) return;
    const next = () => video.requestVideoFrameCallback(onFrame);
    const onFrame = (now, facts) => {
      if (signal.aborted) return;
      next();
      const player = playerOf(this.cell);
      if (!player) return;
      const came = facts.receiveTime ?? (player.newest ? player.newest.at - 1000 * (player.newest.end - facts.mediaTime) : null);
      if (came === null) return;
      this.frames = now;
      this.draw(came);
    };
    next();
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  // The newest boxes of a picture that came at `moment`, or shortly before.
  draw(moment) {
    const one = this.known.findLast(({ at }) => at <= moment + NEAR);
    const tracks = one && moment - one.at < OLD ? one.tracks : [];
    if (this.drawn === tracks && this.place.childElementCount === 2 * tracks.length) return;
    this.drawn = tracks;
    draw(this.cell, this.place, tracks);
  }
}

// The film is shown so much later; single pictures cannot be held back.
function hold(player, ms) {
  if (player && Math.abs(1000 * player.held - ms) > (ms ? 100 : 0)) player.held = ms / 1000;
  for (const receiver of player?.peer?.getReceivers() ?? []) {
    if ("jitterBufferTarget" in receiver && Math.abs((receiver.jitterBufferTarget ?? 0) - ms) > (ms ? 100 : 0)) {
      receiver.jitterBufferTarget = Math.round(ms);
    }
  }
}

async function* lines(chunks) {
  const decoder = new TextDecoder();
  let waiting = "";
  for await (const chunk of chunks) {
    const whole = (waiting + decoder.decode(chunk, { stream: true })).split("\n");
    waiting = whole.pop();
    yield* whole;
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
