// The bell: how many notifications are unread, asked now and then and when an alert comes in.

const EVERY_MS = 30_000;
const bell = document.querySelector("[data-bell]");

async function look() {
  if (!bell || document.hidden) return;
  let answer;
  try {
    answer = await fetch("/api/v1/notifications/unread", { headers: { accept: "application/json" } });
  } catch (problem) {
    if (problem instanceof TypeError) return; // the network is down; the next look will tell
    throw problem;
  }
  if (!answer.ok) return;
  const { unread } = await answer.json();
  const count = bell.querySelector("[data-bell-count]");
  count.hidden = unread === 0;
  count.textContent = unread > 99 ? "99+" : String(unread);
  bell.setAttribute("aria-label", unread ? `${bell.dataset.unreadLabel} ${unread}` : bell.dataset.label);
}

look();
setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
document.addEventListener("kw:alert", () => setTimeout(look, 1500)); // the relay reads a moment later
