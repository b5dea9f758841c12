import { CapError, once, TypedEvents } from '../core/index.js';
import {
  applyTlsTrust,
  explainRtspFailure,
  type NativeFrameSink,
  type NativePicture,
  native,
  type PassedFrame,
  Pipeline,
  type RtspAddress,
  rtspProperties,
  type TlsTrust,
} from '../native/index.js';

export type RtspConnectionEvents = {
  /** A newer frame than before can be pulled. */
  frame: [];
  failed: [error: CapError];
};

// rtspsrc is racy when it changes state, so each connection has a pipeline of its own. Its jitter
// buffer holds packets for two seconds unless told otherwise, and a source on probation its first one
// until the second has come: that may be the whole picture of a still screen with little on it. One
// decoder thread: frame threads would each hold a frame back.
const LAUNCH =
  'rtspsrc name=source latency=0 drop-on-latency=true probation=0 ! application/x-rtp,media=video,encoding-name=H264 ' +
  '! rtph264depay name=depay ! h264parse name=parse ! video/x-h264,stream-format=byte-stream,alignment=au ' +
  '! avdec_h264 name=decoder max-threads=1 output-corrupt=false ' +
  '! appsink name=frames sync=false async=false max-buffers=1 drop=true';

/** One connection to an RTSP server, from SETUP to its first failure. The owner must close it. */
export class RtspConnection extends TypedEvents<RtspConnectionEvents> {
  readonly #pipeline: Pipeline;
  readonly #sink: NativeFrameSink;

  constructor(address: RtspAddress, protocol: 'tcp' | 'udp', trust: TlsTrust) {
    super();
    this.#pipeline = new Pipeline(LAUNCH, { source: rtspProperties(address, protocol) });
    try {
      applyTlsTrust(this.#pipeline.native, 'source', trust);
      native((addon) => addon.dropUntilAccessUnit(this.#pipeline.native, 'depay'));
      this.#sink = native(
        (addon) => new addon.FrameSink(this.#pipeline.native, 'frames', 'parse', () => this.emit('frame')),
      );
    } catch (error) {
      void this.#pipeline.close();
      throw error;
    }
    this.#pipeline.on('failed', async (error) => this.emit('failed', await explainRtspFailure(error, address.address)));
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

  takePassed(): PassedFrame[] {
    return this.#sink.takePassed();
  }

  readonly close = once(async () => {
    this.#sink.close();
    await this.#pipeline.close();
  });
}
