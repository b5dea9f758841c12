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

export interface StreamedAnswer {
  readonly model: string;
  readonly deltas: readonly string[];
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** One server-sent event. */
export interface ServerEvent {
  readonly event?: string;
  readonly data: unknown;
}

/** One provider's interface: what it refuses, how it streams, what its errors look like. */
export interface Api {
  readonly path: string;
  /** Checks everything and returns what was asked; throws a Refusal. */
  receive(headers: IncomingHttpHeaders, body: Json, key: string): Promise<Omit<ReceivedRequest, 'headers' | 'body'>>;
  begin(answer: StreamedAnswer): ServerEvent[];
  delta(answer: StreamedAnswer, text: string): ServerEvent;
  end(answer: StreamedAnswer): ServerEvent[];
  /** An error in the middle of a stream. */
  streamError(message: string): ServerEvent[];
  errorBody(refusal: Refusal): Json;
  /** Bytes of a request above which it answers 413. */
  readonly maxRequestBytes: number;
}
