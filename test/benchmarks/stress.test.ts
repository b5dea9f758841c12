import { beforeAll, expect, test } from 'vitest';
import { fuzz } from '../../benchmarks/stress/fuzz.js';
import { killCaptures } from '../../benchmarks/stress/kills.js';
import { mutate } from '../../benchmarks/stress/mutation.js';
import { SESSIONS_EACH, shortSessions } from '../../benchmarks/stress/sessions.js';
import { buildCommands } from '../support/cap.js';
import { seededRandom } from '../support/prng.js';
import { run } from '../support/process.js';
import { projectRoot } from '../support/programs.js';

beforeAll(async () => {
  await buildCommands();
  // The clients are processes of their own, of which there are many.
  const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.benchmarks.json'];
  await run(process.execPath, compiler, { cwd: projectRoot, timeoutMs: 300_000 });
}, 300_000);

test('mutations differ from each other and from the request, and are the same with the same seed', () => {
  const request = Buffer.from('OPTIONS rtsp://127.0.0.1:8554/cap RTSP/1.0\r\nCSeq: 1\r\n\r\n');
  const some = (seed: number): string[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 200 }, () => mutate(request, random).toString('latin1'));
  };
  expect(new Set(some(1)).size).toBeGreaterThan(180);
  expect(some(1).filter((text) => text === request.toString('latin1')).length).toBeLessThan(10);
  expect(some(1)).toEqual(some(1));
  expect(some(2)).not.toEqual(some(1));
});

test('mutated dialogues over RTSP and HTTP neither end the gateway nor leave anything open', async () => {
  const { requests, answers, before, after } = await fuzz({ requests: 4000 });
  expect(requests).toBeGreaterThanOrEqual(4000);
  for (const kind of ['2xx', '4xx']) expect(answers[kind]).toBeGreaterThan(100);
  expect(answers['5xx'] ?? 0).toBeLessThan(requests / 20);
  // Some things are opened when they are used first.
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 12);
}, 180_000);

test('short sessions, half of them killed, leave nothing behind', async () => {
  const { sessions, killed, before, after } = await shortSessions({ sessions: 25 * SESSIONS_EACH });
  expect([sessions, killed]).toEqual([1000, 500]);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 5);
}, 180_000);

test('captures that are killed are back, and their readers stay', async () => {
  const { backMs, lost, outOfOrder, pictures } = await killCaptures(3, 10);
  expect(backMs).toHaveLength(3);
  expect([lost, outOfOrder]).toEqual([0, 0]);
  expect(pictures).toBeGreaterThan(10 * 15);
});
