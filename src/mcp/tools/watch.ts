import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { type Answer, Watch } from '../../consumer/index.js';
import { type CapError, redact } from '../../core/index.js';
import type { Client } from '../client.js';
import { progressOf, runTool, streamArgument, timeOfDay } from '../tool.js';

const MOST_SECONDS = 600;
/** Of the answers together; the oldest are left out. */
const MOST_CHARACTERS = 20_000;

export function registerWatch(server: McpServer, client: Client): void {
  const { screens } = client;
  const provider = screens.options.model?.provider ?? 'local';
  server.registerTool(
    'watch',
    {
      title: 'Watch with a prompt',
      description:
        `Has another model (${provider}) look at the screen again and again for a while, and returns what it said. ` +
        'Its answers also come as progress notifications.' +
        (provider === 'local' ? ' The local reader ignores the prompt and gives the text on the screen.' : ''),
      inputSchema: z.strictObject({
        stream: streamArgument,
        prompt: z.string().min(1).max(10_000).describe('What it is asked about each picture.'),
        seconds: z.number().min(1).max(MOST_SECONDS).default(45).describe('How long it watches.'),
        every_seconds: z.number().min(0.5).max(MOST_SECONDS).default(5).describe('Least time between two looks.'),
      }),
      annotations: { readOnlyHint: true, openWorldHint: provider !== 'local' },
    },
    ({ stream: name, prompt, seconds, every_seconds: everySeconds }, call) =>
      runTool(screens.options.logger, async () => {
        const stream = screens.stream(name);
        const adaptor = await screens.adaptor();
        const progress = progressOf(call);
        const lines: string[] = [];
        let failure: CapError | undefined;
        call.signal.throwIfAborted();
        const watch = new Watch(stream, adaptor, { prompt, everyMs: Math.round(everySeconds * 1000) });
        watch.on('answered', (answer) => {
          screens.past.hear(stream.name, answer.text);
          const line = lineOf(answer);
          lines.push(line);
          progress(line);
        });
        watch.on('failed', (error) => {
          failure = error;
          progress(redact(error.message));
        });
        const end = (): void => void watch.close();
        const timer = setTimeout(end, seconds * 1000);
        call.signal.addEventListener('abort', end, { once: true });
        try {
          failure = (await watch.finished) ?? failure;
        } finally {
          clearTimeout(timer);
          call.signal.removeEventListener('abort', end);
        }
        if (lines.length === 0 && failure) throw failure;
        const text = lines.length === 0 ? `no answer came in ${seconds} s` : newest(lines, MOST_CHARACTERS);
        return { content: [{ type: 'text', text }] };
      }),
  );
}

const lineOf = ({ text, frameNumber, frameAgeMs = 0 }: Answer): string =>
  `${timeOfDay(Date.now() - frameAgeMs)} frame ${frameNumber}: ${text}`;

function newest(lines: readonly string[], most: number): string {
  const text = lines.join('\n');
  if (text.length <= most) return text;
  const tail = text.slice(-most);
  return `…${tail.slice(Math.max(0, tail.indexOf('\n')))}`;
}
