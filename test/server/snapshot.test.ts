import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { openHttp } from '../../src/server/index.js';
import { CaptureSession, type CaptureSessionOptions, ReceivedStream, StreamTable } from '../../src/session/index.js';
import { buildCommands } from '../support/cap.js';
import { testPicture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { psnr } from '../support/psnr.js';
import { showPicture } from '../support/screen.js';

beforeAll(buildCommands);

async function serveSnapshots(options: CaptureSessionOptions = {}) {
  const session = await CaptureSession.open({ source: testPicture(), ...options });
  const streams = new StreamTable();
  const server = await openHttp(streams, { port: 0 });
  streams.add({ path: '/cap', label: session.label, stream: session.stream });
  const close = async (): Promise<void> => {
    await server.close();
    await session.close();
  };
  return {
    session,
    streams,
    get: (what: string) => fetch(`${server.url}/snapshot/${what}`),
    [Symbol.asyncDispose]: close,
  };
}

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

/** Smooth colours, which H.264 keeps nearly as they are. */
function colours(width: number, height: number, seed: number): Buffer {
  const rgb = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      rgb.set([(x * 200) / width, (y * 200) / height, seed * 100], at);
    }
  }
  return rgb;
}

const SIZE = { widthPx: 320, heightPx: 240 };

async function serveScreen() {
  const display = await startDisplay(SIZE);
  const pictures = [1, 2].map((seed) => ({ ...SIZE, rgb: colours(SIZE.widthPx, SIZE.heightPx, seed) }));
  const window = await showPicture(display, pictures[0] as never);
  const source = { kind: 'screen', display: display.name, displayServer: 'x11', cursor: false } as const;
  const served = await serveSnapshots({ source });
  const close = async (): Promise<void> => {
    await served[Symbol.asyncDispose]();
    await window.close();
    await display.close();
  };
  return { ...served, display, window, pictures, [Symbol.asyncDispose]: close };
}

const rgbOf = async (response: Response): Promise<Buffer> =>
  sharp(await bytesOf(response))
    .removeAlpha()
    .raw()
    .toBuffer();

test('a snapshot is the screen, what was drawn just before it, and what was there then', async () => {
  await using screen = await serveScreen();
  const [first, second] = screen.pictures;
  const likeFirst = await rgbOf(await screen.get('cap.png'));
  expect(psnr(likeFirst, first?.rgb as Buffer)).toBeGreaterThan(35);

  // Long enough that the past has only the first picture.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await screen.window.show(second as never);
  const drawnAt = Date.now();
  const now = await screen.get('cap.png?at=0s');
  expect(now.status).toBe(200);
  expect(psnr(await rgbOf(now), second?.rgb as Buffer)).toBeGreaterThan(35);
  expect(Date.parse(now.headers.get('cap-captured-at') ?? '')).toBeGreaterThanOrEqual(drawnAt - 1);

  const agoMs = Date.now() - drawnAt + 1000;
  const then = await screen.get(`cap.png?at=-${agoMs}ms`);
  expect(then.status).toBe(200);
  expect(psnr(await rgbOf(then), first?.rgb as Buffer)).toBeGreaterThan(35);
  expect(Number(then.headers.get('cap-frame-age-ms'))).toBeGreaterThanOrEqual(agoMs);
});

test('a source that has stopped gives no snapshot that is older than allowed, and recovers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cap-snapshot-'));
  const socket = join(folder, 'units.sock');
  const stream = new ReceivedStream(socket);
  const streams = new StreamTable();
  await using server = await openHttp(streams, { port: 0 });
  const get = (query: string) => fetch(`${server.url}/snapshot/cap.jpg${query}`);
  try {
    streams.add({ path: '/cap', label: '', stream });
    const empty = await get('');
    expect([empty.status, await empty.text()]).toEqual([503, expect.stringMatching(/there is no picture yet/)]);
    expect(empty.headers.get('cap-frame-age-ms')).toBeNull();
    const first = await CaptureSession.open({ source: testPicture() });
    first.sendTo(socket);
    await expect.poll(async () => (await get('')).status, { timeout: 20_000 }).toBe(200);
    await first.close();

    const stoppedAt = performance.now();
    let refused: Response;
    do refused = await get('?max_age=500ms');
    while (refused.status === 200);
    expect(performance.now() - stoppedAt).toBeGreaterThan(400);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(Number(refused.headers.get('cap-frame-age-ms'))).toBeGreaterThan(500);
    expect(await refused.text()).toMatch(/picture (is|was) \d+ ms old/);
    // Whoever is content with an old one is told how old it is.
    const old = await get('?max_age=1h');
    expect(old.status).toBe(200);
    expect(Number(old.headers.get('cap-frame-age-ms'))).toBeGreaterThan(500);

    await using second = await CaptureSession.open({ source: testPicture() });
    second.sendTo(socket);
    await expect.poll(async () => (await get('?max_age=500ms')).status, { timeout: 20_000 }).toBe(200);
  } finally {
    await stream.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each([
  ['cap.jpg', 'jpeg', 320, 240],
  ['cap.jpeg?quality=30', 'jpeg', 320, 240],
  ['cap.webp?preset=p4', 'webp', 160, 120],
  ['cap.png?width=100', 'png', 100, 75],
  ['cap.png?width=5000', 'png', 320, 240],
  ['cap.png?region=31x17%2B5%2B6', 'png', 31, 17],
  ['cap.png?region=200x100%2B0%2B0&preset=p4', 'png', 100, 50],
])('%s', async (what, format, width, height) => {
  await using served = await serveSnapshots();
  const response = await served.get(what);
  expect(response.headers.get('content-type')).toBe(`image/${format}`);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('cap-size')).toBe(`${width}x${height}`);
  expect(response.headers.get('cap-source-size')).toBe('320x240');
  expect(response.headers.get('cap-frame-number')).toMatch(/^\d+$/);
  expect(await sharp(await bytesOf(response)).metadata()).toMatchObject({ format, width, height });
});

test('what it does not know is refused, with a hint', async () => {
  await using served = await serveSnapshots();
  const refusals: [string, number, RegExp][] = [
    ['cap.gif', 404, /\.jpg, \.png or \.webp/],
    ['other.jpg', 404, /no such stream/],
    ['%zz.jpg', 404, /no such stream/],
    ['cap.jpg?maxage=1s', 400, /unknown option "maxage".*known options: max_age/],
    ['cap.jpg?max_age=soon', 400, /20ms to 1h/],
    ['cap.jpg?max_age=1ms', 400, /20ms to 1h/],
    ['cap.jpg?max_age=1s&max_age=2s', 400, /one value/],
    ['cap.jpg?at=5s', 400, /-5s/],
    ['cap.jpg?at=-11s', 400, /up to -10s/],
    ['cap.jpg?at=-9s', 503, /9000 ms ago/],
    ['cap.jpg?preset=p5', 400, /did you mean "p4"/],
    ['cap.jpg?preset=..%2F..%2Fetc%2Fpasswd', 400, /the name of a preset/],
    ['cap.jpg?preset=p4&width=100', 400, /exclude each other/],
    ['cap.jpg?width=0', 400, /from 2/],
    ['cap.jpg?region=1x1', 400, /1280x720/],
    ['cap.jpg?region=400x1%2B0%2B0', 400, /within 320x240/],
    ['cap.jpg?view=tile-1', 400, /--gundam/],
    ['cap.jpg?quality=101', 400, /1 to 100/],
    ['cap.png?quality=50', 400, /jpg and webp/],
  ];
  for (const [what, status, text] of refusals) {
    const response = await served.get(what);
    expect([what, response.status, await response.text()]).toEqual([what, status, expect.stringMatching(text)]);
  }
  served.streams.remove('/cap');
  expect((await served.get('cap.jpg')).status).toBe(404);
});

test('the views of a Gundam composite, each as it lies in it', async () => {
  await using served = await serveSnapshots({
    source: testPicture({ width: 1280, height: 640 }),
    scaling: { gundam: true },
  });
  const sizeOf = async (what: string) => (await served.get(what)).headers.get('cap-size');
  expect(await sizeOf('cap.jpg?view=global')).toBe('1024x1024');
  expect(await sizeOf('cap.jpg?view=tile-2')).toBe('640x640');
  const { width, height } = served.session.plan.canvas;
  expect(await sizeOf('cap.jpg?view=all')).toBe(`${width}x${height}`);
  const beyond = await served.get('cap.jpg?view=tile-9');
  expect(await beyond.text()).toMatch(/has 2 tiles/);
});

test('more at once than there is room for are told to come again', async () => {
  await using served = await serveSnapshots();
  const answers = await Promise.all(Array.from({ length: 40 }, () => served.get('cap.png?at=0s')));
  const statuses = new Set(answers.map(({ status }) => status));
  expect([...statuses].sort()).toEqual([200, 503]);
  expect((await served.get('cap.png')).status).toBe(200);
});

test('cap serve has them of every mount, also after a capture died', async () => {
  await using gateway = await ServedConfig.start(`[http]\nport = 0\n[mounts."lab/a"]\n${TEST_MOUNT}`);
  await gateway.waitForPicture('/lab/a');
  const [url] = await gateway.command.waitForOutput(/^http:\S+$/m);
  const get = () => fetch(`${url}/snapshot/lab/a.jpg?max_age=2s`);
  await expect.poll(async () => (await get()).status, { timeout: 20_000 }).toBe(200);
  process.kill(gateway.workers('capture of /lab/a')[0] as number, 'SIGKILL');
  await gateway.waitForPicture('/lab/a', 2);
  await expect.poll(async () => (await get()).status, { timeout: 20_000 }).toBe(200);
});
