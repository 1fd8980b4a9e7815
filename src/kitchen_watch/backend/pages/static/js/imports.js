// A chosen file is sent as it is; its preview is a page of its own.

import { sayProblem, send } from "./administration.js";

const form = document.querySelector("[data-import]");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  if (!file) return;
  const button = form.querySelector("button");
  const busy = form.querySelector("[data-busy]");
  button.disabled = true;
  busy.hidden = false;
  const query = new URLSearchParams({ name: file.name.slice(0, 200) });
  const address = `/api/v1/imports/${form.elements.kind.value}?${query}`;
  const answer = await send("POST", address, file, form.elements.csrf_token.value);
  button.disabled = false;
  busy.hidden = true;
  if (!answer.ok) {
    await sayProblem(form.querySelector("[data-problem]"), answer);
    return;
  }
  location.assign(`/administration/imports/${(await answer.json()).import_id}`);
});
