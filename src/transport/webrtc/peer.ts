import type { PeerConnection, RtpPacketizationConfig, Track } from 'node-datachannel';
import { CapError, type Closable, once, TypedEvents, toCapError } from '../../core/index.js';
import type { RtcpReport } from '../reader-report.js';
import type { AccessUnit } from '../unit-tap.js';
import { type Candidate, isReachable, type Offer, withoutEnd } from './offer.js';
import { asksForKeyFrame, estimateOf, reportOn } from './rtcp.js';

/** Why a peer went. */
export type PeerEnd = 'left' | 'never connected' | 'disconnected' | 'silent' | 'closed';

export type WebRtcPeerEvents = {
  /** It takes access units from now on. */
  connected: [];
  /** It cannot decode before the next key frame. */
  keyFrameWanted: [];
  ended: [reason: PeerEnd];
};

/** How a peer's connection is made. */
export interface PeerNetwork {
  /** Undefined: any address of this machine but the loopback. */
  readonly bindAddress: string | undefined;
  /** A free one. @default any */
  readonly udpPort?: number | undefined;
}

/** Never connected, or silent: browsers report on what they receive every second. */
const SILENCE_MS = 10_000;
const GATHERING_MS = 2000;
const MAX_PAYLOAD_BYTES = 1200;
/** Packets that are kept for a peer that missed them: a large key frame. */
const MAX_KEPT_PACKETS = 2048;
const CNAME = 'cap';
const OFFERED_PAYLOAD_TYPE = 96;

/**
 * One browser, or whoever else takes a stream by WebRTC: an ICE and DTLS session of its own, H.264 to it alone.
 */
export class WebRtcPeer extends TypedEvents<WebRtcPeerEvents> implements Closable {
  readonly #connection: PeerConnection;
  readonly #track: Track;
  readonly #rtp: RtpPacketizationConfig;
  readonly #firstTimestamp = randomUint32();
  readonly #silence: NodeJS.Timeout;
  #description = '';
  #waitsForKey = true;
  #sent = { accessUnits: 0, bytes: 0 };
  #report: RtcpReport | undefined;
  #estimateKbps: number | undefined;
  #ended = false;

  private constructor(connection: PeerConnection, track: Track, rtp: RtpPacketizationConfig, ssrc: number) {
    super();
    this.#connection = connection;
    this.#track = track;
    this.#rtp = rtp;
    this.#silence = setTimeout(() => this.#end(this.isConnected ? 'silent' : 'never connected'), SILENCE_MS);
    connection.onStateChange((state) => {
      if (state === 'failed') this.#end('never connected');
      if (state === 'disconnected' || state === 'closed') this.#end('disconnected');
    });
    track.onOpen(() => {
      this.#silence.refresh();
      if (!this.#ended) this.emit('connected');
    });
    track.onMessage((packet) => {
      this.#silence.refresh();
      if (asksForKeyFrame(packet)) this.emit('keyFrameWanted');
      this.#report = reportOn(ssrc, packet) ?? this.#report;
      this.#estimateKbps = estimateOf(packet) ?? this.#estimateKbps;
    });
  }

  /**
   * Answers an offer; resolves when the answer has every candidate.
   * @throws CAP_USAGE when it cannot be answered, CAP_DEPENDENCY_MISSING
   */
  static async open(offer: Offer, format: Offer['formats'][number], network: PeerNetwork): Promise<WebRtcPeer> {
    const lib = await loadLibrary();
    const connection = connect(lib, network);
    try {
      const { track, rtp, ssrc } = addVideo(lib, connection, offer.mid, format);
      // What is offered beside it must be answered, too.
      for (const { mid, type } of offer.idle) if (type === 'audio') connection.addTrack(new lib.Audio(mid, 'Inactive'));
      const peer = new WebRtcPeer(connection, track, rtp, ssrc);
      // Answers as well. A call of its own to do that would end the process where this one throws.
      await peer.#describe(() => connection.setRemoteDescription(offer.sdp, 'offer'));
      return peer;
    } catch (error) {
      connection.close();
      throw error instanceof CapError
        ? error
        : new CapError('CAP_USAGE', `the offer cannot be answered: ${toCapError(error).message}`, { cause: error });
    }
  }

  /**
   * Offers a stream of that `profile-level-id` to a server; `accept` takes its answer.
   * @throws CAP_PIPELINE_FAILED, CAP_DEPENDENCY_MISSING
   */
  static async offer(profileLevelId: string): Promise<WebRtcPeer> {
    const lib = await loadLibrary();
    const connection = connect(lib, { bindAddress: undefined });
    try {
      const { track, rtp, ssrc } = addVideo(lib, connection, '0', {
        payloadType: OFFERED_PAYLOAD_TYPE,
        profileLevelId,
      });
      const peer = new WebRtcPeer(connection, track, rtp, ssrc);
      await peer.#describe(() => connection.setLocalDescription('offer'));
      return peer;
    } catch (cause) {
      connection.close();
      throw new CapError('CAP_PIPELINE_FAILED', `WebRTC cannot be offered: ${toCapError(cause).message}`, { cause });
    }
  }

  /** @throws CAP_STREAM_UNAVAILABLE when it is no answer to the offer */
  accept(answer: string): void {
    try {
      this.#connection.setRemoteDescription(answer, 'answer');
    } catch (cause) {
      throw new CapError('CAP_STREAM_UNAVAILABLE', `the answer cannot be used: ${toCapError(cause).message}`, {
        cause,
      });
    }
  }

  /** What was made here, an offer or an answer, with every candidate. */
  get description(): string {
    return this.#description;
  }

  get isConnected(): boolean {
    return this.#track.isOpen();
  }

  /** What it was sent so far. */
  get sent(): { readonly accessUnits: number; readonly bytes: number } {
    return { ...this.#sent };
  }

  /** What it says of how the stream reaches it. */
  get reception(): { readonly rtcp: RtcpReport | undefined; readonly estimateKbps: number | undefined } {
    return { rtcp: this.#report, estimateKbps: this.#estimateKbps };
  }

  /** Its address, once it is connected. */
  get address(): string | undefined {
    const remote = this.#ended ? undefined : this.#connection.getSelectedCandidatePair()?.remote;
    return remote && `${remote.address}:${remote.port}`;
  }

  /** Those that cannot be reached are left out. */
  addCandidate({ candidate, mid }: Candidate): void {
    if (!this.#ended && isReachable(candidate)) this.#connection.addRemoteCandidate(candidate, mid);
  }

  /** Sends one picture: the first one must be a key frame. Never waits; UDP drops what the network does not take. */
  send({ bytes, capturedUs, key }: AccessUnit): void {
    if (this.#ended || !this.isConnected || (this.#waitsForKey && !key)) return;
    this.#waitsForKey = false;
    this.#rtp.timestamp = (this.#firstTimestamp + Math.floor(capturedUs * 0.09)) % 2 ** 32;
    this.#track.sendMessageBinary(bytes);
    this.#sent.accessUnits += 1;
    this.#sent.bytes += bytes.length;
  }

  readonly close = once(async () => this.#end('closed'));

  /** The peer has said goodbye. */
  leave(): void {
    this.#end('left');
  }

  async #describe(make: () => void): Promise<void> {
    const connection = this.#connection;
    try {
      await new Promise<void>((resolve, reject) => {
        connection.onGatheringStateChange((state) => state === 'complete' && resolve());
        setTimeout(reject, GATHERING_MS, new Error('no candidates')).unref();
        make();
      });
      this.#description = withoutEnd(connection.localDescription()?.sdp ?? '');
    } catch (error) {
      this.#end('closed');
      throw error;
    }
  }

  #end(reason: PeerEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#silence);
    this.#connection.close();
    this.emit('ended', reason);
  }
}

type Library = Awaited<ReturnType<typeof loadLibrary>>;

function connect(lib: Library, { bindAddress, udpPort }: PeerNetwork): PeerConnection {
  return new lib.PeerConnection('cap', {
    iceServers: [],
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(udpPort === undefined ? {} : { portRangeBegin: udpPort, portRangeEnd: udpPort }),
  });
}

/** A track that sends what it is given as H.264 over RTP, reports on it, and sends again what was lost. */
function addVideo(
  lib: Library,
  connection: PeerConnection,
  mid: string,
  { payloadType, profileLevelId }: Offer['formats'][number],
): { readonly track: Track; readonly rtp: RtpPacketizationConfig; readonly ssrc: number } {
  const ssrc = randomUint32();
  const video = new lib.Video(mid, 'SendOnly');
  video.addH264Codec(payloadType, `profile-level-id=${profileLevelId};packetization-mode=1;level-asymmetry-allowed=1`);
  video.addSSRC(ssrc, CNAME, CNAME, 'video');
  const track = connection.addTrack(video);
  const rtp = new lib.RtpPacketizationConfig(ssrc, CNAME, payloadType, 90_000);
  const packetizer = new lib.H264RtpPacketizer('StartSequence', rtp, MAX_PAYLOAD_BYTES);
  packetizer.addToChain(new lib.RtcpSrReporter(rtp));
  packetizer.addToChain(new lib.RtcpNackResponder(MAX_KEPT_PACKETS));
  track.setMediaHandler(packetizer);
  return { track, rtp, ssrc };
}

async function loadLibrary() {
  try {
    // Loaded with the first peer: 9 MB that a plain stream need not carry.
    return (await import('node-datachannel')).default;
  } catch (cause) {
    throw new CapError('CAP_DEPENDENCY_MISSING', 'WebRTC does not work on this machine', {
      hint: 'node-datachannel has no build for it, or optional npm packages were left out',
      cause,
    });
  }
}

const randomUint32 = (): number => Math.floor(Math.random() * 2 ** 32);
