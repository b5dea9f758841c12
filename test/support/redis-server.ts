import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './port.js';
import { type RunningProcess, start } from './process.js';

/** A Redis server of the test's own, which keeps every write on disk. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: RunningProcess | undefined;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#args = args;
  }

  /** @param args more of the server's own options */
  static async start(...args: readonly string[]): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'cap-redis-'));
    const server = new RedisServer(await freePort(), folder, args);
    try {
      await server.#run();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Kills the server in the middle of what it does; `revive` starts it with what it had on disk. */
  async kill(): Promise<void> {
    this.#process?.killGroup();
    await this.#process?.exited;
  }

  revive(): Promise<void> {
    return this.#run();
  }

  /** Every write that there ever was. */
  written(): string {
    const folder = join(this.#folder, 'appendonlydir');
    return readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const options = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--dir', this.#folder, '--save', ''];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
    this.#process = start('redis-server', [...options, ...durable, ...this.#args]);
    await this.#process.waitForOutput(/Ready to accept connections/);
  }
}
