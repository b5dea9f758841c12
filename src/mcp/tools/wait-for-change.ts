import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { formatRegion } from '../../core/index.js';
import { boundsOf } from '../changed-regions.js';
import type { Client } from '../client.js';
import { regionOf, showFrame } from '../picture.js';
import { progressOf, regionArgument, runTool, streamArgument } from '../tool.js';
import { waitForChange } from '../wait-for-change.js';
import { maxEdgeArgument, presetArgument } from './look.js';

/** Less than the minute after which many clients give a call up. */
const DEFAULT_SECONDS = 45;
const MOST_SECONDS = 600;
const PROGRESS_MS = 10_000;

export function registerWaitForChange(server: McpServer, client: Client): void {
  const { screens } = client;
  server.registerTool(
    'wait_for_change',
    {
      title: 'Wait for a change',
      description:
        'Waits until the screen shows something else than when you last saw it, lets the change calm down, and ' +
        'returns where it changed, with a picture. Cheaper than looking again and again.',
      inputSchema: z.strictObject({
        stream: streamArgument,
        region: regionArgument,
        timeout_seconds: z
          .number()
          .min(0.1)
          .max(MOST_SECONDS)
          .default(DEFAULT_SECONDS)
          .describe('Longest wait. That nothing changed is no error.'),
        show: z
          .enum(['all', 'changed', 'none'])
          .default('all')
          .describe('Which picture comes back: all of it or of the region, only what changed, or none.'),
        preset: presetArgument,
        max_edge: maxEdgeArgument,
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ stream: name, region: wanted, timeout_seconds: seconds, show, preset, max_edge: maxEdgePx }, call) =>
      runTool(screens.options.logger, async () => {
        const stream = screens.stream(name);
        const progress = progressOf(call);
        const timer = setInterval(() => progress('nothing has changed so far'), PROGRESS_MS);
        try {
          const change = await waitForChange(stream, {
            before: client.seen(stream),
            regionIn: (frame) => regionOf(wanted, frame),
            timeoutMs: seconds * 1000,
            signal: call.signal,
          });
          if (!change) return { content: [{ type: 'text', text: `nothing changed in ${seconds} s` }] };
          const { frame, regions, afterMs, region, luma } = change;
          await client.see(stream, frame, luma);
          const where = `changed after ${(afterMs / 1000).toFixed(1)} s: ${regions.map(formatRegion).join(', ')}`;
          const shown = show === 'changed' ? boundsOf(regions) : region;
          const picture =
            show === 'none' ? [] : await showFrame(frame, client.model, { region: shown, preset, maxEdgePx });
          return { content: [{ type: 'text', text: where }, ...picture] };
        } finally {
          clearInterval(timer);
        }
      }),
  );
}
