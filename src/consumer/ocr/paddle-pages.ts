import { availableParallelism } from 'node:os';
import { type Box, PaddleOcrService } from 'ppu-paddle-ocr';
import { CapError, type Rect } from '../../core/index.js';
import type { LineSheet } from './line-sheet.js';
import { type OcrModels, ownBytes } from './models.js';

/** Longest side of the picture that text is looked for in; recognition gets every pixel there is. */
const DETECTION_LONG_SIDE_PX = 1920;

export interface RecognisedText {
  readonly text: string;
  readonly confidence: number;
}

/** ppu-paddle-ocr with its two steps apart, and with its failures told: it logs them and finds no text. */
export class PaddlePages extends PaddleOcrService {
  #failure: unknown;

  constructor(models: OcrModels) {
    super({
      model: models,
      // 0 would mean its default, 0.4; the boxes are grown by what is in the picture, see ink.ts.
      detection: { maxSideLength: DETECTION_LONG_SIDE_PX, paddingVertical: 0.01, paddingHorizontal: 1 },
      recognition: { minimumConfidence: 0, charactersDictionary: [] },
      // One core is left to what is captured and encoded at the same time. With as many threads as cores,
      // and one core busy with something else, threads that wait for each other took up to four times as long.
      session: {
        executionProviders: ['cpu'],
        intraOpNumThreads: Math.min(4, Math.max(1, availableParallelism() - 1)),
      },
    });
  }

  override async initialize(): Promise<void> {
    await super.initialize();
    this.#tellFailures(this.detectionSession);
    this.#tellFailures(this.recognitionSession);
  }

  /** Boxes around lines of text, a little smaller than the text. */
  async findLines(png: Buffer): Promise<Rect[]> {
    const { boxes } = await this.detect(ownBytes(png));
    this.#throwFailure();
    return boxes.map(({ x, y, width, height }: Box) => ({ x, y, width, height }));
  }

  /** Reads the lines of a sheet, in its order. */
  async readSheet(sheet: LineSheet): Promise<RecognisedText[]> {
    const results = (await this.recognitor?.run(ownBytes(sheet.png), [...sheet.boxes], undefined, 'per-box')) ?? [];
    this.#throwFailure();
    const byTop = new Map(results.map((result) => [result.box.y, result]));
    return sheet.boxes.map((box) => {
      const found = byTop.get(box.y);
      if (!found) throw new CapError('CAP_INTERNAL', 'a line of text could not be read');
      return { text: found.text, confidence: found.confidence };
    });
  }

  #tellFailures(session: PaddleOcrService['detectionSession']): void {
    if (!session) return;
    const run = session.run.bind(session) as (...args: unknown[]) => ReturnType<NonNullable<typeof session>['run']>;
    session.run = async (...args: unknown[]) => {
      try {
        return await run(...args);
      } catch (error) {
        this.#failure = error;
        throw error;
      }
    };
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }
}
