import sharp from 'sharp';
import { type Adaptor, fitFrame } from '../consumer/index.js';
import { linkAbort } from '../consumer/linked-abort.js';
import { CapError, type Frame, monotonicNowNs } from '../core/index.js';
import { type Past, type PastPicture, spread } from './past.js';
import { timeOfDay } from './tool.js';

export interface PastQuestion {
  readonly stream: string;
  readonly question: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly maxPictures: number;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 120_000;
/** Earlier answers are told to the model up to this. */
const MOST_CHARACTERS = 4000;

/** Shows a model what was on a screen. @throws CAP_FRAME_UNAVAILABLE when nothing was, and the adaptor's errors */
export async function askPast(past: Past, adaptor: Adaptor, question: PastQuestion): Promise<string> {
  const pictures = past.picturesSince(question.stream, question.sinceMs);
  const count = Math.min(question.maxPictures, adaptor.provider === 'local' ? Infinity : adaptor.limits.maxImages);
  const chosen = spread(pictures, count);
  if (chosen.length === 0) {
    throw new CapError('CAP_FRAME_UNAVAILABLE', 'nothing was seen of this stream so far', {
      hint: 'look first; with cap mcp --remember pictures are kept all the time',
    });
  }
  const link = linkAbort(question.signal);
  const late = new CapError(
    'CAP_PROVIDER_UNAVAILABLE',
    `${adaptor.provider}: no answer within ${TIMEOUT_MS / 1000} s`,
    {
      hint: 'ask about fewer pictures',
    },
  );
  const timer = setTimeout(() => link.abort(late), TIMEOUT_MS);
  try {
    // The local reader gives the text of pictures and knows no questions, so which is which must be told.
    if (adaptor.provider === 'local') return await readEach(chosen, adaptor, link.signal);
    return await askOnce(past, chosen, adaptor, question, link.signal);
  } finally {
    clearTimeout(timer);
    link.release();
  }
}

async function readEach(pictures: readonly PastPicture[], adaptor: Adaptor, signal: AbortSignal): Promise<string> {
  const texts: string[] = [];
  for (const picture of pictures) {
    const { images } = await fitFrame(await frameOf(picture), adaptor);
    const { text } = await adaptor.ask({ prompt: '', images, signal });
    texts.push(`${timeOfDay(picture.atMs)}, frame ${picture.frameNumber}:\n${text}`);
  }
  return texts.join('\n\n');
}

async function askOnce(
  past: Past,
  pictures: readonly PastPicture[],
  adaptor: Adaptor,
  { stream, question, sinceMs }: PastQuestion,
  signal: AbortSignal,
): Promise<string> {
  const { limits } = adaptor;
  const each = { ...limits, maxRequestBytes: Math.floor(limits.maxRequestBytes / pictures.length) };
  const target = { limits: each, imageCost: adaptor.imageCost.bind(adaptor) };
  const fitted = await Promise.all(pictures.map(async (picture) => fitFrame(await frameOf(picture), target)));
  const times = pictures.map(({ atMs }, index) => `image ${index + 1} at ${timeOfDay(atMs)}`).join(', ');
  const said = past.answersSince(stream, sinceMs).map(({ atMs, text }) => `${timeOfDay(atMs)}: ${text}`);
  const earlier = said.length > 0 ? `\n\nWhat was said about it then:\n${said.join('\n').slice(-MOST_CHARACTERS)}` : '';
  const prompt = `The images show one screen, oldest first: ${times}. It is ${timeOfDay(Date.now())} now.${earlier}\n\n${question}`;
  const { text } = await adaptor.ask({ prompt, images: fitted.flatMap(({ images }) => images), signal });
  past.hear(stream, `${question} ${text}`);
  return text;
}

async function frameOf({ jpeg, atMs, frameNumber }: PastPicture): Promise<Frame> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return {
    data,
    width: info.width,
    height: info.height,
    receivedMonotonicNs: monotonicNowNs(),
    receivedWallUs: BigInt(atMs) * 1000n,
    sequence: frameNumber,
  };
}
