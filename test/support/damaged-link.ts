import { randomBytes } from 'node:crypto';
import { run, runProgram } from './process.js';

const SERVER_ADDRESS = '10.213.0.1';
const READER_ADDRESS = '10.213.0.2';

/** A cable between two network namespaces, which go with it: nothing else of this machine is touched. */
export class DamagedLink implements AsyncDisposable {
  /** Of whoever runs at the server's end. */
  readonly serverAddress = SERVER_ADDRESS;
  readonly #server: string;
  readonly #reader: string;

  private constructor(id: string) {
    this.#server = `cap-server-${id}`;
    this.#reader = `cap-reader-${id}`;
  }

  /** Whether this user may make one. */
  static async isAllowed(): Promise<boolean> {
    const name = `cap-probe-${randomBytes(4).toString('hex')}`;
    const { code } = await runProgram('ip', ['netns', 'add', name]);
    if (code !== 0) return false;
    await run('ip', ['netns', 'del', name]);
    return true;
  }

  static async open(): Promise<DamagedLink> {
    const link = new DamagedLink(randomBytes(4).toString('hex'));
    try {
      for (const name of link.#names) await run('ip', ['netns', 'add', name]);
      const [server, reader] = link.#names;
      const peer = ['peer', 'name', 'reader', 'netns', reader];
      await run('ip', ['link', 'add', 'server', 'netns', server, 'type', 'veth', ...peer]);
      await link.#raise(server, 'server', SERVER_ADDRESS);
      await link.#raise(reader, 'reader', READER_ADDRESS);
      return link;
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What runs a program at the server's or the reader's end, before the program's own name. */
  get atServer(): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#server];
  }
  get atReader(): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#reader];
  }

  /**
   * What the server sends gets through at that rate at most; what comes faster is lost, once a queue of 100 ms is full.
   * Where the kernel has netem, some of the rest is lost, too.
   */
  async damage({ kbps, lossPercent }: { readonly kbps: number; readonly lossPercent: number }): Promise<void> {
    const queue = ['rate', `${kbps}kbit`, 'burst', '16kb', 'latency', '100ms'];
    await this.#tc('add', 'root', 'handle', '1:', 'tbf', ...queue);
    await this.#tc('add', 'parent', '1:', 'netem', 'loss', `${lossPercent}%`).catch((error: Error) => {
      if (!/qdisc kind is unknown/.test(error.message)) throw error;
    });
  }

  async repair(): Promise<void> {
    await this.#tc('del', 'root');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The cable goes with either end.
    for (const name of this.#names) await runProgram('ip', ['netns', 'del', name]);
  }

  get #names(): [string, string] {
    return [this.#server, this.#reader];
  }

  async #raise(namespace: string, device: string, address: string): Promise<void> {
    await run('ip', ['-n', namespace, 'address', 'add', `${address}/30`, 'dev', device]);
    for (const one of ['lo', device]) await run('ip', ['-n', namespace, 'link', 'set', one, 'up']);
  }

  async #tc(verb: 'add' | 'del', ...what: string[]): Promise<void> {
    await run('tc', ['-n', this.#server, 'qdisc', verb, 'dev', 'server', ...what]);
  }
}
