import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { SecretFinder } from '../../src/consumer/index.js';
import { openPageReader } from '../../src/consumer/ocr/page-reader.js';
import { Sampler } from '../../src/consumer/sampler.js';
import type { NativePixels } from '../../src/native/index.js';
import { CANARY_TEXTS, canaryPage } from '../support/canary-page.js';
import { buildCommands, startCap, streamUrl } from '../support/cap.js';
import { startDisplay } from '../support/display.js';
import { eventually } from '../support/eventually.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { run } from '../support/process.js';
import { showPicture } from '../support/screen.js';

const SIZE = { width: 640, height: 768 };
const PATIENCE = { timeout: 240_000 };

const folder = mkdtempSync(join(tmpdir(), 'cap-canary-'));
beforeAll(buildCommands, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A picture as it was sent, in the size of the screen. */
async function decode(image: Uint8Array): Promise<NativePixels> {
  const data = await sharp(image)
    .resize({ ...SIZE, fit: 'fill' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  return { data, ...SIZE };
}

/** Every picture of a recording. */
async function* picturesOf(recording: string): AsyncGenerator<NativePixels> {
  const raw = join(folder, 'raw');
  const decoded = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24'];
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', recording, ...decoded, raw]);
  await using file = await open(raw);
  for (;;) {
    const data = Buffer.alloc(SIZE.width * SIZE.height * 3);
    const { bytesRead } = await file.read(data);
    if (bytesRead < data.length) return;
    yield { data, ...SIZE };
  }
}

/** How many secrets the local reader finds in each of these pictures, and what else it reads. */
async function readPictures(images: readonly Uint8Array[]): Promise<{ secrets: number; text: string }[]> {
  const reader = await openPageReader();
  const finder = new SecretFinder(['keys', 'cards', 'emails']);
  const found: { secrets: number; text: string }[] = [];
  try {
    for (const image of images) {
      const lines = await reader.read(image);
      found.push({ secrets: finder.find(lines).length, text: lines.map(({ text }) => text).join('\n') });
    }
  } finally {
    await reader.close();
  }
  return found;
}

test(
  'planted secrets are in no frame, recording, snapshot, request, log or ledger; the rest is',
  PATIENCE,
  async () => {
    const pages = [await canaryPage(SIZE.width, SIZE.height, 0), await canaryPage(SIZE.width, SIZE.height, 1)] as const;
    const showsSecret = (picture: NativePixels): boolean => pages.some((page) => page.showsSecret(picture));
    await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
    await using window = await showPicture(display, pages[0]);
    const provider = await FakeProvider.start();
    onTestFinished(() => provider.close());
    const recording = join(folder, 'recorded.mp4');
    const ledger = join(folder, 'ledger');
    await using cap = startCap(
      [
        ...['--rtsp', '--rtsp-port', '0', '--http', '--http-port', '0', '--record', recording, '--no-cursor', '-v'],
        ...['--redact-text', 'keys,cards,emails', '--redact-strict'],
      ],
      { env: display.env },
    );
    const url = await streamUrl(cap);
    const [http] = await cap.waitForOutput(/^http:\/\/\S+$/m);
    const ask = ['--provider', 'anthropic', '--base-url', provider.origin, '--model', 'claude-haiku-5-5'];
    await using watch = startCap(
      ['watch', url, ...ask, '--no-gate', '--every', '200ms', '--json', '--ledger', ledger],
      { env: { ANTHROPIC_API_KEY: FAKE_KEY } },
    );
    await using sampler = new Sampler(url);
    const snapshots: Buffer[] = [];
    let sequence = -1;
    for (const [index, page] of pages.entries()) {
      if (index > 0) await window.show(page);
      for (let shown = false; !shown; ) {
        const frame = await sampler.next({ afterSequence: sequence });
        sequence = frame.sequence;
        expect(showsSecret(frame)).toBe(false);
        shown = page.showsRest(frame);
      }
      // A model is shown it, too.
      const asked = provider.requests.length;
      await eventually(() => expect(provider.requests.length).toBeGreaterThan(asked + 1), { timeoutMs: 60_000 });
      snapshots.push(Buffer.from(await (await fetch(new URL('/snapshot/cap.png?at=0s', http))).arrayBuffer()));
    }
    for (const process of [watch, cap]) {
      process.signal('SIGINT');
      await process.waitForExit();
    }

    const images = readdirSync(join(ledger, 'images')).map((name) => readFileSync(join(ledger, 'images', name)));
    const sent = provider.requests.flatMap((request) => request.images.map((image) => image.data));
    for (const pictures of [snapshots, images, sent]) {
      expect((await Promise.all(pictures.map(decode))).map(showsSecret)).not.toContain(true);
    }
    const rest = await Promise.all(snapshots.map(decode));
    expect(rest.map((picture, index) => pages[index]?.showsRest(picture))).toEqual([true, true]);
    // Who knows nothing of the page reads no secret either, and the rest; what is sent to a model is of another size.
    const read = await readPictures([...snapshots, ...images]);
    expect(read.map(({ secrets }) => secrets)).toEqual(read.map(() => 0));
    for (const { text } of read.slice(0, snapshots.length)) expect(text).toContain('Nothing in this line');
    expect(read.slice(snapshots.length).some(({ text }) => text.includes('Nothing in this line'))).toBe(true);
    const unmasked = sharp(pages[0].rgb, { raw: { ...SIZE, channels: 3 } }).png();
    expect(await readPictures([await unmasked.toBuffer()])).toMatchObject([{ secrets: 3 }]);

    let recorded = 0;
    const seen = new Set<number>();
    for await (const picture of picturesOf(recording)) {
      recorded += 1;
      expect(showsSecret(picture), `recorded picture ${recorded}`).toBe(false);
      for (const [index, page] of pages.entries()) if (page.showsRest(picture)) seen.add(index);
    }
    expect([...seen].sort()).toEqual([0, 1]);

    const texts = [
      cap.stdout,
      cap.stderr,
      watch.stdout,
      watch.stderr,
      readFileSync(join(ledger, 'ledger.jsonl'), 'utf8'),
    ];
    for (const text of CANARY_TEXTS) expect(texts.join('\n')).not.toContain(text);
  },
);
