import { CapError, type Frame, type Size } from '../core/index.js';
import type { Adaptor, AnswerSchema, TextLine, TokenUsage } from './adaptor.js';
import type { AnswerMemory } from './answer-memory.js';
import type { DeltaRecord } from './deltas/delta-text.js';
import type { DeltaTrack } from './deltas/delta-track.js';
import { type FitOptions, fitFrame } from './fit.js';
import { frameAgeMs } from './frame-age.js';
import type { FrameLegibility, PresetChooser } from './legibility/preset-chooser.js';
import { FULL_SIZE, type Scaling } from './legibility/scaling.js';
import { linkAbort } from './linked-abort.js';
import type { MediaType } from './models.js';

/** What a model is asked when nothing else is said. */
export const DEFAULT_PROMPT = 'Describe what is on this screen and what the user is doing.';

/** How one frame is shown to a model. */
export interface LookOptions extends FitOptions {
  /** @default the adaptor's `fixedPrompt`, else DEFAULT_PROMPT */
  readonly prompt?: string;
  readonly system?: string;
  /** The answer is to be JSON of this form; see `Answer.data`. @default any text */
  readonly schema?: AnswerSchema;
  /** What was asked and answered before is told again, and this answer added. @default none */
  readonly memory?: AnswerMemory;
  readonly maxOutputTokens?: number;
  /** Chooses the size in which the picture is sent, and says how legible it is then. @default `scaling` */
  readonly presetChooser?: PresetChooser;
  /** Most milliseconds for a request with its retries. @default 300_000 */
  readonly timeoutMs?: number;
  /** Called with each piece of text as it arrives. */
  readonly onText?: (delta: string) => void;
  readonly signal?: AbortSignal;
}

export const LOOK_OPTION_NAMES = [
  'prompt',
  'system',
  'schema',
  'memory',
  'maxOutputTokens',
  'timeoutMs',
  'onText',
  'signal',
  'mediaType',
  'quality',
  'scaling',
  'presetChooser',
] as const satisfies readonly (keyof LookOptions)[];

/** An image as it was sent. */
export interface SentImage extends Size {
  readonly bytes: number;
  readonly mediaType: MediaType;
}

/** What a model said about one frame; every field but `lines` is plain data for JSON. */
export interface Answer {
  readonly text: string;
  /** The parsed text, which satisfies the schema that was asked for. */
  readonly data?: unknown;
  readonly provider: string;
  readonly model: string;
  /** The producer's count of captured frames, or the sampler's where the stream carries none. */
  readonly frameNumber: number;
  /** From the capture to the moment when the request leaves; undefined when the stream does not tell. */
  readonly frameAgeMs?: number;
  readonly images: readonly SentImage[];
  /** Which parts of the picture the images are; undefined when it was shown whole. */
  readonly delta?: DeltaRecord;
  /** The size that was chosen for it: a preset, `gundam`, or the stream's own; undefined where none was. */
  readonly preset?: string;
  /** How legible the text is at that size; undefined where it was not measured. */
  readonly legibility?: FrameLegibility;
  /** Of the images alone, before they were sent. */
  readonly estimatedTokens: number;
  /** Of the whole request, by the provider. */
  readonly reportedTokens?: TokenUsage;
  /** From the moment when the request leaves to the end of the answer. */
  readonly latencyMs: number;
  /** Where the text stands, from providers that read it, in pixels of the image sent. */
  readonly lines?: readonly TextLine[];
}

/**
 * Shows one frame to a model: fit, ask, account.
 *
 * @param track what the model has been shown already, of which nothing is sent again
 */
export async function look(
  frame: Frame,
  adaptor: Adaptor,
  options: LookOptions = {},
  track?: DeltaTrack,
): Promise<Answer> {
  const { fixedPrompt } = adaptor;
  const { prompt = fixedPrompt ?? DEFAULT_PROMPT, timeoutMs = 300_000, memory, signal, presetChooser } = options;
  const scaling = (await presetChooser?.choose(frame, adaptor, options, signal)) ?? options.scaling;
  const fit = scaling ? { ...options, scaling } : options;
  const delta = await track?.deltaOf(frame, adaptor, fit, memory?.history);
  const { images, estimatedTokens, caption } = delta ?? (await fitFrame(frame, adaptor, fit));
  const history = delta?.history ?? memory?.history;
  const part = delta && partOf(delta);
  const link = linkAbort(signal);
  const timer = setTimeout(() => link.abort(tooSlow(adaptor, timeoutMs)), timeoutMs);
  const ageMs = frameAgeMs(frame);
  const leftMs = performance.now();
  const { text, data, model, usage, lines } = await adaptor
    .ask({
      prompt: caption === undefined || fixedPrompt !== undefined ? prompt : `${caption}\n\n${prompt}`,
      images,
      ...part,
      signal: link.signal,
      ...given(options, ['system', 'schema', 'maxOutputTokens', 'onText']),
      ...(history === undefined ? {} : { history }),
    })
    .finally(() => {
      clearTimeout(timer);
      link.release();
    });
  memory?.remember({ prompt, answer: text });
  track?.answered(frame, delta, adaptor, { prompt, answer: text }, fit);
  const legibility = presetChooser?.legibilityOf(adaptor, delta ? [delta.whole] : images);
  return {
    text,
    ...(data === undefined ? {} : { data }),
    provider: adaptor.provider,
    model,
    frameNumber: frame.metadata?.frameNumber ?? frame.sequence,
    ...(ageMs === undefined ? {} : { frameAgeMs: ageMs }),
    images: images.map(({ width, height, data, mediaType }) => ({ width, height, bytes: data.length, mediaType })),
    ...part,
    ...(scaling === undefined ? {} : { preset: presetName(frame, scaling, adaptor) }),
    ...(legibility === undefined ? {} : { legibility }),
    estimatedTokens,
    ...(usage === undefined ? {} : { reportedTokens: usage }),
    latencyMs: performance.now() - leftMs,
    ...(lines === undefined ? {} : { lines }),
  };
}

const partOf = ({ whole, regions, wholeTokens }: DeltaRecord) => ({ delta: { whole, regions, wholeTokens } });
/** A picture that is sent as the stream has it has the stream's own preset. */
function presetName(frame: Frame, { name, views }: Scaling, { limits }: Adaptor): string {
  const isScaled = name !== FULL_SIZE.name && views(frame, limits.maxImages) !== undefined;
  return isScaled ? name : (frame.metadata?.plan ?? FULL_SIZE.name);
}

/** Those of `keys` that have a value. */
function given<Key extends keyof LookOptions>(options: LookOptions, keys: readonly Key[]): Pick<LookOptions, Key> {
  const entries = keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]]));
  return Object.fromEntries(entries) as Pick<LookOptions, Key>;
}

function tooSlow(adaptor: Adaptor, timeoutMs: number): CapError {
  return new CapError('CAP_PROVIDER_UNAVAILABLE', `${adaptor.provider}: no answer within ${timeoutMs / 1000} s`, {
    hint: 'allow more time or use a faster model',
  });
}
