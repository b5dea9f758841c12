import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { CallToolResult, ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { type Logger, redact, toCapError } from '../core/index.js';

/** What the SDK hands to a tool beside its arguments. */
export type ToolCall = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Arguments that several tools have. */
export const streamArgument = z
  .string()
  .max(200)
  .optional()
  .describe('Name of the stream, from list_sources. Default: the first.');
export const regionArgument = z
  .string()
  .max(32)
  .optional()
  .describe(
    'Only this part, WIDTHxHEIGHT+X+Y in pixels of the whole picture, whose size each answer says: 640x360+100+50.',
  );

/** Runs a tool. What goes wrong becomes an error result of one line with its hint, for the model to read. */
export async function runTool(logger: Logger, job: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await job();
  } catch (error) {
    const { code, message, hint } = toCapError(error);
    logger.debug('a tool failed', { code, message });
    const text = redact(`${message}${hint ? ` (${hint})` : ''}`);
    return { isError: true, content: [{ type: 'text', text }] };
  }
}

/** Tells the client of progress, if it asked for that: many clients end a call that is silent for a minute. */
export function progressOf({ _meta, sendNotification }: ToolCall): (message: string) => void {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return () => {};
  let progress = 0;
  return (message) => {
    progress += 1;
    const params = { progressToken, progress, message };
    // A client that is gone needs none.
    sendNotification({ method: 'notifications/progress', params }).catch(() => {});
  };
}

/** `14:03:12`, the local time of day. */
export const timeOfDay = (atMs: number): string => new Date(atMs).toTimeString().slice(0, 8);
