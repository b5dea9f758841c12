import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessMark, startCap } from './cap.js';
import { eventually } from './eventually.js';
import type { RunningProcess } from './process.js';

/** A small moving test picture, as a mount of a configuration. */
export const TEST_MOUNT = 'source = "test"\nsize = "320x240"\n';

/** `cap serve` with a configuration of its own, on a free port. */
export class ServedConfig implements AsyncDisposable {
  readonly command: RunningProcess;
  readonly mark: ProcessMark;
  readonly file: string;
  readonly folder: string;
  readonly runtimeFolder = mkdtempSync(join(tmpdir(), 'cap-run-'));

  private constructor(config: string, env: Record<string, string>) {
    this.folder = mkdtempSync(join(tmpdir(), 'cap-serve-'));
    this.file = join(this.folder, 'cap.toml');
    this.mark = new ProcessMark();
    this.write(config);
    // Whatever it leaves behind is left here.
    this.command = startCap(['serve', '--config', this.file, '-v'], {
      env: { TMPDIR: this.folder, XDG_RUNTIME_DIR: this.runtimeFolder, ...this.mark.env, ...env },
    });
  }

  /** Resolves when it listens. */
  static async start(config: string, env: Record<string, string> = {}): Promise<ServedConfig> {
    const served = new ServedConfig(config, env);
    try {
      await served.command.waitForOutput(/^rtsp:\/\/\S+$/m);
      return served;
    } catch (error) {
      await served[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `FOLDER` stands for the folder that goes with the gateway. */
  write(config: string): void {
    writeFileSync(this.file, `[rtsp]\nport = 0\n${config.replaceAll('FOLDER', this.folder)}`);
  }

  /** Writes another configuration, has it read, and resolves with what is said about it. */
  async reload(config: string): Promise<string> {
    this.write(config);
    const before = this.command.stderr.length;
    this.command.signal('SIGHUP');
    return this.waitForLog(/(was read again|not reloaded.*)/, before);
  }

  /** Resolves when the mount has had its picture `times` times, the first one and after interruptions. */
  async waitForPicture(path: string, times = 1): Promise<void> {
    await eventually(() => {
      const count = this.command.stderr
        .split('\n')
        .filter((line) => line.endsWith(`mount=${path}`) && / \d+x\d+/.test(line));
      if (count.length < times) throw new Error(`${path} has no picture yet\n${this.command.stderr}`);
    });
  }

  async waitForLog(pattern: RegExp, from = 0): Promise<string> {
    return eventually(() => {
      const match = pattern.exec(this.command.stderr.slice(from));
      if (!match) throw new Error(`no ${pattern} in\n${this.command.stderr}`);
      return match[0];
    });
  }

  url(path: string): string {
    const found = this.command.stdout.split('\n').find((line) => line.startsWith('rtsp:'));
    return new URL(path, found?.replace(/^rtsp:/, 'http:')).href.replace(/^http:/, 'rtsp:');
  }

  /** Ids of worker processes whose name has `name` in it. */
  workers(name: string): number[] {
    return this.mark.living().filter((id) => commandLine(id).includes('-worker.js') && commandLine(id).includes(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.command.close();
    await this.mark.expectNone();
    for (const folder of [this.folder, this.runtimeFolder]) rmSync(folder, { recursive: true, force: true });
  }
}

function commandLine(id: number): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
