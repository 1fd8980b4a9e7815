// Photos of a rectification: each is sent as soon as it is taken, with its progress; what is wrong is said.

// While somebody takes a photo or looks for one the page must not be replaced under it: what they bring
// back would come to a form that is no longer there.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick]");
  if (!button) return;
  const place = button.closest("[data-upload]");
  const input = place.querySelector(`[data-file=${button.dataset.pick}]`);
  place.toggleAttribute("data-picking", true);
  input.addEventListener("cancel", () => place.removeAttribute("data-picking"), { once: true });
  input.click();
});

document.addEventListener("change", async (event) => {
  if (!event.target.matches("[data-file]")) return;
  const place = event.target.closest("[data-upload]");
  const files = [...event.target.files];
  event.target.value = ""; // the same picture may be chosen again
  try {
    for (const file of files) await send(place, file); // one after the other: phones have little upstream
  } finally {
    place.removeAttribute("data-picking");
  }
});

async function send(place, file) {
  const row = place.querySelector("template").content.firstElementChild.cloneNode(true);
  row.querySelector("[data-name]").textContent = file.name;
  place.querySelector("[data-upload-list]").append(row);
  const progress = row.querySelector("progress");
  const answer = await post(place, file, (share) => {
    progress.value = share;
  });
  if (answer.status === 200) {
    document.dispatchEvent(new Event("kw:photo"));
    const fresh = new DOMParser().parseFromString(answer.text, "text/html").querySelector("[data-photo-tray]");
    const form = place.closest("form");
    const left = [...form.querySelectorAll("[name=photo_ids]:not(:checked)")].map((box) => box.value);
    form.querySelector("[data-photo-tray]").replaceWith(fresh);
    for (const box of form.querySelectorAll("[name=photo_ids]")) {
      if (left.includes(box.value)) box.checked = false; // a photo that was left out stays out
    }
    row.remove();
    return;
  }
  progress.remove();
  const problem = row.querySelector("[data-problem]");
  problem.hidden = false;
  problem.textContent = answer.problem ?? place.dataset.failed;
}

// XMLHttpRequest, because fetch does not tell how much has been sent.
function post(place, file, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", place.dataset.upload);
    request.setRequestHeader("x-csrf-token", place.dataset.token);
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("loadend", () => {
      const json = (request.getResponseHeader("content-type") ?? "").includes("json");
      resolve({
        status: request.status,
        text: request.responseText,
        problem: json ? JSON.parse(request.responseText).problem : undefined,
      });
    });
    request.send(file);
  });
}
