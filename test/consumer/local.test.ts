import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Adaptor, describe as describeOnce, look, openAdaptor } from '../../src/consumer/index.js';
import { rowsInReadingOrder } from '../../src/consumer/ocr/reading-order.js';
import { shareOfWords, svgFrame, type TextPageOptions, textPage } from '../support/frames.js';
import { gundamComposite } from '../support/gundam-composite.js';
import { ManualSource } from '../support/manual-source.js';

const SCREEN = { width: 1280, height: 720 };
let local: Adaptor;

beforeAll(async () => {
  local = await openAdaptor('local');
});
afterAll(() => local.close());

async function shareRead(options: Partial<TextPageOptions>): Promise<number> {
  const page = textPage({ ...SCREEN, ...options });
  const { text } = await look(await svgFrame(page.svg), local);
  return shareOfWords(page.lines, text);
}

describe('the local reader', () => {
  test.each([
    { what: 'a page', options: { fontPx: 18 } },
    { what: 'small text', options: { fontPx: 12, maxLines: 10 } },
    {
      what: 'a dark terminal with tight lines',
      options: { font: 'DejaVu Sans Mono', fontPx: 14, pitch: 1.2, ink: '#ddd', paper: '#1e1e1e', maxLines: 12 },
    },
    { what: 'a serif heading', options: { font: 'DejaVu Serif', fontPx: 28, maxLines: 6 } },
    { what: 'red on white', options: { ink: '#f00', maxLines: 6 } },
  ])('finds 95 % of the words of $what', async ({ options }) => {
    expect(await shareRead(options)).toBeGreaterThanOrEqual(0.95);
  });

  test('gives the lines in reading order, with boxes and confidence', async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720"><rect width="100%" height="100%" fill="white"/>
      <g font-family="DejaVu Sans" font-size="22"><text x="700" y="100">Right hand column</text>
      <text x="60" y="300">Last line below</text><text x="60" y="102">Left hand column</text></g></svg>`;
    const streamed: string[] = [];
    const answer = await look(await svgFrame(svg), local, { onText: (delta) => streamed.push(delta) });
    expect(answer.text).toBe('Left hand column Right hand column\nLast line below');
    expect(streamed.join('')).toBe(answer.text);
    expect(answer).toMatchObject({ provider: 'local', model: 'pp-ocrv4', estimatedTokens: 0 });
    expect(answer).not.toHaveProperty('reportedTokens');
    const right = answer.lines?.find((line) => line.text === 'Right hand column');
    expect(right?.confidence).toBeGreaterThan(0.9);
    const { x = 0, y = 0, width = 0, height = 0 } = right?.box ?? {};
    expect(x).toBeGreaterThan(680);
    expect(x).toBeLessThan(705);
    expect(x + width).toBeGreaterThan(880);
    expect(y).toBeGreaterThan(70);
    expect(y + height).toBeLessThan(115);
  });

  test('reads a Gundam composite as the whole picture', async () => {
    const page = textPage({ ...SCREEN, maxLines: 8 });
    const { text, images } = await look(await gundamComposite(page.svg, SCREEN), local);
    expect(images).toMatchObject([{ width: 1280, height: 720, mediaType: 'image/png' }]);
    expect(shareOfWords(page.lines, text)).toBeGreaterThanOrEqual(0.95);
  });

  test('finds nothing on an empty screen', async () => {
    const source = new ManualSource();
    source.push();
    expect(await describeOnce(source, local)).toMatchObject({ text: '', lines: [], frameNumber: 0 });
  });

  test('drops an aborted page and reads the next', async () => {
    const page = textPage({ ...SCREEN, maxLines: 2 });
    const frame = await svgFrame(page.svg);
    const controller = new AbortController();
    const looking = look(frame, local, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(looking).rejects.toThrow('enough');
    expect(shareOfWords(page.lines, (await look(frame, local)).text)).toBe(1);
  });

  test('is closed for good', async () => {
    const other = await openAdaptor('local');
    await other.close();
    await other.close();
    await expect(other.ask({ prompt: '', images: [] })).rejects.toMatchObject({ code: 'CAP_CLOSED' });
  });
});

test('rows come from top to bottom and each from left to right, also when they are not quite level', () => {
  const at = (text: string, x: number, y: number) => ({ text, box: { x, y, width: 50, height: 20 } });
  const rows = rowsInReadingOrder([at('d', 10, 40), at('b', 90, 6), at('a', 10, 0), at('c', 200, 2), at('e', 90, 59)]);
  expect(rows.map((row) => row.map((item) => item.text).join(''))).toEqual(['abc', 'd', 'e']);
});
