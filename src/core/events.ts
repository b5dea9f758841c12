import { EventEmitter } from 'node:events';

/** Event names to the tuple of their arguments: `{ closed: [], died: [CapError] }`. */
export type EventMap = Record<string, unknown[]>;

type Listener = (...args: unknown[]) => void;

/**
 * A typed event source. `emit` survives a throwing listener: the error is reported
 * as an uncaught exception on the next tick, and the other listeners still run.
 */
export class TypedEvents<Events extends EventMap> {
  readonly #emitter = new EventEmitter({ captureRejections: false });

  on<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name]) => void): this {
    this.#emitter.on(name, listener as unknown as Listener);
    return this;
  }

  off<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name]) => void): this {
    this.#emitter.off(name, listener as unknown as Listener);
    return this;
  }

  once<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name]) => void): this {
    this.#emitter.once(name, listener as unknown as Listener);
    return this;
  }

  protected emit<Name extends keyof Events & string>(name: Name, ...args: Events[Name]): void {
    for (const listener of this.#emitter.rawListeners(name)) {
      try {
        (listener as unknown as Listener)(...args);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
