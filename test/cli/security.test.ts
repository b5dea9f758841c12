import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { probe } from '../support/media-clients.js';
import { start } from '../support/process.js';
import { RtspPlayer } from '../support/rtsp-player.js';

beforeAll(buildCommands);

let folder: string;
let users: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-security-'));
  users = join(folder, 'users');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Nothing of the user's own is read or written. */
const env = (more: Record<string, string> = {}) => ({ XDG_STATE_HOME: folder, XDG_RUNTIME_DIR: folder, ...more });

const PASSWORD = 'correct horse';
const HTDIGEST = 'ann:cap:3cd715b9928b4c9307822374a75d1404';

const addUser = (name: string, password: string, ...args: string[]) =>
  runCap(['user', 'add', name, '--auth-file', users, ...args], { input: `${password}\n` });

/** A stream of a small test picture, until `use` is done with it. */
async function startStream(args: readonly string[], more: Record<string, string> = {}) {
  const source = ['--source', 'test', '--size', '320x240', '--rtsp'];
  const cap = startCap([...source, ...args], { env: env(more) });
  try {
    const [url] = await cap.waitForOutput(/^rtsps?:\/\/\S+$/m);
    return { cap, url, [Symbol.asyncDispose]: () => cap.close() };
  } catch (error) {
    await cap.close();
    throw error;
  }
}

describe('cap user', () => {
  test('adds, changes, lists and removes, and keeps no password', async () => {
    expect(await addUser('ann', PASSWORD)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await addUser('bob', 'the builder', '--path', '/cap/1', '--path', '/lab')).toMatchObject({ code: 0 });
    const written = readFileSync(users, 'utf8');
    expect(written).not.toMatch(/horse|builder/);
    expect(statSync(users).mode & 0o777).toBe(0o600);
    const list = () => runCap(['user', 'list', '--auth-file', users]);
    expect((await list()).stdout).toBe('USER  MAY READ\nann   everything\nbob   /cap/1 /lab\n');
    await addUser('ann', 'another one');
    expect(readFileSync(users, 'utf8').split('\n')[0]).not.toBe(written.split('\n')[0]);
    expect(await runCap(['user', 'remove', 'ann', '--auth-file', users])).toMatchObject({ code: 0 });
    expect((await list()).stdout).not.toContain('ann');
  });

  test.each([
    [['add', 'a b'], PASSWORD, /letters, digits/],
    [['add', 'ann', '--path', 'cap'], PASSWORD, /a path such as \/cap/],
    [['add', 'ann'], 'short', /at least 8 characters/],
    [['add', 'ann'], '', /at least 8 characters/],
    [['remove', 'ann'], '', /cannot read the users in .*no such file/],
    [['list'], '', /cannot read the users in .*no such file/],
  ])('%j is refused', async (args, password, message) => {
    const result = await runCap(['user', ...args, '--auth-file', users], { input: `${password}\n` });
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(2);
  });
});

test('a password that is typed is not shown', async () => {
  const typed = `${process.execPath} bin/cap.mjs user add ann --auth-file ${users}`;
  await using terminal = start('script', ['-qec', typed, '/dev/null'], { keepStdinOpen: true });
  await terminal.waitForOutput(/Password for ann: /);
  terminal.stdin.write(`${PASSWORD}\r`);
  expect((await terminal.waitForExit()).code).toBe(0);
  expect(terminal.stdout).not.toContain('horse');
  expect(readFileSync(users, 'utf8')).toBe(`${HTDIGEST}\n`);
});

describe('cap --rtsp with logins', () => {
  test('takes a file as htdigest writes it, and warns when others can read it', async () => {
    await addUser('ann', PASSWORD);
    expect(readFileSync(users, 'utf8')).toBe(`${HTDIGEST}\n`);
    chmodSync(users, 0o644);
    await using stream = await startStream(['--rtsp-port', '0', '--auth-file', users, '--host', '0.0.0.0']);
    await stream.cap.waitForOutput(/warn: .*users can be read by others: chmod 600/, 20_000, 2);
    await stream.cap.waitForOutput(/warn: 0\.0\.0\.0 is open to the network, which can see the stream/, 20_000, 2);
    const withLogin = stream.url.replace('rtsp://', `rtsp://ann:${encodeURIComponent(PASSWORD)}@`);
    expect(await probe(withLogin)).toMatchObject({ codec: 'h264' });
    await expect(probe(stream.url)).rejects.toThrow('401');
  });

  test('takes one from the environment or the command line, and says nothing of the password', async () => {
    await using stream = await startStream(['--rtsp-port', '0', '-v', '--auth', `bob:${PASSWORD}`], {
      CAP_AUTH: `ann:${PASSWORD}`,
    });
    for (const user of ['ann', 'bob']) {
      await using player = await RtspPlayer.overTcp(stream.url, { login: { user, password: PASSWORD } });
      await player.waitForUnits(2);
    }
    await stream.cap.waitForOutput(/warn: the password after --auth can be seen/, 20_000, 2);
    await stream.cap.waitForOutput(/reader joined .*user=bob/, 20_000, 2);
    expect(stream.cap.stdout + stream.cap.stderr).not.toContain('horse');
  });

  test('cap describe logs in from the environment, and says when it is refused', async () => {
    await using stream = await startStream(['--rtsp-port', '0'], { CAP_AUTH: `ann:${PASSWORD}` });
    const login = { CAP_RTSP_USER: 'ann', CAP_RTSP_PASSWORD: PASSWORD };
    expect(await runCap(['describe', stream.url], { env: env(login) })).toMatchObject({ code: 0 });
    const refused = await runCap(['describe', stream.url], {
      env: env({ ...login, CAP_RTSP_PASSWORD: 'wrong horse' }),
    });
    expect(refused.stderr).toMatch(
      /^cap: .* wants a user name and password, or refuses those given \(set CAP_RTSP_USER/,
    );
    expect(refused.code).toBe(15);
    expect(refused.stderr).not.toContain('horse');
  });

  test.each([
    [['--auth', 'nobody'], /expected user:password for --auth/],
    [['--auth', ':secret123'], /expected user:password for --auth/],
    [['--auth', 'a:secret123', '--auth', 'a:secret456'], /the user a is given twice/],
    [['--auth-file', '/dev/null'], /has no users/],
    [['--tls-cert', 'x.pem'], /--tls-cert needs --tls-key/],
    [['--tls-cert', 'x.pem', '--tls-key', 'y.pem'], /cannot read the TLS (certificate|key)/],
    [['--rtsps-port', '0'], /--rtsps-port is for TLS/],
    [['--source-fingerprint', 'sha256:00'], /--source-fingerprint is for --source rtsps/],
    [['--max-readers', '0'], /whole number from 1 to 1000/],
  ])('%j is refused, and no password is quoted', async (args, message) => {
    const result = await runCap(['--rtsp', '--source', 'test', ...args]);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toContain('secret');
    expect(result.code).toBe(2);
  });

  test('a file with a wrong line is refused by its number', async () => {
    for (const line of ['ann', 'ann:cap:xyz', `ann:other:${'0'.repeat(32)}`, `ann:cap:${'0'.repeat(32)}:cap`]) {
      writeFileSync(users, `# readers\n${line}\n`, { mode: 0o600 });
      const result = await runCap(['--rtsp', '--source', 'test', '--auth-file', users]);
      expect(result.stderr).toMatch(/^cap: expected .* in line 2 of /);
      expect(result.code).toBe(2);
    }
  });
});

describe('over HTTP', () => {
  const open = ['--rtsp-port', '0', '--http', '--http-port', '0', '--host', '0.0.0.0'];
  const basic = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`;
  const statusOf = async (url: string, authorization: string) =>
    (await fetch(`${url}/api/streams`, { headers: { authorization } })).status;

  test('a login for RTSP is one for HTTP, and a warning says when the network can see it', async () => {
    {
      await using stream = await startStream(open, { CAP_AUTH: `ann:${PASSWORD}` });
      await stream.cap.waitForOutput(
        /warn: HTTP at 0\.0\.0\.0 is open to the network, which can see passwords/,
        20_000,
        2,
      );
      const [url] = await stream.cap.waitForOutput(/^http:\S+$/m);
      expect(await statusOf(url, '')).toBe(401);
      expect(await statusOf(url, basic)).toBe(200);
    }
    await using stream = await startStream(open);
    await stream.cap.waitForOutput(/warn: HTTP at 0\.0\.0\.0 is open to the network and asks nobody/, 20_000, 2);
  });

  test('--tls is for HTTP, too, unless told otherwise; without RTSP there are logins all the same', async () => {
    const tls = ['--tls', '--http', '--http-port', '0', '--source', 'test', '--size', '320x240'];
    {
      await using cap = startCap(tls, { env: env({ CAP_AUTH: `ann:${PASSWORD}` }) });
      await cap.waitForOutput(/^https:\/\/127\.0\.0\.1:\d+\ncertificate sha256:[0-9a-f]{64}$/m);
    }
    const plain = ['--rtsp', '--rtsps-port', '0', '--http-plain'];
    await using cap = startCap([...tls, ...plain], { env: env({ CAP_AUTH: `ann:${PASSWORD}` }) });
    const [url] = await cap.waitForOutput(/^http:\S+$/m);
    expect(await statusOf(url, '')).toBe(401);
    expect(await statusOf(url, basic)).toBe(200);
    const idle = await runCap(['--http', '--http-plain', '--source', 'test']);
    expect(idle).toMatchObject({ code: 2, stderr: expect.stringContaining('--http-plain is for where there is TLS') });
  });
});

test('cap --tls serves nothing in the clear, and what it prints can be pinned', async () => {
  await using stream = await startStream(['--tls', '--rtsps-port', '0']);
  expect(stream.url).toMatch(/^rtsps:\/\/127\.0\.0\.1:\d+\/cap$/);
  const [, fingerprint = ''] = await stream.cap.waitForOutput(/^certificate (sha256:[0-9a-f]{64})$/m);
  expect(stream.cap.stdout).not.toContain('rtsp://');
  const describeIt = (...args: string[]) => runCap(['describe', stream.url, ...args]);
  expect(await describeIt('--tls-fingerprint', fingerprint)).toMatchObject({ code: 0 });
  const refused = await describeIt();
  expect(refused.stderr).toContain(`the server's certificate is not trusted: it is ${fingerprint}`);
  expect(refused.code).toBe(16);
  expect(statSync(join(folder, 'cap/tls/self-signed.pem')).mode & 0o777).toBe(0o600);
});

test('cap --tls --rtsp-port serves both', async () => {
  await using stream = await startStream(['--tls', '--rtsps-port', '0', '--rtsp-port', '0']);
  await stream.cap.waitForOutput(/^rtsp:\/\/\S+\nrtsps:\/\/\S+\ncertificate sha256:/m);
});

test('cap readers lists who reads and ends who should not', async () => {
  const readers = (...args: string[]) => runCap(['readers', ...args], { env: env() });
  expect(await readers()).toMatchObject({ code: 10, stderr: expect.stringContaining('no stream runs here') });
  await using stream = await startStream(['--rtsp-port', '0'], { CAP_AUTH: `ann:${PASSWORD}` });
  await vi.waitFor(async () => expect((await readers()).stdout).toBe('Nobody reads\n'), { timeout: 20_000 });
  await using player = await RtspPlayer.overTcp(stream.url, { login: { user: 'ann', password: PASSWORD } });
  await player.waitForUnits(15);
  expect((await readers()).stdout).toMatch(
    /^GATEWAY +ID +PEER +USER +OVER +PATH +SINCE +SENT +CUT OFF\n +\d+ +1 +127\.0\.0\.1 +ann +tcp +\/cap +\d+s +\d+\.\d MB +0\n$/,
  );
  const [row] = JSON.parse((await readers('--json')).stdout);
  expect(row).toMatchObject({ id: 1, user: 'ann', path: '/cap', behind: false });
  expect(row.sentBytes).toBeGreaterThan(1000);
  expect(await readers('--kick', '9')).toMatchObject({ code: 2, stderr: expect.stringContaining('no reader 9') });
  expect(await readers('--kick', '1', '--gateway', String(row.gateway))).toMatchObject({ code: 0 });
  await player.client.closed;
  expect((await readers()).stdout).toBe('Nobody reads\n');
});
