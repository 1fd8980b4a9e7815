"""One Chromium as viewer: its pictures are drawn on a canvas, where their time is read.

Its age of a picture ends when the page has the picture in hand (``requestVideoFrameCallback``), so it
holds the browser's own jitter buffer and decoder.
"""

from __future__ import annotations

from typing import Any

from benchmarks.live_view.talk import Child

CHROMIUM = "/usr/bin/chromium"
WATCH = """
async (seconds) => {
  const began = performance.now();
  const peer = new RTCPeerConnection();
  peer.addTransceiver("video", { direction: "recvonly" });
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const ages = [];
  let first = null, damaged = 0, pictures = 0, done = false;
  peer.ontrack = (event) => {
    video.srcObject = new MediaStream([event.track]);
    video.play();
  };
  const look = () => {
    if (done) return;
    pictures += 1;
    first ??= (performance.now() - began) / 1000;
    const width = video.videoWidth, block = Math.floor(width / 32);
    canvas.width = width;
    canvas.height = 2 * block;
    pen.drawImage(video, 0, 0, width, 2 * block, 0, 0, width, 2 * block);
    const data = pen.getImageData(0, 0, width, 2 * block).data;
    const lit = (row, bit) => data[4 * (row * width + bit * block + (block >> 1))] > 127;
    let sent = 0, whole = true;
    for (let bit = 0; bit < 32; bit += 1) {
      const high = lit(block >> 1, bit);
      if (high === lit(block + (block >> 1), bit)) whole = false;
      if (high) sent += 2 ** bit;
    }
    const age = (Date.now() % 2 ** 32) - sent;
    if (whole) ages.push({ at: performance.now() - began, age: age < 0 ? age + 2 ** 32 : age });
    else damaged += 1;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await window.edgeAnswers(peer.localDescription.sdp);
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  done = true;
  const size = `${video.videoWidth}x${video.videoHeight}`;
  peer.close();
  return { first, damaged, pictures, size, ages: ages.filter((one) => one.at > 2000).map((one) => one.age) };
}
"""


async def watch(edge: Child, camera: int, *, seconds: float) -> dict[str, Any] | None:
    """Watch one camera; ``None`` where there is no Chromium or Playwright.

    Ages of the first two seconds, in which the kept group runs through, are left out.
    """
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - an optional extra
    except ImportError:
        return None
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error:
            return None
        page = await browser.new_page()

        async def answers(offer: str) -> str:
            return str(await edge.ask("answer", viewer=-1, camera=camera, offer=offer))

        await page.expose_function("edgeAnswers", answers)
        found: dict[str, Any] = await page.evaluate(WATCH, seconds)
        await browser.close()
        return found
