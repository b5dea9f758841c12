import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CaptureSession } from '../../src/session/index.js';
import {
  type RtspReader,
  RtspServer,
  rtspUser,
  selfSignedIdentity,
  type TlsIdentity,
} from '../../src/transport/index.js';
import { testPicture } from '../support/capture.js';
import {
  FOREIGN_CLIENTS,
  type ForeignClient,
  type ForeignOutcome,
  type ForeignTransport,
} from '../support/foreign-clients.js';

// What players do with cap: every cell plays, or is refused as it should be. live555's client is not among them, since
// Debian 12 has neither it nor a VLC with its library.
const RIGHT = { user: 'alice', password: 'wonder land' };
const WRONG = { user: 'alice', password: 'looking glass' };

/** What a player has no code for; it must still end by itself, and not read in some other way. */
const CANNOT: Readonly<Record<string, readonly ForeignTransport[]>> = { VLC: ['tls'] };

interface Cell {
  readonly client: ForeignClient;
  readonly transport: ForeignTransport;
  readonly login: 'right' | 'wrong';
  readonly expected: 'plays' | 'is refused' | 'cannot';
}

interface Result extends ForeignOutcome {
  readonly readers: readonly RtspReader[];
  readonly failedLogins: number;
}

const CELLS: readonly Cell[] = FOREIGN_CLIENTS.flatMap((client) =>
  client.transports.flatMap((transport) => {
    const cannot = CANNOT[client.name]?.includes(transport);
    return [
      { client, transport, login: 'right', expected: cannot ? 'cannot' : 'plays' },
      { client, transport, login: 'wrong', expected: cannot ? 'cannot' : 'is refused' },
    ] as const;
  }),
);

let folder: string;
let identity: TlsIdentity;
let session: CaptureSession;
/** Two players at a time. */
const queue = new PQueue({ concurrency: 2 });
const results = new Map<Cell, Promise<Result>>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-conformance-'));
  identity = await selfSignedIdentity(folder);
  session = await CaptureSession.open({ source: testPicture() });
  for (const cell of CELLS) {
    const result = queue.add(() => play(cell));
    result.catch(() => undefined); // the cell's test has it
    results.set(cell, result);
  }
});

afterAll(async () => {
  queue.clear();
  await queue.onIdle();
  await session?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** On a server of its own: what failed at another is not held against it. */
async function play({ client, transport, login }: Cell): Promise<Result> {
  const users = [rtspUser(RIGHT.user, RIGHT.password)];
  await using server = new RtspServer({ port: 0, users, tls: { ...identity, port: 0 } });
  const readers: RtspReader[] = [];
  server.on('readerJoined', (reader) => readers.push(reader));
  await session.serveOn(server, '/cap');
  const url = server.urls('/cap')[transport === 'tls' ? 1 : 0] ?? '';
  const outcome = await client.play({ url, transport, login: login === 'right' ? RIGHT : WRONG });
  return { ...outcome, readers, failedLogins: server.stats.failedLogins };
}

test.each(CELLS.map((cell) => ({ ...cell, name: cell.client.name, cell })))(
  '$name over $transport with the $login password $expected',
  async ({ cell, transport, expected }) => {
    const { plays, said, readers, failedLogins } = await (results.get(cell) as Promise<Result>);
    expect(plays, said).toBe(expected === 'plays');
    const own = { user: RIGHT.user, path: '/cap', protocol: transport };
    expect(readers, said).toMatchObject(expected === 'plays' ? [own] : []);
    if (expected === 'is refused') expect(failedLogins).toBeGreaterThan(0);
    else expect(failedLogins).toBe(0);
  },
);
