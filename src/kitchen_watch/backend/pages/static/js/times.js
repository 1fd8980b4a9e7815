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
}

refreshTimes();
setInterval(refreshTimes, 5_000);
