import { parse } from 'sdp-transform';
import { CapError, once, TypedEvents, toCapError } from '../core/index.js';
import { type DoorStats, whyUnreachable } from '../native/index.js';
import type { PublishConnection, PublishConnectionEvents } from './publish-connection.js';
import type { AccessUnitStream } from './shared-stream.js';
import { reachableSdp } from './webrtc/offer.js';
import { type PeerEnd, WebRtcPeer } from './webrtc/peer.js';
import { StreamUnits } from './webrtc/stream-units.js';

const REQUEST_TIMEOUT_MS = 10_000;
const GOODBYE_TIMEOUT_MS = 500;
const MAX_ANSWER_BYTES = 64 << 10;

const WHY: Readonly<Partial<Record<PeerEnd, string>>> = {
  'never connected': 'the server answers, but its media address does not: UDP to it may be blocked',
  silent: 'the server has said nothing for ten seconds',
};

/**
 * A connection by WHIP (RFC 9725): an offer by POST, the stream over WebRTC, DELETE at the end. The offer has all its
 * candidates, and no STUN or TURN server is asked: the server must be reachable from here.
 */
export class WhipConnection extends TypedEvents<PublishConnectionEvents> implements PublishConnection {
  readonly #endpoint: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #units: StreamUnits;
  readonly #abort = new AbortController();
  #peer: WebRtcPeer | undefined;
  /** Where the session is ended. */
  #session: string | undefined;
  #failed = false;

  constructor(endpoint: URL, token: string | undefined, stream: AccessUnitStream) {
    super();
    this.#endpoint = endpoint;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#units = new StreamUnits(stream);
    this.#open().catch((error: unknown) => this.#fail(toCapError(error)));
  }

  get stats(): DoorStats {
    return { delivered: this.#peer?.sent.accessUnits ?? 0, dropped: this.#units.dropped };
  }

  /** Says goodbye, if that is soon done. */
  readonly close = once(async () => {
    this.#failed = true;
    this.#abort.abort();
    await this.#peer?.close();
    await this.#units.close();
    if (this.#session === undefined) return;
    const signal = AbortSignal.timeout(GOODBYE_TIMEOUT_MS);
    // A server that is gone has no session left to end.
    await fetch(this.#session, { method: 'DELETE', headers: this.#headers, signal }).catch(() => {});
  });

  async #open(): Promise<void> {
    const peer = await WebRtcPeer.offer(await this.#units.profile());
    this.#peer = peer;
    if (this.#failed) return peer.close();
    peer.on('connected', () => {
      this.#units.add(peer);
      this.emit('taken');
    });
    peer.on('keyFrameWanted', () => this.#units.requestKeyFrame());
    peer.on('ended', (reason) => {
      this.#units.remove(peer);
      this.#fail(new CapError('CAP_STREAM_UNAVAILABLE', WHY[reason] ?? 'the server has ended the connection'));
    });
    const answer = await this.#post(peer.description);
    if (!takesVideo(answer)) throw new CapError('CAP_STREAM_UNAVAILABLE', 'the server does not take H.264');
    if (!this.#failed) peer.accept(reachableSdp(answer));
  }

  async #post(offer: string): Promise<string> {
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', ...this.#headers },
      body: offer,
      signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    }).catch(async (error: unknown) => {
      throw await explain(this.#endpoint, error);
    });
    const location = response.headers.get('location');
    if (response.status === 201 && location !== null) this.#session = new URL(location, response.url).href;
    const text = await readBounded(response);
    if (response.status === 201) return text;
    throw refusal(response.status);
  }

  #fail(error: CapError): void {
    if (this.#failed) return;
    this.#failed = true;
    this.emit('failed', error);
  }
}

function takesVideo(answer: string): boolean {
  const video = parse(answer).media.find(({ type }) => type === 'video');
  return video !== undefined && video.port !== 0 && video.direction !== 'inactive' && video.direction !== 'sendonly';
}

/** An answer is short: whatever sends more is no WHIP server. */
async function readBounded({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new CapError('CAP_STREAM_UNAVAILABLE', "the server's answer is too long");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function refusal(status: number): CapError {
  if (status === 401 || status === 403) {
    return new CapError('CAP_AUTH_FAILED', `the server wants a token, or refuses the one given (status ${status})`, {
      hint: 'set CAP_WHIP_TOKEN, or name a file with --whip-token-file',
    });
  }
  const message = `the server does not take the stream: status ${status} instead of 201`;
  return new CapError('CAP_STREAM_UNAVAILABLE', message);
}

/** fetch says "fetch failed" for everything. */
async function explain(endpoint: URL, error: unknown): Promise<CapError> {
  const { code = '', message = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  if (/CERT|SELF_SIGNED|SIGNATURE/.test(code)) {
    const why = `the server's certificate is not trusted: ${message}`;
    return new CapError('CAP_TLS_UNTRUSTED', why, { hint: 'NODE_EXTRA_CA_CERTS names an authority', cause: error });
  }
  const reason = (await whyUnreachable(endpoint.href)) ?? (message || toCapError(error).message);
  return new CapError('CAP_STREAM_UNAVAILABLE', reason, { cause: error });
}
