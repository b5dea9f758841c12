import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { Client } from './client.js';
import { registerResources } from './resources.js';
import type { Screens } from './screens.js';
import { registerAskPast } from './tools/ask-past.js';
import { registerListSources } from './tools/list-sources.js';
import { registerLook } from './tools/look.js';
import { registerReadText } from './tools/read-text.js';
import { registerWaitForChange } from './tools/wait-for-change.js';
import { registerWatch } from './tools/watch.js';

const INSTRUCTIONS =
  'Shows you live screens. look gives a picture of now, wait_for_change blocks until something else is shown, ' +
  'read_text gives text with its place without image tokens, watch and ask_past let another model look.';

/** Serves one client over a transport until either ends it. */
export async function serveClient(screens: Screens, transport: Transport, version: string): Promise<McpServer> {
  const server = new McpServer({ name: 'cap', version }, { instructions: INSTRUCTIONS });
  const client = new Client(screens, () => server.server.getClientVersion()?.name);
  registerListSources(server, client);
  registerLook(server, client);
  registerWaitForChange(server, client);
  registerReadText(server, client);
  registerWatch(server, client);
  registerAskPast(server, client);
  const unfollow = registerResources(server, client);
  const leave = screens.join();
  server.server.onclose = () => {
    unfollow();
    leave();
  };
  server.server.onerror = ({ message }) => screens.options.logger.debug('protocol error', { message });
  await server.connect(transport);
  return server;
}
