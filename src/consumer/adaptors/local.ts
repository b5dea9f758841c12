import { CapError, closedError, type Logger, once } from '../../core/index.js';
import type { Adaptor, AdaptorAnswer, AdaptorRequest } from '../adaptor.js';
import { profileOf } from '../models.js';
import type { TextReader } from '../ocr/page-reader.js';
import { openTextReader } from '../ocr/process-reader.js';
import { rowsInReadingOrder } from '../ocr/reading-order.js';

const LOCAL_MODEL = 'pp-ocrv4';

/**
 * Reads the text of the picture on this machine with PP-OCRv4, whose data is part of the installation:
 * no key, no network. It answers with the lines it found whatever the prompt, one row of the screen a
 * line, and gives their boxes and confidence as `lines`.
 *
 * The models are loaded with the first request, once.
 */
export function localAdaptor(options: { readonly logger?: Logger } = {}): Adaptor {
  const profile = profileOf('local', LOCAL_MODEL);
  let reader: Promise<TextReader> | undefined;
  let closed = false;

  async function ask({ images, signal, onText, schema, history }: AdaptorRequest): Promise<AdaptorAnswer> {
    if (closed) throw closedError('the local adaptor');
    if (schema !== undefined || history !== undefined) {
      const idle = schema === undefined ? 'remembers nothing' : 'cannot fill in a schema';
      throw new CapError('CAP_USAGE', `the provider local reads text and ${idle}`, {
        hint: 'name another with --provider',
      });
    }
    signal?.throwIfAborted();
    const startedMs = performance.now();
    reader ??= openTextReader();
    const open = await reader.catch((error: unknown) => {
      reader = undefined;
      throw error;
    });
    const lines = (await Promise.all(images.map((image) => untilAborted(open.read(image.data), signal)))).flat();
    const text = rowsInReadingOrder(lines)
      .map((row) => row.map((line) => line.text).join(' '))
      .join('\n');
    options.logger?.debug('text read', { lines: lines.length, ms: Math.round(performance.now() - startedMs) });
    if (text !== '') onText?.(text);
    return { text, model: LOCAL_MODEL, lines };
  }

  return {
    provider: 'local',
    model: LOCAL_MODEL,
    limits: profile.limits,
    imageCost: (size) => profile.formula(size, 'auto'),
    ask,
    close: once(async () => {
      closed = true;
      const open = await reader?.catch(() => undefined);
      await open?.close();
    }),
  };
}

/** An inference cannot be interrupted; its result is dropped. */
async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return promise;
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
