// The live connection to the feed: opens, watches, and re-opens a stream of server-sent events.
//
// EventSource repeats Last-Event-ID by itself after a broken connection, but gives up for good when
// the server answers with an error, and does not notice a connection that went silent. This wrapper
// does both, and tells its owner the state: "connecting", "live", "retrying" or "offline".

const SILENCE_MS = 40_000; // the server speaks at least every 10 s
const LONGEST_PAUSE_MS = 20_000;

export class LiveStream {
  #source = null;
  #silence = 0;
  #retry = 0;
  #failures = 0;

  constructor({ after, onMessage, onState }) {
    this.lastId = after;
    this.onMessage = onMessage;
    this.onState = onState;
    window.addEventListener("online", () => this.open());
    window.addEventListener("offline", () => this.#lost("offline"));
    window.addEventListener("pagehide", () => this.close());
    window.addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  open() {
    this.close();
    this.onState(this.#failures ? "retrying" : "connecting");
    const url = new URL("/api/v1/alerts/stream", location.href);
    if (this.lastId) url.searchParams.set("after", this.lastId);
    const source = new EventSource(url);
    this.#source = source;
    source.onopen = () => {
      this.#failures = 0;
      this.onState("live");
      this.#heard();
    };
    source.onerror = () => this.#lost(navigator.onLine ? "retrying" : "offline");
    source.addEventListener("ping", () => this.#heard());
    source.addEventListener("alert", (event) => {
      this.#heard();
      if (event.lastEventId) this.lastId = event.lastEventId;
      this.onMessage(JSON.parse(event.data));
    });
    source.addEventListener("goodbye", () => {
      this.close();
      location.reload(); // the session is over: the server leads to the login page and back here
    });
    this.#heard();
  }

  close() {
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost("retrying"), SILENCE_MS);
  }

  #lost(state) {
    this.close();
    this.onState(state);
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.#failures);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.open(), pause * (0.75 + Math.random() / 2));
  }
}
