// Self-test of live view in this browser and network: what works, what does not, and how long it took.

import "./live_tools.js";
import { playerOf, ready } from "./live.js";

const PATIENCE = 8000;
const page = document.querySelector("[data-live-test]");
const servers = JSON.parse(page.dataset.servers);

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const within = (promise, ms) => Promise.race([promise, pause(ms).then(() => null)]);

function tell(check, state, detail = "") {
  const row = page.querySelector(`[data-check="${CSS.escape(check)}"]`);
  row.dataset.state = state;
  row.querySelector("[data-result]").textContent = page.dataset[state];
  row.querySelector("[data-detail]").textContent = detail;
}

function browser() {
  const codecs = window.RTCRtpReceiver?.getCapabilities("video")?.codecs ?? [];
  const h264 = codecs.some((codec) => codec.mimeType.toLowerCase() === "video/h264");
  tell("webrtc", window.RTCPeerConnection && h264 ? "ok" : "bad", h264 ? "H.264" : "");
  const type = 'video/mp4; codecs="avc1.42c01f"';
  const mse = Boolean(window.MediaSource?.isTypeSupported(type));
  tell("mse", mse ? "ok" : "warn", mse ? "fMP4" : "");
}

// Which address the server gives; its own word where it gives none.
async function gather(number) {
  const server = servers[number];
  const wanted = server.urls[0].startsWith("turn") ? "relay" : "srflx";
  const peer = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: wanted === "relay" ? "relay" : "all" });
  const began = performance.now();
  let trouble = "";
  const found = new Promise((done) => {
    peer.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.type === wanted) done(candidate);
      if (!candidate) done(null);
    });
    peer.addEventListener("icecandidateerror", ({ errorCode, errorText }) => {
      trouble = `${errorCode} ${errorText ?? ""}`.trim();
    });
  });
  peer.createDataChannel("test");
  await peer.setLocalDescription();
  const candidate = await within(found, PATIENCE);
  peer.close();
  const took = Math.round(performance.now() - began);
  tell(`server-${number}`, candidate ? "ok" : "bad", candidate ? `${candidate.address} · ${took} ms` : trouble);
}

// Two peers of this page that find each other, directly or only through the relay.
async function loop(check, configuration) {
  const [one, other] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
  one.addEventListener("icecandidate", ({ candidate }) => candidate && other.addIceCandidate(candidate).catch(() => {}));
  other.addEventListener("icecandidate", ({ candidate }) => candidate && one.addIceCandidate(candidate).catch(() => {}));
  other.addEventListener("datachannel", ({ channel }) => channel.addEventListener("message", ({ data }) => channel.send(data)));
  const channel = one.createDataChannel("test");
  const back = new Promise((done) => {
    channel.addEventListener("open", () => {
      channel.began = performance.now();
      channel.send("there and back");
    });
    channel.addEventListener("message", () => done(performance.now() - channel.began));
  });
  await one.setLocalDescription();
  await other.setRemoteDescription(one.localDescription);
  await other.setLocalDescription();
  await one.setRemoteDescription(other.localDescription);
  const took = await within(back, PATIENCE);
  one.close();
  other.close();
  tell(check, took === null ? "bad" : "ok", took === null ? "" : `${took.toFixed(1)} ms`);
}

async function path(cell) {
  const peer = playerOf(cell)?.peer;
  if (!peer) return "";
  const stats = await peer.getStats();
  const pair = [...stats.values()].find((one) => one.type === "candidate-pair" && one.nominated && one.state === "succeeded");
  if (!pair) return "";
  const [near, far] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
  const time = pair.currentRoundTripTime === undefined ? "" : ` · ${Math.round(pair.currentRoundTripTime * 1000)} ms`;
  return `${near?.candidateType} → ${far?.candidateType} · ${far?.protocol}${time}`;
}

function camera() {
  const cell = page.querySelector("[data-live]");
  if (!cell) return;
  const look = async () => {
    const state = cell.dataset.state;
    const words = cell.querySelector("[data-live-words]").textContent;
    if (state === "webrtc") {
      await pause(1500); // until a pair has been chosen
      tell("camera", "ok", [words, await path(cell)].filter(Boolean).join(" · "));
    } else if (["fmp4", "mjpeg"].includes(state)) tell("camera", "warn", words);
    else if (["away", "unreachable"].includes(state)) tell("camera", "bad", cell.querySelector("[data-live-slate-title]").textContent);
  };
  cell.addEventListener("kw:live", look);
  ready.then(look);
}

browser();
camera();
if (window.RTCPeerConnection) {
  await loop("direct", { iceServers: [] });
  for (const number of servers.keys()) await gather(number);
  const relays = servers.filter((server) => server.urls[0].startsWith("turn"));
  if (relays.length) await loop("relay", { iceServers: relays, iceTransportPolicy: "relay" });
}
