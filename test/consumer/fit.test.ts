import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { fitSize } from '../../src/consumer/fit-size.js';
import { fitFrame, type ImageLimits, profileOf } from '../../src/consumer/index.js';
import { shrinkInto } from '../../src/consumer/tokens/formula.js';
import { type Frame, formatSize, parseSize, type Size } from '../../src/core/index.js';
import { frameOf, svgFrame, textPage } from '../support/frames.js';
import { gundamComposite } from '../support/gundam-composite.js';
import { seededRandom } from '../support/prng.js';

interface Target {
  readonly limits: ImageLimits;
  imageCost(size: Size): { tokens: number; seen: Size };
}

function model(vendor: Parameters<typeof profileOf>[0], name: string, limits: Partial<ImageLimits> = {}): Target {
  const profile = profileOf(vendor, name);
  return { limits: { ...profile.limits, ...limits }, imageCost: (size) => profile.formula(size, 'high') };
}

function page(width: number, height: number): Promise<Frame> {
  return svgFrame(textPage({ width, height }).svg);
}

/** Small text all over, in two colours. */
function densePage({ width, height }: Size): string {
  const lines = Array.from({ length: Math.floor(height / 17) }, (_, index) => {
    const fill = index % 5 ? '#222' : '#06c';
    const text = `${index} the quick brown fox ${Math.sin(index)} jumps { over } = lazy[dog]; // ${index * 7919} lorem ipsum dolor`;
    return `<text x="8" y="${14 + index * 17}" font-family="DejaVu Sans Mono" font-size="12" fill="${fill}">${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#fff"/>${lines.join('')}</svg>`;
}

const sizes = (images: readonly Size[]): Size[] => images.map(({ width, height }) => ({ width, height }));

async function psnr(encoded: Buffer, expected: Sharp): Promise<number> {
  const [a, b] = await Promise.all([
    sharp(encoded).removeAlpha().raw().toBuffer(),
    expected.removeAlpha().raw().toBuffer(),
  ]);
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += ((a[at] ?? 0) - (b[at] ?? 0)) ** 2;
  return 10 * Math.log10(255 ** 2 / (sum / a.length));
}

describe('plain frames', () => {
  test('are scaled to the size that the model looks at, and no further', async () => {
    const frame = await page(1920, 1080);
    const cases = [
      { target: model('anthropic', 'claude-haiku-4-5'), size: { width: 1456, height: 812 }, tokens: 1508 },
      { target: model('anthropic', 'claude-opus-5'), size: { width: 1920, height: 1080 }, tokens: 2691 },
      { target: model('openai', 'gpt-4o'), size: { width: 1365, height: 768 }, tokens: 1105 },
      { target: model('openai', 'gpt-5.6-sol'), size: { width: 1920, height: 1080 }, tokens: 2448 },
    ];
    for (const { target, size, tokens } of cases) {
      const fitted = await fitFrame(frame, target, { mediaType: 'image/jpeg' });
      expect(sizes(fitted.images)).toEqual([size]);
      expect(fitted.estimatedTokens).toBe(tokens);
      const decoded = await sharp(fitted.images[0]?.data).metadata();
      expect(decoded).toMatchObject({ ...size, format: 'jpeg', chromaSubsampling: '4:4:4' });
    }
  });

  test('fill the patches and tiles that are paid for', async () => {
    const cases = [
      // 34 x 19 patches of 28 px, not 35 x 20 with a third of the last ones.
      { target: model('anthropic', 'claude-opus-5'), from: '960x540', to: '952x532', tokens: 646, before: 700 },
      { target: model('anthropic', 'claude-opus-5'), from: '600x338', to: '588x336', tokens: 252, before: 286 },
      // 39 x 22 patches of 32 px, not 40 x 23.
      { target: model('openai', 'gpt-5.6-sol'), from: '1280x720', to: '1248x704', tokens: 1030, before: 1104 },
      // 2 tiles and not 4, for 28 rows of pixels.
      { target: model('openai', 'gpt-4o'), from: '960x540', to: '910x512', tokens: 425, before: 765 },
      // What is nearly full stays as it is: text is not blurred for nothing.
      { target: model('anthropic', 'claude-opus-5'), from: '1920x1080', to: '1920x1080', tokens: 2691, before: 2691 },
      { target: model('anthropic', 'claude-opus-5'), from: '1280x720', to: '1280x720', tokens: 1196, before: 1196 },
      // Qwen resamples to whole cells itself.
      { target: model('open-weights', 'qwen3-vl'), from: '1280x720', to: '1280x704', tokens: 880, before: 880 },
    ];
    for (const { target, from, to, tokens, before } of cases) {
      const size = parseSize(from) as Size;
      expect(target.imageCost(size).tokens).toBe(before);
      const fitted = fitSize(size, target);
      expect({ from, to: formatSize(fitted), tokens: target.imageCost(fitted).tokens }).toEqual({ from, to, tokens });
    }
  });

  test('of any size waste less on padding than they would as they are, and keep their form', () => {
    const random = seededRandom(11);
    for (const name of ['claude-opus-5', 'claude-haiku-4-5']) {
      const target = model('anthropic', name);
      for (let index = 0; index < 200; index += 1) {
        const size = { width: 300 + random.below(1800), height: 300 + random.below(900) };
        const fitted = fitSize(size, target);
        const wasted = 1 - (fitted.width * fitted.height) / (target.imageCost(fitted).tokens * 28 * 28);
        expect({ size, fitted, wasted: wasted < 0.06 }).toEqual({ size, fitted, wasted: true });
        expect(target.imageCost(fitted).tokens).toBeLessThanOrEqual(target.imageCost(size).tokens);
        expect(Math.abs(fitted.width / fitted.height / (size.width / size.height) - 1)).toBeLessThan(0.02);
      }
    }
  });

  test('are never scaled up', async () => {
    for (const target of [model('openai', 'gpt-4o'), model('anthropic', 'claude-opus-5'), model('local', 'pp-ocrv4')]) {
      const [image] = (await fitFrame(await page(320, 200), target)).images;
      expect(image?.width).toBeLessThanOrEqual(320);
      expect(image?.height).toBeLessThanOrEqual(200);
      expect(image?.width).toBeGreaterThan(300);
    }
  });

  test('keep to the limits of edge and pixels', async () => {
    const target = { ...model('local', 'x', { maxEdgePx: 800, maxPixels: 200_000 }) };
    const [image] = (await fitFrame(await page(1280, 720), target)).images;
    expect(image).toBeDefined();
    const { width = 0, height = 0 } = image ?? {};
    expect(width * height).toBeLessThanOrEqual(200_000);
    expect(width / height).toBeCloseTo(16 / 9, 1);
  });

  test('are lossless for the local reader', async () => {
    const frame = await page(1280, 720);
    const [image] = (await fitFrame(frame, model('local', 'pp-ocrv4'))).images;
    expect(image?.mediaType).toBe('image/png');
    expect((await sharp(image?.data).raw().toBuffer()).equals(frame.data)).toBe(true);
  });

  test('lose quality first and pixels then when the bytes are too many', async () => {
    const random = seededRandom(7);
    const pixels = Buffer.alloc(640 * 480 * 3).map(() => random.below(256));
    const noise = frameOf(Buffer.from(pixels), { width: 640, height: 480 });
    const target = model('openai', 'gpt-5.6-sol');
    const [free] = (await fitFrame(noise, target)).images;
    const freeBytes = free?.data.length ?? 0;
    const [tight] = (
      await fitFrame(noise, { ...target, limits: { ...target.limits, maxImageBytes: Math.floor(freeBytes * 0.8) } })
    ).images;
    expect(tight).toMatchObject({ width: 640, height: 480 });
    expect(tight?.data.length).toBeLessThanOrEqual(freeBytes * 0.8);
    const [tiny] = (await fitFrame(noise, { ...target, limits: { ...target.limits, maxImageBytes: 20_000 } })).images;
    expect(tiny?.data.length).toBeLessThanOrEqual(20_000);
    expect(tiny?.width).toBeLessThan(640);
    await expect(fitFrame(noise, { ...target, limits: { ...target.limits, maxImageBytes: 20 } })).rejects.toMatchObject(
      {
        code: 'CAP_PROVIDER_REJECTED',
      },
    );
  });

  test('are encoded as what keeps text readable in the fewest bytes', async () => {
    const openai = model('openai', 'gpt-5.6-sol');
    const typeOf = async (frame: Frame, target = openai) => (await fitFrame(frame, target)).images[0]?.mediaType;
    const dense = await svgFrame(densePage({ width: 1280, height: 736 }));
    expect(await typeOf(dense)).toBe('image/png');
    const random = seededRandom(3);
    const pixels = Buffer.from(Buffer.alloc(640 * 480 * 3).map(() => random.below(256)));
    const photo = await sharp(pixels, { raw: { width: 640, height: 480, channels: 3 } })
      .blur(2)
      .raw()
      .toBuffer();
    expect(await typeOf(frameOf(photo, { width: 640, height: 480 }))).toBe('image/jpeg');
    const gradient =
      '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="#123"/><stop offset="1" stop-color="#e84"/></linearGradient></defs><rect width="640" height="480" fill="url(#g)"/></svg>';
    expect(await typeOf(await svgFrame(gradient))).toBe('image/jpeg');
    const [png] = (await fitFrame(dense, openai, { mediaType: 'image/png' })).images;
    const [jpeg] = (await fitFrame(dense, openai, { mediaType: 'image/jpeg' })).images;
    expect(png?.data.length).toBeLessThanOrEqual((jpeg?.data.length ?? 0) * 1.1);
  });

  test('are WebP where the bytes are too many for JPEG, before anything is lost', async () => {
    const random = seededRandom(3);
    const pixels = Buffer.from(Buffer.alloc(640 * 480 * 3).map(() => random.below(256)));
    const photo = frameOf(
      await sharp(pixels, { raw: { width: 640, height: 480, channels: 3 } })
        .blur(2)
        .raw()
        .toBuffer(),
      { width: 640, height: 480 },
    );
    const openai = model('openai', 'gpt-5.6-sol');
    const [free] = (await fitFrame(photo, openai)).images;
    const tight = { ...openai, limits: { ...openai.limits, maxImageBytes: (free?.data.length ?? 0) - 1 } };
    const [image] = (await fitFrame(photo, tight)).images;
    expect(image).toMatchObject({ mediaType: 'image/webp', width: 640, height: 480 });
  });

  test('are encoded as asked, if the model takes it', async () => {
    const frame = await page(320, 200);
    const openai = model('openai', 'gpt-5.6-sol');
    for (const mediaType of ['image/png', 'image/jpeg', 'image/webp'] as const) {
      const [image] = (await fitFrame(frame, openai, { mediaType })).images;
      expect((await sharp(image?.data).metadata()).format).toBe(mediaType.slice('image/'.length));
    }
    await expect(fitFrame(frame, model('open-weights', 'qwen3-vl'), { mediaType: 'image/webp' })).rejects.toMatchObject(
      {
        code: 'CAP_USAGE',
        hint: 'use image/jpeg or image/png',
      },
    );
  });
});

describe('Gundam composites', () => {
  const source = { width: 1920, height: 1080 };
  const { svg } = textPage(source);

  test('become a global view without padding and tiles with the true aspect ratio', async () => {
    const frame = await gundamComposite(svg, source);
    const fitted = await fitFrame(frame, model('openai', 'gpt-5.6-sol'), { mediaType: 'image/png' });
    expect(sizes(fitted.images)).toEqual([{ width: 1024, height: 576 }, ...Array(8).fill({ width: 480, height: 540 })]);
    expect(fitted.caption).toMatch(/Images 2 to 9 .* in 4 columns and 2 rows\.$/);
    expect(fitted.estimatedTokens).toBe(692 + 8 * 306);
    const picture = sharp(Buffer.from(svg));
    const [global, first, ...others] = fitted.images;
    const last = others.at(-1);
    expect(await psnr(global?.data ?? Buffer.alloc(0), picture.clone().resize(1024, 576))).toBeGreaterThan(35);
    expect(
      await psnr(first?.data ?? Buffer.alloc(0), picture.clone().extract({ left: 0, top: 0, width: 480, height: 540 })),
    ).toBeGreaterThan(30);
    expect(
      await psnr(
        last?.data ?? Buffer.alloc(0),
        picture.clone().extract({ left: 1440, top: 540, width: 480, height: 540 }),
      ),
    ).toBeGreaterThan(30);
  });

  test('become the whole picture again, from the tiles, where one image is all that is taken', async () => {
    const frame = await gundamComposite(svg, source);
    for (const target of [model('local', 'pp-ocrv4'), model('open-weights', 'qwen3-vl', { maxImages: 1 })]) {
      const { images, caption } = await fitFrame(frame, target, { mediaType: 'image/png' });
      expect(sizes(images)).toEqual([source]);
      expect(caption).toBeUndefined();
      expect(await psnr(images[0]?.data ?? Buffer.alloc(0), sharp(Buffer.from(svg)))).toBeGreaterThan(30);
    }
  });

  test('stay the views that they are for DeepSeek-OCR, each small enough not to be cut again', async () => {
    const frame = await gundamComposite(svg, source);
    const { images, estimatedTokens } = await fitFrame(frame, model('open-weights', 'deepseek-ai/DeepSeek-OCR'));
    expect(sizes(images)).toEqual([{ width: 1024, height: 576 }, ...Array(8).fill({ width: 480, height: 540 })]);
    expect(estimatedTokens).toBe(483 + 8 * 273);
  });

  test('of a small source are its global view, at about its own size', async () => {
    const small = { width: 640, height: 360 };
    const page = textPage(small);
    const { images, caption } = await fitFrame(await gundamComposite(page.svg, small), model('openai', 'gpt-5.6-sol'));
    expect(sizes(images)).toEqual([{ width: 625, height: 352 }]);
    expect(caption).toBeUndefined();
  });

  test('whose layout does not lie within the frame are sent as they are', async () => {
    const frame = await gundamComposite(svg, source);
    const { metadata } = frame;
    const gundam = metadata?.gundam;
    if (!metadata || !gundam) throw new Error('no layout');
    const broken = {
      ...frame,
      metadata: { ...metadata, gundam: { ...gundam, global: { ...gundam.global, x: 9000 } } },
    };
    const fitted = await fitFrame(broken, model('local', 'pp-ocrv4'));
    expect(sizes(fitted.images)).toEqual(sizes([frame]));
  });
});

test('shrinkInto keeps the aspect ratio and never returns an empty side', () => {
  expect(shrinkInto({ width: 4000, height: 1 }, 512)).toEqual({ width: 512, height: 1 });
});
