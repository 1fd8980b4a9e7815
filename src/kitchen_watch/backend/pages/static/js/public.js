// The pictures of a public page: fetched anew every few seconds while somebody looks at them.

const list = document.querySelector("[data-public-every]");
const every = Number(list?.dataset.publicEvery ?? 0) * 1000;
const PATIENCE = 3; // failures after which an old picture is taken away

async function follow(cell) {
  const image = cell.querySelector("img");
  let failures = 0;
  let hidden = false; // nobody knows just now where faces are, so nothing is shown
  for (;;) {
    const began = Date.now();
    if (!document.hidden) {
      try {
        const answer = await fetch(cell.dataset.publicCamera);
        if (answer.status === 404) return location.reload(); // the code or the camera is gone
        failures = answer.status === 200 ? 0 : failures + 1;
        if (!failures) await show(image, await answer.blob());
        if (!failures) hidden = answer.headers.get("x-picture") === "hidden";
      } catch {
        failures += 1; // the network or the picture is broken: it is tried again
      }
      const state = image.src && failures < PATIENCE ? (hidden ? "hidden" : "shown") : "none";
      cell.dataset.state = state;
      image.hidden = state === "none";
    }
    await new Promise((done) => setTimeout(done, Math.max(1000, every - (Date.now() - began))));
  }
}

async function show(image, blob) {
  const before = image.src;
  image.src = URL.createObjectURL(blob);
  if (before) URL.revokeObjectURL(before);
  await image.decode();
}

for (const cell of list?.querySelectorAll("[data-public-camera]") ?? []) follow(cell);
