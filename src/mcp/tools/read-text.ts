import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { encodeView } from '../../consumer/image-encoding.js';
import { rowsInReadingOrder } from '../../consumer/ocr/reading-order.js';
import { formatSize } from '../../core/index.js';
import type { Client } from '../client.js';
import { cutOut, frameName, regionOf } from '../picture.js';
import { regionArgument, runTool, streamArgument } from '../tool.js';

const outputSchema = {
  picture: z.string().describe('Which picture was read, and its size'),
  text: z.string(),
  lines: z.array(
    z.object({
      text: z.string(),
      x: z.number(),
      y: z.number(),
      width: z.number(),
      height: z.number(),
      confidence: z.number().optional().describe('From 0 to 1'),
    }),
  ),
};

export function registerReadText(server: McpServer, client: Client): void {
  const { screens } = client;
  server.registerTool(
    'read_text',
    {
      title: 'Read text',
      description:
        'Reads the text on the screen on this machine, and says where each line stands, in pixels of the whole ' +
        'picture. Costs no image tokens and nothing leaves the machine.',
      inputSchema: z.strictObject({ stream: streamArgument, region: regionArgument }),
      outputSchema,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ stream: name, region: wanted }, { signal }) =>
      runTool(screens.options.logger, async () => {
        const stream = screens.stream(name);
        const frame = await stream.newest(signal);
        const region = regionOf(wanted, frame);
        const part = region ? cutOut(frame, region) : frame;
        const png = await encodeView(part, 'image/png', 100);
        const picture = `${frameName(frame)}, ${formatSize(frame)}`;
        const lines = await (await screens.reader()).read(png.data);
        const read = {
          picture,
          text: rowsInReadingOrder(lines)
            .map((row) => row.map(({ text }) => text).join(' '))
            .join('\n'),
          lines: lines.map(({ text, box: { x, y, width, height }, confidence }) => ({
            text,
            x: x + (region?.x ?? 0),
            y: y + (region?.y ?? 0),
            width,
            height,
            ...(confidence === undefined ? {} : { confidence: Math.round(confidence * 100) / 100 }),
          })),
        };
        return { content: [{ type: 'text', text: JSON.stringify(read) }], structuredContent: read };
      }),
  );
}
