import type { TestDisplay } from './display.js';
import { run } from './process.js';

/** Defines a monitor of an X display; the first one takes `screen`, its output, which would else stay a monitor. */
export async function plug({ env }: TestDisplay, name: string, place: string, output = 'none'): Promise<void> {
  const [, width, height, x, y] = /^(\d+)x(\d+)\+(\d+)\+(\d+)$/.exec(place) ?? [];
  await run('xrandr', ['--setmonitor', name, `${width}/100x${height}/100+${x}+${y}`, output], { env });
}

export async function unplug({ env }: TestDisplay, name: string): Promise<void> {
  await run('xrandr', ['--delmonitor', name], { env });
}

/** Makes two monitors of a display of 960x480: 640 and 320 pixels wide. */
export async function splitInTwo(display: TestDisplay): Promise<void> {
  await plug(display, 'LEFT', '640x480+0+0', 'screen');
  await plug(display, 'RIGHT', '320x480+640+0');
}
