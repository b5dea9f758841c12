import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Adaptor,
  type Answer,
  Ledger,
  LedgerRecorder,
  profileOf,
  readLedger,
  readLedgerImage,
  Watch,
} from '../../src/consumer/index.js';
import { CapError, registerSecret } from '../../src/core/index.js';
import { ManualSource } from '../support/manual-source.js';
import { recordedAdaptor } from '../support/recorded-provider.js';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'cap-ledger-')), 'kept');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

/** Says how often it was asked; `refuse` fails the next time. */
function counting(): Adaptor & { refuse: boolean } {
  const { limits, formula } = profileOf('anthropic', 'claude-opus-4-7');
  let asked = 0;
  const adaptor = {
    provider: 'anthropic',
    model: 'claude-opus-4-7',
    limits,
    refuse: false,
    imageCost: (size: { width: number; height: number }) => formula(size, 'auto'),
    ask: async () => {
      if (adaptor.refuse) throw new CapError('CAP_PROVIDER_UNAVAILABLE', 'too many at once', { retryAfterMs: 1 });
      asked += 1;
      return { text: `answer ${asked}`, model: 'served', usage: { inputTokens: 10, outputTokens: asked } };
    },
    close: async () => {},
  };
  return adaptor;
}

/** Looks at `count` frames, one after the other, and keeps it. */
async function record(adaptor: Adaptor, count: number, prompt = 'What is it?'): Promise<string[]> {
  await using ledger = await openLedger();
  const recorder = new LedgerRecorder(ledger);
  return await lookAt(recorder.record(adaptor), count, prompt, recorder);
}

async function lookAt(adaptor: Adaptor, count: number, prompt: string, recorder?: LedgerRecorder): Promise<string[]> {
  const source = new ManualSource();
  await using watch = new Watch(source, adaptor, { everyMs: 0, gate: false, prompt });
  recorder?.attach(watch);
  const texts: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const answered = new Promise<Answer>((resolve, reject) => {
      watch.once('answered', resolve).once('failed', reject);
    });
    source.push();
    texts.push((await answered).text);
  }
  return texts;
}

async function openLedger(maxBytes?: number): Promise<Ledger & AsyncDisposable> {
  const ledger = await Ledger.open(folder, { maxBytes });
  return Object.assign(ledger, { [Symbol.asyncDispose]: () => ledger.close() });
}

const png = (bytes: number) => ({ data: randomBytes(bytes), mediaType: 'image/png', width: 8, height: 8 }) as const;

const entryOf = (prompt: string, ...images: readonly ReturnType<typeof png>[]) => ({
  at: new Date().toISOString(),
  provider: 'local',
  model: 'm',
  request: { prompt, images },
  imageTokens: 1,
  latencyMs: 1,
  answer: { text: prompt, model: 'm' },
});

function filesOf(path = folder): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)],
  );
}

test('it has what was sent and answered, with the account of the watch', async () => {
  await record(counting(), 2);
  const { entries, broken } = await readLedger(folder);
  expect(broken).toBe(0);
  expect(entries).toMatchObject([
    {
      provider: 'anthropic',
      model: 'claude-opus-4-7',
      request: {
        prompt: 'What is it?',
        images: [{ width: 64, height: 48, mediaType: expect.stringMatching(/^image\//) }],
      },
      answer: { text: 'answer 1', model: 'served', usage: { inputTokens: 10, outputTokens: 1 } },
      receipt: { frameNumber: 0, provider: 'anthropic' },
    },
    { answer: { text: 'answer 2' }, receipt: { frameNumber: 1 } },
  ]);
  const [image] = entries[0]?.request.images ?? [];
  if (!image) throw new Error('no image');
  expect((await readLedgerImage(folder, image)).data).toHaveLength(image.bytes);
});

test('it is for its owner alone', async () => {
  await record(counting(), 1);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(filesOf().map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
});

test('a picture that is sent twice is kept once', async () => {
  await record(counting(), 3);
  const { entries } = await readLedger(folder);
  expect(entries).toHaveLength(3);
  expect(readdirSync(join(folder, 'images'))).toHaveLength(1);
});

test('a request that fails is kept with its error', async () => {
  const adaptor = counting();
  adaptor.refuse = true;
  await using ledger = await openLedger();
  const recorder = new LedgerRecorder(ledger);
  const source = new ManualSource();
  await using watch = new Watch(source, recorder.record(adaptor), { everyMs: 0, gate: false });
  recorder.attach(watch);
  const failed = new Promise((resolve) => watch.once('failed', resolve));
  source.push();
  await failed;
  await expect
    .poll(async () => (await readLedger(folder)).entries)
    .toMatchObject([{ error: { code: 'CAP_PROVIDER_UNAVAILABLE', message: 'too many at once' } }]);
});

test('as a cassette it answers as it was answered, and refuses what was not asked', async () => {
  const texts = await record(counting(), 3);
  expect(texts).toEqual(['answer 1', 'answer 2', 'answer 3']);
  expect(await lookAt(await recordedAdaptor(folder), 3, 'What is it?')).toEqual(texts);
  const other = await recordedAdaptor(folder);
  await expect(other.ask({ prompt: 'Another?', images: [] })).rejects.toMatchObject({ code: 'CAP_PROVIDER_REJECTED' });
});

test('no key is in any of its files', async () => {
  const secret = 'hunter2-of-the-tests';
  registerSecret(secret);
  const key = 'sk-ant-api03-0123456789abcdef';
  await using ledger = await openLedger();
  await ledger.add({
    ...entryOf(`my key is ${key}, "authorization": "Digest ${secret}"`, png(100)),
    answer: { text: `so it is ${secret}`, model: 'm', data: { key } },
    error: { code: 'CAP_INTERNAL', message: key },
  });
  for (const path of filesOf()) {
    expect(readFileSync(path, 'latin1')).not.toContain(secret);
    expect(readFileSync(path, 'latin1')).not.toContain(key);
  }
  expect((await readLedger(folder)).entries).toHaveLength(1);
});

test('a last line that was torn is passed over, and the ledger goes on', async () => {
  await record(counting(), 2);
  appendFileSync(join(folder, 'ledger.jsonl'), '{"version":1,"at":"2026-');
  expect(await readLedger(folder)).toMatchObject({ entries: { length: 2 }, broken: 1 });
  await record(counting(), 1);
  expect(await readLedger(folder)).toMatchObject({ entries: { length: 3 }, broken: 0 });
});

test('the oldest go when it is full, with their pictures, and what is named is there', async () => {
  const maxBytes = 1_000_000;
  await using ledger = await openLedger(maxBytes);
  const shared = png(1000);
  for (let at = 0; at < 60; at += 1) {
    await ledger.add(entryOf(`${at}`, png(50_000), shared));
    expect(filesOf().reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThanOrEqual(maxBytes + 100);
  }
  const { entries } = await readLedger(folder);
  expect(entries.at(-1)?.request.prompt).toBe('59');
  expect(entries.length).toBeGreaterThan(10);
  const numbers = entries.map(({ request }) => Number(request.prompt));
  expect(numbers).toEqual(numbers.map((_, at) => 60 - numbers.length + at));
  const images = entries.flatMap(({ request }) => request.images);
  for (const image of images) await readLedgerImage(folder, image);
  expect(readdirSync(join(folder, 'images'))).toHaveLength(new Set(images.map(({ sha256 }) => sha256)).size);
});

test('pictures that a process left without a line are removed', async () => {
  await record(counting(), 1);
  const orphan = join(folder, 'images', `${'0'.repeat(64)}.jpg`);
  const partial = join(folder, 'images', `.${'1'.repeat(64)}.jpg.partial`);
  for (const path of [orphan, partial]) writeFileSync(path, 'x');
  await (await openLedger()).close();
  expect([orphan, partial].filter((path) => existsSync(path))).toEqual([]);
  expect(readdirSync(join(folder, 'images'))).toHaveLength(1);
});

test('one process keeps it at a time, and what a process that died held is free', async () => {
  const ledger = await openLedger();
  await expect(Ledger.open(folder)).rejects.toMatchObject({ code: 'CAP_OUTPUT_FAILED' });
  await ledger.close();
  // Above the largest process id that Linux gives.
  writeFileSync(join(folder, 'lock'), '99999999\n');
  await (await openLedger()).close();
  await expect(ledger.add(entryOf('late'))).rejects.toMatchObject({ code: 'CAP_CLOSED' });
});

test('a picture that is another one, and a folder that cannot be, are told', async () => {
  await record(counting(), 1);
  const [image] = (await readLedger(folder)).entries[0]?.request.images ?? [];
  if (!image) throw new Error('no image');
  writeFileSync(join(folder, 'images', readdirSync(join(folder, 'images'))[0] ?? ''), 'another');
  await expect(readLedgerImage(folder, image)).rejects.toThrow(/is not the one that was sent/);
  await expect(readLedger(join(folder, 'none'))).rejects.toMatchObject({ code: 'CAP_USAGE' });
  await expect(Ledger.open(join(folder, 'ledger.jsonl'))).rejects.toMatchObject({ code: 'CAP_OUTPUT_FAILED' });
  await expect(Ledger.open(folder, { maxBytes: 10 })).rejects.toMatchObject({ code: 'CAP_USAGE' });
});
