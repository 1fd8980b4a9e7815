// Forms of administration: their fields become one JSON request; what is wrong is said beside them.

export async function send(method, address, body, token) {
  const headers = { "x-csrf-token": token, accept: "application/json" };
  let content = body;
  if (!(body instanceof Blob)) {
    headers["content-type"] = "application/json";
    content = JSON.stringify(body);
  } else headers["content-type"] = body.type || "application/octet-stream";
  try {
    return await fetch(address, { method, headers, body: content });
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem; // TypeError: the network is down
    return new Response("{}", { status: 503, headers: { "content-type": "application/json" } });
  }
}

// The server says it in English; the page's own language is asked for.
export async function sayProblem(place, answer) {
  const problem = await answer.json().catch(() => ({}));
  const sentences = (problem.fields ?? []).map((field) => `${field.field.split(".").slice(1).join(".")}: ${field.problem}`);
  const words = place.querySelector("[data-problem-words]");
  words.textContent = sentences.length ? sentences.join("; ") : problem.detail || place.dataset.otherwise;
  place.hidden = false;
  if (!sentences.length && problem.detail) {
    const query = new URLSearchParams({ sentence: problem.detail });
    const said = await fetch(`/administration/said?${query}`).catch(() => null);
    if (said?.ok) words.textContent = (await said.json()).words;
  }
  place.scrollIntoView({ block: "nearest" });
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.multiple) return [...field.selectedOptions].map((option) => Number(option.value));
  const text = field.value.trim();
  if (field.dataset.type === "words" && (text || field.dataset.empty !== "skip")) {
    return text ? text.split(/\s+/) : [];
  }
  if (!text) return field.dataset.empty === "null" ? null : field.dataset.empty === "skip" ? undefined : "";
  if (field.dataset.type === "number") return Number(text);
  if (field.dataset.type === "flag") return text === "true";
  return text;
}

export function read(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.name === "csrf_token" || field.disabled) continue;
    const value = valueOf(field);
    if (value === undefined) continue;
    const path = field.name.split(".");
    let place = body;
    for (const step of path.slice(0, -1)) place = place[step] ??= {};
    place[path.at(-1)] = value;
  }
  return body;
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-api]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.sure && !window.confirm(form.dataset.sure)) return;
  const button = form.querySelector("button:not([type=button])");
  button.disabled = true;
  const token = form.elements.csrf_token.value;
  const answer = await send(form.dataset.method, form.dataset.api, read(form), token);
  button.disabled = false;
  if (!answer.ok) {
    await sayProblem(form.querySelector("[data-problem]"), answer);
    return;
  }
  const made = await answer.json();
  if (made.one_time_password) {
    const shown = form.querySelector("[data-password]");
    shown.querySelector("output").textContent = made.one_time_password;
    shown.hidden = false;
    button.hidden = true;
    return;
  }
  const passwords = Object.entries(made.passwords ?? {});
  if (passwords.length) {
    const shown = form.querySelector("[data-password]");
    shown.querySelector("output").textContent = passwords.map((pair) => pair.join(" ")).join("\n");
    shown.hidden = false;
    button.hidden = true;
    return;
  }
  const next = form.dataset.next?.replace("{id}", encodeURIComponent(made.id ?? made.camera_id ?? ""));
  if (next) location.assign(next);
  else location.reload();
});
