import { CapError, registerSecret, toCapError } from '../core/index.js';

const TIMEOUT_MS = 3000;

interface Login {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Tells the viewer page of a server what a model says about one of its streams: see wordsDoor. */
export class WordsReport {
  readonly #url: URL;
  readonly #headers: Record<string, string> = { 'content-type': 'application/json' };

  /**
   * @param server `http://127.0.0.1:8889/`
   * @param stream the RTSP address of the stream, whose path is that of its mount
   * @param login for a server that wants one, unless its address has it
   */
  constructor(server: URL, stream: string, login: Login = {}) {
    this.#url = new URL(`/api/streams${new URL(stream).pathname.replace(/\/$/, '')}/words`, server);
    const user = decodeURIComponent(this.#url.username) || login.user;
    const password = decodeURIComponent(this.#url.password) || login.password;
    if (user) {
      registerSecret(password);
      this.#headers.authorization = `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`;
    }
    this.#url.username = this.#url.password = '';
  }

  /** @throws CAP_STREAM_UNAVAILABLE when the server is away, or has no such stream */
  async send(text: string, by: string): Promise<void> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
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
