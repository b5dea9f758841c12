import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Sampler, type SamplerOptions } from '../../src/consumer/sampler.js';
import { CapError, createStreamLogger } from '../../src/core/index.js';
import { serveCapture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { freePort } from '../support/port.js';
import { type RunningProcess, start } from '../support/process.js';
import { readProcessUsage } from '../support/process-usage.js';
import { program } from '../support/programs.js';
import { startRefusingServer } from '../support/refusing-server.js';

const samplers: Sampler[] = [];

afterEach(async () => {
  for (const sampler of samplers.splice(0)) await sampler.close();
});

function sample(url: string, options: SamplerOptions = {}): Sampler {
  const sampler = new Sampler(url, options);
  samplers.push(sampler);
  return sampler;
}

/** The error of a sampler that never gets a frame. */
async function failureOf(sampler: Sampler): Promise<CapError> {
  const error = await sampler.next().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CapError)) throw new Error(`expected a CapError, received ${String(error)}`);
  return error;
}

describe('frames', () => {
  test('each frame is newer than the one before, and none is waited for that is there', async () => {
    await using capture = await serveCapture();
    const sampler = sample(capture.url);
    const first = await sampler.next();
    expect(first).toMatchObject({ width: 320, height: 240, metadata: { source: { width: 320, height: 240 } } });
    expect(first.data).toHaveLength(320 * 240 * 3);
    let last = first;
    for (let count = 0; count < 10; count++) {
      const frame = await sampler.next({ afterSequence: last.sequence });
      expect(frame.sequence).toBeGreaterThan(last.sequence);
      expect(frame.metadata?.frameNumber).toBeGreaterThan(last.metadata?.frameNumber ?? Number.POSITIVE_INFINITY);
      expect(frame.receivedMonotonicNs).toBeGreaterThan(frame.metadata?.capturedMonotonicNs ?? 0n);
      last = frame;
    }
    // Frames that nobody asked for are gone: the newest is given.
    await vi.waitFor(() => expect(sampler.framesSeen).toBeGreaterThan(last.sequence + 10), { timeout: 10_000 });
    expect((await sampler.next()).sequence).toBeGreaterThan(last.sequence + 9);
  });

  test('the only picture of a still, empty screen is not held back', async () => {
    await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
    const keepAliveMs = 60_000; // so long that no second picture comes
    await using capture = await serveCapture({
      source: { kind: 'screen', display: display.name, cursor: false, keepAliveMs },
    });
    for (const protocol of ['tcp', 'udp'] as const) {
      const frame = await sample(capture.url, { protocol, connectTimeoutMs: 10_000 }).next();
      expect(frame.data.every((value) => value < 8)).toBe(true); // all black
    }
  });

  test('a wait ends with its signal, and leaves nothing on it', async () => {
    await using capture = await serveCapture();
    const sampler = sample(capture.url);
    const { signal } = new AbortController();
    for (let count = 0, after = -1; count < 20; count++) {
      after = (await sampler.next({ afterSequence: after, signal })).sequence;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);

    const controller = new AbortController();
    const waiting = sampler.next({ afterSequence: 1e9, signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(sampler.next({ signal: controller.signal })).rejects.toBe(reason);
  });

  test('after close everything fails, also what waits', async () => {
    await using capture = await serveCapture();
    const sampler = sample(capture.url);
    await sampler.next();
    const waiting = sampler.next({ afterSequence: 1e9 });
    const closing = sampler.close();
    expect(sampler.close()).toBe(closing);
    await expect(waiting).rejects.toMatchObject({ code: 'CAP_CLOSED' });
    await closing;
    await expect(sampler.next()).rejects.toMatchObject({ code: 'CAP_CLOSED' });
  });
});

test('what a sampler held is let go when it is closed, not when garbage is collected', async () => {
  await using capture = await serveCapture();
  const cycle = async (): Promise<void> => {
    const sampler = sample(capture.url);
    await sampler.next();
    await sampler.close();
  };
  const descriptors = (): number => readProcessUsage(process.pid).descriptors;
  await cycle();
  const before = descriptors();
  for (let count = 0; count < 5; count++) await cycle();
  await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(before), { timeout: 1000 });
});

describe('connections', () => {
  /** A server of others, whose stream carries no metadata. */
  async function startForeignServer(port: number, encoder: string): Promise<RunningProcess> {
    const source = 'videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=30/1';
    const server = start(await program('peer_server'), [
      `${port}`,
      `( ${source} ! ${encoder} ! rtph264pay name=pay0 )`,
    ]);
    await server.waitForOutput(/rtsp:\S+/);
    return server;
  }

  /** What happens to the connection, in order. */
  function record(sampler: Sampler): string[] {
    const events: string[] = [];
    sampler.on('connected', () => events.push('connected'));
    sampler.on('disconnected', (error) => events.push(error.code));
    return events;
  }

  const waitFor = (events: readonly string[], last: string): Promise<void> =>
    vi.waitFor(() => expect(events.at(-1)).toBe(last), { timeout: 30_000 });

  test('it comes back when the server does, and the sequence goes on', async () => {
    await using capture = await serveCapture();
    const { port } = capture.server;
    const sampler = sample(capture.url);
    const events = record(sampler);
    const before = await sampler.next();
    await capture.server.close();
    await waitFor(events, 'CAP_STREAM_UNAVAILABLE');
    const seen = sampler.framesSeen;
    const waiting = sampler.next({ afterSequence: seen - 1 }); // it waits through the break
    await capture.session.serveRtsp('/cap', { port });
    const after = await waiting;
    expect(after.sequence).toBeGreaterThanOrEqual(seen);
    expect(after.metadata?.frameNumber).toBeGreaterThan(before.metadata?.frameNumber ?? Number.POSITIVE_INFINITY);
    expect(events[0]).toBe('connected');
    expect(events.slice(1, -1)).toEqual(events.slice(1, -1).map(() => 'CAP_STREAM_UNAVAILABLE'));
    expect(events.at(-1)).toBe('connected');
  });

  test.each(['x264enc tune=zerolatency key-int-max=30', 'openh264enc gop-size=30'])(
    'a foreign stream is read too, without metadata: %s',
    async (encoder) => {
      const port = await freePort();
      await using _server = await startForeignServer(port, encoder);
      const sampler = sample(`rtsp://127.0.0.1:${port}/cap`, { protocol: 'udp' });
      const first = await sampler.next();
      const frame = await sampler.next({ afterSequence: first.sequence });
      expect(frame).toMatchObject({ width: 320, height: 240 });
      expect(frame.metadata).toBeUndefined();
      // The test picture's first bar is white, the last one blue.
      expect(Math.min(...frame.data.subarray(30, 33))).toBeGreaterThan(170);
      expect([...frame.data.subarray(310 * 3, 310 * 3 + 3)].map((value) => value > 100)).toEqual([false, false, true]);
    },
  );

  test('a stream that stands still is opened anew', async () => {
    const port = await freePort();
    await using server = await startForeignServer(port, 'x264enc tune=zerolatency key-int-max=30');
    const sampler = sample(`rtsp://127.0.0.1:${port}/cap`, { stallTimeoutMs: 1000 });
    const events = record(sampler);
    await sampler.next();
    process.kill(-server.pid, 'SIGSTOP');
    await waitFor(events, 'CAP_STREAM_UNAVAILABLE');
    const seen = sampler.framesSeen;
    process.kill(-server.pid, 'SIGCONT');
    expect((await sampler.next({ afterSequence: seen - 1 })).sequence).toBeGreaterThanOrEqual(seen);
  });

  test('what cannot be reached is said, with a hint', async () => {
    await using capture = await serveCapture();
    const soon = { connectTimeoutMs: 1000 };
    const nowhere = `rtsp://127.0.0.1:${await freePort()}/cap`;
    expect(await failureOf(sample(nowhere, soon))).toMatchObject({
      code: 'CAP_STREAM_UNAVAILABLE',
      message: expect.stringContaining(nowhere),
      hint: expect.any(String),
    });
    const elsewhere = capture.server.url('/other');
    expect(await failureOf(sample(elsewhere, soon))).toMatchObject({
      code: 'CAP_STREAM_UNAVAILABLE',
      message: expect.stringMatching(`${elsewhere}.*no stream at that path`),
    });
    for (const wrong of ['http://127.0.0.1/cap', 'cap', 'rtsp://', 'rtsp:///cap']) {
      expect(() => new Sampler(wrong)).toThrow(expect.objectContaining({ code: 'CAP_USAGE' }));
    }
  });
});

describe('credentials', () => {
  test.each(['geheim77', 'p%40ss%2Fword1', 'pass@word1'])(
    'a password such as %s is in no error and no log',
    async (password) => {
      await using server = await startRefusingServer();
      const lines: string[] = [];
      const logger = createStreamLogger({ level: 'debug', stream: { write: (line) => lines.push(String(line)) } });
      const options = { connectTimeoutMs: 1000, logger };
      const refused = sample(`rtsp://ann:${password}@127.0.0.1:${server.port}/cap`, options);
      const unreachable = sample(`rtsp://ann:${password}@127.0.0.1:${await freePort()}/cap`, options);
      const errors = [await failureOf(refused), await failureOf(unreachable)];
      expect(errors[0]).toMatchObject({ code: 'CAP_AUTH_FAILED' });
      // It was sent, and to the server alone.
      const plain = decodeURIComponent(password);
      expect(server.authorizations).toContain(`Basic ${Buffer.from(`ann:${plain}`).toString('base64')}`);
      const said = [inspect(errors, { depth: 10, showHidden: true }), ...lines].join('\n');
      const parts = [password, plain, 'word1'];
      for (const secret of parts) expect(said).not.toContain(secret);
    },
  );
});
