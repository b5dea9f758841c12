import { join } from 'node:path';
import { startDisplay } from '../test/support/display.js';
import { shareOfWords, svgFrame, textPage } from '../test/support/frames.js';
import { run } from '../test/support/process.js';
import { projectRoot } from '../test/support/programs.js';
import { showPicture } from '../test/support/screen.js';
import { startCap } from './server.js';

const WIDTH = 1280;
const HEIGHT = 720;

export interface Words {
  readonly preset: string;
  readonly size: string;
  /** 0 to 1. */
  readonly found: number;
}

/** How many words of a page on the screen the local reader finds in the stream, at full size and at each preset. */
export async function measureWords(presets: readonly string[]): Promise<Words[]> {
  const page = textPage({ width: WIDTH, height: HEIGHT, maxLines: 12 });
  const picture = await svgFrame(page.svg);
  await using display = await startDisplay({ widthPx: WIDTH, heightPx: HEIGHT });
  await using _page = await showPicture(display, { widthPx: WIDTH, heightPx: HEIGHT, rgb: picture.data });
  const results: Words[] = [];
  for (const preset of ['full size', ...presets]) {
    await using server = await startCap(display.name, preset === 'full size' ? [] : ['--scale-preset', preset]);
    const command = [join(projectRoot, 'bin/cap.mjs'), 'describe', server.url, '--provider', 'local', '--json'];
    const answer = JSON.parse((await run(process.execPath, command)).stdout);
    const [image] = answer.images;
    results.push({ preset, size: `${image.width}x${image.height}`, found: shareOfWords(page.lines, answer.text) });
  }
  return results;
}
