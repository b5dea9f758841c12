import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { formatSize } from '../../core/index.js';
import { listSources } from '../../session/index.js';
import type { Client } from '../client.js';
import { runTool } from '../tool.js';

const outputSchema = {
  streams: z
    .array(
      z.object({
        name: z.string(),
        what: z.string(),
        resource: z.string(),
        size: z.string().optional().describe('Of its picture, once one was seen'),
        captured: z.boolean().describe('Whether it is being looked at now; if not, the next look begins it'),
      }),
    )
    .describe('What the other tools can look at'),
  monitors: z.array(z.object({ name: z.string(), place: z.string() })).optional(),
  windows: z.array(z.object({ title: z.string(), class: z.string() })).optional(),
  problem: z.string().optional().describe('Why the screen cannot be looked at'),
};

export function registerListSources(server: McpServer, client: Client): void {
  const { streams, display, logger } = client.screens.options;
  server.registerTool(
    'list_sources',
    {
      title: 'List sources',
      description: 'Lists the streams that can be looked at and, of a whole screen, its monitors and windows.',
      outputSchema,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    () =>
      runTool(logger, async () => {
        const list = {
          streams: streams.map(({ name, label, size, isOpen }) => {
            return {
              name,
              what: label,
              resource: `cap://${name}/newest`,
              ...(size ? { size: formatSize(size) } : {}),
              captured: isOpen,
            };
          }),
          ...(display ? await screenOf(display) : {}),
        };
        return { content: [{ type: 'text', text: JSON.stringify(list) }], structuredContent: list };
      }),
  );
}

async function screenOf(display: Parameters<typeof listSources>[0]) {
  const { monitors, windows, displayError } = await listSources(display);
  return {
    monitors: monitors.map(({ name, x, y, width, height }) => ({ name, place: `${width}x${height}+${x}+${y}` })),
    windows: windows.map((window) => ({ title: window.title.slice(0, 200), class: window.class })),
    ...(displayError ? { problem: displayError.message } : {}),
  };
}
