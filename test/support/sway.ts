import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { KnownPicture } from './known-picture.js';
import { type RunningProcess, run, start } from './process.js';

/** sway without a screen, drawn by the processor. */
export interface Sway extends AsyncDisposable {
  /** Its Wayland socket's path. */
  readonly display: string;
  readonly process: RunningProcess;
  /** Runs a sway command, such as `output HEADLESS-1 transform 90`. */
  command(text: string): Promise<void>;
  /** Shows a picture in the middle of a monitor, pixel for pixel. */
  show(monitor: string, picture: KnownPicture): Promise<void>;
}

const NOBODY = 65_534;

/** Monitors are HEADLESS-1 and up, each of that mode. */
export async function startSway(monitors: number, widthPx: number, heightPx: number): Promise<Sway> {
  const folder = await mkdtemp(join(tmpdir(), 'cap-sway-'));
  if (process.getuid?.() === 0) await chown(folder, NOBODY, NOBODY); // sway refuses root
  const config = join(folder, 'config');
  const socket = join(folder, 'ipc');
  await writeFile(
    config,
    `output * mode ${widthPx}x${heightPx}\noutput * bg #000000 solid_color\nexec echo "ready $WAYLAND_DISPLAY"\n`,
  );
  const server = start('sway', ['--config', config], {
    unprivileged: true,
    env: {
      XDG_RUNTIME_DIR: folder,
      SWAYSOCK: socket,
      WLR_BACKENDS: 'headless',
      WLR_RENDERER: 'pixman',
      WLR_LIBINPUT_NO_DEVICES: '1',
      WLR_HEADLESS_OUTPUTS: String(monitors),
      WAYLAND_DISPLAY: undefined,
      DISPLAY: undefined,
    },
  });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [, name] = await server.waitForOutput(/^ready (\S+)$/m);
    const command = async (text: string): Promise<void> => {
      await run('swaymsg', ['--socket', socket, text]);
    };
    let shown = 0;
    return {
      display: join(folder, name ?? ''),
      process: server,
      command,
      async show(monitor, picture) {
        shown += 1;
        const file = join(folder, `${shown}.png`);
        await sharp(picture.rgb, { raw: { ...picture.size, channels: 3 } })
          .png()
          .toFile(file);
        await command(`output ${monitor} bg ${file} center`);
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
