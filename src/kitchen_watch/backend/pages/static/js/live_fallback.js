// Live pictures by way of the server: fragmented MP4 through MSE, and one JPEG a second.

import { Refused } from "./live.js";

const LATE = 1.5; // seconds behind the newest picture after which the player jumps
const KEEP = 20; // seconds of played video that stay in memory
const MOST_WAITING = 4_000_000; // bytes not yet decoded

async function open(player, path, signal) {
  const answer = await fetch(`${player.base}/${path}${player.query}`, { signal });
  if (!answer.ok) throw new Refused("refused");
  return answer;
}

// Ends when the server ends it; throws Refused if this browser or the edge will not.
export async function pushedMovie(player, signal) {
  const video = player.video;
  if (!window.MediaSource) throw new Refused("unsupported");
  const answer = await open(player, "live.mp4", signal);
  const type = answer.headers.get("content-type");
  if (!MediaSource.isTypeSupported(type)) throw new Refused("unsupported");
  const source = new MediaSource();
  video.srcObject = null;
  const address = URL.createObjectURL(source);
  video.src = address;
  try {
    await new Promise((opened) => source.addEventListener("sourceopen", opened, { once: true }));
    const buffer = source.addSourceBuffer(type);
    const settled = () =>
      buffer.updating ? new Promise((done) => buffer.addEventListener("updateend", done, { once: true })) : null;
    for await (const chunk of chunks(answer, signal)) {
      if (chunk.length > MOST_WAITING) return;
      buffer.appendBuffer(chunk);
      await settled();
      if (!video.buffered.length) continue;
      const end = video.buffered.end(video.buffered.length - 1);
      if (video.paused) video.play().catch(() => {});
      if (end - video.currentTime > LATE || video.currentTime < video.buffered.start(0)) video.currentTime = end - 0.1;
      if (video.currentTime - video.buffered.start(0) > 2 * KEEP) {
        buffer.remove(0, video.currentTime - KEEP);
        await settled();
      }
    }
  } finally {
    URL.revokeObjectURL(address);
  }
}

// multipart/x-mixed-replace, part by part.
export async function pushedPictures(player, signal, onPicture) {
  const answer = await open(player, "live.mjpeg", signal);
  let waiting = new Uint8Array();
  for await (const chunk of chunks(answer, signal)) {
    const joined = new Uint8Array(waiting.length + chunk.length);
    joined.set(waiting);
    joined.set(chunk, waiting.length);
    waiting = joined;
    if (waiting.length > MOST_WAITING) return;
    for (;;) {
      const head = new TextDecoder("latin1").decode(waiting.subarray(0, 300));
      const begin = head.indexOf("\r\n\r\n") + 4;
      const size = Number(/content-length: (\d+)/.exec(head)?.[1]);
      if (begin < 4 || !size || waiting.length < begin + size) break;
      player.keep(new Blob([waiting.slice(begin, begin + size)], { type: "image/jpeg" }));
      waiting = waiting.slice(begin + size + 2);
      onPicture();
    }
  }
}

async function* chunks(answer, signal) {
  const reader = answer.body.getReader();
  signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
