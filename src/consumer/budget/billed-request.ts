import { CapError } from '../../core/index.js';
import type { Adaptor, AdaptorAnswer, AdaptorRequest, TokenUsage } from '../adaptor.js';
import { StaleFrame } from '../stale-frame.js';

/** What became of a request, and what it is billed for: undefined when nobody can know. */
export type BilledRequest =
  | { readonly answer: AdaptorAnswer; readonly billed: TokenUsage }
  | { readonly error: unknown; readonly billed: TokenUsage | undefined };

const NOTHING: TokenUsage = { inputTokens: 0, outputTokens: 0 };

/** Sends a request. Never rejects: what failed may have to be paid for as well. */
export async function askBilled(
  adaptor: Adaptor,
  request: AdaptorRequest,
  estimate: TokenUsage,
): Promise<BilledRequest> {
  let began = false;
  let before: TokenUsage | undefined = NOTHING;
  try {
    const answer = await adaptor.ask({
      ...request,
      onText: (delta) => {
        began = true;
        request.onText?.(delta);
      },
      onDiscarded: (usage) => {
        before = usage;
        request.onDiscarded?.(usage);
      },
    });
    return { answer, billed: answer.usage ?? estimate };
  } catch (error) {
    // An answer that broke off, or of which nothing is known, may be billed.
    return { error, billed: !began && wasRefused(error) ? before : undefined };
  }
}

/** The cause of an error of which another process knows that it costs nothing. */
export const NOT_BILLED = { refused: true };

/** Whether a provider answered with an error, which it does not bill, or was not asked. */
function wasRefused(error: unknown): boolean {
  if (error instanceof StaleFrame) return true;
  if (!(error instanceof CapError)) return false;
  if (error.cause === NOT_BILLED) return true;
  const status = (error.cause as { status?: unknown } | undefined)?.status;
  return typeof status === 'number' && status >= 400;
}
