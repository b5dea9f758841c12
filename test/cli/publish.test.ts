import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { PublishServer } from '../support/publish-servers.js';

beforeAll(buildCommands);

const PATIENCE = { timeout: 30_000 };
const TEST = ['--source', 'test', '-f', '15'];

const framesAt = (server: PublishServer, count: number) =>
  vi.waitFor(async () => expect((await server.frameNumbers()).length).toBeGreaterThan(count), PATIENCE);

test('cap --publish pushes to several, says to whom, and counts', async () => {
  await using one = await PublishServer.rtsp('joe:over-there');
  await using other = await PublishServer.rtsp();
  await Promise.all([one.start(), other.start()]);
  // The one with a secret comes from the environment.
  const env = { CAP_PUBLISH: one.url };
  await using cap = startCap(['--publish', other.url, '--metrics-port', '0', ...TEST], { env });
  await Promise.all([framesAt(one, 15), framesAt(other, 15)]);
  await cap.waitForOutput(/publishing[\s\S]*publishing/, 20_000, 2);
  expect(cap.stdout).toContain(`publishing to ${one.url.replace('joe:over-there@', '')}\n`);
  expect(cap.stdout + cap.stderr).not.toMatch(/over-there|warn/);
  const [, metrics] = await cap.waitForOutput(/metrics at (\S+)/);
  expect(await (await fetch(metrics as string)).text()).toContain(`cap_publish_connected{server="${other.url}"} 1`);
  cap.signal('SIGINT');
  expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
});

test('cap serve pushes what a mount says, also after its capture died', async () => {
  await using server = await PublishServer.rtsp();
  await server.start();
  await using gateway = await ServedConfig.start(`[mounts.a]\n${TEST_MOUNT}publish = ["${server.url}"]\n`);
  await framesAt(server, 10);
  process.kill(gateway.workers('capture of /a')[0] as number, 'SIGKILL');
  const { length } = await server.frameNumbers();
  await framesAt(server, length + 30);
});

test('a WHIP server gets the token of a file or the environment, in cap and in cap serve', async () => {
  const token = 'geheim.token_1';
  await using server = await PublishServer.whip(token);
  await server.start();
  {
    await using cap = startCap(['--publish', server.url, ...TEST], { env: { CAP_WHIP_TOKEN: token } });
    await framesAt(server, 10);
    cap.signal('SIGINT');
    expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
    expect(server.output).toContain('DELETE 200');
    expect(cap.stdout + cap.stderr).not.toContain('geheim');
  }
  const { length } = await server.frameNumbers();
  const folder = mkdtempSync(join(tmpdir(), 'cap-token-'));
  try {
    writeFileSync(join(folder, 'token'), `${token}\n`, { mode: 0o600 });
    const config = `[mounts.a]\n${TEST_MOUNT}publish = ["${server.url}"]\nwhip-token-file = "${folder}/token"\n`;
    await using gateway = await ServedConfig.start(config);
    await framesAt(server, length + 10);
    expect(gateway.command.stderr).not.toContain('geheim');
    writeFileSync(join(folder, 'token'), 'two words');
    expect(await gateway.reload(config)).toMatch(/^not reloaded.*expected a bearer token in/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each([
  [['--whip-token-file', 'x', '--rtsp'], '--whip-token-file is for a WHIP server'],
  [['--publish', 'whip+http://host/x', '--whip-token-file', '/nowhere/x'], 'cannot read the token in /nowhere/x'],
  [['--publish', 'http://host/x'], 'expected the URL of a server for --publish, received "http://host/x"'],
  [['--publish', 'rtmp://host/app/key', 'rtmp://host/app/key'], '--publish names rtmp://host/app twice'],
  [['--publish', 'rtsp://host/x', '--monitor', 'all'], '--publish cannot be used with --monitor all'],
])('%s is refused', async (args, message) => {
  const { code, stderr } = await runCap(args);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`cap: ${message}`) });
});

test('a secret on the command line is warned of; a server that is away is named', async () => {
  await using server = await PublishServer.rtsp('joe:over-there');
  await using cap = startCap(['--publish', server.url, ...TEST]);
  await cap.waitForOutput(/warn: a secret in the address.*use CAP_PUBLISH/, 20_000, 2);
  await cap.waitForOutput(/warn: not published: nothing listens at .*trying again in 0\.5 s/, 20_000, 2);
  expect(cap.stderr).not.toContain('over-there');
});
