import { createHash } from 'node:crypto';
import {
  type Adaptor,
  type AdaptorAnswer,
  type AdaptorRequest,
  type LedgerEntry,
  readLedger,
} from '../../src/consumer/index.js';
import { CapError } from '../../src/core/index.js';
import { knownProfile } from '../../src/session/preset-table.js';

/**
 * A provider that answers from a ledger: each request as it was answered when it was recorded, those that are the same
 * in the order in which they were, the last of them again and again. It refuses what was never asked.
 */
export async function recordedAdaptor(folder: string): Promise<Adaptor> {
  const { entries } = await readLedger(folder);
  const answers = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    const { prompt, system, images } = entry.request;
    const key = keyOf(
      { prompt, system },
      images.map(({ sha256 }) => sha256),
    );
    answers.set(key, [...(answers.get(key) ?? []), entry]);
  }
  const model = entries[0]?.model ?? 'claude-opus-4-7';
  // A frame is fitted as it was, or it would be another request.
  const { limits, formula } = knownProfile(model);

  async function ask({ prompt, system, images, signal, onText }: AdaptorRequest): Promise<AdaptorAnswer> {
    signal?.throwIfAborted();
    const hashes = images.map(({ data }) => createHash('sha256').update(data).digest('hex'));
    const recorded = answers.get(keyOf({ prompt, system }, hashes)) ?? [];
    const entry = recorded.length > 1 ? recorded.shift() : recorded[0];
    if (!entry) throw new CapError('CAP_PROVIDER_REJECTED', 'recorded: this was never asked');
    if (entry.error) throw new CapError(entry.error.code as CapError['code'], entry.error.message);
    onText?.(entry.answer?.text ?? '');
    return entry.answer as AdaptorAnswer;
  }

  return {
    provider: 'recorded',
    model,
    limits,
    imageCost: (size) => formula(size, 'auto'),
    ask,
    close: async () => {},
  };
}

const keyOf = (asked: { prompt: string; system: string | undefined }, hashes: readonly string[]): string =>
  JSON.stringify([asked.prompt, asked.system, ...hashes]);
