import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { formatUser, rtspUser } from '../../src/transport/index.js';
import { buildCommands, runCap } from '../support/cap.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { RtspPlayer } from '../support/rtsp-player.js';

beforeAll(buildCommands);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-gateway-security-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ANN = { user: 'ann', password: 'geheim77' };
const BOB = { user: 'bob', password: 'geheim88' };

test('users, limits and cap readers hold across the processes of a gateway', async () => {
  const users = join(folder, 'users');
  const lines = [rtspUser(ANN.user, ANN.password), rtspUser(BOB.user, BOB.password, ['/b'])].map(formatUser);
  writeFileSync(users, lines.join('\n'), { mode: 0o600 });
  const env = { XDG_RUNTIME_DIR: folder, XDG_STATE_HOME: folder };
  const rtsp = `auth-file = "${users}"\ntls = true\nrtsps-port = 0\n`;
  await using served = await ServedConfig.start(
    `${rtsp}[mounts.a]\n${TEST_MOUNT}max-readers = 1\n[mounts.b]\n${TEST_MOUNT}`,
    env,
  );
  await Promise.all([served.waitForPicture('/a'), served.waitForPicture('/b')]);
  const readers = (...args: string[]) => runCap(['readers', ...args], { env });

  await using ann = await RtspPlayer.overTcp(served.url('/a'), { login: ANN });
  await ann.waitForUnits(5);
  await expect(RtspPlayer.overTcp(served.url('/a'), { login: ANN })).rejects.toThrow('SETUP was answered with 453');
  await expect(RtspPlayer.overTcp(served.url('/a'), { login: BOB })).rejects.toThrow('DESCRIBE was answered with 403');
  await using bob = await RtspPlayer.overTcp(served.url('/b'), { login: BOB });
  await bob.waitForUnits(5);

  const rows = JSON.parse((await readers('--json')).stdout) as { id: number; user: string; path: string }[];
  expect(rows).toMatchObject([
    { user: 'ann', path: '/a', gateway: served.command.pid },
    { user: 'bob', path: '/b' },
  ]);
  expect(await readers('--kick', `${rows[0]?.id}`)).toMatchObject({ code: 0, stderr: '' });
  await ann.client.closed;
  await vi.waitFor(async () => expect((await readers()).stdout).not.toContain('ann'), { timeout: 20_000 });
  await bob.waitForUnits(5);
  expect(served.command.stdout + served.command.stderr).not.toContain('geheim');
});

test('HTTP has the users and the certificate of [rtsp], also in a process that was started anew', async () => {
  const users = join(folder, 'users');
  writeFileSync(users, `${formatUser(rtspUser(BOB.user, BOB.password, ['/b']))}\n`, { mode: 0o600 });
  const env = { XDG_RUNTIME_DIR: folder, XDG_STATE_HOME: folder };
  await using served = await ServedConfig.start(
    `auth-file = "${users}"\ntls = true\nrtsps-port = 0\n[http]\nport = 0\n[mounts.a]\n${TEST_MOUNT}[mounts.b]\n${TEST_MOUNT}`,
    env,
  );
  await Promise.all([served.waitForPicture('/a'), served.waitForPicture('/b')]);
  const [url] = await served.command.waitForOutput(/^https:\S+$/m);
  const ca = readFileSync(join(folder, 'cap/tls/self-signed.pem'));
  const pathsFor = (auth: string) =>
    new Promise<string[] | number>((resolve, reject) => {
      get(`${url}/api/streams`, { ca, auth, agent: false }, async (response) => {
        const body = await text(response);
        if (response.statusCode !== 200) resolve(response.statusCode ?? 0);
        else resolve((JSON.parse(body) as { path: string }[]).map(({ path }) => path));
      }).on('error', reject);
    });
  expect(await pathsFor('bob:wrong')).toBe(401);
  expect(await pathsFor(`bob:${BOB.password}`)).toEqual(['/b']);
  const [doors = 0] = served.workers('door-worker');
  process.kill(doors, 'SIGKILL');
  await served.waitForPicture('/b', 2);
  expect(await pathsFor(`bob:${BOB.password}`)).toEqual(['/b']);
});
