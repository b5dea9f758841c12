import sharp from 'sharp';
import type { NativePixels } from '../../src/native/index.js';
import type { Picture } from './screen.js';

/** Joined here, so that nobody takes this file for one that has secrets in it. */
const CANARIES = {
  key: ['sk', 'proj', 'Zk3vQ81mN0xYpLr7Wd2TgH5j'].join('-'),
  card: ['4111', '1111', '1111', '1111'].join(' '),
  email: ['ann.banks', 'example.org'].join('@'),
} as const;
/** What of them must be found nowhere: no reader is needed to know them again. */
export const CANARY_TEXTS = [
  CANARIES.key,
  'Zk3vQ81m',
  CANARIES.card,
  CANARIES.card.replaceAll(' ', ''),
  CANARIES.email,
];

const HARMLESS = ['The gateway captures the screen once.', 'Nothing in this line is to be hidden.'];
const FONT_PX = 20;
const CHARACTER_PX = 0.6 * FONT_PX;
const LEFT_PX = 40;
const PITCH_PX = 48;

/** Letters of a secret that can be read before it counts as shown; of other lines all but so many must be. */
const FEW = 3;

/** A page of text on white, on which secrets stand. */
export interface CanaryPage extends Picture {
  /** Whether anything of its secrets can be read in a picture of its size. */
  showsSecret(picture: NativePixels): boolean;
  /** Whether its other lines can be read in it. */
  showsRest(picture: NativePixels): boolean;
}

interface Line {
  readonly text: string;
  readonly secret: boolean;
  readonly baselinePx: number;
}

/** @param place 0, 1, 2 …: pages at two places have no line where the other has one */
export async function canaryPage(widthPx: number, heightPx: number, place = 0): Promise<CanaryPage> {
  const texts = [HARMLESS[0], `key ${CANARIES.key}`, `card ${CANARIES.card}`, `mail ${CANARIES.email}`, HARMLESS[1]];
  const lines = texts.map((text = '', row): Line => {
    const baselinePx = 50 + (row + place * texts.length) * PITCH_PX;
    return { text, secret: row > 0 && row < texts.length - 1, baselinePx };
  });
  if ((lines.at(-1)?.baselinePx ?? 0) + FONT_PX > heightPx) throw new Error('the page is too small');
  const drawn = lines.map(
    ({ text, baselinePx }) =>
      `<text x="${LEFT_PX}" y="${baselinePx}" font-family="DejaVu Sans Mono" font-size="${FONT_PX}">${text}</text>`,
  );
  const paper = '<rect width="100%" height="100%" fill="white"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">${paper}${drawn.join('')}</svg>`;
  const rgb = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
  const page = { data: rgb, width: widthPx, height: heightPx };
  const legible = (picture: NativePixels, line: Line): number =>
    [...line.text].filter((letter, index) => letter !== ' ' && isLegible(page, picture, line.baselinePx, index)).length;
  return {
    widthPx,
    heightPx,
    rgb,
    showsSecret: (picture) => lines.some((line) => line.secret && legible(picture, line) >= FEW),
    showsRest: (picture) =>
      lines.every((line) => line.secret || legible(picture, line) >= line.text.replaceAll(' ', '').length - FEW),
  };
}

/** Whether a letter stands in a picture as it does on the page: dark where it is, and bright around it. */
function isLegible(page: NativePixels, picture: NativePixels, baselinePx: number, index: number): boolean {
  const left = Math.round(LEFT_PX + index * CHARACTER_PX);
  const counts = { ink: 0, dark: 0, paper: 0, bright: 0 };
  for (let y = baselinePx - FONT_PX + 4; y < baselinePx + 4; y++) {
    for (let x = left; x < left + CHARACTER_PX; x++) {
      const expected = page.data[(y * page.width + x) * 3] ?? 0;
      const found = picture.data[(y * picture.width + x) * 3] ?? 0;
      if (expected < 64) {
        counts.ink += 1;
        if (found < 128) counts.dark += 1;
      } else if (expected > 192) {
        counts.paper += 1;
        if (found > 128) counts.bright += 1;
      }
    }
  }
  return counts.dark > 0.8 * counts.ink && counts.bright > 0.8 * counts.paper;
}
