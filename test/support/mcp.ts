import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { vi } from 'vitest';
import { commandPath, ProcessMark, startCap } from './cap.js';
import type { RunningProcess } from './process.js';

export interface McpClient extends AsyncDisposable {
  readonly client: Client;
  /** Calls a tool. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<CallToolResult>;
  /** What the server has said on its standard error. */
  stderr(): string;
  /** Rejects unless every process of the server ends; for after the client has gone. */
  expectNone(): Promise<void>;
  close(): Promise<void>;
}

type CallOptions = Parameters<Client['callTool']>[2];

export const TRANSPORTS = ['stdio', 'http'] as const;

/** The SDK's own client, of a `cap mcp` that it starts or, over HTTP, that is started for it. */
export async function connectMcp(
  transport: (typeof TRANSPORTS)[number],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<McpClient> {
  const client = new Client({ name: 'test', version: '1' });
  const mark = new ProcessMark();
  const { stderr, close } =
    transport === 'stdio'
      ? await connectStdio(client, args, { ...env, ...mark.env })
      : await connectHttp(client, args, { ...env, ...mark.env });
  return {
    client,
    stderr,
    close,
    expectNone: () => mark.expectNone(),
    call: async (name, input = {}, options) =>
      (await client.callTool({ name, arguments: input }, undefined, options)) as CallToolResult,
    [Symbol.asyncDispose]: async () => {
      await close();
      await mark.expectNone();
    },
  };
}

async function connectStdio(client: Client, args: readonly string[], env: Record<string, string>) {
  const command = [process.execPath, commandPath('cap'), 'mcp', '-v', ...args];
  // The kernel ends the server with this process, however that happens.
  const params = { command: 'setpriv', args: ['--pdeathsig', 'KILL', ...command], env, stderr: 'pipe' as const };
  const transport = new StdioClientTransport(params);
  let errors = '';
  transport.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await client.connect(transport);
  return { stderr: () => errors, close: () => client.close() };
}

async function connectHttp(client: Client, args: readonly string[], env: Record<string, string>) {
  const cap = startCap(['mcp', '--http', '127.0.0.1:0', '-v', ...args], { env });
  try {
    const transport = new StreamableHTTPClientTransport(new URL(await mcpUrl(cap)));
    await client.connect(transport as Parameters<Client['connect']>[0]);
    const close = async (): Promise<void> => {
      await transport.terminateSession();
      await client.close();
      await cap.close();
    };
    return { stderr: () => cap.stderr, close };
  } catch (error) {
    await cap.close();
    throw error;
  }
}

/** The address that `cap mcp --http` prints. */
export const mcpUrl = async (cap: RunningProcess): Promise<string> => (await cap.waitForOutput(/^http\S+\/mcp$/m))[0];

/** The texts of an answer, joined. */
export const textOf = ({ content }: CallToolResult): string =>
  content.map((item) => (item.type === 'text' ? item.text : '')).join('\n');

/** The images of an answer, decoded. */
export const imagesOf = ({ content }: CallToolResult): Buffer[] =>
  content.flatMap((item) => (item.type === 'image' ? [Buffer.from(item.data, 'base64')] : []));

/** Resolves when the server has said it. */
export const said = (client: McpClient, pattern: RegExp): Promise<void> =>
  vi.waitFor(() => {
    if (!pattern.test(client.stderr())) throw new Error(`never said ${pattern}: ${client.stderr()}`);
  }, 20_000);
