import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitByteStream } from './access-units.js';
import { freePort } from './port.js';
import { type RunningProcess, start } from './process.js';
import { program, projectRoot } from './programs.js';
import { metadataOf } from './unit-metadata.js';

const WHIP_SERVER = join(projectRoot, 'test/programs/whip_server.py');

/** A server of another make that streams are pushed to: it writes what it gets into a file. */
export class PublishServer implements AsyncDisposable {
  readonly url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'cap-publish-'));
  readonly #command: (file: string) => Promise<RunningProcess>;
  #process: RunningProcess | undefined;

  private constructor(url: string, command: (file: string) => Promise<RunningProcess>) {
    this.url = url;
    this.#command = command;
  }

  /** gst-rtsp-server in its mode RECORD; with `login`, `user:password` by Digest. */
  static async rtsp(login?: string): Promise<PublishServer> {
    const port = await freePort();
    const [user, password] = login?.split(':') ?? [];
    return new PublishServer(`rtsp://${login ? `${login}@` : ''}127.0.0.1:${port}/live`, async (file) => {
      const server = start(await program('record_server'), [
        `${port}`,
        file,
        ...(login ? [user, password] : []),
      ] as string[]);
      await server.waitForOutput(/rtsp:\S+/);
      return server;
    });
  }

  /** ffmpeg as an RTMP server. */
  static async rtmp(): Promise<PublishServer> {
    const url = `rtmp://127.0.0.1:${await freePort()}/live/stream-key`;
    return new PublishServer(url, (file) => ffmpeg(['-listen', '1', '-i', url], file));
  }

  /** ffmpeg as an SRT listener. */
  static async srt(passphrase: string): Promise<PublishServer> {
    const url = `srt://127.0.0.1:${await freePort()}?passphrase=${passphrase}`;
    return new PublishServer(url, (file) => ffmpeg(['-i', `${url}&mode=listener`], file));
  }

  /** aiortc behind a WHIP endpoint; with a `token`, only for who has it. */
  static async whip(token?: string): Promise<PublishServer> {
    const port = await freePort();
    return new PublishServer(`whip+http://127.0.0.1:${port}/whip/live`, async (file) => {
      const server = start('/usr/bin/python3', [WHIP_SERVER, `${port}`, file, ...(token ? [token] : [])]);
      await server.waitForOutput(/ready/);
      return server;
    });
  }

  /** What it has printed since it was started. */
  get output(): string {
    return this.#process?.stdout ?? '';
  }

  async start(): Promise<void> {
    this.#process = await this.#command(this.#file);
  }

  /** Ends it without a word to its client. */
  async kill(): Promise<void> {
    this.#process?.signal('SIGKILL');
    await this.#process?.waitForExit();
    this.#process = undefined;
  }

  /** Numbers of the frames that it has got, by their metadata. */
  async frameNumbers(): Promise<number[]> {
    if (!existsSync(this.#file)) return [];
    const units = splitByteStream(readFileSync(this.#file));
    // The last may not be whole yet.
    return units.slice(0, -1).map((unit) => metadataOf(unit).frameNumber);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, 'got.h264');
  }
}

async function ffmpeg(input: readonly string[], file: string): Promise<RunningProcess> {
  const output = ['-c', 'copy', '-bsf:v', 'h264_mp4toannexb', '-flush_packets', '1', '-f', 'h264', file];
  return start('ffmpeg', ['-y', '-nostdin', '-v', 'error', '-analyzeduration', '100000', ...input, ...output]);
}
