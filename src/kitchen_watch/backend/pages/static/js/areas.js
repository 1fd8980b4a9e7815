// The editor of zones and privacy masks: mouse, finger, pen or keyboard; saved as one new version.

import { Drawing, rounded } from "./areas_model.js";
import { sayProblem, send } from "./administration.js";

const SVG = "http://www.w3.org/2000/svg";
const CLOSE_PX = 24; // so near the first corner closes the outline
const DRAG_PX = 14; // a longer pull draws a rectangle
const STEP = 0.01;

const editor = document.querySelector("[data-editor]");
const stage = editor.querySelector("[data-stage]");
const picture = editor.querySelector("[data-picture]");
const svg = editor.querySelector("[data-shapes]");
const list = editor.querySelector("[data-areas-list]");
const status = editor.querySelector("[data-status]");
const drawing = new Drawing(JSON.parse(editor.dataset.areas));
let version = Number(editor.dataset.version);
let size = [1600, 900];
let cursor = [0.5, 0.5];
let grip = null; // what a pointer holds
let dirty = false;

picture.addEventListener("load", () => {
  size = [picture.naturalWidth, picture.naturalHeight];
  editor.toggleAttribute("data-without-picture", false);
  show();
});
picture.addEventListener("error", () => {
  editor.toggleAttribute("data-without-picture", true);
  editor.querySelector("[data-no-picture]").hidden = false;
});
if (picture.dataset.src) picture.src = picture.dataset.src;

function at(event) {
  const box = svg.getBoundingClientRect();
  return rounded([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
}

function pixels(one, other) {
  const box = svg.getBoundingClientRect();
  return Math.hypot((one[0] - other[0]) * box.width, (one[1] - other[1]) * box.height);
}

function shape(name, attributes, parent = svg) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

const points = (polygon) => polygon.map(([x, y]) => `${x * size[0]},${y * size[1]}`).join(" ");

function show() {
  svg.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  const focused = document.activeElement?.dataset?.corner;
  const unit = size[0] / Math.max(1, svg.getBoundingClientRect().width); // one CSS pixel
  svg.replaceChildren();
  drawing.areas.forEach((area, index) => {
    const polygon = shape("polygon", { points: points(area.polygon), class: `area area-${area.kind}` });
    polygon.dataset.area = index;
    polygon.classList.toggle("is-selected", index === drawing.selected);
  });
  (drawing.current?.polygon ?? []).forEach(([x, y], index) => {
    const handle = shape("g", { class: "handle", tabindex: 0, role: "button" });
    handle.dataset.corner = index;
    handle.setAttribute("aria-label", `${editor.dataset.cornerWord} ${index + 1}`);
    shape("circle", { cx: x * size[0], cy: y * size[1], r: 22 * unit, class: "handle-touch" }, handle);
    shape("circle", { cx: x * size[0], cy: y * size[1], r: 8 * unit, class: "handle-dot" }, handle);
    if (String(index) === focused) handle.focus();
  });
  if (drawing.open) {
    shape("polyline", { points: points(drawing.open.polygon), class: `area-open area-${drawing.open.kind}` });
    drawing.open.polygon.forEach(([x, y], index) => {
      const dot = { cx: x * size[0], cy: y * size[1], r: (index ? 6 : 10) * unit, class: "handle-dot" };
      shape("circle", dot);
    });
    const [x, y] = [cursor[0] * size[0], cursor[1] * size[1]];
    const arm = 14 * unit;
    shape("path", { d: `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}`, class: "crosshair" });
  }
  showList();
}

function showList() {
  const template = editor.querySelector("[data-area-row]");
  const had = document.activeElement?.dataset?.nameOf;
  list.replaceChildren();
  drawing.areas.forEach((area, index) => {
    const row = template.content.firstElementChild.cloneNode(true);
    row.classList.toggle("is-selected", index === drawing.selected);
    row.querySelector("[data-kind]").textContent = editor.dataset[`${area.kind}Word`];
    const choose = row.querySelector("[data-choose]");
    choose.setAttribute("aria-pressed", String(index === drawing.selected));
    choose.querySelector("[data-id]").textContent = area.zone_id;
    choose.addEventListener("click", () => select(index));
    const name = row.querySelector("[data-name]");
    name.value = area.name;
    name.dataset.nameOf = index;
    name.addEventListener("input", () => {
      area.name = name.value;
      change();
    });
    list.append(row);
    if (String(index) === had) name.focus();
  });
  editor.querySelector("[data-none]").hidden = drawing.areas.length > 0;
  for (const [name, possible] of Object.entries({
    finish: drawing.open && drawing.open.polygon.length >= 3,
    cancel: drawing.open,
    undo: drawing.past.length,
    remove: drawing.current && !drawing.open,
    save: dirty && !drawing.open,
  })) {
    editor.querySelector(`[data-do=${name}]`).disabled = !possible;
  }
  editor.toggleAttribute("data-drawing", Boolean(drawing.open));
}

function change() {
  dirty = true;
  editor.querySelector("[data-do=save]").disabled = Boolean(drawing.open);
}

function select(index) {
  drawing.selected = index;
  show();
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  const point = at(event);
  const corner = event.target.closest("[data-corner]");
  const area = event.target.closest("[data-area]");
  if (drawing.open) grip = { kind: "draw", start: point };
  else if (corner) {
    drawing.remember();
    grip = { kind: "corner", index: Number(corner.dataset.corner) };
  } else if (area) {
    if (drawing.selected !== Number(area.dataset.area)) select(Number(area.dataset.area));
    grip = { kind: "area", start: point, polygon: structuredClone(drawing.current.polygon), moved: false };
  } else return;
  event.preventDefault();
  stage.setPointerCapture(event.pointerId);
});

stage.addEventListener("pointermove", (event) => {
  const point = at(event);
  if (drawing.open) cursor = point;
  if (grip?.kind === "corner") drawing.moveCorner(grip.index, point);
  if (grip?.kind === "area" && (grip.moved || pixels(grip.start, point) > 4)) {
    if (!grip.moved) drawing.remember();
    grip.moved = true;
    drawing.moveAll(grip.polygon, point[0] - grip.start[0], point[1] - grip.start[1]);
  }
  if (grip || drawing.open) show();
  if (grip?.kind === "draw" && !drawing.open.polygon.length && pixels(grip.start, point) > DRAG_PX) {
    const corners = [grip.start, [point[0], grip.start[1]], point, [grip.start[0], point[1]]];
    shape("polygon", { points: points(corners), class: `area area-${drawing.open.kind}` });
  }
});

stage.addEventListener("pointerup", (event) => {
  const held = grip;
  grip = null;
  if (!held) return;
  const point = at(event);
  if (held.kind === "draw") {
    const outline = drawing.open.polygon;
    if (!outline.length && pixels(held.start, point) > DRAG_PX) drawing.rectangle(held.start, point);
    else if (outline.length >= 3 && pixels(outline[0], point) < CLOSE_PX) drawing.finish();
    else drawing.add(point);
    cursor = point;
    change();
  } else if (held.kind === "corner" || held.moved) change();
  show();
});

stage.addEventListener("pointercancel", () => {
  if (grip?.kind === "corner" || grip?.moved) drawing.undo();
  grip = null;
  show();
});

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

stage.addEventListener("keydown", (event) => {
  const arrow = ARROWS[event.key];
  const step = STEP * (event.shiftKey ? 5 : 1);
  const corner = event.target.closest("[data-corner]");
  if (arrow && corner) {
    const index = Number(corner.dataset.corner);
    const [x, y] = drawing.current.polygon[index];
    drawing.remember();
    drawing.moveCorner(index, rounded([x + arrow[0] * step, y + arrow[1] * step]));
    change();
  } else if (arrow && drawing.open) cursor = rounded([cursor[0] + arrow[0] * step, cursor[1] + arrow[1] * step]);
  else if (drawing.open && (event.key === "Enter" || event.key === " ")) {
    const outline = drawing.open.polygon;
    if (outline.length >= 3 && pixels(outline[0], cursor) < CLOSE_PX) drawing.finish();
    else drawing.add(cursor);
    change();
  } else if (drawing.open && event.key === "Escape") drawing.cancel();
  else if (corner && (event.key === "Delete" || event.key === "Backspace")) {
    drawing.removeCorner(Number(corner.dataset.corner));
    change();
  } else return;
  event.preventDefault();
  show();
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
  if (event.target.matches("input")) return;
  event.preventDefault();
  act.undo();
});

const act = {
  mask: () => drawing.begin("mask", ""),
  zone: () => drawing.begin("zone", ""),
  finish: () => drawing.finish() && change(),
  cancel: () => drawing.cancel(),
  undo: () => drawing.undo() && change(),
  remove: () => {
    drawing.remove();
    change();
  },
  save,
};

for (const button of editor.querySelectorAll("[data-do]")) {
  button.addEventListener("click", async () => {
    await act[button.dataset.do]();
    show();
    if (["mask", "zone"].includes(button.dataset.do)) stage.focus();
  });
}

async function save() {
  const body = { version, areas: drawing.areas, note: editor.querySelector("[data-note]").value };
  const answer = await send("PUT", editor.dataset.api, body, editor.dataset.token);
  const problem = editor.querySelector("[data-problem]");
  if (!answer.ok) {
    await sayProblem(problem, answer);
    return;
  }
  problem.hidden = true;
  const saved = await answer.json();
  version = saved.version;
  dirty = false;
  follow(saved);
}

// The edge's word comes a moment later.
async function follow(state, left = 20) {
  status.textContent = editor.dataset[`say${state.answer.state[0].toUpperCase()}${state.answer.state.slice(1)}`];
  if (state.answer.reason) status.textContent += ` ${state.answer.reason}`;
  status.dataset.state = state.answer.state;
  if (!left || state.version !== version || !["due", "waiting"].includes(state.answer.state)) return;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const answer = await fetch(editor.dataset.api, { headers: { accept: "application/json" } }).catch(() => null);
  if (answer?.ok) await follow(await answer.json(), left - 1);
}

window.addEventListener("resize", show);
window.addEventListener("beforeunload", (event) => {
  if (dirty) event.preventDefault();
});
show();
