// A short two-tone sign for tier 1, made by the browser itself; off until a person switches it on.

const KEY = "kw-sound";
let context = null;

export const soundButton = document.querySelector("[data-sound]");

function wantsSound() {
  return localStorage.getItem(KEY) === "on";
}

function show() {
  const on = wantsSound();
  soundButton.setAttribute("aria-pressed", String(on));
  const words = on ? soundButton.dataset.on : soundButton.dataset.off;
  soundButton.querySelector("[data-words]").textContent = words;
  soundButton.title = words;
  for (const icon of soundButton.querySelectorAll("[data-when]")) {
    icon.toggleAttribute("hidden", icon.dataset.when !== (on ? "on" : "off"));
  }
}

function tone(frequency, from, length) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0.0001, from);
  gain.gain.exponentialRampToValueAtTime(0.25, from + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, from + length);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(from);
  oscillator.stop(from + length);
}

export function chime() {
  if (!wantsSound() || !soundButton) return;
  context ??= new AudioContext();
  context.resume();
  tone(880, context.currentTime, 0.25);
  tone(660, context.currentTime + 0.22, 0.4);
}

if (soundButton) {
  show();
  soundButton.addEventListener("click", () => {
    localStorage.setItem(KEY, wantsSound() ? "off" : "on");
    show();
    chime();
  });
}
