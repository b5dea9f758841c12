import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FleetAdaptor, FleetClient } from '../../src/consumer/index.js';
import { selfSignedIdentity } from '../../src/transport/index.js';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { startOldRedis } from '../support/old-redis.js';
import { freePort } from '../support/port.js';
import { RedisServer } from '../support/redis-server.js';

const PASSWORD = 'quiet-password-99';

let redis: RedisServer;
let server: FakeProvider;
beforeAll(async () => {
  await buildCommands();
  redis = await RedisServer.start();
  server = await FakeProvider.start();
}, 120_000);
afterAll(async () => {
  await server?.close();
  await redis?.close();
});

const startWorker = (url: string, env: Record<string, string> = {}) =>
  startCap(['worker', '--provider', 'anthropic', '--base-url', server.origin], {
    env: { CAP_QUEUE_URL: url, ANTHROPIC_API_KEY: FAKE_KEY, ...env },
  });

test.each([
  ['no address', [], /^cap: there is no address of a queue/],
  ['a password', ['--queue', `redis://cap:${PASSWORD}@127.0.0.1:6379/0`], /^cap: a password after --queue can be seen/],
  ['another scheme', ['--queue', 'http://127.0.0.1:6379/'], /^cap: expected an address such as redis:/],
  ['a wrong database', ['--queue', 'redis://127.0.0.1/cap'], /^cap: expected an address such as redis:/],
])('%s is refused in a line', async (_what, args, message) => {
  const { code, stderr } = await runCap(['worker', ...args], { env: { CAP_QUEUE_URL: undefined } });
  expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 2, lines: 1 });
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain(PASSWORD);
});

test('a Redis that is not there, refuses the login or is too old ends watch and worker with a line', async () => {
  await using locked = await RedisServer.start('--requirepass', PASSWORD);
  await using old = await startOldRedis('5.0.14');
  const nobody = await freePort();
  const cases = [
    [`redis://127.0.0.1:${nobody}/0`, /out of reach: .*ECONNREFUSED.* \(check that Redis runs there\)|ECONNREFUSED/],
    [`redis://127.0.0.1:${locked.port}/0`, /NOAUTH/],
    [`redis://:wrong-password@127.0.0.1:${locked.port}/0`, /WRONGPASS/],
    [`redis://127.0.0.1:${old.port}/0`, /is of version 5\.0\.14.*6\.2 or newer/],
  ] as const;
  for (const [url, message] of cases) {
    for (const args of [['worker'], ['watch', 'rtsp://127.0.0.1:1/', '--queue']]) {
      const { code, stderr } = await runCap(args, { env: { CAP_QUEUE_URL: url } });
      expect({ code, lines: stderr.trim().split('\n').length, stderr }).toMatchObject({ code: 21, lines: 1 });
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('wrong-password');
    }
  }
}, 120_000);

test('cap doctor looks at the queue that the environment names', async () => {
  const doctor = async (url: string) => (await runCap(['doctor'], { env: { CAP_QUEUE_URL: url } })).stdout;
  expect(await doctor(redis.url)).toMatch(/^✓ queue: Redis \d+\.\d+\.\d+ at redis:\/\/127/m);
  expect(await doctor(`redis://127.0.0.1:${await freePort()}/0`)).toMatch(/^✗ queue: .*out of reach: .*ECONNREFUSED/m);
}, 120_000);

test('what only those who ask can be told is refused', async () => {
  const { code, stderr } = await runCap(
    ['watch', 'rtsp://127.0.0.1:1/', '--queue', redis.url, '--provider', 'openai', '--base-url', 'http://127.0.0.1:1/'],
    {},
  );
  expect(code).toBe(2);
  expect(stderr).toMatch(/baseUrl is for those who ask the model.*cap worker/);
});

test('Ctrl-C lets a worker finish, however long other commands would be given; a second one does not wait', async () => {
  await using client = await FleetClient.open(redis.url);
  await using adaptor = await FleetAdaptor.open(client, { provider: 'anthropic', stream: 'one' });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.reset();
  server.script({ kind: 'hold', until: held }, { kind: 'hold', until: new Promise(() => {}) });
  await using worker = startWorker(redis.url);
  await worker.waitForOutput(/^asking anthropic\/claude-haiku-5-5 for redis:\/\/127/m, 60_000, 2);
  const answer = adaptor.ask({ prompt: 'What?', images: [] });
  await expect.poll(() => server.requests.length).toBe(1);
  worker.signal('SIGINT');
  await worker.waitForOutput(/^finishing 1 requests/m, 20_000, 2);
  // Other commands are ended after this time.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(worker.ended).toBe(false);
  release();
  expect(await answer).toMatchObject({ attempts: 1 });
  expect(await worker.waitForExit()).toMatchObject({ code: 0 });
  expect(worker.stderr).toMatch(/^1 answered, 0 failed/m);

  await using other = startWorker(redis.url);
  await other.waitForOutput(/^asking /m, 60_000, 2);
  const leaving = new AbortController();
  const lost = adaptor.ask({ prompt: 'What else?', images: [], signal: leaving.signal }).catch(() => 'left');
  await expect.poll(() => server.requests.length).toBe(2);
  other.signal('SIGINT');
  await other.waitForOutput(/^finishing 1 requests/m, 20_000, 2);
  other.signal('SIGINT');
  expect(await other.waitForExit()).toMatchObject({ code: 130 });
  leaving.abort();
  expect(await lost).toBe('left');
}, 120_000);

test('rediss:// is Redis over TLS, with an authority of the environment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cap-rediss-'));
  try {
    const { certificate, key } = await selfSignedIdentity(folder);
    const [certFile, keyFile] = [join(folder, 'own.crt'), join(folder, 'own.key')];
    writeFileSync(certFile, certificate);
    writeFileSync(keyFile, key);
    const port = await freePort();
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile];
    await using secured = await RedisServer.start('--tls-port', `${port}`, '--tls-auth-clients', 'no', ...files);
    expect(secured.port).not.toBe(port);
    const url = `rediss://localhost:${port}/0`;
    await using worker = startWorker(url, { NODE_EXTRA_CA_CERTS: certFile });
    await worker.waitForOutput(/^asking /m, 60_000, 2);
    const { code, stderr } = await runCap(['worker', '--queue', url]);
    expect(code).toBe(21);
    expect(stderr).toMatch(/self-signed certificate/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
