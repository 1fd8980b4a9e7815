// Why somebody watches: asked once per window where the service wants it, and sent with every view.

const KEY = "kw-purpose";

export async function askPurpose() {
  const dialog = document.querySelector("[data-purpose-dialog]");
  if (!dialog) return "";
  const known = sessionStorage.getItem(KEY);
  if (known) return known;
  const form = dialog.querySelector("form");
  dialog.addEventListener("cancel", (event) => event.preventDefault()); // Escape does not go around it
  dialog.showModal();
  return new Promise((done) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answers = new FormData(form);
      const reason = [answers.get("reason"), answers.get("note").trim()].filter(Boolean).join(", ").slice(0, 120);
      sessionStorage.setItem(KEY, reason);
      dialog.close();
      done(reason);
    });
  });
}
