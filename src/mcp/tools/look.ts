import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { Client } from '../client.js';
import { regionOf, showFrame } from '../picture.js';
import { regionArgument, runTool, streamArgument } from '../tool.js';

export const presetArgument = z
  .string()
  .max(32)
  .optional()
  .describe('Divide the pixels to save tokens: p2_56, p4, p6_9, p9 or p10_24.');
export const maxEdgeArgument = z
  .number()
  .int()
  .min(64)
  .max(8192)
  .optional()
  .describe('Longest side of the image in pixels. Default: what suits your model, 1568 at most.');

export function registerLook(server: McpServer, client: Client): void {
  const { screens } = client;
  server.registerTool(
    'look',
    {
      title: 'Look at the screen',
      description:
        'Shows the screen as it is now, as an image made to fit what you can see, and says the age, size and token ' +
        'estimate of the picture. To read small text, look again at a region.',
      inputSchema: z.strictObject({
        stream: streamArgument,
        region: regionArgument,
        preset: presetArgument.describe(
          'Divide the pixels to save tokens: p2_56, p4, p6_9, p9 or p10_24; auto takes some seconds to find the ' +
            'fewest tokens at which the text stays legible.',
        ),
        max_edge: maxEdgeArgument,
      }),
      // No structured content here: some clients show it to the model instead of the image.
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ stream: name, region: wanted, preset, max_edge: maxEdgePx }, { signal }) =>
      runTool(screens.options.logger, async () => {
        const stream = screens.stream(name);
        const frame = await stream.newest(signal);
        const region = regionOf(wanted, frame);
        const reader = preset === 'auto' ? await screens.reader() : undefined;
        const content = await showFrame(frame, client.model, { region, preset, maxEdgePx, reader });
        await client.see(stream, frame);
        return { content };
      }),
  );
}
