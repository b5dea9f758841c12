import { CapError, toCapError } from '../core/index.js';

const TIMEOUT_MS = 3000;

/** Tells the viewer page of a server what a model says about one of its streams: see wordsDoor. */
export class WordsReport {
  readonly #url: URL;

  /**
   * @param server `http://127.0.0.1:8889/`
   * @param stream the RTSP address of the stream, whose path is that of its mount
   */
  constructor(server: URL, stream: string) {
    this.#url = new URL(`/api/streams${new URL(stream).pathname.replace(/\/$/, '')}/words`, server);
  }

  /** @throws CAP_STREAM_UNAVAILABLE when the server is away, or has no such stream */
  async send(text: string, by: string): Promise<void> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text, by }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    } catch (cause) {
      throw new CapError(
        'CAP_STREAM_UNAVAILABLE',
        `${this.#url.origin}${this.#url.pathname} takes no words: ${toCapError(cause).message}`,
        {
          cause,
        },
      );
    }
  }
}
