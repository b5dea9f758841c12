import { setTimeout as sleep } from 'node:timers/promises';
import { type Closable, once, toCapError } from '../core/index.js';
import {
  describeSoundServer,
  moveSoundStream,
  type SoundServerDescription,
  type SoundStream,
} from '../native/index.js';
import { type AppFilter, findApp } from './playing-apps.js';
import { closeRoute, MOST_MOVES, newRoute, openRoute, type SoundRoute, streamsOn } from './sound-route.js';

const LOOK_AGAIN_MS = 300;

/**
 * One application led through a null sink of its own, so that it can be recorded alone: all its streams, also those
 * that begin later, and silence between them. Closing it puts the streams back.
 */
export class AppRoute implements Closable {
  readonly #route: SoundRoute;
  readonly #belongs: AppFilter;
  readonly #warn: (message: string) => void;
  /** By the streams' indices: where they were before they were moved, and how they are being moved. */
  readonly #homes = new Map<number, string>();
  readonly #moves = new Map<number, { readonly count: number; readonly at: number }>();
  #again: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #waiting = false;
  #closed = false;

  private constructor(route: SoundRoute, belongs: AppFilter, warn: (message: string) => void) {
    this.#route = route;
    this.#belongs = belongs;
    this.#warn = warn;
  }

  /** @throws CAP_SOURCE_NOT_FOUND, CAP_DEPENDENCY_MISSING */
  static async open(app: string, server: SoundServerDescription, warn: (message: string) => void): Promise<AppRoute> {
    const route = new AppRoute(newRoute(), await findPlaying(server, app), warn);
    try {
      await route.#lead();
      return route;
    } catch (error) {
      await route.close();
      throw error;
    }
  }

  /** The device that gives the application's sound. */
  get device(): string {
    return this.#route.monitor;
  }

  /** To be called when what plays may have changed, also after the sound server started anew. */
  update(): void {
    // One that has not begun yet will see this change as well.
    if (this.#waiting || this.#closed) return;
    this.#waiting = true;
    this.#work = this.#work.then(async () => {
      this.#waiting = false;
      if (this.#closed) return;
      // A server that is gone says so by the recording; it is led again when it is back.
      await this.#lead().catch((error) => this.#warn(toCapError(error).message));
    });
  }

  readonly close = once(async () => {
    this.#closed = true;
    clearTimeout(this.#again);
    await this.#work;
    const server = await describeSoundServer().catch(() => undefined);
    if (server) await closeRoute(server, this.#route, this.#homes);
  });

  async #lead(): Promise<void> {
    let server = await describeSoundServer();
    if (!server.outputs.some(({ name }) => name === this.#route.sink)) {
      await openRoute(this.#route);
      server = await describeSoundServer();
    }
    this.#forgetEnded(server);
    for (const { index } of streamsOn(server, this.#route.sink)) this.#moves.delete(index);
    const names = new Map(server.outputs.map(({ index, name }) => [index, name]));
    for (const stream of server.streams) {
      const output = names.get(stream.output);
      if (!this.#belongs(stream) || output === this.#route.sink) continue;
      // On its way from one output to another a stream of PipeWire is on none.
      if (output && !this.#homes.has(stream.index)) this.#homes.set(stream.index, output);
      await this.#move(stream);
    }
  }

  async #move(stream: SoundStream): Promise<void> {
    const { count, at } = this.#moves.get(stream.index) ?? { count: 0, at: 0 };
    // PipeWire agrees to a move before it is done, and may forget it: see `putBack` in sound-route.ts.
    if (count === MOST_MOVES || performance.now() - at < LOOK_AGAIN_MS) return;
    this.#moves.set(stream.index, { count: count + 1, at: performance.now() });
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.update(), LOOK_AGAIN_MS + 1).unref();
    await moveSoundStream(stream.index, this.#route.sink).catch((error) => {
      if (count + 1 < MOST_MOVES) return;
      this.#warn(`"${stream.title}" of ${stream.application || stream.binary}: ${toCapError(error).message}`);
    });
  }

  #forgetEnded({ streams }: SoundServerDescription): void {
    const playing = new Set(streams.map(({ index }) => index));
    for (const known of [this.#homes, this.#moves])
      for (const index of known.keys()) if (!playing.has(index)) known.delete(index);
  }
}

/** PipeWire does not always list a stream that is on its way from one output to another. */
async function findPlaying(server: SoundServerDescription, app: string): Promise<AppFilter> {
  try {
    return findApp(server, app);
  } catch {
    await sleep(LOOK_AGAIN_MS);
    return findApp(await describeSoundServer(), app);
  }
}
