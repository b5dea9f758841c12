// Single pictures, one after the other, where WebRTC does not come up.

const PAUSE_MS = 1000;

export class Stills {
  #image;
  #url;
  #timer;
  #running = false;
  /** Milliseconds since its capture, when it was fetched. */
  ageMs;

  constructor(image, url) {
    this.#image = image;
    this.#url = url;
  }

  get isRunning() {
    return this.#running;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#next();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#image.hidden = true;
    URL.revokeObjectURL(this.#image.src);
    this.#image.removeAttribute('src');
    this.ageMs = undefined;
  }

  async #next() {
    try {
      const response = await fetch(this.#url, { cache: 'no-store' });
      if (response.ok) await this.#show(await response.blob(), Number(response.headers.get('Cap-Frame-Age-Ms')));
    } catch {
      // The server is away: the next one may come.
    }
    if (this.#running) this.#timer = setTimeout(() => this.#next(), PAUSE_MS);
  }

  async #show(blob, ageMs) {
    if (!this.#running) return;
    URL.revokeObjectURL(this.#image.src);
    this.#image.src = URL.createObjectURL(blob);
    this.#image.hidden = false;
    this.ageMs = ageMs;
  }
}
