import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDisplay } from './display.js';
import { run, start } from './process.js';

export interface ResizableDisplay extends TestDisplay {
  /** Changes the screen's mode; resolves when the X server has done it. */
  resize(widthPx: number, heightPx: number): Promise<void>;
}

const CONFIGURATION = `
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 65536
EndSection
Section "Monitor"
  Identifier "monitor"
  HorizSync 5-1000
  VertRefresh 5-200
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "monitor"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Modes "1280x720" "1024x768" "800x600" "640x480"
    Virtual 1920 1080
  EndSubSection
EndSection
`;

/** Starts an X server without a graphics card whose screen, 1280x720 at first, can be resized; Xvfb's cannot. */
export async function startResizableDisplay(): Promise<ResizableDisplay> {
  const folder = mkdtempSync(join(tmpdir(), 'cap-xorg-'));
  const configuration = join(folder, 'xorg.conf');
  writeFileSync(configuration, CONFIGURATION);
  const files = ['-config', configuration, '-logfile', join(folder, 'xorg.log')];
  const options = ['-nolisten', 'tcp', '-noreset', '-novtswitch', '-sharevts'];
  const server = start('Xorg', ['-displayfd', '3', ...files, ...options], { extraPipes: 1 });
  const close = async (): Promise<void> => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [, number] = await server.waitForOutput(/^(\d+)\n/, 20_000, 3);
    const env = { DISPLAY: `:${number}` };
    const resize = async (widthPx: number, heightPx: number): Promise<void> => {
      await run('xrandr', ['--output', 'DUMMY0', '--mode', `${widthPx}x${heightPx}`], { env });
    };
    return { name: env.DISPLAY, env, server, resize, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
