import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RtspResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the url that the connection was opened with */
  readonly url?: string;
  readonly body?: string;
}

type PacketListener = (packet: Buffer, channel: number) => void;

/** An RTSP connection by hand: requests, responses and interleaved packets, without any media library. */
export class RtspClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #url: string;
  readonly #answers: ((response: RtspResponse) => void)[] = [];
  readonly #listeners: PacketListener[] = [];
  #pending: Buffer = Buffer.alloc(0);
  #sequence = 0;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket, url: string) {
    this.#socket = socket;
    this.#url = url;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined); // 'close' follows
    socket.on('data', (data) => this.#take(data));
  }

  /** Connects to the server of an `rtsp://` url, whose path later requests are for. */
  static async open(url: string): Promise<RtspClient> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new RtspClient(socket, url);
  }

  /** Resolves with the server's answer; rejects when the connection ends first. */
  request(method: string, { headers = {}, url = this.#url, body = '' }: RequestParts = {}): Promise<RtspResponse> {
    const all = body === '' ? headers : { ...headers, 'Content-Length': `${Buffer.byteLength(body)}` };
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
    this.#answers.shift()?.({ status: Number(first.split(' ')[1]), headers, body });
    return end;
  }
}

function expectOk(method: string, response: RtspResponse): void {
  if (response.status !== 200) throw new Error(`${method} was answered with ${response.status}`);
}
