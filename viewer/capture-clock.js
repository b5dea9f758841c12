// When each picture of a stream was captured, by its RTP time.

/** Remembered until they are shown; the decoder holds a few. */
const MOST_TIMES = 300;

export class CaptureClock {
  #times = new Map();
  #worker;
  #ready;

  constructor() {
    // Without it pictures play as well; their age is unknown.
    if (typeof RTCRtpScriptTransform === 'undefined') return;
    this.#worker = new Worker(new URL('./capture-times.js', import.meta.url), { type: 'module' });
    this.#ready = new Promise((resolve) => {
      this.#worker.onmessage = ({ data }) => (data === 'ready' ? resolve() : this.#remember(data));
      this.#worker.onerror = resolve;
    });
  }

  /** Resolves when it can take a receiver. */
  get ready() {
    return this.#ready;
  }

  /** Before anything is received: Chromium takes no transform later on. */
  read(receiver) {
    this.#times.clear();
    if (this.#worker) receiver.transform = new RTCRtpScriptTransform(this.#worker);
  }

  /** Milliseconds since 1970 by the clock of the machine that captured; undefined when that is unknown. */
  capturedAt(rtpTimestamp) {
    return this.#times.get(rtpTimestamp);
  }

  close() {
    this.#worker?.terminate();
  }

  #remember({ rtpTimestamp, captured }) {
    this.#times.set(rtpTimestamp, captured);
    if (this.#times.size > MOST_TIMES) this.#times.delete(this.#times.keys().next().value);
  }
}
