// Live pictures by way of the server: fragmented MP4 through MSE, and one JPEG a second.

import { Refused } from "./live.js";

const LATE = 1.5; // seconds too far behind the newest picture after which the player jumps
const AT_END = 0.1; // seconds behind it after a jump
const EARLY = 0.15; // seconds by which the player may be ahead of where it is held back to
const KEEP = 20; // seconds of played video that stay in memory
const MOST_WAITING = 4_000_000; // bytes of one part not yet decoded
const MOST_QUEUED = 16_000_000; // bytes of all parts; a new viewer is given everything since the last key picture

// What the server sends of a camera: { type, chunks }. Over a WebSocket, because browsers open only six
// connections to a server over HTTP/1.1 and a wall has more pictures; over HTTP where a proxy lets none through.
export async function media(player, kind, signal) {
  return (await overSocket(player, kind, signal)) ?? overHttp(player, kind, signal);
}

const PATHS = { fmp4: "live.mp4", mjpeg: "live.mjpeg", tracks: "live/tracks" };

async function overHttp(player, kind, signal) {
  const answer = await fetch(`${player.base}/${PATHS[kind]}${player.query}`, { signal });
  if (!answer.ok) throw new Refused("refused");
  const bytes = read(answer, signal);
  return { type: answer.headers.get("content-type"), chunks: kind === "mjpeg" ? pictures(bytes) : bytes };
}

// `null` where it cannot be opened; HTTP then says why.
async function overSocket(player, kind, signal) {
  const socket = new WebSocket(`${player.base}/live/socket${player.query}&kind=${kind}`.replace(/^\//, `${location.origin.replace(/^http/, "ws")}/`));
  socket.binaryType = "arraybuffer";
  const waiting = [];
  let woken = () => {};
  let over = false;
  const end = () => {
    over = true;
    woken();
  };
  const leave = () => {
    end();
    socket.close();
  };
  socket.addEventListener("close", end);
  socket.addEventListener("message", ({ data }) => {
    waiting.push(data);
    woken();
  });
  signal.addEventListener("abort", leave);
  const next = async () => {
    while (!waiting.length && !over) await new Promise((done) => (woken = done));
    return signal.aborted ? undefined : waiting.shift();
  };
  async function* chunks() {
    try {
      for (let data; (data = await next()) !== undefined; ) {
        const late = waiting.reduce((sum, one) => sum + one.byteLength, 0);
        if (late > MOST_QUEUED) return; // this device is too slow: begin anew with the present
        yield new Uint8Array(data);
      }
    } finally {
      leave();
    }
  }
  const type = await next();
  if (signal.aborted) throw new DOMException("left", "AbortError");
  return typeof type === "string" ? { type, chunks: chunks() } : null;
}

// Ends when the server ends it; throws Refused if this browser or the edge will not.
export async function pushedMovie(player, signal) {
  const video = player.video;
  if (!window.MediaSource) throw new Refused("unsupported");
  const { type, chunks } = await player.film(signal);
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
    for await (const chunk of chunks) {
      if (chunk.length > MOST_WAITING) return;
      buffer.appendBuffer(chunk);
      await settled();
      if (!video.buffered.length) continue;
      const end = video.buffered.end(video.buffered.length - 1);
      player.newest = { end, at: performance.now() }; // which moment of the film is the present
      if (video.paused) video.play().catch(() => {});
      const behind = Math.max(AT_END, player.held); // boxes hold the picture back
      const lag = end - video.currentTime;
      const start = video.buffered.start(0);
      if (lag > LATE + behind || lag < behind - EARLY || video.currentTime < start) video.currentTime = Math.max(start, end - behind);
      if (video.currentTime - video.buffered.start(0) > 2 * KEEP) {
        buffer.remove(0, video.currentTime - KEEP);
        await settled();
      }
    }
  } finally {
    URL.revokeObjectURL(address);
  }
}

// One JPEG a second.
export async function pushedPictures(player, signal, onPicture) {
  const { chunks } = await media(player, "mjpeg", signal);
  for await (const picture of chunks) {
    player.keep(new Blob([picture], { type: "image/jpeg" }));
    onPicture();
  }
}

// multipart/x-mixed-replace, part by part.
async function* pictures(bytes) {
  let waiting = new Uint8Array();
  for await (const chunk of bytes) {
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
      yield waiting.slice(begin, begin + size);
      waiting = waiting.slice(begin + size + 2);
    }
  }
}

async function* read(answer, signal) {
  const reader = answer.body.getReader();
  signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
