import sharp, { type Sharp } from 'sharp';
import { type Closable, once } from '../../core/index.js';
import type { TextLine } from '../adaptor.js';
import { findInk, type GreyImage } from './ink.js';
import { composeSheet } from './line-sheet.js';
import { missing, readOcrModels } from './models.js';
import type { PaddlePages } from './paddle-pages.js';
import { linesToRead, type ReadPart } from './read-part.js';
import { joinOverlapping, rowsInReadingOrder } from './reading-order.js';

/** Reads the text of a picture, or a part of it; the lines come in reading order. */
export interface TextReader extends Closable {
  read(image: Uint8Array, part?: ReadPart): Promise<readonly TextLine[]>;
}

/** Below this the recogniser sees letters in patterns and icons: text is above 0.65, such noise below 0.45. */
const MIN_CONFIDENCE = 0.5;

/** Finds the lines of a picture, cuts them out and reads them, on the thread that calls it. */
export async function openPageReader(): Promise<TextReader> {
  const pages = await loadPages();
  return {
    read: (image, part) => read(pages, image, part),
    close: once(() => pages.destroy()),
  };
}

async function loadPages(): Promise<PaddlePages> {
  const models = await readOcrModels();
  const { PaddlePages } = await import('./paddle-pages.js').catch((error: unknown) => {
    throw missing(error);
  });
  const pages = new PaddlePages(models);
  await pages.initialize();
  return pages;
}

async function read(pages: PaddlePages, image: Uint8Array, part: ReadPart = {}): Promise<TextLine[]> {
  const colour = sharp(image).removeAlpha();
  const [png, grey] = await Promise.all([
    colour.clone().png({ compressionLevel: 1 }).toBuffer(),
    greyOf(colour.clone()),
  ]);
  const boxes = joinOverlapping(await pages.findLines(png));
  const inked = boxes.map((box) => findInk(grey, box));
  const lines = linesToRead(inked, part);
  if (lines.length === 0) return [];
  const texts = await pages.readSheet(await composeSheet(grey, lines));
  const found = lines.flatMap(({ x, y, width, height }, index): TextLine[] => {
    const { text = '', confidence = 0 } = texts[index] ?? {};
    const trimmed = text.trim();
    if (trimmed === '' || confidence < MIN_CONFIDENCE) return [];
    return [{ text: trimmed, box: { x, y, width, height }, confidence }];
  });
  return rowsInReadingOrder(found).flat();
}

async function greyOf(image: Sharp): Promise<GreyImage> {
  const { data, info } = await image.greyscale().toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
