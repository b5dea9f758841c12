import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import type { CaptureStats, RtspServer, RtspServerOptions } from '../session/index.js';
import { GatewayMount, type MountOptions } from './gateway-mount.js';
import { Worker } from './worker.js';
import type { DoorCalls, DoorDescription, Sendable } from './worker-calls.js';

/** What a gateway serves, and where. */
export interface GatewayOptions {
  readonly rtsp?: Sendable<RtspServerOptions> | undefined;
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
}

const DOOR_PROGRAM = fileURLToPath(new URL('./door-worker.js', import.meta.url));

/**
 * Several sources behind one RTSP server, each process of which may die without the others: one worker process a
 * source, one for the doors, and this one, which runs nothing native and so survives both. Access units go from
 * capture worker to door worker over a Unix socket.
 */
export class Gateway extends TypedEvents<GatewayEvents> implements Closable {
  readonly #logger: Logger;
  readonly #folder = mkdtempSync(join(tmpdir(), 'cap-gateway-'));
  readonly #mounts = new Map<string, GatewayMount>();
  #rtsp: Sendable<RtspServerOptions>;
  #doors: Worker<DoorCalls>;
  #address: DoorDescription = { port: 0, url: '' };
  #sockets = 0;
  #closed = false;

  private constructor({ rtsp = {}, logger = silentLogger }: GatewayOptions) {
    super();
    chmodSync(this.#folder, 0o700);
    this.#logger = logger;
    this.#rtsp = rtsp;
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

  /** The address of a mount, for a client on this machine or, when bound elsewhere, on that one. */
  url(path: string): string {
    return this.#address.url + path;
  }

  /** Ids of the processes, for who watches them. */
  get processIds(): { readonly doors: number | undefined; readonly captures: ReadonlyMap<string, number | undefined> } {
    return {
      doors: this.#doors.pid,
      captures: new Map([...this.#mounts].map(([path, { worker }]) => [path, worker.pid])),
    };
  }

  async status(): Promise<GatewayStatus> {
    const [rtsp, ...mounts] = await Promise.all([
      this.#doors.remote?.stats().catch(() => undefined),
      ...[...this.#mounts.values()].map(mountStatus),
    ]);
    return { mounts, doorDeaths: this.#doors.deaths, rtsp };
  }

  /**
   * Serves what `options` say from now on. A mount whose options did not change is not touched, nor are its readers;
   * one whose options changed goes on at the same path; other RTSP options disconnect every reader.
   * @throws CAP_USAGE, and everything stays as it is; CAP_PORT_UNAVAILABLE
   */
  async reload({ rtsp = {}, mounts }: Omit<GatewayOptions, 'logger'>): Promise<void> {
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
      // Its readers stay when another source takes its place.
      if (options) added.push(this.#addMount(options, mount.socketPath));
      else await this.#doors.remote?.remove(path);
    }
    for (const options of wanted.values()) added.push(this.#addMount(options));
    if (!isDeepStrictEqual(rtsp, this.#rtsp)) await this.#reopenDoors(rtsp);
    for (const mount of added) this.#startMount(mount);
  }

  /** Ends the mounts, then the doors. Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    await closeAll([...this.#mounts.values(), this.#doors]);
    rmSync(this.#folder, { recursive: true, force: true });
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #newDoors(): Worker<DoorCalls> {
    const doors = new Worker<DoorCalls>({
      name: 'the process that serves readers',
      program: DOOR_PROGRAM,
      prepare: async (remote) => {
        // Readers come back to the port that they know.
        const { port } = this.#address;
        this.#address = await remote.open(port === 0 ? this.#rtsp : { ...this.#rtsp, port }, this.#folder);
      },
      logger: this.#logger,
    });
    doors.on('died', (error) => this.emit('doorsDied', error));
    doors.on('ready', () => {
      for (const mount of this.#mounts.values()) void this.#serve(mount);
    });
    return doors;
  }

  async #reopenDoors(rtsp: Sendable<RtspServerOptions>): Promise<void> {
    this.#rtsp = rtsp;
    this.#address = { port: 0, url: '' };
    await this.#doors.close();
    this.#doors = this.#newDoors();
    await this.#doors.start();
  }

  #addMount(options: MountOptions, socketPath = join(this.#folder, `${this.#sockets++}.sock`)): GatewayMount {
    const mount = new GatewayMount(options, socketPath, this.#logger);
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
      await remote.serve(mount.options.path, mount.socketPath);
      this.emit('resumed', mount.options.path);
    } catch (error) {
      if (!this.#closed && remote === this.#doors.remote) {
        this.emit('interrupted', mount.options.path, toCapError(error));
      }
    }
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
