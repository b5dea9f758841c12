import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { fitFrame } from '../consumer/index.js';
import type { Client } from './client.js';
import { withEdge } from './client-model.js';

/** As the list says it, before there is a picture. */
const MEDIA_TYPE = 'image/jpeg';
const uriOf = (name: string): string => `cap://${name}/newest`;

/**
 * The newest picture of each stream as a resource. Whoever subscribes to it is told when it shows something else; as
 * long as somebody does, the stream is looked at. The result ends all subscriptions.
 */
export function registerResources(server: McpServer, client: Client): () => void {
  const { screens } = client;
  const { streams } = screens.options;
  for (const stream of streams) {
    const uri = uriOf(stream.name);
    const metadata = { title: stream.label, description: 'The newest picture', mimeType: MEDIA_TYPE };
    server.registerResource(stream.name, uri, metadata, async (_uri, { signal }) => {
      const frame = await stream.newest(signal);
      const { images } = await fitFrame(frame, withEdge(client.model), { mediaType: MEDIA_TYPE });
      await client.see(stream, frame);
      return {
        contents: images.map(({ data, mediaType }) => ({ uri, mimeType: mediaType, blob: data.toString('base64') })),
      };
    });
  }
  const following = new Map<string, () => void>();
  server.server.registerCapabilities({ resources: { subscribe: true } });
  server.server.setRequestHandler(SubscribeRequestSchema, ({ params: { uri } }) => {
    const stream = streams.find(({ name }) => uriOf(name) === uri);
    if (!stream) throw new Error(`there is no resource ${uri}`);
    const tell = (): void => void server.server.sendResourceUpdated({ uri }).catch(() => {});
    if (!following.has(uri)) following.set(uri, screens.follow(stream.name, tell));
    return {};
  });
  server.server.setRequestHandler(UnsubscribeRequestSchema, ({ params: { uri } }) => {
    following.get(uri)?.();
    following.delete(uri);
    return {};
  });
  return () => {
    for (const leave of following.values()) leave();
    following.clear();
  };
}
