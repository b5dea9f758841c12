import type { Frame, Rect, Size } from '../../core/index.js';
import type { EncodedImage, Exchange } from '../adaptor.js';
import { encodeFitting, type FitOptions, maxImageBytes, shownViews, wholeSizes } from '../fit.js';
import { type FitTarget, fitSize } from '../fit-size.js';
import { type SizedView, sizeView } from '../image-encoding.js';
import { planCrops } from './crop-plan.js';
import { type DeltaRecord, deltaCaption, deltaRecall, wholeRecall } from './delta-text.js';
import { KnownPicture } from './known-picture.js';

/** How parts of the picture are sent. */
export interface DeltaOptions {
  /** After so many requests with parts alone the whole picture is sent again, 1 to 1000. @default 20 */
  readonly fullEvery?: number;
}

/** What is sent instead of the whole picture. */
export interface Delta extends DeltaRecord {
  readonly images: readonly EncodedImage[];
  readonly estimatedTokens: number;
  readonly caption: string;
  /** What was said since the whole picture was shown, and about it. */
  readonly history: readonly Exchange[];
  readonly known: Known;
  readonly cells: readonly number[];
}

/** What a model knows since it was last shown the whole. */
interface Known {
  readonly picture: KnownPicture;
  readonly whole: Size;
  readonly exchanges: Exchange[];
  /** Of the newest frame that it has answered about. */
  sequence: number;
  deltas: number;
}

/** About what a token is in text. */
const BYTES_A_TOKEN = 4;
const CHANNELS = 3;
/** How far Lanczos reaches. */
const BLUR_PX = 3;

/**
 * Keeps account of what one model knows of the screen, and sends it what it does not know yet: parts of the picture at
 * the scale of the whole, with their places and the conversation since the whole was shown, as text. Pictures are not
 * repeated, since each would be billed again; what the model knows of the whole is what it said about it.
 *
 * The whole is sent again where that costs no more, conversation included, and whenever it is not certain that the
 * model has seen all there was: after `forget`, or at another size.
 */
export class DeltaTrack {
  readonly #fullEvery: number;
  readonly #ignoreRegions: readonly Rect[];
  #known: Known | undefined;

  constructor({ fullEvery = 20 }: DeltaOptions = {}, ignoreRegions: readonly Rect[] = []) {
    this.#fullEvery = fullEvery;
    this.#ignoreRegions = ignoreRegions;
  }

  /** A frame was picked, whether it is shown or not. @param changed in pixels of the source */
  note(frame: Frame, changed: readonly Rect[] | undefined): void {
    if (changed && this.#known?.picture.fits(frame)) this.#known.picture.drawnIn(changed);
  }

  /** The next picture is to be whole. */
  forget(): void {
    this.#known = undefined;
  }

  /**
   * The parts to be sent of this frame; undefined when it is to be sent whole.
   *
   * @param told what the model is told in any case
   */
  async deltaOf(
    frame: Frame,
    target: FitTarget,
    options: FitOptions,
    told: readonly Exchange[] = [],
  ): Promise<Delta | undefined> {
    const known = this.#known;
    const [view] = shownViews(frame, 1, options.scaling).views;
    if (!known || !view || known.deltas >= this.#fullEvery || !known.picture.fits(frame)) return undefined;
    const whole = wholeSize(view.size, target);
    if (whole.width !== known.whole.width || whole.height !== known.whole.height) return undefined;
    const cells = known.picture.newsIn(frame);
    const regions = known.picture.rectsOf(cells).map((rect) => scaled(rect, sourceOf(frame), whole));
    const plan = regions.length === 0 ? undefined : planCrops(regions, whole, target);
    if (!plan) return undefined;
    const wholeTokens = costOf(wholeSizes(frame, target, options.scaling), target);
    const history = known.exchanges.length > told.length ? [...known.exchanges] : told;
    if (plan.tokens + textTokens(history) - textTokens(told) >= wholeTokens) return undefined;
    const record = { whole, regions: plan.regions, wholeTokens };
    const images = await encodeCrops(await sizeView(frame, view, whole), plan.regions, target, options);
    const estimatedTokens = costOf(images, target);
    return { ...record, images, estimatedTokens, caption: deltaCaption(record), history, known, cells };
  }

  /** The model has answered about the frame. What came back late, after a newer one, is as if it had not been sent. */
  answered(
    frame: Frame,
    delta: Delta | undefined,
    target: FitTarget,
    { prompt, answer }: Exchange,
    { scaling }: FitOptions = {},
  ): void {
    const isLate = frame.sequence < (this.#known?.sequence ?? 0);
    if (delta) {
      const { known } = delta;
      if (known !== this.#known || isLate) return;
      known.picture.learn(frame, delta.cells);
      known.sequence = frame.sequence;
      known.deltas += 1;
      known.exchanges.push({ prompt: `${deltaRecall(delta)}\n\n${prompt}`, answer });
      return;
    }
    const [view] = shownViews(frame, 1, scaling).views;
    if (!view || isLate) return;
    const whole = wholeSize(view.size, target);
    this.#known = {
      picture: new KnownPicture(frame, this.#ignoreRegions),
      whole,
      exchanges: [{ prompt: `${wholeRecall(whole)}\n\n${prompt}`, answer }],
      sequence: frame.sequence,
      deltas: 0,
    };
  }
}

const sourceOf = (frame: Frame): Size => frame.metadata?.source ?? frame;

/** The size alone: a view's may be the frame with its pixels. */
function wholeSize(size: Size, target: FitTarget): Size {
  const { width, height } = fitSize(size, target);
  return { width, height };
}

const costOf = (sizes: readonly Size[], target: FitTarget): number =>
  sizes.reduce((sum, size) => sum + target.imageCost(size).tokens, 0);

function textTokens(exchanges: readonly Exchange[]): number {
  const bytes = exchanges.reduce((sum, { prompt, answer }) => sum + Buffer.byteLength(prompt + answer), 0);
  return Math.ceil(bytes / BYTES_A_TOKEN);
}

/** Outwards, and as much further as scaling blurs into the neighbours. */
function scaled({ x, y, width, height }: Rect, from: Size, to: Size): Rect {
  const [across, down] = [to.width / from.width, to.height / from.height];
  const blur = across === 1 && down === 1 ? 0 : BLUR_PX;
  const left = Math.max(0, Math.floor(x * across) - blur);
  const top = Math.max(0, Math.floor(y * down) - blur);
  return {
    x: left,
    y: top,
    width: Math.min(to.width, Math.ceil((x + width) * across) + blur) - left,
    height: Math.min(to.height, Math.ceil((y + height) * down) + blur) - top,
  };
}

function encodeCrops(whole: SizedView, regions: readonly Rect[], target: FitTarget, options: FitOptions) {
  const maxBytes = maxImageBytes(target.limits, regions.length);
  return Promise.all(regions.map((rect) => encodeFitting(crop(whole, rect), target.limits, options, maxBytes)));
}

function crop(from: SizedView, { x, y, width, height }: Rect): SizedView {
  const data = Buffer.allocUnsafe(width * height * CHANNELS);
  for (let row = 0; row < height; row += 1) {
    const at = ((y + row) * from.width + x) * CHANNELS;
    from.data.copy(data, row * width * CHANNELS, at, at + width * CHANNELS);
  }
  return { data, width, height };
}
