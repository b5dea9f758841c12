import { CapError, once, TypedEvents } from '../core/index.js';
import { type NativeFrameSink, type NativePicture, native, Pipeline } from '../native/index.js';
import { whyUnreachable } from './why-unreachable.js';

export type RtspConnectionEvents = {
  /** A newer frame than before can be pulled. */
  frame: [];
  failed: [error: CapError];
};

// rtspsrc is racy when it changes state, so each connection has a pipeline of its own. Its jitter
// buffer holds packets for two seconds unless told otherwise. One decoder thread: frame threads
// would each hold a frame back.
const LAUNCH =
  'rtspsrc name=source latency=0 drop-on-latency=true ! application/x-rtp,media=video,encoding-name=H264 ' +
  '! rtph264depay ! h264parse name=parse ! video/x-h264,stream-format=byte-stream,alignment=au ' +
  '! avdec_h264 name=decoder max-threads=1 output-corrupt=false ' +
  '! appsink name=frames sync=false async=false max-buffers=1 drop=true';

/** One connection to an RTSP server, from SETUP to its first failure. The owner must close it. */
export class RtspConnection extends TypedEvents<RtspConnectionEvents> {
  readonly #pipeline: Pipeline;
  readonly #sink: NativeFrameSink;

  constructor(url: string, protocol: 'tcp' | 'udp') {
    super();
    const { address, user, password } = splitCredentials(url);
    this.#pipeline = new Pipeline(LAUNCH, {
      source: { location: address, protocols: protocol, ...(user ? { 'user-id': user, 'user-pw': password } : {}) },
    });
    try {
      this.#sink = native(
        (addon) => new addon.FrameSink(this.#pipeline.native, 'frames', 'parse', () => this.emit('frame')),
      );
    } catch (error) {
      void this.#pipeline.close();
      throw error;
    }
    this.#pipeline.on('failed', async (error) => this.emit('failed', await explain(error, address)));
    this.#pipeline.on('ended', () =>
      this.emit('failed', new CapError('CAP_STREAM_UNAVAILABLE', 'the stream has ended')),
    );
    this.#pipeline.play().catch((error: CapError) => this.emit('failed', error));
  }

  get framesDecoded(): number {
    return this.#sink.stats().decoded;
  }

  pull(): Promise<NativePicture | null> {
    return this.#sink.pull();
  }

  readonly close = once(async () => {
    this.#sink.close();
    await this.#pipeline.close();
  });
}

// A password in rtspsrc's location would show in GStreamer's error texts. One with an @ that should have
// been written as %40 ends at the last one.
function splitCredentials(url: string): { address: string; user: string; password: string } {
  const match = /^(rtsps?:\/\/)([^/\s]*)@(.*)$/.exec(url);
  if (!match) return { address: url, user: '', password: '' };
  const [, scheme = '', credentials = '', rest = ''] = match;
  const [user = '', ...password] = credentials.split(':');
  return { address: scheme + rest, user: decodeURIComponent(user), password: decodeURIComponent(password.join(':')) };
}

/** In words, what GStreamer keeps in its debug text or does not know. Never rejects. */
async function explain(error: CapError, address: string): Promise<CapError> {
  const debug = error.cause instanceof Error ? error.cause.message : '';
  const text = error.message + debug;
  if (/Unauthorized|401/i.test(text)) {
    return new CapError('CAP_PROVIDER_AUTH', 'the server wants a user name and password, or refuses those given', {
      hint: 'put them in the address: rtsp://user:password@host/path',
      cause: error,
    });
  }
  const reason = await inWords(text, address);
  return reason === undefined ? error : new CapError('CAP_STREAM_UNAVAILABLE', reason, { cause: error });
}

async function inWords(text: string, address: string): Promise<string | undefined> {
  if (/Not Found|404/i.test(text)) return 'the server has no stream at that path';
  if (/Parse error/i.test(text)) return 'what listens there does not speak RTSP';
  if (/Failed to connect/i.test(text)) return whyUnreachable(address);
  return undefined;
}
