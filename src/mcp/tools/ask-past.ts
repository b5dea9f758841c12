import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { askPast } from '../ask-past.js';
import type { Client } from '../client.js';
import { runTool, streamArgument } from '../tool.js';

export function registerAskPast(server: McpServer, client: Client): void {
  const { screens } = client;
  const { model: { provider = 'local' } = {}, remember } = screens.options;
  const kept = remember ? 'whatever changed' : 'what was looked at';
  server.registerTool(
    'ask_past',
    {
      title: 'Ask about the last minutes',
      description:
        `Answers a question about what the screen showed in the last minutes, from pictures kept of ${kept}. ` +
        (provider === 'local'
          ? 'Without a model configured, the answer is the text of each picture.'
          : `The pictures go to another model (${provider}).`),
      inputSchema: z.strictObject({
        stream: streamArgument,
        question: z.string().min(1).max(10_000),
        minutes: z.number().min(0.1).max(240).default(10).describe('How far back.'),
        max_pictures: z.number().int().min(1).max(16).default(4).describe('Spread over that time.'),
      }),
      annotations: { readOnlyHint: true, openWorldHint: provider !== 'local' },
    },
    ({ stream: name, question, minutes, max_pictures: maxPictures }, { signal }) =>
      runTool(screens.options.logger, async () => {
        const stream = screens.stream(name);
        const adaptor = await screens.adaptor();
        const sinceMs = Date.now() - minutes * 60_000;
        const text = await askPast(screens.past, adaptor, {
          stream: stream.name,
          question,
          sinceMs,
          maxPictures,
          signal,
        });
        return { content: [{ type: 'text', text }] };
      }),
  );
}
