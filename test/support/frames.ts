import sharp from 'sharp';
import { type Frame, type FrameMetadata, monotonicNowNs, type Size, wallNowUs } from '../../src/core/index.js';

/** Sentences as they stand on real screens: numbers, versions, addresses, paths. */
const SENTENCES = [
  'The gateway captures the screen once and encodes it once.',
  'Every reader receives the same access units over its own connection.',
  'A model is paid only for what changed between two frames.',
  'Release notes for version 4.12.3 were published on Tuesday, 14 March 2023.',
  'Total revenue reached 48,310 euros, which is 12.5% more than the quarter before.',
  'Please contact support@example.org or call +49 30 901820 before Friday.',
  'Warning: disk usage on /dev/sda1 is above 90 percent of its capacity.',
  'Deployment finished in 214 seconds with 0 errors and 3 warnings.',
  'Build number 5821 passed all checks on branch feature/login-form.',
  'The quick brown fox jumps over the lazy dog near the river bank.',
];

export interface TextPage {
  readonly svg: string;
  readonly lines: readonly string[];
}

export interface TextPageOptions extends Size {
  /** @default 'DejaVu Sans' */
  readonly font?: string;
  /** @default 18 */
  readonly fontPx?: number;
  /** Line pitch over font size. @default 1.5 */
  readonly pitch?: number;
  /** @default '#111' */
  readonly ink?: string;
  /** @default 'white' */
  readonly paper?: string;
  /** @default what fits */
  readonly maxLines?: number;
}

/** A page of running text, drawn as SVG. */
export function textPage(options: TextPageOptions): TextPage {
  const { width, height, font = 'DejaVu Sans', fontPx = 18, pitch = 1.5, ink = '#111', paper = 'white' } = options;
  const perLine = Math.floor((width - 80) / (fontPx * (font.includes('Mono') ? 0.61 : 0.56)));
  const count = Math.min(options.maxLines ?? Number.POSITIVE_INFINITY, Math.floor((height - 60) / (fontPx * pitch)));
  const lines = wrap(perLine, count);
  const text = lines.map((line, row) => {
    const y = 30 + fontPx + row * fontPx * pitch;
    return `<text x="40" y="${y}" font-family="${font}" font-size="${fontPx}" fill="${ink}">${line}</text>`;
  });
  const paperRect = `<rect width="100%" height="100%" fill="${paper}"/>`;
  return {
    lines,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${paperRect}${text.join('')}</svg>`,
  };
}

function wrap(perLine: number, count: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let at = 0; lines.length < count; at += 1) {
    for (const word of (SENTENCES[at % SENTENCES.length] ?? '').split(' ')) {
      if (`${line} ${word}`.length > perLine) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
  }
  return lines.slice(0, count);
}

/** Share of the expected words that stand in `found`, each one as often as it was expected. */
export function shareOfWords(expected: readonly string[], found: string): number {
  const counts = new Map<string, number>();
  for (const word of found.split(/\s+/)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = expected.join(' ').split(/\s+/);
  let hits = 0;
  for (const word of words) {
    const left = counts.get(word) ?? 0;
    if (left > 0) hits += 1;
    counts.set(word, left - 1);
  }
  return hits / words.length;
}

export interface FrameFields {
  readonly sequence?: number;
  readonly metadata?: FrameMetadata;
}

/** Draws an SVG into a frame as the sampler gives it. */
export async function svgFrame(svg: string, fields: FrameFields = {}): Promise<Frame> {
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return frameOf(data, info, fields);
}

/** Wraps packed RGB bytes into a frame received now. */
export function frameOf(data: Buffer, size: Size, fields: FrameFields = {}): Frame {
  return {
    data,
    width: size.width,
    height: size.height,
    receivedMonotonicNs: monotonicNowNs(),
    receivedWallUs: wallNowUs(),
    sequence: fields.sequence ?? 0,
    ...(fields.metadata ? { metadata: fields.metadata } : {}),
  };
}
