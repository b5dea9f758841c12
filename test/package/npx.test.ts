import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PackageCopy } from '../support/package-copy.js';
import { type ProgramResult, runProgram, without } from '../support/process.js';

let copy: PackageCopy;
let registry: Server;
let requests: string[];

beforeEach(async () => {
  copy = new PackageCopy(['package.json', 'package-lock.json', '.npmrc', 'bin', 'scripts', 'tsconfig.build.json']);
  requests = [];
  registry = createServer((request, response) => {
    requests.push(decodeURIComponent(request.url ?? ''));
    response.writeHead(404).end('{}');
  });
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
});

afterEach(() => {
  registry.closeAllConnections();
  registry.close();
  copy.remove();
});

/** npx as on a new machine: nothing cached, no user configuration, and a registry that records what it is asked. */
function npx(...args: string[]): Promise<ProgramResult> {
  const { port } = registry.address() as AddressInfo;
  const env = {
    ...without(/^npm_/i),
    npm_config_userconfig: '/dev/null',
    npm_config_cache: join(copy.path, '.npm-cache'),
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_update_notifier: 'false',
  };
  return runProgram('npx', args, { cwd: copy.path, env });
}

test('npx cap before the set-up runs this project and fetches nothing', async () => {
  const { code, stderr } = await npx('cap', '--version');
  expect(stderr).toContain('cap-gateway is not compiled; run: npm run setup');
  expect({ code, requests }).toEqual({ code: 3, requests: [] });
});

test.each(['cap', 'rtsp-demo'])('npx %s after the set-up runs this project and fetches nothing', async (command) => {
  copy.write('build/Release/cap_native.node', '');
  const main = 'export const main = async (args) => { console.log("ours", ...args); return 0; };';
  for (const entry of ['main', 'rtsp-demo']) copy.write(`dist/cli/${entry}.js`, main);
  expect(await npx(command, '--version')).toMatchObject({ code: 0, stdout: 'ours --version\n' });
  expect(requests).toEqual([]);
});
