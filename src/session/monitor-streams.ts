import { type CapError, type Closable, closeAll, once, TypedEvents } from '../core/index.js';
import { listMonitors, type MonitorRow, type ScreenOptions } from '../producer/index.js';
import { RtspServer, type RtspServerOptions } from '../transport/index.js';
import { CaptureSession } from './capture-session.js';
import type { CaptureSessionOptions } from './open-capture.js';

/** One monitor, and the capture of it. */
export interface MonitorStream {
  readonly monitor: MonitorRow;
  /** Where the server has it: `/cap/1`. */
  readonly path: string;
  readonly session: CaptureSession;
}

/** What happens to single streams while the others go on. */
export type MonitorStreamsEvents = {
  /** The monitor's capture ended, and with it its mount. */
  lost: [stream: MonitorStream, error: CapError];
  /** The last one has ended. */
  ended: [error: CapError];
};

/** Every option of a capture session but the source, which is a monitor each. */
export interface MonitorStreamsOptions extends Omit<CaptureSessionOptions, 'source'> {
  readonly screen?: Pick<ScreenOptions, 'display' | 'cursor' | 'keepAliveMs'> | undefined;
  readonly rtsp?: RtspServerOptions | undefined;
}

/** Each monitor of a display, captured and served for itself at `/cap/1`, `/cap/2` … of one RTSP server. */
export class MonitorStreams extends TypedEvents<MonitorStreamsEvents> implements Closable {
  readonly server: RtspServer;
  readonly #streams: MonitorStream[] = [];

  private constructor(server: RtspServer) {
    super();
    this.server = server;
  }

  /** @throws CAP_DISPLAY_UNAVAILABLE, CAP_PORT_UNAVAILABLE and as CaptureSession.open does */
  static async open({ screen = {}, rtsp, ...options }: MonitorStreamsOptions = {}): Promise<MonitorStreams> {
    const monitors = listMonitors(screen.display);
    const streams = new MonitorStreams(new RtspServer({ logger: options.logger, ...rtsp }));
    try {
      for (const monitor of monitors) {
        const source = { kind: 'screen', ...screen, monitor: String(monitor.number) } as const;
        await streams.#add(monitor, await CaptureSession.open({ ...options, source }));
      }
      return streams;
    } catch (error) {
      await streams.close();
      throw error;
    }
  }

  /** Those that run. */
  get streams(): readonly MonitorStream[] {
    return this.#streams;
  }

  /** Ends all streams, then the server. Idempotent. */
  readonly close = once(async () => {
    await closeAll([...this.#streams.splice(0).map(({ session }) => session), this.server]);
  });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #add(monitor: MonitorRow, session: CaptureSession): Promise<void> {
    const stream = { monitor, session, path: `/cap/${monitor.number}` };
    this.#streams.push(stream);
    session.on('failed', (error) => this.#lose(stream, error));
    await session.serveOn(this.server, stream.path);
  }

  #lose(stream: MonitorStream, error: CapError): void {
    const index = this.#streams.indexOf(stream);
    if (index < 0) return;
    this.#streams.splice(index, 1);
    // What failed may fail to close as well; it is gone either way.
    stream.session.close().catch(() => {});
    this.emit('lost', stream, error);
    if (this.#streams.length === 0) this.emit('ended', error);
  }
}
