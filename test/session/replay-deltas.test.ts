import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Ledger, LedgerRecorder, openAdaptor, readLedger, readLedgerImage, Watch } from '../../src/consumer/index.js';
import { type Replayed, type ReplayOptions, replay } from '../../src/session/replay.js';
import { WholePictures } from '../../src/session/whole-pictures.js';
import { BLACK, Canvas, RED } from '../support/canvas.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { ManualSource } from '../support/manual-source.js';

/** Whole patches, which are sent as they are. */
const SIZE = { width: 644, height: 476 };
let server: FakeProvider;
let folder: string;
const screens: Buffer[] = [];

beforeAll(async () => {
  server = await FakeProvider.start();
  folder = mkdtempSync(join(tmpdir(), 'cap-replay-deltas-'));
  await record();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => server.reset());
afterEach(() => server.reset());

/** A ledger of a whole picture and two requests with parts of it. */
async function record(): Promise<void> {
  const adaptor = await openAdaptor('anthropic', { apiKey: FAKE_KEY, baseUrl: server.origin });
  const ledger = await Ledger.open(folder);
  const recorder = new LedgerRecorder(ledger);
  const source = new ManualSource();
  const canvas = new Canvas(SIZE);
  const watch = new Watch(source, recorder.record(adaptor), {
    everyMs: 0,
    mediaType: 'image/png',
    prompt: 'Now?',
    deltas: {},
    gate: { settleMs: 0 },
  });
  recorder.attach(watch);
  try {
    for (const [x, colour] of [[0, BLACK] as const, [96, RED] as const, [480, BLACK] as const]) {
      canvas.fill({ x, y: 200, width: 48, height: 48 }, colour);
      const frame = canvas.frame();
      screens.push(frame.data);
      const answered = new Promise((resolve, reject) => watch.once('answered', resolve).once('failed', reject));
      source.show(frame);
      await answered;
    }
  } finally {
    await watch.close();
    await ledger.close();
    await adaptor.close();
  }
}

async function replayed(options: ReplayOptions): Promise<Replayed[]> {
  const all: Replayed[] = [];
  for await (const one of replay(folder, options)) all.push(one);
  return all;
}

test('a ledger says which parts were sent, and the whole comes out of them pixel by pixel', async () => {
  const { entries } = await readLedger(folder);
  expect(entries.map(({ request }) => request.delta?.whole)).toEqual([undefined, SIZE, SIZE]);
  const wholes = new WholePictures();
  for (const [index, entry] of entries.entries()) {
    const sent = await Promise.all(entry.request.images.map((image) => readLedgerImage(folder, image)));
    const whole = await wholes.wholeOf(entry, sent);
    expect(whole?.data.equals(screens[index] ?? Buffer.alloc(0))).toBe(true);
  }
});

test('a model that takes parts is asked again about the parts, with what was said before', async () => {
  const model = { provider: 'openai', apiKey: FAKE_KEY, baseUrl: server.baseUrl };
  const all = await replayed({ model });
  for (const { replayed: now, recorded } of all.slice(1)) expect(now.images).toEqual(recorded.images);
  expect(all).toHaveLength(3);
  expect(JSON.stringify(server.requests[2]?.body)).toContain('(The whole picture was shown here, 644x476 pixels.)');
});

test('one that does not is shown the whole, also where only the newest are asked about', async () => {
  const model = { provider: 'gemini', apiKey: FAKE_KEY, baseUrl: server.origin };
  const all = await replayed({ model, last: 1 });
  expect(all).toHaveLength(1);
  expect(all[0]?.replayed).toMatchObject({ images: ['644x476'] });
  expect(server.requests[0]?.prompt).toBe('Now?');
  expect(JSON.stringify(server.requests[0]?.body)).not.toContain('was shown here');
});

test('parts whose whole is not in the ledger any more are told', async () => {
  const [, second] = (await readLedger(folder)).entries;
  if (!second) throw new Error('no entry');
  expect(await new WholePictures().wholeOf(second, [])).toBeUndefined();
});
