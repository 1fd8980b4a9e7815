// The live player: WebRTC first; what the network or the browser refuses, by way of the server; and says why.

import { media, pushedMovie, pushedPictures } from "./live_fallback.js";
import { askPurpose } from "./live_purpose.js";

const PATIENCE = 4500; // ms in which a way must give its first picture; with the next way it shows one within 6 s
const PREPARE = 3000; // ms without a picture after which the way by the server is opened beside the direct one
const STALL = 6000; // ms without a new picture after which a way counts as broken
const WAYS = ["webrtc", "fmp4", "mjpeg"];
const TRY_BEST_AGAIN = 300_000; // ms after which a fallen-back player tries the best way again

const CHANGED = new Error("another quality was chosen");

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason; // one of the data-say-* of the player's element
  }
}

const players = new WeakMap();

class LivePlayer {
  constructor(element, reason) {
    this.element = element;
    this.reason = reason;
    this.video = element.querySelector("[data-live-video]");
    this.image = element.querySelector("[data-live-picture]");
    this.slate = element.querySelector("[data-live-slate]");
    this.words = element.querySelector("[data-live-words]");
    this.base = `/api/v1/cameras/${encodeURIComponent(element.dataset.live)}`;
    this.quality = element.dataset.quality;
    this.round = new AbortController(); // aborted to begin anew, with another quality
    this.held = 0; // seconds by which the picture is held back, so that boxes fit
    this.ready = null; // what was opened for the next way: { over, opened }
    this.way = 0;
    this.why = "";
    this.left = new AbortController(); // aborted when the page goes away
  }

  get query() {
    const purpose = this.reason ? `${this.element.dataset.purpose}: ${this.reason}` : this.element.dataset.purpose;
    return `?quality=${this.quality}&purpose=${encodeURIComponent(purpose)}`;
  }

  // Goes on with the other stream; the last picture stands meanwhile.
  choose(quality) {
    if (quality === this.quality) return;
    this.quality = quality;
    this.round.abort();
    this.round = new AbortController();
  }

  stop() {
    this.left.abort();
    if (this.image.src.startsWith("blob:")) URL.revokeObjectURL(this.image.src);
  }

  say(key) {
    return this.element.dataset[`say${key[0].toUpperCase()}${key.slice(1)}`] ?? key;
  }

  show(state) {
    this.element.dataset.state = state;
    const words = this.say(state);
    this.words.textContent = this.why ? `${words}: ${this.say(this.why)}` : words;
    this.words.hidden = state === "away" || state === "unreachable";
    this.slate.hidden = !this.words.hidden;
    this.video.hidden = state === "mjpeg";
    const still = state === "connecting" || !this.slate.hidden; // the last picture is better than none
    this.image.hidden = !(state === "mjpeg" || (still && this.image.src));
    this.element.dispatchEvent(new CustomEvent("kw:live", { detail: state, bubbles: true }));
  }

  async run() {
    let fellAt = 0;
    let facts = null;
    while (!this.left.signal.aborted) {
      if (!this.ready) facts = await this.facts(); // what is ready was playable a moment ago
      if (!facts?.playable) {
        await this.showSlate(facts);
        await pause(2000);
        continue;
      }
      if (this.way && Date.now() - fellAt > TRY_BEST_AGAIN) [this.way, this.why] = [0, ""];
      if (this.element.dataset.state !== WAYS[this.way]) this.show("connecting");
      try {
        await this.play(WAYS[this.way], facts);
        await pause(500);
      } catch (problem) {
        if (this.left.signal.aborted) return;
        const away = !(problem instanceof Refused) && problem.name === "TypeError"; // the server is
        if (problem === CHANGED || away) {
          this.forget();
          continue;
        }
        this.why = problem.reason ?? "silent";
        if (this.way === 0) fellAt = Date.now();
        this.way = (this.way + 1) % WAYS.length;
        if (this.way === 0) await pause(2000);
      }
    }
  }

  // Opens the film beside the direct way, so that it is there at once should that one fail.
  prepare() {
    if (this.ready || !window.MediaSource) return;
    const over = new AbortController();
    const opened = media(this, "fmp4", AbortSignal.any([over.signal, this.left.signal]));
    opened.catch(() => {}); // who takes it sees it
    this.ready = { over, opened };
  }

  forget() {
    this.ready?.over.abort();
    this.ready = null;
  }

  // The film as it was prepared, or opened now.
  async film(signal) {
    const { ready } = this;
    if (!ready) return media(this, "fmp4", signal);
    this.ready = null;
    signal.addEventListener("abort", () => ready.over.abort());
    return ready.opened;
  }

  async facts() {
    try {
      const answer = await fetch(`${this.base}/live`, { signal: this.left.signal });
      if (answer.status === 401) location.reload(); // to the login page
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  async showSlate(facts) {
    const first = this.slate.hidden;
    this.slate.querySelector("[data-live-slate-title]").textContent = this.say(facts ? "away" : "unreachable");
    const since = facts?.since_at
      ? `${this.say("since")} ${new Date(facts.since_at).toLocaleString(document.documentElement.lang)} · `
      : "";
    const last = this.image.src ? `${this.say("last")} ` : "";
    this.slate.querySelector("[data-live-slate-text]").textContent = `${since}${last}${this.say("retry")}`;
    this.show(facts ? "away" : "unreachable");
    if (!first || this.image.src || !facts) return;
    try {
      const answer = await fetch(`${this.base}/live/picture`, { signal: this.left.signal });
      if (answer.status === 200) this.keep(await answer.blob());
    } catch {
      // the server has just gone: the slate says so at the next look
    }
  }

  // The picture that stands behind the slate.
  keep(blob) {
    const before = this.image.src;
    this.image.src = URL.createObjectURL(blob);
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  }

  keepLastFrame() {
    const { video } = this;
    if (!video.videoWidth || video.readyState < 2) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => blob && this.keep(blob), "image/jpeg", 0.8);
  }

  // Ends when the way has played and broken off; throws Refused if it never gave a picture.
  async play(way, facts) {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.left.signal]);
    const round = this.round.signal;
    let pictures = 0;
    let newest = performance.now();
    const onPicture = () => {
      newest = performance.now();
      pictures += 1;
      if (pictures === 1) {
        this.forget();
        this.show(way);
      }
    };
    const ended = { webrtc: () => this.webrtc(facts, signal), fmp4: () => pushedMovie(this, signal), mjpeg: () => pushedPictures(this, signal, onPicture) }[way]();
    if (way !== "mjpeg") this.countPictures(signal, onPicture);
    const began = performance.now();
    try {
      const watch = (async () => {
        while (!signal.aborted) {
          await pause(250);
          const now = performance.now();
          if (round.aborted) throw CHANGED;
          if (way === "webrtc" && !pictures && now - began > PREPARE) this.prepare();
          if (!pictures && now - began > PATIENCE) throw new Refused(this.reasonOf(way));
          if (pictures && now - newest > STALL && !document.hidden) return;
        }
      })();
      await Promise.race([ended, watch]);
      if (!pictures) throw new Refused(this.reasonOf(way));
    } finally {
      if (way !== "mjpeg" && pictures) this.keepLastFrame(); // it goes black with its connection
      over.abort();
      ended.catch(() => {}); // it was told to stop
    }
  }

  reasonOf(way) {
    return way === "webrtc" && this.peerState !== "connected" ? "blocked" : "silent";
  }

  countPictures(signal, onPicture) {
    let shown = this.video.getVideoPlaybackQuality().totalVideoFrames;
    const timer = setInterval(() => {
      const now = this.video.getVideoPlaybackQuality().totalVideoFrames;
      if (now !== shown && this.video.readyState >= 2) onPicture();
      shown = now;
    }, 100);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  async webrtc(facts, signal) {
    this.peerState = "new";
    if (!window.RTCPeerConnection) throw new Refused("unsupported");
    const peer = new RTCPeerConnection({ iceServers: facts.ice_servers });
    this.peer = peer; // the self-test asks it by which way the pictures come
    const headers = { "x-csrf-token": this.element.dataset.token };
    let where = null;
    const later = [];
    const tell = () => {
      if (!where || !later.length || signal.aborted) return;
      const body = `a=mid:0\r\n${later.splice(0).map((line) => `a=${line}\r\n`).join("")}`;
      fetch(where, { method: "PATCH", body, headers: { ...headers, "content-type": "application/trickle-ice-sdpfrag" } }).catch(() => {});
    };
    try {
      peer.addEventListener("icecandidate", ({ candidate }) => {
        if (candidate?.candidate) later.push(candidate.candidate);
        tell();
      });
      peer.addTransceiver("video", { direction: "recvonly" });
      peer.addEventListener("track", ({ streams, track, receiver }) => {
        if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
        this.video.srcObject = streams[0] ?? new MediaStream([track]);
        this.video.play().catch(() => {});
      });
      await peer.setLocalDescription();
      const answer = await fetch(`${this.base}/whep${this.query}`, {
        method: "POST", body: peer.localDescription.sdp, signal,
        headers: { ...headers, "content-type": "application/sdp" },
      });
      if (answer.status !== 201) throw new Refused("refused");
      where = answer.headers.get("location");
      await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
      tell();
      await new Promise((done) => {
        signal.addEventListener("abort", done);
        peer.addEventListener("connectionstatechange", () => {
          this.peerState = peer.connectionState;
          if (["failed", "closed", "disconnected"].includes(peer.connectionState)) done();
        });
      });
    } finally {
      peer.close();
      if (where) fetch(where, { method: "DELETE", headers, keepalive: true }).catch(() => {});
    }
  }
}

export const playerOf = (element) => players.get(element);

export function start(root, reason) {
  for (const element of root.querySelectorAll("[data-live]")) {
    if (players.has(element)) continue;
    const player = new LivePlayer(element, reason);
    players.set(element, player);
    player.run();
  }
}

export function stop(root) {
  for (const element of root.querySelectorAll("[data-live]")) {
    players.get(element)?.stop();
    players.delete(element);
  }
}

export const ready = askPurpose().then((reason) => {
  start(document, reason);
  return reason;
});

addEventListener("pagehide", () => stop(document));

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

const writeMarks = () => {
  const now = new Date().toLocaleString(document.documentElement.lang);
  for (const mark of document.querySelectorAll("[data-live-mark]")) mark.textContent = `${mark.dataset.viewer} · ${now}`;
};
writeMarks();
setInterval(writeMarks, 1000);
