import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { TestDisplay } from './display.js';
import { run, start } from './process.js';

/** The only one that X servers have built in. */
const FONTS = ['TitleFont', 'MenuFont', 'ResizeFont', 'IconFont', 'IconManagerFont'].map((use) => `${use} "fixed"`);

/** Puts a frame with a title bar around each window of a display, without asking where. */
export async function startWindowManager(display: TestDisplay): Promise<AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'cap-twm-'));
  const configuration = join(folder, 'twmrc');
  writeFileSync(configuration, ['RandomPlacement', 'NoGrabServer', 'BorderWidth 2', ...FONTS].join('\n'));
  const manager = start('twm', ['-f', configuration], { env: display.env });
  const close = async (): Promise<void> => {
    await manager.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // It asks for the root window's SubstructureRedirect when it is ready.
    await vi.waitFor(async () => {
      const { stdout } = await run('xwininfo', ['-root', '-events'], { env: display.env });
      if (!stdout.includes('SubstructureRedirect')) throw new Error(`no window manager yet\n${stdout}`);
    }, 10_000);
  } catch (error) {
    await close();
    throw error;
  }
  return { [Symbol.asyncDispose]: close };
}
