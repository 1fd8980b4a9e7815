// Human distances in time ("3 minutes ago") that stay true while the page is open.
//
// The distance is taken from the server's clock: a phone with a wrong clock shows the same words.

const root = document.documentElement;
const offset = Date.parse(root.dataset.now) - Date.now();
const words = new Intl.RelativeTimeFormat(root.lang, { numeric: "always", style: "long" });
const steps = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

export function ago(instant) {
  const seconds = Math.round((Date.now() + offset - instant) / 1000);
  if (seconds < 5) return root.dataset.justNow;
  const [unit, size] = steps.find(([, each]) => seconds >= each);
  return words.format(-Math.floor(seconds / size), unit);
}

export function refreshTimes(scope = document) {
  for (const element of scope.querySelectorAll("time[data-ago]")) {
    const text = ago(Date.parse(element.dateTime));
    if (element.textContent !== text) element.textContent = text;
  }
  for (const element of scope.querySelectorAll("time[data-due]")) refreshDue(element);
}

// The same rule as ``times.remaining`` on the server; the words come with the page.
const clock = JSON.parse(root.dataset.clockWords);
const signs = { over: "bad", soon: "warn", ahead: "clock" };

function filled(text, values) {
  return text.replace(/%\((\w+)\)[sd]/g, (_, name) => values[name]);
}

export function remaining(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  let length = clock.moment;
  if (days) length = filled(clock.dh, { days, hours: hours % 24 });
  else if (hours) length = filled(minutes % 60 ? clock.hm : clock.h, { hours, minutes: minutes % 60 });
  else if (minutes) length = filled(clock.m, { minutes });
  return filled(milliseconds >= 0 ? clock.left : clock.over, { length });
}

function refreshDue(element) {
  const left = Date.parse(element.dateTime) - Date.now() - offset;
  const kind = left < 0 ? "over" : left < 3_600_000 ? "soon" : "ahead";
  const text = remaining(left);
  const words = element.querySelector("span");
  if (words.textContent !== text) words.textContent = text;
  if (element.classList.contains(`due-${kind}`)) return;
  element.className = `due due-${kind}`;
  const use = element.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${signs[kind]}`));
}

refreshTimes();
setInterval(() => refreshTimes(), 5_000);
