import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { type Context, Hono } from 'hono';
import { closeAll, once } from '../core/index.js';
import type { HttpDoor } from '../server/index.js';
import { serveClient } from './mcp-server.js';
import type { Screens } from './screens.js';

/** Where MCP is served. */
export const MCP_PATH = '/mcp';

export interface McpDoorOptions {
  readonly version: string;
  /** What a client has to show as `Authorization: Bearer …`. @default nothing */
  readonly token?: string | undefined;
  /** A client that asks nothing for so long has to begin anew. @default 30 minutes */
  readonly idleMs?: number | undefined;
}

const MOST_SESSIONS = 16;
const MOST_REQUEST_BYTES = 1 << 20;
const IDLE_MS = 30 * 60_000;

interface Session {
  readonly server: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Requests and event streams that are open. */
  open: number;
  idle?: NodeJS.Timeout | undefined;
}

/** `POST`, `GET` and `DELETE /mcp`: the protocol's streamable HTTP, a session a client. */
export function mcpDoor(screens: Screens, options: McpDoorOptions): HttpDoor {
  const { version, token, idleMs = IDLE_MS } = options;
  const sessions = new Map<string, Session>();
  let beginning = 0;

  async function begin(): Promise<WebStandardStreamableHTTPServerTransport> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MOST_REQUEST_BYTES,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport, open: 0 }),
    });
    const server = await serveClient(screens, transport, version);
    const { onclose } = server.server;
    server.server.onclose = () => {
      const { sessionId } = transport;
      if (sessionId !== undefined) {
        clearTimeout(sessions.get(sessionId)?.idle);
        sessions.delete(sessionId);
      }
      onclose?.();
    };
    return transport;
  }

  /** Counts what is open by the connection's own events, since an answer may be a stream that lasts. */
  function use(id: string, outgoing: HttpBindings['outgoing']): void {
    const session = sessions.get(id);
    if (!session) return;
    session.open += 1;
    clearTimeout(session.idle);
    outgoing.once('close', () => {
      session.open -= 1;
      if (session.open > 0 || !sessions.has(id)) return;
      session.idle = setTimeout(() => void session.server.close(), idleMs).unref();
    });
  }

  async function serve(context: Context<{ Bindings: HttpBindings }>): Promise<Response> {
    const id = context.req.header('mcp-session-id');
    if (id !== undefined) {
      const session = sessions.get(id);
      if (!session) return refuse(context, 404, 'there is no such session: begin a new one');
      use(id, context.env.outgoing);
      return session.transport.handleRequest(context.req.raw);
    }
    if (context.req.method !== 'POST') return refuse(context, 400, 'Mcp-Session-Id is missing');
    if (sessions.size + beginning >= MOST_SESSIONS) {
      return refuse(context, 503, `${MOST_SESSIONS} clients are here already`);
    }
    beginning += 1;
    try {
      const transport = await begin();
      const response = await transport.handleRequest(context.req.raw);
      const { sessionId } = transport;
      // Whatever it was, it did not begin a session.
      if (sessionId === undefined || !sessions.has(sessionId)) await transport.close();
      else use(sessionId, context.env.outgoing);
      return response;
    } finally {
      beginning -= 1;
    }
  }

  const routes = new Hono<{ Bindings: HttpBindings }>().all(MCP_PATH, async (context) => {
    if (token !== undefined && !isBearer(context.req.header('authorization'), token)) {
      context.header('WWW-Authenticate', 'Bearer');
      return refuse(context, 401, 'this server wants Authorization: Bearer with its token');
    }
    return serve(context);
  });
  const close = once(() => closeAll([...sessions.values()].map(({ server }) => server)));
  return { routes: routes as unknown as Hono, close };
}

const refuse = (context: Context, status: 400 | 401 | 404 | 503, message: string): Response =>
  context.json({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }, status);

/** In a time that says nothing of how much is right. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}
