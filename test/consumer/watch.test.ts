import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type Adaptor,
  type Answer,
  describe as describeOnce,
  openAdaptor,
  type Receipt,
  Watch,
  type WatchOptions,
} from '../../src/consumer/index.js';
import { CapError, clockId, type FrameMetadata, monotonicNowNs, wallNowUs } from '../../src/core/index.js';
import { type Behaviour, FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { ManualSource } from '../support/manual-source.js';

let server: FakeProvider;
let adaptor: Adaptor;
let source: ManualSource;
const watches: Watch[] = [];

beforeAll(async () => {
  server = await FakeProvider.start();
  adaptor = await openAdaptor('anthropic', { apiKey: FAKE_KEY, baseUrl: server.origin });
});
afterAll(async () => {
  await adaptor.close();
  await server.close();
});
beforeEach(() => {
  source = new ManualSource();
  server.requests.length = 0;
  server.attempts = 0;
  server.abandoned = 0;
});
afterEach(async () => {
  for (const open of watches.splice(0)) await open.close();
});

interface Observed {
  readonly watch: Watch;
  readonly answers: Answer[];
  readonly receipts: Receipt[];
  readonly failures: CapError[];
  readonly skips: string[];
  readonly text: string[];
}

function observe(options: WatchOptions = {}, by: Adaptor = adaptor): Observed {
  const watch = new Watch(source, by, { everyMs: 0, backOffMs: 1, gate: false, ...options });
  watches.push(watch);
  const observed: Observed = { watch, answers: [], receipts: [], failures: [], skips: [], text: [] };
  watch.on('answered', (answer, receipt) => {
    observed.answers.push(answer);
    observed.receipts.push(receipt);
  });
  watch.on('failed', (error) => observed.failures.push(error));
  watch.on('skipped', (_frame, reason) => observed.skips.push(reason));
  watch.on('streamed', (delta) => observed.text.push(delta));
  return observed;
}

/** A behaviour that waits, and what lets it go on. */
function hold(): { behaviour: Behaviour; release: () => void } {
  let release = (): void => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { behaviour: { kind: 'hold', until }, release };
}

function expectAddsUp(watch: Watch): void {
  const { seen, ...outcomes } = watch.counts();
  expect(seen).toBe(Object.values(outcomes).reduce((sum, count) => sum + count, 0));
  for (const count of Object.values(watch.counts())) expect(count).toBeGreaterThanOrEqual(0);
}

/** Refused once, without the SDK's own retries. */
function status(code: number, headers: Record<string, string> = {}): Behaviour {
  return { kind: 'status', status: code, headers: { 'x-should-retry': 'false', ...headers } };
}

function metadata(changes: Partial<FrameMetadata>): FrameMetadata {
  return {
    frameNumber: 700,
    capturedMonotonicNs: monotonicNowNs(),
    capturedWallUs: wallNowUs(),
    clockId: clockId(),
    source: { width: 64, height: 48 },
    plan: 'source',
    ...changes,
  };
}

test('01 the newest frame wins, and every frame is accounted for', async () => {
  const first = hold();
  const second = hold();
  server.script(first.behaviour, second.behaviour);
  source.push();
  const { watch, answers, text } = observe();
  await expect.poll(() => text.length).toBe(1);
  source.push(5);
  expect(watch.counts()).toMatchObject({ seen: 6, superseded: 0, answered: 0, pending: 6 });
  first.release();
  await expect.poll(() => server.requests.length).toBe(2);
  expect(answers.map((answer) => answer.frameNumber)).toEqual([0]);
  expect(watch.counts()).toMatchObject({ seen: 6, superseded: 4, answered: 1, pending: 1 });
  second.release();
  await expect.poll(() => answers.length).toBe(2);
  expect(answers[1]?.frameNumber).toBe(5);
  await watch.close();
  expect(watch.counts()).toEqual({
    seen: 6,
    superseded: 4,
    gated: 0,
    overBudget: 0,
    stale: 0,
    skipped: 0,
    failed: 0,
    aborted: 0,
    answered: 2,
    pending: 0,
  });
  expect(await watch.finished).toBeUndefined();
});

test('02 an answer says what was sent, what it cost and how old the frame was', async () => {
  source.push(1, metadata({ capturedMonotonicNs: monotonicNowNs() - 250_000_000n }));
  const { answers, receipts, text } = observe({ prompt: 'What is the user doing?' });
  await expect.poll(() => answers.length).toBe(1);
  const [answer] = answers;
  expect(answer).toMatchObject({
    text: FAKE_DELTAS.join(''),
    provider: 'anthropic',
    model: 'claude-haiku-5-5-served',
    frameNumber: 700,
    images: [
      {
        width: 64,
        height: 48,
        mediaType: server.requests[0]?.images[0]?.mediaType,
        bytes: server.requests[0]?.images[0]?.bytes,
      },
    ],
    estimatedTokens: 6,
    reportedTokens: { inputTokens: 110, outputTokens: 3 },
  });
  expect(answer?.frameAgeMs).toBeGreaterThanOrEqual(250);
  expect(answer?.latencyMs).toBeGreaterThan(0);
  expect(text).toEqual(FAKE_DELTAS);
  expect(server.requests[0]?.prompt).toBe('What is the user doing?');
  expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
  const [receipt] = receipts;
  const base64 = /"data":"([^"]+)"/.exec(JSON.stringify(server.requests[0]?.body))?.[1] ?? '';
  const image = Buffer.from(base64, 'base64');
  expect(receipt).toMatchObject({
    frameNumber: 700,
    frameAgeMs: answer?.frameAgeMs,
    preset: 'source',
    provider: 'anthropic',
    billedTokens: { inputTokens: 110, outputTokens: 3 },
    images: [{ ...answer?.images[0], sha256: createHash('sha256').update(image).digest('hex') }],
  });
  expect(JSON.parse(JSON.stringify(receipt))).toEqual(receipt);
});

test('03 a failure is an event, and the watch goes on', async () => {
  server.script(status(500), status(529));
  source.push();
  const { watch, answers, failures } = observe();
  await expect.poll(() => failures.length).toBe(1);
  source.push();
  await expect.poll(() => failures.length).toBe(2);
  source.push();
  await expect.poll(() => answers.length).toBe(1);
  expect(failures.map((error) => error.code)).toEqual(['CAP_PROVIDER_UNAVAILABLE', 'CAP_PROVIDER_UNAVAILABLE']);
  expect(watch.counts()).toMatchObject({ seen: 3, failed: 2, answered: 1, pending: 0 });
});

test('04 the wait that the provider names is kept', async () => {
  server.script(status(429, { 'retry-after-ms': '120' }));
  source.push();
  const { watch, answers } = observe();
  let failedAtMs = 0;
  watch.once('failed', () => {
    failedAtMs = performance.now();
    source.push();
  });
  await expect.poll(() => answers.length).toBe(1);
  expect(performance.now() - failedAtMs).toBeGreaterThanOrEqual(119);
  expect(server.attempts).toBe(2);
});

test('05 a refused key ends the watch at once', async () => {
  const wrong = await openAdaptor('anthropic', { apiKey: 'not-the-right-key', baseUrl: server.origin });
  source.push();
  const { watch, failures } = observe({}, wrong);
  expect(await watch.finished).toMatchObject({ code: 'CAP_PROVIDER_AUTH' });
  expect(failures).toHaveLength(1);
  expect(server.attempts).toBe(1);
  await wrong.close();
});

test('06 three refusals in a row end the watch, two do not', async () => {
  server.script(status(400), status(400), { kind: 'answer', deltas: ['fine'] }, status(400), status(400), status(400));
  source.push();
  const { watch, answers, failures } = observe();
  watch.on('failed', () => source.push());
  watch.on('answered', () => source.push());
  expect(await watch.finished).toMatchObject({ code: 'CAP_PROVIDER_REJECTED' });
  expect([answers.length, failures.length]).toEqual([1, 5]);
  expectAddsUp(watch);
  expect(watch.counts().pending).toBe(0);
});

test('07 gates hold frames back, with a reason', async () => {
  const { watch, answers, skips } = observe({
    gates: [() => undefined, async (frame) => (frame.sequence < 2 ? `frame ${frame.sequence} is dull` : undefined)],
  });
  for (const expected of [1, 2]) {
    source.push();
    await expect.poll(() => skips.length).toBe(expected);
  }
  source.push();
  await expect.poll(() => answers.length).toBe(1);
  expect(skips).toEqual(['frame 0 is dull', 'frame 1 is dull']);
  expect(watch.counts()).toMatchObject({ seen: 3, skipped: 2, answered: 1, pending: 0 });
});

test('08 a frame that is too old is counted and not sent', async () => {
  const { watch, answers } = observe({ staleAfterMs: 1000 });
  source.push(1, metadata({ capturedMonotonicNs: monotonicNowNs() - 5_000_000_000n }));
  await expect.poll(() => watch.counts().stale).toBe(1);
  source.push(1, metadata({}));
  await expect.poll(() => answers.length).toBe(1);
  expect(server.requests).toHaveLength(1);
});

test('09 close aborts what is under way', async () => {
  const held = hold();
  server.script(held.behaviour);
  source.push();
  const { watch, text, failures } = observe();
  const ended: unknown[] = [];
  watch.on('ended', (error) => ended.push(error));
  await expect.poll(() => text.length).toBe(1);
  source.push(2);
  await Promise.all([watch.close(), watch.close()]);
  expect(ended).toEqual([undefined]);
  expect(failures).toEqual([]);
  expect(watch.counts()).toMatchObject({ seen: 3, superseded: 2, aborted: 1, pending: 0 });
  await expect.poll(() => server.abandoned).toBe(1);
  held.release();
  source.push();
  expect(watch.counts().seen).toBe(3);
});

test('10 close ends a watch that waits for a frame, for its back-off or for its period', async () => {
  const waiting = observe();
  await waiting.watch.close();
  expect(waiting.watch.counts().seen).toBe(0);

  source.push();
  server.script(status(500));
  const backingOff = observe({ backOffMs: 3_600_000, maxBackOffMs: 3_600_000 });
  await expect.poll(() => backingOff.failures.length).toBe(1);
  await backingOff.watch.close();

  const pausing = observe({ everyMs: 3_600_000 });
  await expect.poll(() => pausing.answers.length).toBe(1);
  source.push();
  await pausing.watch.close();
  expect(pausing.answers).toHaveLength(1);
});

test('11 a lost source ends the watch with its error', async () => {
  const { watch, answers } = observe();
  source.push();
  await expect.poll(() => answers.length).toBe(1);
  source.fail(new CapError('CAP_STREAM_UNAVAILABLE', 'the stream is gone'));
  expect(await watch.finished).toMatchObject({ code: 'CAP_STREAM_UNAVAILABLE' });
  expectAddsUp(watch);
});

test('12 requests start no closer than the period', async () => {
  const everyMs = 80;
  const startsMs: number[] = [];
  const { watch, answers } = observe({ everyMs });
  watch.on('answered', () => source.push());
  source.push();
  const timer = setInterval(() => source.push(), 5);
  watch.on('streamed', (delta) => {
    if (delta === FAKE_DELTAS[0]) startsMs.push(performance.now());
  });
  await expect.poll(() => answers.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(4);
  clearInterval(timer);
  await watch.close();
  const whole = (startsMs[3] ?? 0) - (startsMs[0] ?? 0);
  // Starts are seen by their first text, so only the sum of the pauses is exact to a fraction of one.
  expect(whole).toBeGreaterThan(2.5 * everyMs);
  expectAddsUp(watch);
});

test('13 concurrent requests get different frames', async () => {
  const held = [hold(), hold()];
  server.script(...held.map((one) => one.behaviour));
  const { watch, answers, text } = observe({ concurrency: 2 });
  source.push();
  await expect.poll(() => text.length).toBe(1);
  source.push();
  await expect.poll(() => text.length).toBe(2);
  source.push(3);
  expect(server.attempts).toBe(2);
  for (const one of held) one.release();
  await expect.poll(() => answers.length).toBe(3);
  expect(answers.map((answer) => answer.frameNumber).sort()).toEqual([0, 1, 4]);
  expectAddsUp(watch);
});

test('14 an unknown or impossible option is refused', () => {
  expect(() => new Watch(source, adaptor, { every: 5 } as WatchOptions)).toThrow('unknown option "every" for watch');
  expect(() => new Watch(source, adaptor, { concurrency: 0 })).toThrow('expected a whole number from 1 to 64');
  expect(() => new Watch(source, adaptor, { everyMs: -1 })).toThrow('everyMs');
  expect(() => new Watch(source, adaptor, { staleAfterMs: 0 })).toThrow('staleAfterMs');
});

test('15 a media type that the model does not take ends the watch', async () => {
  source.push();
  const compatible = await openAdaptor('openai-compatible', { model: 'qwen3-vl', baseUrl: server.baseUrl });
  const { watch, failures } = observe({ mediaType: 'image/webp' }, compatible);
  expect(await watch.finished).toMatchObject({ code: 'CAP_USAGE' });
  expect(failures).toHaveLength(1);
  expect(server.attempts).toBe(0);
  await compatible.close();
});

test('16 describe looks once, at a frame without metadata too', async () => {
  source.push(3);
  const answer = await describeOnce(source, adaptor, { prompt: 'What is this?' });
  expect(answer).toMatchObject({ frameNumber: 2, text: FAKE_DELTAS.join('') });
  expect(answer).not.toHaveProperty('frameAgeMs');
  const far = metadata({ clockId: clockId() ^ 1n, capturedWallUs: wallNowUs() - 3_000_000n, capturedMonotonicNs: 1n });
  source.push(1, far);
  const { frameAgeMs } = await describeOnce(source, adaptor);
  expect(frameAgeMs).toBeGreaterThanOrEqual(2999);
  expect(frameAgeMs).toBeLessThan(3_600_000);
});

test('17 describe gives up after its time', async () => {
  const held = hold();
  server.script(held.behaviour);
  source.push();
  await expect(describeOnce(source, adaptor, { timeoutMs: 30 })).rejects.toMatchObject({
    code: 'CAP_PROVIDER_UNAVAILABLE',
    message: 'anthropic: no answer within 0.03 s',
  });
  held.release();
});
