import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import {
  type CapError,
  type Closable,
  closeAll,
  closedError,
  type Logger,
  once,
  silentLogger,
  TypedEvents,
  toCapError,
  unexpected,
} from '../core/index.js';
import type { HttpOptions, HttpStats } from '../server/index.js';
import { type CaptureStats, RateAdaptation, type RtspServer, type RtspServerOptions } from '../session/index.js';
import { GatewayMount, type MountOptions } from './gateway-mount.js';
import { Worker } from './worker.js';
import type { DoorCalls, DoorDescription, DoorOptions, Sendable } from './worker-calls.js';

/** What a gateway serves, and where. */
export interface GatewayOptions {
  readonly rtsp?: Sendable<RtspServerOptions> | undefined;
  /** @default none: nothing is served over HTTP */
  readonly http?: Sendable<HttpOptions> | undefined;
  /** One at least. */
  readonly mounts: readonly MountOptions[];
  readonly logger?: Logger | undefined;
}

/** What a gateway says about its mounts and processes. */
export type GatewayEvents = {
  /** The mount has a picture, for the first time or again. */
  resumed: [path: string];
  /** The mount has lost its source or its process; its readers stay, and it is tried again. */
  interrupted: [path: string, error: CapError];
  /** The process that serves all mounts died, and every reader with it; another one takes its port. */
  doorsDied: [error: CapError];
};

/** A mount as `status` has it. */
export interface MountStatus {
  readonly path: string;
  /** `starting` until its first picture; `interrupted` while its source is away. */
  readonly state: 'starting' | 'running' | 'interrupted';
  /** What is captured, and how it is scaled; undefined until its first picture. */
  readonly label: string | undefined;
  readonly picture: string | undefined;
  /** Why it is interrupted. */
  readonly error: CapError | undefined;
  /** How often its process died. */
  readonly deaths: number;
  /** Since its process was started; undefined while there is none. */
  readonly capture: CaptureStats | undefined;
}

/** A gateway at one moment. */
export interface GatewayStatus {
  readonly mounts: readonly MountStatus[];
  /** How often the process that serves readers died. */
  readonly doorDeaths: number;
  /** Undefined while the process that serves readers is started anew. */
  readonly rtsp: RtspServer['stats'] | undefined;
  /** Undefined also where nothing is served over HTTP. */
  readonly http: HttpStats | undefined;
}

const DOOR_PROGRAM = fileURLToPath(new URL('./door-worker.js', import.meta.url));

/**
 * Several sources behind one RTSP server, each process of which may die without the others: one worker process a
 * source, one for the doors, and this one, which runs nothing native and so survives both. Access units go from
 * capture worker to door worker over a Unix socket.
 */
export class Gateway extends TypedEvents<GatewayEvents> implements Closable {
  readonly #logger: Logger;
  readonly #id = randomUUID();
  readonly #mounts = new Map<string, GatewayMount>();
  /** Of all mounts together: their readers share a network. */
  readonly #adaptation: RateAdaptation;
  #doorOptions: DoorOptions;
  #doors: Worker<DoorCalls>;
  #address: DoorDescription | undefined;
  #sockets = 0;
  #closed = false;

  private constructor({ rtsp = {}, http, logger = silentLogger }: GatewayOptions) {
    super();
    this.#logger = logger;
    this.#adaptation = new RateAdaptation({ logger });
    this.#adaptation.addReaders(async () => (await this.#doors.remote?.readerReports().catch(() => undefined)) ?? []);
    this.#adaptation.on('stepped', () => {
      for (const mount of this.#mounts.values()) this.#noteRate(mount);
    });
    this.#doorOptions = { rtsp, http };
    this.#doors = this.#newDoors();
  }

  /**
   * Listens, and starts every mount; one that has no source yet is tried again and again.
   * @throws CAP_PORT_UNAVAILABLE, CAP_USAGE
   */
  static async open(options: GatewayOptions): Promise<Gateway> {
    checkMounts(options.mounts);
    const gateway = new Gateway(options);
    try {
      for (const mount of options.mounts) gateway.#addMount(mount);
      await gateway.#doors.start();
      for (const mount of gateway.#mounts.values()) gateway.#startMount(mount);
      return gateway;
    } catch (error) {
      await gateway.close();
      throw error;
    }
  }

  /** What is served, whether it has a picture or not. */
  get paths(): readonly string[] {
    return [...this.#mounts.keys()];
  }

  /** The addresses of a mount, without and with TLS, whichever is served, for a client on this machine. */
  urls(path: string): readonly string[] {
    return (this.#address?.rtspUrls ?? []).map((url) => url + path);
  }

  /** Who plays now. */
  async readers(): Promise<RtspServer['readers']> {
    return (await this.#doors.remote?.stats())?.rtsp.readers ?? [];
  }

  /** Ends a reader's connection; whether there was one of that id. It may come again. */
  async kick(id: number): Promise<boolean> {
    return (await this.#doors.remote?.kick(id)) ?? false;
  }

  /** The address of the viewer page; undefined when nothing is served over HTTP. */
  get httpUrl(): string | undefined {
    return this.#address?.httpUrl;
  }

  /** Ids of the processes, for who watches them. */
  get processIds(): { readonly doors: number | undefined; readonly captures: ReadonlyMap<string, number | undefined> } {
    return {
      doors: this.#doors.pid,
      captures: new Map([...this.#mounts].map(([path, { worker }]) => [path, worker.pid])),
    };
  }

  async status(): Promise<GatewayStatus> {
    const [doors, ...mounts] = await Promise.all([
      this.#doors.remote?.stats().catch(() => undefined),
      ...[...this.#mounts.values()].map(mountStatus),
    ]);
    return { mounts, doorDeaths: this.#doors.deaths, rtsp: doors?.rtsp, http: doors?.http };
  }

  /**
   * Serves what `options` say from now on. A mount whose options did not change is not touched, nor are its readers;
   * one whose options changed goes on at the same path; other RTSP options disconnect every reader.
   * @throws CAP_USAGE, and everything stays as it is; CAP_PORT_UNAVAILABLE
   */
  async reload({ rtsp = {}, http, mounts }: Omit<GatewayOptions, 'logger'>): Promise<void> {
    if (this.#closed) throw closedError('the gateway');
    checkMounts(mounts);
    const wanted = new Map(mounts.map((mount) => [mount.path, mount]));
    const added: GatewayMount[] = [];
    for (const [path, mount] of [...this.#mounts]) {
      const options = wanted.get(path);
      wanted.delete(path);
      if (isDeepStrictEqual(mount.options, options)) continue;
      this.#mounts.delete(path);
      await mount.close();
      // Its readers stay when another source takes its place under the same rules.
      const stays = options && options.maxReaders === mount.options.maxReaders;
      if (!stays) await this.#doors.remote?.remove(path);
      if (options) added.push(this.#addMount(options, stays ? mount.socketName : undefined));
    }
    for (const options of wanted.values()) added.push(this.#addMount(options));
    const doorOptions = { rtsp, http };
    if (!isDeepStrictEqual(doorOptions, this.#doorOptions)) await this.#reopenDoors(doorOptions);
    for (const mount of added) this.#startMount(mount);
  }

  /** Ends the mounts, then the doors. Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    await closeAll([this.#adaptation, ...this.#mounts.values(), this.#doors]);
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #newDoors(): Worker<DoorCalls> {
    const doors = new Worker<DoorCalls>({
      name: 'the process that serves readers',
      program: DOOR_PROGRAM,
      prepare: async (remote) => {
        this.#address = await remote.open(this.#samePorts());
      },
      logger: this.#logger,
    });
    doors.on('died', (error) => this.emit('doorsDied', error));
    doors.on('ready', () => {
      for (const mount of this.#mounts.values()) void this.#serve(mount);
    });
    return doors;
  }

  /** Readers come back to the ports that they know, also where any would have done. */
  #samePorts(): DoorOptions {
    const { rtsp, http } = this.#doorOptions;
    if (!this.#address) return this.#doorOptions;
    const { rtspUrls, httpUrl } = this.#address;
    const portOf = (scheme: string): number | undefined => {
      const found = [...rtspUrls, httpUrl ?? ''].find((url) => url.startsWith(`${scheme}:`));
      return found === undefined ? undefined : Number(new URL(found).port);
    };
    return {
      rtsp: { ...rtsp, port: portOf('rtsp'), tls: rtsp.tls && { ...rtsp.tls, port: portOf('rtsps') } },
      http: http && { ...http, port: portOf(http.tls ? 'https' : 'http') },
    };
  }

  async #reopenDoors(options: DoorOptions): Promise<void> {
    this.#doorOptions = options;
    this.#address = undefined;
    await this.#doors.close();
    this.#doors = this.#newDoors();
    await this.#doors.start();
  }

  #addMount(options: MountOptions, socketName = `cap-${this.#id}-${this.#sockets++}`): GatewayMount {
    const mount = new GatewayMount(options, socketName, this.#adaptation, this.#logger);
    this.#mounts.set(options.path, mount);
    mount.worker.on('ready', () => void this.#serve(mount));
    mount.worker.on('died', (error) => this.emit('interrupted', options.path, error));
    return mount;
  }

  #startMount(mount: GatewayMount): void {
    // What keeps it from starting is told by its event.
    mount.worker.start().catch(() => {});
  }

  async #serve(mount: GatewayMount): Promise<void> {
    const { remote } = this.#doors;
    // Whichever is ready last, capture or doors, brings them together.
    if (!remote || !mount.worker.remote) return;
    try {
      const { path, maxReaders } = mount.options;
      const { label = '', audio = [] } = mount.description ?? {};
      await remote.serve({ path, socketName: mount.socketName, label, audio, limits: { maxReaders } });
      this.#noteRate(mount);
      this.emit('resumed', mount.options.path);
    } catch (error) {
      if (!this.#closed && remote === this.#doors.remote) {
        this.emit('interrupted', mount.options.path, toCapError(error));
      }
    }
  }

  #noteRate({ options, rate }: GatewayMount): void {
    void this.#doors.remote?.noteRate(options.path, rate).catch(() => {});
  }
}

async function mountStatus({ options, worker, description, failure }: GatewayMount): Promise<MountStatus> {
  return {
    path: options.path,
    state: worker.remote ? 'running' : description ? 'interrupted' : 'starting',
    label: description?.label,
    picture: description?.picture,
    error: worker.remote ? undefined : failure,
    deaths: worker.deaths,
    capture: await worker.remote?.stats().catch(() => undefined),
  };
}

function checkMounts(mounts: readonly MountOptions[]): void {
  const paths = mounts.map(({ path }) => path);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw unexpected('the mounts', 'a path each', `${twice} twice`);
  if (paths.length === 0) throw unexpected('the mounts', 'one at least', 'none');
}
