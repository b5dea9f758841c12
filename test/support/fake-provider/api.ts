import type { IncomingHttpHeaders } from 'node:http';
import type { ReceivedImage } from './images.js';
import type { Json, Refusal } from './refusal.js';

export interface ReceivedRequest {
  readonly api: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
  readonly prompt: string;
  readonly images: readonly ReceivedImage[];
}

/** What an interface reads out of a request that it accepts. */
export type Received = Omit<ReceivedRequest, 'headers' | 'body'> & {
  /** Where the path names it. @default the body's `model` */
  readonly model?: string;
};

export interface StreamedAnswer {
  readonly model: string;
  readonly deltas: readonly string[];
  readonly inputTokens: number;
  /** Of `inputTokens`, those that were kept from an earlier request. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
}

/** One server-sent event, or one line of NDJSON. */
export interface ServerEvent {
  readonly event?: string;
  readonly data: unknown;
}

/** One provider's interface: what it refuses, how it streams, what its errors look like. */
export interface Api {
  /** Where requests go; a pattern where the address names the model. */
  readonly path: string | RegExp;
  /** @default 'sse' */
  readonly framing?: 'sse' | 'ndjson';
  /** Checks everything and returns what was asked; throws a Refusal. */
  receive(headers: IncomingHttpHeaders, body: Json, key: string, url: string): Promise<Received>;
  begin(answer: StreamedAnswer): ServerEvent[];
  delta(answer: StreamedAnswer, text: string): ServerEvent;
  end(answer: StreamedAnswer): ServerEvent[];
  /** An error in the middle of a stream. */
  streamError(message: string): ServerEvent[];
  errorBody(refusal: Refusal): Json;
  /** Bytes of a request above which it answers 413. */
  readonly maxRequestBytes: number;
}
