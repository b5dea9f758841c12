// The server's clock, by the time that it puts into its answers, as well as the round trip allows.

const SAMPLES = 10;

export class ServerClock {
  #samples = [];

  /** Fetches, and takes the time from the answer. */
  async fetch(url, options) {
    const sent = now();
    const response = await fetch(url, options);
    const received = now();
    const server = Number(response.headers.get('Cap-Time'));
    if (server > 0) {
      this.#samples.push({ offset: server - (sent + received) / 2, roundTrip: received - sent });
      if (this.#samples.length > SAMPLES) this.#samples.shift();
    }
    return response;
  }

  /** Milliseconds since 1970 on the server, at a moment of this page's `performance.now()`. */
  at(moment) {
    const best = this.#samples.reduce((least, one) => (one.roundTrip < least.roundTrip ? one : least), {
      offset: 0,
      roundTrip: Number.POSITIVE_INFINITY,
    });
    return performance.timeOrigin + moment + best.offset;
  }
}

const now = () => performance.timeOrigin + performance.now();
