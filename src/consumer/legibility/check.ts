import type { Frame } from '../../core/index.js';
import type { EncodedImage, TextLine } from '../adaptor.js';
import { type FitOptions, fitFrame } from '../fit.js';
import type { FitTarget } from '../fit-size.js';
import { sourceSize } from '../gate/panes.js';
import type { TextReader } from '../ocr/page-reader.js';
import { compareReadings, type Measured } from './legibility.js';
import { readFullSize, readImages, sizesOf } from './read-views.js';
import { type Candidate, FULL_SIZE, type Scaling } from './scaling.js';

/** What is checked, for whom. */
export interface CheckRequest {
  readonly frame: Frame;
  readonly target: FitTarget;
  readonly fit: FitOptions;
  /** The cheapest first; not empty. */
  readonly candidates: readonly Candidate[];
  /** Least share of the text that is to stay legible. @default DEFAULT_LEGIBILITY */
  readonly atLeast?: number;
  /** The candidate to begin with, as it was chosen before. @default the one that the size of the text suggests */
  readonly first?: Scaling | undefined;
}

/** What a check found out. */
export interface Check {
  /** The cheapest candidate that is legible enough, else the most legible, or the whole where that is not known. */
  readonly chosen: Candidate;
  readonly isLegible: boolean;
  /** What was measured, by the sizes of the images (see sizesOf). */
  readonly measured: ReadonlyMap<string, Measured>;
  /** Of the chosen one; undefined where the reader cannot read most of the text at full size. */
  readonly legibility: Measured | undefined;
}

export const DEFAULT_LEGIBILITY = 0.95;
/** So many pixels high, most fonts can still be read. */
const READABLE_PX = 8;

/**
 * Finds the cheapest candidate at which the text is legible, in few readings: it begins with the one that is
 * likely to be it, and from there tries the next cheaper one as long as the text stays legible, or the next dearer
 * one until it is.
 */
export async function checkLegibility(request: CheckRequest, reader: TextReader): Promise<Check> {
  const { candidates, atLeast = DEFAULT_LEGIBILITY, frame } = request;
  const { lines: reference, isDoubtful } = await readFullSize(frame, reader);
  const measured = new Map<string, Measured>();
  if (isDoubtful) return { chosen: wholeOf(candidates), isLegible: false, measured, legibility: undefined };
  const measure = async (candidate: Candidate): Promise<Measured> => {
    const { sizes, legibility } = await measureAt(candidate, request, reference, reader);
    measured.set(sizes, legibility);
    return legibility;
  };
  const [cheapest] = candidates as [Candidate];
  if (reference.length === 0) {
    return { chosen: cheapest, isLegible: true, measured, legibility: await measure(cheapest) };
  }
  let at = firstIndex(request, reference);
  let chosen = candidates[at] as Candidate;
  let legibility = await measure(chosen);
  const isLegible = legibility.reaches(atLeast);
  for (at += isLegible ? -1 : 1; candidates[at]; at += isLegible ? -1 : 1) {
    const candidate = candidates[at] as Candidate;
    const found = await measure(candidate);
    const reaches = found.reaches(atLeast);
    if (isLegible && !reaches) break;
    if (isLegible || reaches || found.share > legibility.share) [chosen, legibility] = [candidate, found];
    if (!isLegible && reaches) break;
  }
  return { chosen, isLegible: legibility.reaches(atLeast), measured, legibility };
}

/** The whole picture, or what stands for it. @param candidates at least one */
export function wholeOf(candidates: readonly Candidate[]): Candidate {
  return candidates.find(({ scaling }) => scaling === FULL_SIZE) ?? (candidates.at(-1) as Candidate);
}

function firstIndex({ candidates, first, frame }: CheckRequest, reference: readonly TextLine[]): number {
  const before = candidates.findIndex(({ scaling }) => scaling === first);
  if (before >= 0) return before;
  const { width, height } = sourceSize(frame);
  const heights = reference.map(({ box }) => box.height).sort((a, b) => a - b);
  const smallest = heights[Math.floor(heights.length / 10)] ?? READABLE_PX;
  const pixels = width * height * (READABLE_PX / smallest) ** 2;
  const likely = candidates.findIndex((candidate) => candidate.pixels >= pixels);
  return likely >= 0 ? likely : candidates.length - 1;
}

async function measureAt(
  { scaling }: Candidate,
  { frame, target, fit }: CheckRequest,
  reference: readonly TextLine[],
  reader: TextReader,
): Promise<{ sizes: string; legibility: Measured }> {
  const fitted = await fitFrame(frame, target, { ...fit, scaling });
  // Of a picture that is sent as it is, nothing is lost.
  const isSame = reference.length === 0 || isLossless(fitted.images, frame);
  const readings = isSame ? [reference] : await readImages(fitted, reference, reader);
  return { sizes: sizesOf(fitted.images), legibility: compareReadings(reference, readings, sourceSize(frame)) };
}

function isLossless([image, ...others]: readonly EncodedImage[], frame: Frame): boolean {
  const [view] = FULL_SIZE.views(frame, 1)?.views ?? [];
  const isWhole = image?.width === view?.size.width && image?.height === view?.size.height;
  return others.length === 0 && image?.mediaType === 'image/png' && isWhole;
}
