"""One end of a view in a process of its own, so that it can live in another network: talks in JSON lines.

``python -m tests.live.nat_peer edge|chromium`` reads ``{"ice": [...], "limit_s": 30}`` first. The edge then
answers ``{"sdp": offer}``; the viewer says its offer, reads ``{"sdp": answer}``, and tells what it saw.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from kitchen_watch.control import IceServer

CHROMIUM = "/usr/bin/chromium"
WATCH = """
async ([servers, seconds]) => {
  const peer = new RTCPeerConnection({ iceServers: servers });
  peer.addTransceiver("video", { direction: "recvonly" });
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  peer.ontrack = (event) => { video.srcObject = new MediaStream([event.track]); video.play(); };
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((resolve) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
    setTimeout(resolve, 5000);
  });
  await peer.setRemoteDescription({ type: "answer", sdp: await window.tell(peer.localDescription.sdp) });
  const until = performance.now() + seconds * 1000;
  const frames = () => video.getVideoPlaybackQuality().totalVideoFrames;
  while (frames() < 10 && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const stats = [...(await peer.getStats()).values()];
  const pair = stats.find(
    (one) => one.type === "candidate-pair" && one.nominated && one.state === "succeeded"
  );
  const kind = (id) => stats.find((one) => one.id === id)?.candidateType;
  return {
    frames: frames(), size: `${video.videoWidth}x${video.videoHeight}`, state: peer.connectionState,
    kinds: pair ? [kind(pair.localCandidateId), kind(pair.remoteCandidateId)] : [],
  };
}
"""


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def hear() -> dict[str, Any]:
    heard: dict[str, Any] = json.loads(await asyncio.to_thread(sys.stdin.readline))
    return heard


async def edge(servers: list[IceServer], _limit_s: float) -> None:
    from kitchen_watch.live.relay import Relay
    from kitchen_watch.live.session import ViewerSession
    from tests.edge.evidence.cameras import camera
    from tests.live.peers import streaming

    relay = Relay()
    with streaming(camera(10), relay, ahead=10):
        session = ViewerSession(relay, ice_servers=servers)
        say({"sdp": await session.answer((await hear())["sdp"])})
        await asyncio.to_thread(sys.stdin.readline)
        await session.close()


async def chromium(servers: list[IceServer], limit_s: float) -> None:
    from playwright.async_api import async_playwright

    async def tell(offer: str) -> str:
        say({"sdp": offer})
        return str((await hear())["sdp"])

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        await page.expose_function("tell", tell)
        ice = [one.model_dump(exclude_none=True, mode="json") for one in servers]
        say(await page.evaluate(WATCH, [ice, limit_s]))
        await browser.close()


async def main() -> None:
    role = {"edge": edge, "chromium": chromium}[sys.argv[1]]
    told = await hear()
    await role([IceServer.model_validate(one) for one in told["ice"]], told["limit_s"])


if __name__ == "__main__":
    asyncio.run(main())
