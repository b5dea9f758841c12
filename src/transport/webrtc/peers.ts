import {
  CapError,
  type Closable,
  closeAll,
  closedError,
  expectInteger,
  once,
  ownAddresses,
  TypedEvents,
  unexpected,
} from '../../core/index.js';
import type { ReaderReport } from '../reader-report.js';
import type { AccessUnitStream } from '../shared-stream.js';
import { chooseFormat, type Offer } from './offer.js';
import { type PeerEnd, WebRtcPeer } from './peer.js';
import { StreamUnits } from './stream-units.js';
import { UdpPorts } from './udp-ports.js';

export interface WebRtcOptions {
  /** As that of the HTTP server: on a loopback address only this machine can connect. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Peers at a time, 1 to 1000. @default 32 */
  readonly maxPeers?: number | undefined;
  /** First and last UDP port, 1024 to 65535; each peer takes one. @default any */
  readonly udpPorts?: readonly [first: number, last: number] | undefined;
}

export type WebRtcPeersEvents = {
  left: [peer: WebRtcPeer, reason: PeerEnd];
};

/** What every peer's counters add up to. */
export interface WebRtcStats {
  readonly peers: number;
  readonly peersTotal: number;
  /** Peers that said nothing for ten seconds. */
  readonly peersDropped: number;
  /** Times that there was no room for another. */
  readonly peersRefused: number;
}

/** The WebRTC peers of any number of streams: bounded in number, each independent of the others. */
export class WebRtcPeers extends TypedEvents<WebRtcPeersEvents> implements Closable {
  readonly #bindAddress: string | undefined;
  readonly #ports: UdpPorts | undefined;
  readonly #maxPeers: number;
  readonly #units = new Map<AccessUnitStream, { readonly units: StreamUnits; users: number }>();
  readonly #peers = new Map<WebRtcPeer, AccessUnitStream>();
  readonly #ids = new WeakMap<WebRtcPeer, number>();
  #opening = 0;
  #counts = { total: 0, dropped: 0, refused: 0 };
  #closed = false;

  /** @throws CAP_USAGE */
  constructor({ host = '127.0.0.1', maxPeers = 32, udpPorts }: WebRtcOptions = {}) {
    super();
    this.#maxPeers = expectInteger('maxPeers', maxPeers, 1, 1000);
    for (const port of udpPorts ?? []) expectInteger('the UDP ports', port, 1024, 65_535);
    if (udpPorts && udpPorts[0] > udpPorts[1]) {
      throw unexpected('the UDP ports', 'the lower one first', udpPorts.join('-'));
    }
    this.#bindAddress = bindAddressOf(host);
    this.#ports = udpPorts && new UdpPorts(this.#bindAddress, udpPorts);
  }

  get stats(): WebRtcStats {
    const { total, dropped, refused } = this.#counts;
    return { peers: this.#peers.size, peersTotal: total, peersDropped: dropped, peersRefused: refused };
  }

  /** How the peers that take a stream now fare. */
  reportsOf(stream: AccessUnitStream, path: string): ReaderReport[] {
    const own = ownAddresses();
    return [...this.#peers].flatMap(([peer, taken]) => {
      if (taken !== stream || !peer.isConnected) return [];
      const isLocal = own.has(peer.address?.replace(/:\d+$/, '') ?? '');
      return { id: `webrtc ${this.#ids.get(peer)}`, path, isLocal, ...peer.reception };
    });
  }

  /** Peers that take a stream now. */
  readersOf(stream: AccessUnitStream): number {
    return [...this.#peers].filter(([peer, taken]) => taken === stream && peer.isConnected).length;
  }

  /**
   * Answers an offer that has H.264, and sends the stream to whoever made it once they are connected.
   * @throws CAP_USAGE when the offer cannot be answered; CAP_STREAM_UNAVAILABLE when there is no room or
   * no picture; CAP_PORT_UNAVAILABLE, CAP_DEPENDENCY_MISSING, CAP_CLOSED
   */
  async open(stream: AccessUnitStream, offer: Offer): Promise<WebRtcPeer> {
    if (this.#peers.size + this.#opening >= this.#maxPeers) {
      this.#counts.refused += 1;
      throw new CapError('CAP_STREAM_UNAVAILABLE', `there are ${this.#maxPeers} WebRTC peers already`, {
        hint: 'try again later',
      });
    }
    this.#opening += 1;
    const units = this.#acquire(stream);
    try {
      const format = chooseFormat(offer, await units.profile());
      if (!format) throw new CapError('CAP_USAGE', 'the offer has no H.264 with packetization-mode=1');
      const peer = await this.#connect(offer, format);
      if (this.#closed || !this.#units.has(stream)) {
        await peer.close();
        throw closedError('the stream');
      }
      this.#adopt(peer, stream, units);
      return peer;
    } catch (error) {
      await this.#release(stream, units);
      throw error;
    } finally {
      this.#opening -= 1;
    }
  }

  /** Ends every peer of a stream. */
  async drop(stream: AccessUnitStream): Promise<void> {
    const peers = [...this.#peers].filter(([, taken]) => taken === stream).map(([peer]) => peer);
    const taps = this.#units.get(stream);
    this.#units.delete(stream);
    await closeAll([...peers, taps?.units]);
  }

  /** Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    await closeAll([...this.#peers.keys(), ...[...this.#units.values()].map(({ units }) => units)]);
    this.#units.clear();
  });

  async #connect(offer: Offer, format: Offer['formats'][number]): Promise<WebRtcPeer> {
    const bindAddress = this.#bindAddress;
    const udpPort = await this.#ports?.take();
    const giveBack = (): void => {
      if (udpPort !== undefined) this.#ports?.giveBack(udpPort);
    };
    try {
      const peer = await WebRtcPeer.open(offer, format, { bindAddress, udpPort });
      return peer.on('ended', giveBack);
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  #adopt(peer: WebRtcPeer, stream: AccessUnitStream, units: StreamUnits): void {
    this.#peers.set(peer, stream);
    this.#counts.total += 1;
    this.#ids.set(peer, this.#counts.total);
    peer.on('connected', () => units.add(peer));
    peer.on('keyFrameWanted', () => units.requestKeyFrame());
    peer.on('ended', (reason) => {
      units.remove(peer);
      this.#peers.delete(peer);
      if (reason === 'silent') this.#counts.dropped += 1;
      void this.#release(stream, units);
      this.emit('left', peer, reason);
    });
  }

  /** A stream is tapped while somebody takes it. */
  #acquire(stream: AccessUnitStream): StreamUnits {
    if (this.#closed) throw closedError('the server');
    const taken = this.#units.get(stream) ?? { units: new StreamUnits(stream), users: 0 };
    taken.users += 1;
    this.#units.set(stream, taken);
    return taken.units;
  }

  async #release(stream: AccessUnitStream, units: StreamUnits): Promise<void> {
    const taken = this.#units.get(stream);
    if (taken?.units !== units) return; // dropped meanwhile
    taken.users -= 1;
    if (taken.users > 0) return;
    this.#units.delete(stream);
    await units.close();
  }
}

function bindAddressOf(host: string): string | undefined {
  if (host === '0.0.0.0' || host === '::') return undefined;
  return host === 'localhost' ? '127.0.0.1' : host;
}
