import { setTimeout as sleep } from 'node:timers/promises';
import { type Adaptor, type AdaptorAnswer, profileOf, Sampler, Watch } from 'cap-gateway';
import { startDisplay } from '../../test/support/display.js';
import { seededRandom } from '../../test/support/prng.js';
import { startCap } from '../server.js';
import { Desktop } from './desktop.js';
import { DOCUMENT, write } from './page.js';
import { MODEL } from './recording-adaptor.js';
import { newFact, newPage } from './words.js';

const SIZE = { width: 1920, height: 1080 };
const LINE = { x: 60, y: 500, width: 900, height: 28 };
const { below } = seededRandom(9);

/**
 * Milliseconds from a line on the screen, as soon as the X server has drawn it, to the request that shows it, with
 * settling off: capture, encoder, RTSP, decoder, gate, fitting and the encoding of the image.
 */
export async function measureLatency(times: number): Promise<number[]> {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using desktop = await Desktop.open(display, SIZE);
  await write(desktop, { x: 0, y: 0, ...SIZE }, newPage(36), DOCUMENT);
  await using server = await startCap(display.name, ['--no-cursor']);
  await using sampler = new Sampler(server.url);
  let asked = (): void => {};
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      asked = resolve;
    });
  const first = next();
  const adaptor = askedAdaptor(() => asked());
  await using _watch = new Watch(sampler, adaptor, { everyMs: 0, gate: { settleMs: 0, heartbeatMs: 0 } });
  await first;
  const found: number[] = [];
  while (found.length < times) {
    await sleep(400 + below(700));
    const request = next();
    await write(desktop, LINE, [newFact()], DOCUMENT);
    const shownMs = performance.now();
    await request;
    found.push(Math.max(0, performance.now() - shownMs));
  }
  return found;
}

function askedAdaptor(asked: () => void): Adaptor {
  const { limits, formula } = profileOf('anthropic', MODEL);
  return {
    provider: 'anthropic',
    model: MODEL,
    limits,
    imageCost: (size) => formula(size, 'high'),
    ask: async (): Promise<AdaptorAnswer> => {
      asked();
      return { text: 'yes', model: MODEL };
    },
    close: async () => {},
  };
}
