import { type Closable, once, toCapError } from '../core/index.js';
import { describeSoundServer, moveSoundStream, type SoundServerDescription } from '../native/index.js';
import { type AppFilter, findApp } from './playing-apps.js';
import { closeRoute, newRoute, openRoute, type SoundRoute, streamsOn } from './sound-route.js';

/**
 * One application led through a null sink of its own, so that it can be recorded alone: all its streams, also those
 * that begin later, and silence between them. Closing it puts the streams back.
 */
export class AppRoute implements Closable {
  readonly #route: SoundRoute;
  readonly #belongs: AppFilter;
  readonly #warn: (message: string) => void;
  /** Where streams were before they were moved, and those that cannot be. */
  readonly #homes = new Map<number, string>();
  readonly #stuck = new Set<number>();
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
    const route = new AppRoute(newRoute(), findApp(server, app), warn);
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
    const there = new Set(streamsOn(server, this.#route.sink));
    const names = new Map(server.outputs.map(({ index, name }) => [index, name]));
    for (const stream of server.streams.filter((one) => this.#belongs(one) && !there.has(one))) {
      if (this.#stuck.has(stream.index)) continue;
      try {
        this.#homes.set(stream.index, names.get(stream.output) ?? '');
        await moveSoundStream(stream.index, this.#route.sink);
      } catch (error) {
        this.#stuck.add(stream.index);
        this.#warn(`"${stream.title}" of ${stream.application || stream.binary}: ${toCapError(error).message}`);
      }
    }
  }
}
