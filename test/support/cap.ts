import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './eventually.js';
import { type ProcessOptions, type ProgramResult, type RunningProcess, run, start } from './process.js';
import { projectRoot } from './programs.js';

export type CommandName = 'cap' | 'rtsp-demo' | 'demo';

/** Compiles src/ when it changed: the commands run what is compiled. For `beforeAll`. */
export async function buildCommands(): Promise<void> {
  const script = `import { buildTypeScript } from './scripts/setup/typescript-build.mjs'; buildTypeScript('${projectRoot}');`;
  await run(process.execPath, ['--input-type=module', '-e', script], { cwd: projectRoot, timeoutMs: 60_000 });
}

/** Starts a command with neither a display nor a key in its environment, unless `env` has them. */
export function startCommand(
  name: CommandName,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): RunningProcess {
  const env = {
    DISPLAY: undefined,
    OPENAI_API_KEY: undefined,
    OPENAI_COMPATIBLE_API_KEY: undefined,
    ANTHROPIC_API_KEY: undefined,
    ...options.env,
  };
  return start(process.execPath, [commandPath(name), ...args], { ...options, env });
}

export const commandPath = (name: CommandName): string => join(projectRoot, `bin/${name}.mjs`);

export const startCap = (args: readonly string[], options: ProcessOptions = {}): RunningProcess =>
  startCommand('cap', args, options);

/** Runs `cap` to its end. */
export async function runCap(args: readonly string[], options: ProcessOptions = {}): Promise<ProgramResult> {
  await using cap = startCap(args, options);
  const { code } = await cap.waitForExit();
  return { code, stdout: cap.stdout, stderr: cap.stderr };
}

/** `cap --rtsp` of a small test picture on a free port, with its address. */
export async function startStream(...args: readonly string[]): Promise<{ cap: RunningProcess; url: string }> {
  const cap = startCap(['--rtsp', '--rtsp-port', '0', '--source', 'test', '--size', '320x240', ...args]);
  try {
    return { cap, url: await streamUrl(cap) };
  } catch (error) {
    await cap.close();
    throw error;
  }
}

/** The address that a command prints. */
export async function streamUrl(command: RunningProcess): Promise<string> {
  return (await command.waitForOutput(/^rtsp:\/\/\S+$/m))[0];
}

/** A mark in the environment, by which every process that a command starts is found. */
export class ProcessMark {
  readonly #value = randomUUID();
  readonly env = { CAP_TEST_MARK: this.#value };

  /** Ids of the processes that carry the mark and have not ended. */
  living(): number[] {
    const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    // A process that has ended and was not yet waited for has no environment any more.
    return ids.filter((id) => readProc(id, 'environ').includes(this.#value)).map(Number);
  }

  /** Resolves when no process carries the mark; rejects, and kills them, when some go on. */
  async expectNone(): Promise<void> {
    try {
      await eventually(
        () => {
          const living = this.living().map((id) => `${id} ${readProc(`${id}`, 'cmdline').replaceAll('\0', ' ')}`);
          if (living.length > 0) throw new Error(`still running: ${living.join('; ')}`);
        },
        { timeoutMs: 5000 },
      );
    } catch (error) {
      for (const id of this.living()) process.kill(id, 'SIGKILL');
      throw error;
    }
  }
}

/**
 * Resolves when the launcher listens for signals. Before its first line runs, a signal ends Node itself. SIGHUP is
 * the one of the three that only the launcher catches, and the last.
 */
export async function listensForSignals(command: RunningProcess): Promise<void> {
  for (;;) {
    const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readProc(`${command.pid}`, 'status'))?.[1] ?? '0';
    const program = readProc(`${command.pid}`, 'cmdline');
    if (program.startsWith(process.execPath) && (BigInt(`0x${caught}`) & 1n) === 1n) return;
    if (command.ended) throw new Error(`ended before it listened\n${command.stderr}`);
    await sleep(1);
  }
}

function readProc(id: string, file: string): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'latin1');
  } catch {
    return ''; // it has ended
  }
}
