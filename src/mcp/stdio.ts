import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { serveClient } from './mcp-server.js';
import type { Screens } from './screens.js';

/** Serves the client that started this process, by standard input and output, until it is gone or `stop` says so. */
export async function serveStdio(screens: Screens, version: string, stop: AbortSignal): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    // The SDK's transport does not hear the end of its input, which is how a client that died is told.
    process.stdin.once('end', resolve).once('close', resolve);
    stop.addEventListener('abort', () => resolve(), { once: true });
    if (stop.aborted) resolve();
  });
  const server = await serveClient(screens, new StdioServerTransport(), version);
  const closed = new Promise<void>((resolve) => {
    const { onclose } = server.server;
    server.server.onclose = () => {
      onclose?.();
      resolve();
    };
  });
  await Promise.race([ended, closed]);
  await server.close();
  // What is left in the pipe must not keep the process.
  process.stdin.destroy();
}
