import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropicMessages } from './fake-provider/anthropic-messages.js';
import type { Api, Received, ReceivedRequest, ServerEvent, StreamedAnswer } from './fake-provider/api.js';
import { commonServer, dashScope, deepSeekOcrServer, openAiChat } from './fake-provider/chat-servers.js';
import { gemini } from './fake-provider/gemini.js';
import { ollama } from './fake-provider/ollama.js';
import { openAiResponses } from './fake-provider/openai-responses.js';
import { type Json, Refusal } from './fake-provider/refusal.js';

/** What the next request meets, whatever it asks; a request that is refused uses it up too. */
export type Behaviour =
  | { readonly kind: 'answer'; readonly deltas: readonly string[] }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** Ends the connection in the middle of the answer. */
  | { readonly kind: 'cut' }
  /** Ends the stream in good order, but before the answer is complete. */
  | { readonly kind: 'truncate' }
  | { readonly kind: 'stream-error' }
  /** Sends the first piece of text, and the rest when `until` resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<void> };

const APIS: readonly Api[] = [
  openAiResponses,
  openAiChat,
  commonServer,
  anthropicMessages,
  gemini,
  dashScope,
  deepSeekOcrServer,
  ollama,
];
export const FAKE_KEY = 'test-key-0123456789';
/** Of every request, said to be kept from an earlier one. */
export const CACHED_TOKENS = 20;
export const FAKE_DELTAS = ['A terminal ', 'shows a ', 'finished build.'];

/**
 * A server on 127.0.0.1 with the interfaces of the providers, each at its own path, streamed. It refuses what
 * they refuse and records what it accepts.
 */
export class FakeProvider {
  readonly requests: ReceivedRequest[] = [];
  /** Every request that came in, also those that were refused. */
  attempts = 0;
  /** Streams that the client left before they were complete. */
  abandoned = 0;
  readonly #server: Server;
  readonly #script: Behaviour[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FakeProvider> {
    const server = createServer();
    const provider = new FakeProvider(server);
    server.on('request', (request, response) => {
      provider.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return provider;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** For OpenAI's SDK, whose base URL has the version. */
  get baseUrl(): string {
    return `${this.origin}/v1`;
  }

  /** Behaviours of the next requests, in order; a usual answer follows when they are used up. */
  script(...behaviours: readonly Behaviour[]): void {
    this.#script.push(...behaviours);
  }

  /** Forgets what it was asked and told. */
  reset(): void {
    this.requests.length = 0;
    this.attempts = 0;
    this.abandoned = 0;
    this.#script.length = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.attempts += 1;
    const { url = '' } = request;
    const api = APIS.find(({ path }) => (typeof path === 'string' ? path === url : path.test(url)));
    const behaviour = this.#script.shift() ?? { kind: 'answer', deltas: FAKE_DELTAS };
    try {
      if (!api || request.method !== 'POST') throw new Refusal(404, 'not_found_error', `no ${url}`);
      const body = await readJson(request, api.maxRequestBytes);
      if (behaviour.kind === 'status') return respondWith(response, api, behaviour);
      const received = await api.receive(request.headers, body, FAKE_KEY, url);
      this.requests.push({ ...received, headers: request.headers, body });
      await this.#stream(response, api, answerTo(received, body, behaviour), behaviour);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.writeHead(error.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify((api ?? openAiResponses).errorBody(error)));
    }
  }

  async #stream(response: ServerResponse, api: Api, answer: StreamedAnswer, behaviour: Behaviour): Promise<void> {
    response.on('close', () => {
      if (!response.writableFinished) this.abandoned += 1;
    });
    response.writeHead(200, {
      'content-type': api.framing === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream',
    });
    send(response, api, ...api.begin(answer));
    const [first = '', ...rest] = answer.deltas;
    send(response, api, api.delta(answer, first));
    if (behaviour.kind === 'cut') {
      // The head has to be out first, or the client sees a connection that never answered and tries again.
      response.write(api.framing === 'ndjson' ? ' ' : ':\n\n', () => response.destroy());
      return;
    }
    if (behaviour.kind === 'truncate') return void response.end();
    if (behaviour.kind === 'stream-error') {
      send(response, api, ...api.streamError('Overloaded'));
      return void response.end();
    }
    if (behaviour.kind === 'hold') await behaviour.until;
    send(response, api, ...rest.map((text) => api.delta(answer, text)), ...api.end(answer));
    response.end();
  }
}

/** Tokens that tell requests apart: 100 and 10 more for each image in, 1 for each delta out. */
function answerTo(received: Received, body: Json, behaviour: Behaviour): StreamedAnswer {
  const deltas = behaviour.kind === 'answer' ? behaviour.deltas : FAKE_DELTAS;
  return {
    model: `${received.model ?? String(body.model)}-served`,
    deltas,
    inputTokens: 100 + 10 * received.images.length,
    cachedTokens: CACHED_TOKENS,
    outputTokens: deltas.length,
  };
}

function respondWith(
  response: ServerResponse,
  api: Api,
  { status, headers }: Extract<Behaviour, { kind: 'status' }>,
): void {
  const refusal = new Refusal(status, status === 429 ? 'rate_limit_error' : 'api_error', `scripted ${status}`);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(api.errorBody(refusal)));
}

async function readJson(request: IncomingMessage, maxBytes: number): Promise<Json> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Refusal(413, 'request_too_large', 'Request exceeds the maximum size');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
  } catch {
    throw new Refusal(400, 'invalid_request_error', 'the body is not JSON');
  }
}

function send(response: ServerResponse, api: Api, ...events: readonly ServerEvent[]): void {
  for (const { event, data } of events) {
    const payload = typeof data === 'string' ? data : JSON.stringify(data);
    if (api.framing === 'ndjson') response.write(`${payload}\n`);
    else response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${payload}\n\n`);
  }
}
