import sharp from 'sharp';
import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { Frame, Rect, Size } from '../../src/core/index.js';
import { bicubic } from '../support/bicubic.js';
import { serveCapture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { textPage } from '../support/frames.js';
import { lumaOf, psnr } from '../support/psnr.js';
import { showPicture } from '../support/screen.js';

const TILE_PX = 640;
const GLOBAL_PX = 1024;
const PAD_GREY = 127;
const LEAST_LUMA_PSNR_DB = 35;
/** 4:2:0 has a quarter of the colour, which shows at the edges of coloured text. */
const LEAST_RGB_PSNR_DB = 30;

/** Sizes whose fit into the global view is even, as the canvas needs it, so that the reference needs no rounding. */
const SOURCES = [
  { ratio: '16:9', width: 1920, height: 1080, columns: 4, rows: 2 },
  { ratio: '4:3', width: 1600, height: 1200, columns: 3, rows: 2 },
  { ratio: '9:16', width: 1080, height: 1920, columns: 2, rows: 4 },
  { ratio: 'ultra-wide', width: 2560, height: 1080, columns: 4, rows: 2 },
];

/** Running text in several colours on several papers, as it stands in windows side by side. */
async function textScreen({ width, height }: Size): Promise<Buffer> {
  const papers = [
    { ink: '#111', paper: 'white', fontPx: 20 },
    { ink: '#ddd', paper: '#1e1e1e', fontPx: 16 },
    { ink: '#123a6b', paper: '#f4f0e4', fontPx: 28 },
  ];
  const bandPx = Math.ceil(height / papers.length);
  const bands = papers.map(async (style, index) => {
    const { svg } = textPage({ width, height: bandPx, ...style });
    return { input: await sharp(Buffer.from(svg)).png().toBuffer(), left: 0, top: index * bandPx };
  });
  const canvas = sharp({ create: { width, height: bandPx * papers.length, channels: 3, background: 'white' } });
  const whole = await canvas
    .composite(await Promise.all(bands))
    .png()
    .toBuffer();
  return sharp(whole).extract({ left: 0, top: 0, width, height }).removeAlpha().raw().toBuffer();
}

const cut = (rgb: Buffer, size: Size, { x, y, width, height }: Rect): Promise<Buffer> =>
  sharp(rgb, { raw: { width: size.width, height: size.height, channels: 3 } })
    .extract({ left: x, top: y, width, height })
    .raw()
    .toBuffer();

/** What DeepSeek-OCR's code would make of the source: the tiles, then the global view. */
async function referenceViews(rgb: Buffer, source: Size, columns: number, rows: number): Promise<Buffer[]> {
  const local = { width: columns * TILE_PX, height: rows * TILE_PX };
  const squeezed = Buffer.from(bicubic(rgb, source, local));
  const tiles = Array.from({ length: columns * rows }, (_, index) => {
    const origin = { x: (index % columns) * TILE_PX, y: Math.floor(index / columns) * TILE_PX };
    return cut(squeezed, local, { ...origin, width: TILE_PX, height: TILE_PX });
  });
  return Promise.all([...tiles, padded(rgb, source)]);
}

/** Fitted and centred on grey, as Pillow's `ImageOps.pad` does. */
function padded(rgb: Buffer, source: Size): Promise<Buffer> {
  const scale = GLOBAL_PX / Math.max(source.width, source.height);
  const fitted = { width: source.width * scale, height: source.height * scale };
  const picture = Buffer.from(bicubic(rgb, source, fitted));
  const bars = { x: (GLOBAL_PX - fitted.width) / 2, y: (GLOBAL_PX - fitted.height) / 2 };
  return sharp(picture, { raw: { ...fitted, channels: 3 } })
    .extend({
      left: bars.x,
      right: bars.x,
      top: bars.y,
      bottom: bars.y,
      background: { r: PAD_GREY, g: PAD_GREY, b: PAD_GREY },
    })
    .raw()
    .toBuffer();
}

async function newestFrame(source: Size, rgb: Buffer): Promise<Frame> {
  await using display = await startDisplay({ widthPx: source.width, heightPx: source.height });
  await using _picture = await showPicture(display, { widthPx: source.width, heightPx: source.height, rgb });
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, cursor: false },
    scaling: { gundam: true },
  });
  const sampler = new Sampler(capture.url);
  try {
    return await sampler.next();
  } finally {
    await sampler.close();
  }
}

const shown = (decibels: readonly number[]): string => decibels.map((value) => value.toFixed(1)).join(' ');

test.each(SOURCES)('the views of a $ratio screen are those of the source, tile by tile', async (source) => {
  const { columns, rows } = source;
  const rgb = await textScreen(source);
  const frame = await newestFrame(source, rgb);
  const layout = frame.metadata?.gundam;
  if (!layout) throw new Error('the frame has no layout');
  expect(frame.metadata).toMatchObject({ plan: 'gundam', source: { width: source.width, height: source.height } });
  expect(layout).toMatchObject({ columns, rows });
  expect(layout.tiles).toHaveLength(columns * rows);

  const wanted = await referenceViews(rgb, source, columns, rows);
  const views = await Promise.all([...layout.tiles, layout.global].map((rect) => cut(frame.data, frame, rect)));
  const inLuma = views.map((view, index) => psnr(lumaOf(view), lumaOf(wanted[index] ?? Buffer.alloc(0))));
  const inRgb = views.map((view, index) => psnr(view, wanted[index] ?? Buffer.alloc(0)));
  console.info(`${source.ratio}: PSNR in dB, luma ${shown(inLuma)}; RGB ${shown(inRgb)}`);
  for (const decibels of inLuma) expect(decibels).toBeGreaterThanOrEqual(LEAST_LUMA_PSNR_DB);
  for (const decibels of inRgb) expect(decibels).toBeGreaterThanOrEqual(LEAST_RGB_PSNR_DB);
});
