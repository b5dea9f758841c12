import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  askGateway,
  controlFolder,
  gatewayRoutes,
  runningGateways,
  startControlServer,
} from '../../src/server/index.js';

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'cap-control-'));
  folder = join(base, 'cap');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const reader = {
  id: 7,
  peer: '127.0.0.1',
  protocol: 'tcp',
  path: '/cap',
  connectedMs: 5,
  sentBytes: 10,
  behind: false,
  cutOffs: 0,
} as const;

const routes = (kicked: number[] = []) =>
  gatewayRoutes({
    urls: () => ['rtsp://127.0.0.1:1/cap'],
    readers: () => [reader],
    kick: (id) => {
      kicked.push(id);
      return id === reader.id;
    },
    stop: () => {},
  });

test('a gateway is found, asked and told', async () => {
  const kicked: number[] = [];
  await using control = await startControlServer(routes(kicked), folder);
  const found = await runningGateways(folder);
  expect(found).toEqual([{ pid: process.pid, socketPath: control.socketPath }]);
  const [gateway] = found as [(typeof found)[0]];
  expect(await askGateway(gateway, 'GET', '/status')).toEqual({ pid: process.pid, urls: ['rtsp://127.0.0.1:1/cap'] });
  expect(await askGateway(gateway, 'GET', '/readers')).toEqual([reader]);
  expect(await askGateway(gateway, 'DELETE', '/readers/7')).toEqual({});
  expect(await askGateway(gateway, 'DELETE', '/readers/8')).toBeUndefined();
  expect(await askGateway(gateway, 'GET', '/nothing')).toBeUndefined();
  await expect(askGateway(gateway, 'POST', '/readers')).rejects.toMatchObject({ code: 'CAP_STREAM_UNAVAILABLE' });
  expect(kicked).toEqual([7, 8]);
});

test('the socket is for its owner alone, and gone once closed', async () => {
  mkdirSync(folder, { mode: 0o755 });
  const control = await startControlServer(routes(), folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(control.socketPath).mode & 0o777).toBe(0o600);
  await control.close();
  expect(existsSync(control.socketPath)).toBe(false);
});

test('what fails inside is an answer, not the end', async () => {
  const fails = () => {
    throw new Error('no luck');
  };
  await using control = await startControlServer([{ method: 'GET', path: /^\/x$/, handle: fails }], folder);
  const gateway = { pid: process.pid, socketPath: control.socketPath };
  await expect(askGateway(gateway, 'GET', '/x')).rejects.toThrow('no luck');
  expect(await askGateway(gateway, 'GET', '/y')).toBeUndefined();
});

test('a socket of a process that was killed is removed; other files stay', async () => {
  mkdirSync(folder, { mode: 0o700 });
  const stale = join(folder, '4711.sock');
  // The server closes, its file is left: as after SIGKILL.
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${stale}.live`, resolve));
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  renameSync(`${stale}.live`, stale);
  await new Promise((resolve) => server.close(resolve));
  expect(existsSync(stale)).toBe(true);
  expect(await runningGateways(folder)).toEqual([]);
  expect(existsSync(stale)).toBe(false);
  expect(existsSync(join(folder, 'notes.txt'))).toBe(true);
});

test('a folder that cannot be had is said', async () => {
  writeFileSync(folder, 'a file');
  await expect(startControlServer(routes(), folder)).rejects.toMatchObject({
    code: 'CAP_OUTPUT_FAILED',
    message: expect.stringContaining(folder),
  });
  expect(await runningGateways(join(base, 'none'))).toEqual([]);
});

test('the folder is the session’s, or one of the user’s own', () => {
  expect(controlFolder({ XDG_RUNTIME_DIR: '/run/user/7' })).toBe('/run/user/7/cap');
  for (const env of [{}, { XDG_RUNTIME_DIR: 'here' }]) {
    expect(controlFolder(env)).toBe(join(tmpdir(), `cap-${process.getuid?.()}`));
  }
});
