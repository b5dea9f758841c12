import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EchoingProvider extends AsyncDisposable {
  readonly origin: string;
  /** How often it was asked. */
  readonly requests: number;
}

/** The headers and the query in which providers take keys. */
function keyOf({ headers, url = '' }: IncomingMessage): string {
  const { authorization = '', 'x-api-key': anthropic, 'x-goog-api-key': google } = headers;
  return [authorization, anthropic, google, url].filter(Boolean).join(' ');
}

/** A provider that refuses every request with this status, and says everything that it was told, the key above all. */
export async function startEchoingProvider(status: number): Promise<EchoingProvider> {
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests += 1;
    request.resume();
    await once(request, 'end');
    const message = `Incorrect API key provided: ${keyOf(request)}`;
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-should-retry': 'false',
      'x-request-key': keyOf(request),
    });
    const error = { code: status, message, status: 'FAILED', type: 'error' };
    // Ollama's own interface says it in a word.
    response.end(JSON.stringify({ error: request.url?.startsWith('/api/') ? message : error }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
