import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningProcess, start } from './process.js';
import { testProgram } from './test-program.js';

/** By what it lets clients capture: ext-image-copy-capture-v1, wlr-screencopy-unstable-v1, or nothing. */
export type CaptureProtocol = 'ext' | 'wlr' | 'none';

/** What the compositor counted. */
export interface CompositorStats {
  readonly copies: number;
  /** Uses of a new buffer that did not damage all of it. */
  readonly violations: number;
  readonly buffers: number;
  readonly frames: number;
  readonly sessions: number;
}

/** A Wayland compositor without a screen, which does what it is told and posts an error at each misuse of a protocol. */
export interface TestCompositor extends AsyncDisposable {
  /** Its socket's path. */
  readonly display: string;
  readonly process: RunningProcess;
  /** Gives an order of test/programs/wayland/compositor.c; resolves when it is carried out. */
  tell(order: string): Promise<void>;
  stats(): Promise<CompositorStats>;
}

export async function startTestCompositor(
  protocol: CaptureProtocol,
  widthPx: number,
  heightPx: number,
): Promise<TestCompositor> {
  const program = await testProgram('wayland', ['wayland-server']);
  const folder = await mkdtemp(join(tmpdir(), 'cap-wayland-'));
  const process = start(program, [protocol, `${widthPx}`, `${heightPx}`], {
    env: { XDG_RUNTIME_DIR: folder },
    keepStdinOpen: true,
  });
  const close = async (): Promise<void> => {
    await process.close();
    await rm(folder, { recursive: true, force: true });
  };
  let told = 0;
  const tell = async (order: string): Promise<void> => {
    told += 1;
    process.stdin.write(`${order}\n`);
    await process.waitForOutput(new RegExp(`^ok ${told}$`, 'm'));
  };
  try {
    await process.waitForOutput(/ready/);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    display: join(folder, 'wayland-test'),
    process,
    tell,
    async stats() {
      await tell('stats');
      const last = process.stdout.trim().split('\n').at(-2) ?? '';
      const [copies = 0, violations = 0, buffers = 0, frames = 0, sessions = 0] = last.split(' ').slice(1).map(Number);
      return { copies, violations, buffers, frames, sessions };
    },
    [Symbol.asyncDispose]: close,
  };
}
