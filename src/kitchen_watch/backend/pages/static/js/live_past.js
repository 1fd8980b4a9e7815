// What the camera showed before: a bar to go back with, over the last minutes or around a moment.
//
// Pieces of a few seconds are fetched one after the other, each with the next one, and played in turn.

const REACH = 5 * 60; // seconds that the bar goes back
const instant = (at) => Date.parse(at) / 1000;

class Past {
  constructor(bar) {
    this.bar = bar;
    this.cell = bar.parentElement.querySelector("[data-live]");
    [this.slider, this.time, this.words] = ["[data-past-slider]", "[data-past-time]", "[data-past-words]"].map((one) => bar.querySelector(one));
    this.base = `/api/v1/cameras/${encodeURIComponent(this.cell.dataset.live)}/recording`;
    this.purpose = `purpose=${encodeURIComponent(bar.dataset.purpose)}`;
    this.videos = [0, 1].map(() => this.makeVideo());
    this.label = document.createElement("p");
    this.label.className = "live-past-label";
    this.label.hidden = true;
    this.cell.querySelector("[data-live-drawn]").after(this.label);
    this.pieces = [];
    this.loaded = new Map(); // url: promise of an address
    this.number = -1;
    bar.querySelector("[data-past-open]").addEventListener("click", () => this.open());
    bar.querySelector("[data-past-close]").addEventListener("click", () => this.close());
    bar.querySelector("[data-past-play]").addEventListener("click", () => this.toggle());
    this.slider.addEventListener("input", () => this.tell(Number(this.slider.value)));
    this.slider.addEventListener("change", () => this.show(Number(this.slider.value)));
  }

  makeVideo() {
    const video = document.createElement("video");
    [video.muted, video.playsInline, video.hidden] = [true, true, true];
    video.className = "live-past-video";
    this.cell.querySelector("[data-live-drawn]").before(video);
    video.addEventListener("ended", () => video === this.video && this.next());
    video.addEventListener("timeupdate", () => {
      if (video !== this.video || video.hidden || this.slider.matches(":active")) return;
      const at = instant(this.pieces[this.number].begins_at) + video.currentTime;
      this.slider.value = at;
      this.tell(at);
    });
    return video;
  }

  async list() {
    const { since, until } = this.bar.dataset;
    const span = since ? `&since_at=${encodeURIComponent(since)}&until_at=${encodeURIComponent(until)}` : "";
    const answer = await fetch(`${this.base}?${this.purpose}${span}`);
    if (!answer.ok) return false;
    const { pieces } = await answer.json();
    if (!pieces.length) return false;
    this.pieces = pieces;
    const last = pieces.at(-1);
    const end = instant(last.begins_at) + last.seconds;
    this.slider.max = end;
    this.slider.min = since ? instant(pieces[0].begins_at) : Math.max(instant(pieces[0].begins_at), end - REACH);
    return true;
  }

  async open() {
    this.say("waiting");
    try {
      if (!(await this.list())) return this.say("none");
    } catch (problem) {
      if (!(problem instanceof TypeError)) throw problem;
      return this.say("failed");
    }
    this.bar.dataset.state = "open";
    this.cell.toggleAttribute("data-past", true);
    this.label.hidden = false;
    const { moment } = this.bar.dataset;
    const begin = moment ? instant(moment) - 5 : Number(this.slider.max) - 30;
    await this.show(Math.max(Number(this.slider.min), begin));
  }

  close() {
    for (const video of this.videos) {
      video.pause();
      video.hidden = true;
    }
    for (const address of this.loaded.values()) address.then(URL.revokeObjectURL, () => {});
    this.loaded.clear();
    this.cell.toggleAttribute("data-past", false);
    this.label.hidden = true;
    this.bar.dataset.state = "closed";
    this.say("");
    this.bar.querySelector("[data-past-open]").focus();
  }

  fetched(number) {
    const piece = this.pieces[number];
    if (!piece) return null;
    if (!this.loaded.has(piece.url)) {
      const address = fetch(`${piece.url}?${this.purpose}`).then(async (answer) => {
        if (!answer.ok) throw new TypeError("gone");
        return URL.createObjectURL(await answer.blob());
      });
      address.catch(() => this.loaded.delete(piece.url));
      this.loaded.set(piece.url, address);
      if (this.loaded.size > 8) this.forget();
    }
    return this.loaded.get(piece.url);
  }

  forget() {
    const [url, address] = this.loaded.entries().next().value;
    this.loaded.delete(url);
    address.then((one) => this.videos.some((video) => video.src === one) || URL.revokeObjectURL(one), () => {});
  }

  // The piece that shows a moment (seconds since 1970), from there on.
  async show(at) {
    let number = this.pieces.findLastIndex((piece) => instant(piece.begins_at) <= at);
    if (number < 0) number = 0;
    const piece = this.pieces[number];
    await this.play(number, Math.min(Math.max(0, at - instant(piece.begins_at)), Math.max(0, piece.seconds - 0.2)));
  }

  async next() {
    if (this.number + 1 >= this.pieces.length && !this.bar.dataset.since) await this.list().catch(() => false);
    // The list may begin later now: where it goes on is found by time.
    const ended = Number(this.slider.value);
    const number = this.pieces.findIndex((piece) => instant(piece.begins_at) > ended - 0.5);
    if (number < 0) return this.stand();
    await this.play(number, 0);
  }

  async play(number, offset) {
    const asked = (this.asked = Symbol("the newest wish"));
    this.say("waiting");
    try {
      const address = await this.fetched(number);
      if (this.asked !== asked || this.bar.dataset.state !== "open") return;
      const [before, video] = this.video === this.videos[0] ? this.videos : [...this.videos].reverse();
      video.src = address;
      await new Promise((done, failed) => {
        video.addEventListener("loadeddata", done, { once: true });
        video.addEventListener("error", () => failed(new TypeError("broken")), { once: true });
      });
      video.currentTime = offset;
      await video.play();
      if (this.asked !== asked || this.bar.dataset.state !== "open") return video.pause();
      [this.video, this.number] = [video, number];
      video.hidden = false;
      before.hidden = true;
      before.pause();
      this.press(true);
      this.say("");
      this.fetched(number + 1)?.catch(() => {});
    } catch (problem) {
      if (!["TypeError", "AbortError"].includes(problem.name)) throw problem;
      if (this.asked === asked) this.say("failed");
    }
  }

  toggle() {
    if (!this.video) return;
    if (this.video.paused) this.video.play().then(() => this.press(true), () => {});
    else this.stand();
  }

  stand() {
    this.video?.pause();
    this.press(false);
  }

  press(playing) {
    const button = this.bar.querySelector("[data-past-play]");
    button.textContent = playing ? button.dataset.pause : button.dataset.play;
  }

  tell(at) {
    const words = new Date(at * 1000).toLocaleTimeString(document.documentElement.lang);
    this.time.textContent = words;
    this.slider.setAttribute("aria-valuetext", words);
    this.label.textContent = `${this.bar.dataset.recorded} · ${words}`;
  }

  say(key) {
    this.words.textContent = key ? this.words.dataset[key] : "";
  }
}

export function startPast(root) {
  for (const bar of root.querySelectorAll("[data-past-of]")) new Past(bar);
}
