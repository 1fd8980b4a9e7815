// The zones and masks of one camera while they are drawn: plain data, every change can be taken back.

export const MOST_UNDO = 100;

export class Drawing {
  constructor(areas) {
    this.areas = structuredClone(areas);
    this.selected = areas.length ? 0 : -1;
    this.open = null; // the polygon that is being drawn
    this.past = [];
  }

  get current() {
    return this.areas[this.selected] ?? null;
  }

  remember() {
    this.past.push(JSON.stringify([this.areas, this.selected, this.open]));
    if (this.past.length > MOST_UNDO) this.past.shift();
  }

  undo() {
    if (!this.past.length) return false;
    [this.areas, this.selected, this.open] = JSON.parse(this.past.pop());
    return true;
  }

  begin(kind, name) {
    this.remember();
    this.open = { zone_id: this.freeId(kind), kind, name, polygon: [] };
    this.selected = -1;
  }

  add(point) {
    this.remember();
    this.open.polygon.push(point);
  }

  rectangle(from, to) {
    this.remember();
    this.open.polygon = [from, [to[0], from[1]], to, [from[0], to[1]]];
    this.areas.push(this.open);
    this.open = null;
    this.selected = this.areas.length - 1;
  }

  finish() {
    if (!this.open || this.open.polygon.length < 3) return false;
    this.remember();
    this.areas.push(this.open);
    this.open = null;
    this.selected = this.areas.length - 1;
    return true;
  }

  cancel() {
    if (!this.open) return;
    this.remember();
    this.open = null;
  }

  remove() {
    if (!this.current) return;
    this.remember();
    this.areas.splice(this.selected, 1);
    this.selected = Math.min(this.selected, this.areas.length - 1);
  }

  removeCorner(index) {
    if (!this.current || this.current.polygon.length <= 3) return;
    this.remember();
    this.current.polygon.splice(index, 1);
  }

  moveCorner(index, point) {
    this.current.polygon[index] = point;
  }

  moveAll(start, dx, dy) {
    const xs = start.map((point) => point[0]);
    const ys = start.map((point) => point[1]);
    const x = Math.min(Math.max(dx, -Math.min(...xs)), 1 - Math.max(...xs));
    const y = Math.min(Math.max(dy, -Math.min(...ys)), 1 - Math.max(...ys));
    this.current.polygon = start.map((point) => rounded([point[0] + x, point[1] + y]));
  }

  freeId(kind) {
    const taken = new Set(this.areas.map((area) => area.zone_id));
    let number = 1;
    while (taken.has(`${kind}-${number}`)) number += 1;
    return `${kind}-${number}`;
  }
}

export function rounded([x, y]) {
  const clamp = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4;
  return [clamp(x), clamp(y)];
}
