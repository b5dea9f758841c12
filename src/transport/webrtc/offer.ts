import { isIP } from 'node:net';
import { parse, parseParams } from 'sdp-transform';
import { CapError } from '../../core/index.js';
import { profileOf } from './h264-profile.js';

/** What a peer offers, checked. */
export interface Offer {
  /** Without candidates that would have to be looked up. */
  readonly sdp: string;
  readonly mid: string;
  /** Of H.264 over RTP, with packetization mode 1. */
  readonly formats: readonly { readonly payloadType: number; readonly profileLevelId: string }[];
  /** Media that are offered beside the video, and get nothing. */
  readonly idle: readonly { readonly mid: string; readonly type: string }[];
}

/** A candidate as a peer sends it after its offer. */
export interface Candidate {
  /** `candidate:…`, as in JavaScript's RTCIceCandidate. */
  readonly candidate: string;
  readonly mid: string;
}

const MAX_MEDIA = 8;

/** @throws CAP_USAGE when it is no offer to receive video */
export function readOffer(text: string): Offer {
  const { media } = parse(text);
  const video = media.find(({ type, direction }) => type === 'video' && direction !== 'sendonly');
  if (!/^v=0\r?\n/.test(text) || !/^a=ice-ufrag:/m.test(text) || !/^a=fingerprint:/m.test(text)) {
    throw new CapError('CAP_USAGE', 'this is no WebRTC offer: it lacks v=0, a=ice-ufrag or a=fingerprint');
  }
  if (video?.mid === undefined) throw new CapError('CAP_USAGE', 'the offer has no video to receive');
  if (media.length > MAX_MEDIA) throw new CapError('CAP_USAGE', `the offer has more than ${MAX_MEDIA} media`);
  const formats = video.rtp
    .filter(({ codec, rate }) => codec.toUpperCase() === 'H264' && rate === 90_000)
    .map(({ payload }) => ({ payload, ...formatOf(video.fmtp.find((fmtp) => fmtp.payload === payload)?.config) }))
    .filter(({ mode }) => mode === 1)
    .map(({ payload, id }) => ({ payloadType: payload, profileLevelId: id }));
  const idle = media
    .filter((other) => other !== video && other.mid !== undefined)
    .map(({ mid, type }) => ({ mid: String(mid), type }));
  return { sdp: reachableSdp(text), mid: String(video.mid), formats, idle };
}

/**
 * The format to send a stream as: that of its own profile with its own level, else the first one, since decoders take
 * more than they say. Undefined when the offer has no H.264.
 */
export function chooseFormat({ formats }: Offer, streamId: string): Offer['formats'][number] | undefined {
  const own = formats.find(({ profileLevelId }) => profileOf(profileLevelId) === profileOf(streamId));
  return own ? { ...own, profileLevelId: streamId } : formats[0];
}

/** The candidates of a `trickle-ice-sdpfrag` (RFC 8840), and the ICE user that they belong to. */
export function readFragment(text: string): { readonly ufrag: string | undefined; readonly candidates: Candidate[] } {
  const candidates: Candidate[] = [];
  let mid = '';
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('a=mid:')) mid = line.slice('a=mid:'.length);
    if (line.startsWith('a=candidate:')) candidates.push({ candidate: line.slice('a='.length), mid });
  }
  return { ufrag: ufragOf(text), candidates };
}

export function ufragOf(sdp: string): string | undefined {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
}

/**
 * Without candidates that nobody can reach, and without their end: libdatachannel 0.24 adds them one by one after it has
 * taken the rest, and gives up at once when the end comes first.
 */
export function reachableSdp(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith('a=candidate:') || isReachable(line));
  return withoutEnd(lines.join('\r\n'));
}

/** Others who use libdatachannel have the same fault. */
export function withoutEnd(sdp: string): string {
  return sdp.replaceAll(/a=end-of-candidates\r?\n/g, '');
}

/**
 * Whether a candidate is an address. Browsers hide theirs behind mDNS names; they come to us, so nothing is lost
 * without them, and no offer can have this machine look names up for it.
 */
export function isReachable(candidate: string): boolean {
  const [, , protocol = '', , address = ''] = candidate.split(' ');
  return protocol.toLowerCase() === 'udp' && isIP(address) !== 0;
}

function formatOf(config = ''): { readonly mode: number; readonly id: string } {
  const { 'packetization-mode': mode, 'profile-level-id': id } = parseParams(config);
  // RFC 6184, 8.1: without an id, Baseline at level 1.
  return { mode: Number(mode ?? 0), id: String(id ?? '42000a').toLowerCase() };
}
