import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { digestAnswer, type Login } from './digest.js';

export interface RtspResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the url that the connection was opened with */
  readonly url?: string;
  readonly body?: string;
}

export interface ConnectionOptions {
  readonly login?: Login;
  /** The one certificate to trust, for `rtsps://`. */
  readonly certificate?: string;
}

type PacketListener = (packet: Buffer, channel: number) => void;

/** An RTSP connection by hand: requests, responses and interleaved packets, without any media library. */
export class RtspClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #url: string;
  readonly #login: Login | undefined;
  #challenge = '';
  readonly #answers: ((response: RtspResponse) => void)[] = [];
  readonly #listeners: PacketListener[] = [];
  #pending: Buffer = Buffer.alloc(0);
  #sequence = 0;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket, url: string, login: Login | undefined) {
    this.#socket = socket;
    this.#url = url;
    this.#login = login;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined); // 'close' follows
    socket.on('data', (data) => this.#take(data));
  }

  /** Connects to the server of an `rtsp://` or `rtsps://` url, whose path later requests are for. */
  static async open(url: string, { login, certificate }: ConnectionOptions = {}): Promise<RtspClient> {
    const { protocol, hostname, port } = new URL(url);
    const where = { host: hostname, port: Number(port), noDelay: true };
    const socket: Socket | TLSSocket =
      protocol === 'rtsps:' ? connectTls({ ...where, ...(certificate ? { ca: certificate } : {}) }) : connect(where);
    await once(socket, protocol === 'rtsps:' ? 'secureConnect' : 'connect');
    return new RtspClient(socket, url, login);
  }

  /** Resolves with the server's answer, after a login where it asks for one; rejects when the connection ends first. */
  async request(method: string, parts: RequestParts = {}): Promise<RtspResponse> {
    const response = await this.#send(method, parts);
    const challenge = response.headers.get('www-authenticate');
    if (response.status !== 401 || challenge === undefined || !this.#login) return response;
    this.#challenge = challenge;
    return this.#send(method, parts);
  }

  #send(method: string, { headers = {}, url = this.#url, body = '' }: RequestParts): Promise<RtspResponse> {
    const all = {
      ...(this.#login && this.#challenge
        ? { Authorization: digestAnswer(this.#challenge, this.#login, method, url) }
        : {}),
      ...(body === '' ? {} : { 'Content-Length': `${Buffer.byteLength(body)}` }),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#sequence += 1;
    this.write(`${method} ${url} RTSP/1.0\r\nCSeq: ${this.#sequence}\r\n${lines.join('')}\r\n${body}`);
    const answered = new Promise<RtspResponse>((resolve) => this.#answers.push(resolve));
    const ended = this.closed.then(() => {
      throw new Error(`the server closed the connection at ${method}`);
    });
    return Promise.race([answered, ended]);
  }

  /** DESCRIBE, SETUP of the first stream and PLAY; resolves with the session's id. */
  async play(transport: string): Promise<string> {
    const described = await this.request('DESCRIBE', { headers: { Accept: 'application/sdp' } });
    expectOk('DESCRIBE', described);
    const base = described.headers.get('content-base') ?? `${this.#url}/`;
    const control = /^a=control:(?!\*)(\S+)/m.exec(described.body)?.[1] ?? '';
    const setUp = await this.request('SETUP', { headers: { Transport: transport }, url: base + control });
    expectOk('SETUP', setUp);
    const session = (setUp.headers.get('session') ?? '').split(';')[0] ?? '';
    const headers = { Session: session, Range: 'npt=0.000-' };
    expectOk('PLAY', await this.request('PLAY', { headers, url: base }));
    return session;
  }

  onPacket(listener: PacketListener): void {
    this.#listeners.push(listener);
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  /** Reads nothing more from the socket: the kernel's buffers fill up, and then the server's. */
  stopReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** Ends the connection without a word to the server. */
  async destroy(): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy();
  }

  #take(data: Buffer): void {
    this.#pending = this.#pending.length > 0 ? Buffer.concat([this.#pending, data]) : data;
    for (;;) {
      const used = this.#pending[0] === 0x24 ? this.#takePacket() : this.#takeResponse();
      if (used === 0) return;
      this.#pending = this.#pending.subarray(used);
    }
  }

  // RFC 2326, 10.12: '$', the channel, the length in two bytes, the packet.
  #takePacket(): number {
    if (this.#pending.length < 4) return 0;
    const end = 4 + this.#pending.readUInt16BE(2);
    if (this.#pending.length < end) return 0;
    const packet = this.#pending.subarray(4, end);
    for (const listener of this.#listeners) listener(packet, this.#pending.readUInt8(1));
    return end;
  }

  #takeResponse(): number {
    const headEnd = this.#pending.indexOf('\r\n\r\n');
    if (headEnd < 0) return 0;
    const [first = '', ...lines] = this.#pending.toString('latin1', 0, headEnd).split('\r\n');
    const headers = new Map(
      lines.map((line) => [line.replace(/:.*/, '').toLowerCase(), line.replace(/^[^:]*:\s*/, '')]),
    );
    const end = headEnd + 4 + Number(headers.get('content-length') ?? 0);
    if (this.#pending.length < end) return 0;
    const body = this.#pending.toString('utf8', headEnd + 4, end);
    const [, status, ...reason] = first.split(' ');
    this.#answers.shift()?.({ status: Number(status), reason: reason.join(' '), headers, body });
    return end;
  }
}

function expectOk(method: string, response: RtspResponse): void {
  if (response.status !== 200) throw new Error(`${method} was answered with ${response.status}`);
}
