import { CapError, type Closable, once } from '../../core/index.js';
import type { AccessUnitStream } from '../shared-stream.js';
import { type AccessUnit, UnitTap } from '../unit-tap.js';
import { profileLevelId } from './h264-profile.js';
import type { WebRtcPeer } from './peer.js';

const FIRST_KEY_FRAME_MS = 5000;
/** A longer or larger GOP is not kept: who joins waits for the next key frame. */
const MAX_GOP_UNITS = 900;
const MAX_GOP_BYTES = 16 << 20;

/** The access units of one stream for all its WebRTC peers: each crosses into JavaScript once. */
export class StreamUnits implements Closable {
  readonly #stream: AccessUnitStream;
  readonly #tap: UnitTap;
  readonly #peers = new Set<WebRtcPeer>();
  readonly #keyFrame: Promise<string>;
  #foundKeyFrame: (id: string) => void = () => {};
  #profile: string | undefined;
  /** Since the last key frame, of a stream where nobody can ask for one. */
  #gop: AccessUnit[] = [];
  #gopBytes = 0;

  constructor(stream: AccessUnitStream) {
    this.#stream = stream;
    this.#keyFrame = new Promise((resolve) => {
      this.#foundKeyFrame = resolve;
    });
    this.#tap = new UnitTap(stream, (unit) => this.#take(unit));
  }

  /** The stream's `profile-level-id`, from its newest key frame. @throws CAP_STREAM_UNAVAILABLE when none comes */
  async profile(): Promise<string> {
    if (this.#profile !== undefined) return this.#profile;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      const error = new CapError('CAP_STREAM_UNAVAILABLE', 'the stream has no picture yet', { hint: 'try again' });
      timer = setTimeout(() => reject(error), FIRST_KEY_FRAME_MS);
    });
    return Promise.race([this.#keyFrame, tooLate]).finally(() => clearTimeout(timer));
  }

  /** Sends to the peer from the next key frame on. */
  add(peer: WebRtcPeer): void {
    for (const unit of this.#gop) peer.send(unit);
    this.#peers.add(peer);
    this.#stream.requestKeyFrame();
  }

  remove(peer: WebRtcPeer): void {
    this.#peers.delete(peer);
  }

  /** Access units that did not get here in time. */
  get dropped(): number {
    return this.#tap.stats.dropped;
  }

  requestKeyFrame(): void {
    this.#stream.requestKeyFrame();
  }

  readonly close = once(() => this.#tap.close());

  #take(unit: AccessUnit): void {
    if (unit.key) this.#read(unit);
    this.#keep(unit);
    for (const peer of this.#peers) peer.send(unit);
  }

  #read(keyFrame: AccessUnit): void {
    const id = profileLevelId(keyFrame.bytes);
    if (id === undefined) return;
    this.#profile = id;
    this.#foundKeyFrame(id);
  }

  #keep(unit: AccessUnit): void {
    if (unit.key) {
      this.#gop = [];
      this.#gopBytes = 0;
      if (!this.#stream.native.keepsGop()) return;
    } else if (this.#gop.length === 0) {
      return;
    }
    this.#gopBytes += unit.bytes.length;
    if (this.#gop.length >= MAX_GOP_UNITS || this.#gopBytes > MAX_GOP_BYTES) this.#gop = [];
    else this.#gop.push(unit);
  }
}
