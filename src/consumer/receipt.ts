import { createHash } from 'node:crypto';
import type { Frame, Rect } from '../core/index.js';
import type { AdaptorAnswer, AdaptorRequest, TokenUsage } from './adaptor.js';
import type { DeltaRecord } from './deltas/delta-text.js';
import type { FrameLegibility } from './legibility/preset-chooser.js';
import type { Answer, SentImage } from './look.js';

/** Why a frame was sent: the first of its size, a change, the silence had lasted long enough, or every frame is. */
export type SendReason = 'first' | 'changed' | 'heartbeat' | 'ungated';

/** An image as it was sent, with what proves it. */
export interface SentImageRecord extends SentImage {
  /** Of the encoded image, before base64; 64 hexadecimal digits. */
  readonly sha256: string;
}

/** What stands behind an answer: what was shown, why, and what it cost. Plain data for JSON. */
export interface Receipt {
  /** The producer's count of captured frames, or the sampler's where the stream carries none. */
  readonly frameNumber: number;
  /** From the capture to the moment when the request left; undefined when the stream does not tell. */
  readonly frameAgeMs?: number;
  readonly reason: SendReason;
  /** What changed since the frame sent before, in pixels of the source; undefined for the first, or when unknown. */
  readonly changed?: readonly Rect[];
  readonly images: readonly SentImageRecord[];
  /** Which parts of the picture the images are; undefined when it was shown whole. */
  readonly delta?: DeltaRecord;
  /** The size that was chosen, else the stream's scale plan; undefined when the stream does not tell. */
  readonly preset?: string;
  readonly provider: string;
  readonly model: string;
  /** Reserved before the request left: images, text, and the longest answer there may be. */
  readonly estimatedTokens: number;
  /** By the provider; undefined when it does not say. */
  readonly billedTokens?: TokenUsage;
  /** US dollars, of what was billed or else estimated; undefined when the price is not known. */
  readonly costUsd?: number;
  /** Of the text at the size sent, on this frame or an earlier one; undefined when not measured. */
  readonly legibility?: FrameLegibility;
  /** How often it was sent, by the workers of a queue: each that was lost while it asked may have cost as much again. */
  readonly attempts?: number;
  /** How long it lay in a queue, in milliseconds. */
  readonly queuedMs?: number;
}

/** What is known of a request beside its answer. */
export interface ReceiptParts {
  readonly frame: Frame;
  readonly reason: SendReason;
  readonly changed?: readonly Rect[] | undefined;
  readonly request: AdaptorRequest;
  readonly received: AdaptorAnswer;
  readonly estimatedTokens: number;
  readonly costUsd?: number | undefined;
}

export function receiptOf(answer: Answer, parts: ReceiptParts): Receipt {
  const { frame, reason, changed, request, received, estimatedTokens, costUsd } = parts;
  const preset = answer.preset ?? frame.metadata?.plan;
  return {
    frameNumber: answer.frameNumber,
    ...(answer.frameAgeMs === undefined ? {} : { frameAgeMs: answer.frameAgeMs }),
    reason,
    ...(changed === undefined ? {} : { changed }),
    images: request.images.map(({ width, height, data, mediaType }) => ({
      width,
      height,
      bytes: data.length,
      mediaType,
      sha256: createHash('sha256').update(data).digest('hex'),
    })),
    ...(answer.delta === undefined ? {} : { delta: answer.delta }),
    ...(preset === undefined ? {} : { preset }),
    ...(answer.legibility === undefined ? {} : { legibility: answer.legibility }),
    provider: answer.provider,
    model: answer.model,
    estimatedTokens,
    ...(answer.reportedTokens === undefined ? {} : { billedTokens: answer.reportedTokens }),
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(received.attempts === undefined ? {} : { attempts: received.attempts }),
    ...(received.queuedMs === undefined ? {} : { queuedMs: received.queuedMs }),
  };
}
