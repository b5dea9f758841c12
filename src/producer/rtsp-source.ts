import { type CapError, redact, registerSecret, unexpected } from '../core/index.js';
import {
  applyTlsTrust,
  expectTlsTrust,
  explainRtspFailure,
  isRtspUrl,
  rtspProperties,
  splitRtspUrl,
  type TlsTrust,
} from '../native/index.js';
import { openFeed } from './feed.js';
import type { SourceDemand, VideoSource } from './video-source.js';

/** A camera, or any other RTSP server. */
export interface RtspOptions {
  /** `rtsp://user:password@host:port/path`. */
  readonly url: string;
  /** How it is received; `tcp` never loses packets. @default 'tcp' */
  readonly protocol?: 'tcp' | 'udp' | undefined;
  /** For `rtsps://`. @default what the system trusts */
  readonly tls?: TlsTrust | undefined;
}

const CODED =
  'application/x-rtp,media=video,encoding-name=H264 ! rtph264depay ' +
  // Whoever joins needs the parameter sets with each key frame; many cameras send them in the SDP alone.
  '! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au';
const DECODED = 'application/x-rtp,media=video ! decodebin ! video/x-raw';

/**
 * Pulls an RTSP stream. Its H.264 is passed on untouched when neither another size, rate nor quality is demanded, and
 * decoded otherwise. After the first connection an outage is bridged: it connects again with growing pauses.
 * @throws CAP_STREAM_UNAVAILABLE, CAP_AUTH_FAILED, CAP_TLS_UNTRUSTED, CAP_USAGE
 */
export async function rtspSource(options: RtspOptions, demand: SourceDemand): Promise<VideoSource> {
  const { url, protocol = 'tcp' } = options;
  const trust = expectTlsTrust(options.tls ?? {});
  if (!isRtspUrl(url)) throw unexpected('the RTSP source', 'an rtsp:// URL', redact(url));
  const address = splitRtspUrl(url);
  registerSecret(address.password);
  return openFeed({
    label: withoutQuery(address.address),
    launch: `rtspsrc name=camera latency=0 drop-on-latency=true ! ${demand.asItIs ? CODED : DECODED}`,
    properties: { camera: rtspProperties(address, protocol) },
    prepare: (pipeline) => applyTlsTrust(pipeline.native, 'camera', trust),
    coded: demand.asItIs,
    paced: false,
    fps: demand.fps,
    afterwards: 'reconnect',
    explain: (error: CapError) => explainRtspFailure(error, address.address),
  });
}

/** Cameras take passwords in the query, too. */
const withoutQuery = (url: string): string => url.replace(/\?.*$/, '');
