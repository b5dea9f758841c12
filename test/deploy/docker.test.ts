import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCommands } from '../support/cap.js';
import { run, start } from '../support/process.js';

beforeAll(buildCommands);

const ROOT = resolve(import.meta.dirname, '../..');
const DOCKERFILE = readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
/** Of the stage that is run. */
const IMAGE = DOCKERFILE.slice(DOCKERFILE.lastIndexOf('\nFROM '));
const installed = [...IMAGE.matchAll(/^ {6}([a-z][a-z0-9.+-]+) \\$/gm)].map(([, name]) => name);

test('the image has what running needs, without the demo', async () => {
  const script = `import { REQUIREMENTS } from '${ROOT}/scripts/setup/requirements.mjs';
    console.log(REQUIREMENTS.filter(({ stage }) => stage === 'run').map(({ packages }) => packages.apt).join(' '));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  const demo = ['xvfb', 'xterm'];
  const needed = stdout.trim().split(/\s+/);
  expect(needed).toContain('gstreamer1.0-libav');
  expect(needed.filter((name) => !demo.includes(name) && !installed.includes(name))).toEqual([]);
});

test.runIf(existsSync('/usr/bin/dpkg'))('the image has the libraries that the addon is linked with', async () => {
  const addon = join(ROOT, 'build/Release/cap_native.node');
  const { stdout: linked } = await run('objdump', ['-p', addon]);
  const names = [...linked.matchAll(/NEEDED +(\S+)/g)].map(([, name]) => `*/${name}`);
  const { stdout: owners } = await run('dpkg', ['-S', ...names]);
  const packages = new Set(owners.split('\n').flatMap((line) => /^([^:]+):/.exec(line)?.[1] ?? []));
  expect(packages.size).toBeGreaterThan(10);
  // These are in every image with Node.
  for (const base of ['libc6', 'libstdc++6', 'libgcc-s1']) packages.delete(base);
  expect([...packages].filter((name) => !installed.includes(name))).toEqual([]);
});

test('what is copied into the image is enough to serve, and the health check finds it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cap-image-'));
  try {
    for (const [, from = '', to = ''] of IMAGE.matchAll(/^COPY --from=build \/src\/(\S+) \/opt\/cap\/(\S+)$/gm)) {
      if (from === 'node_modules') symlinkSync(join(ROOT, from), join(folder, to));
      else cpSync(join(ROOT, from), join(folder, to), { recursive: true });
    }
    // The configuration of the image, at free ports of this machine alone.
    const config = readFileSync(join(ROOT, 'deploy/docker/cap.toml'), 'utf8')
      .replaceAll('host = "0.0.0.0"', 'port = 0')
      .replace('port = 9464', 'port = 0');
    writeFileSync(join(folder, 'cap.toml'), config);
    const [, command = ''] = /^CMD (\[.*\])$/m.exec(IMAGE) ?? [];
    const args = (JSON.parse(command) as string[]).map((arg) => arg.replace('/etc/cap', folder));
    await using gateway = start(process.execPath, [join(folder, 'bin/cap.mjs'), ...args], {
      env: { XDG_RUNTIME_DIR: folder, XDG_STATE_HOME: folder },
    });
    const [, metrics = ''] = await gateway.waitForOutput(/^metrics at (\S+)\/metrics$/m);
    const [page] = await gateway.waitForOutput(/^http:\S+$/m);
    expect((await fetch(page)).status).toBe(200);
    const [, check = ''] = /^ {2}CMD (\[.*\])$/m.exec(IMAGE) ?? [];
    const [program = '', ...parts] = JSON.parse(check) as string[];
    expect(program).toBe('node');
    const healthOf = async (address: string): Promise<number | null> => {
      const asked = parts.map((part) => part.replace('http://127.0.0.1:9464', address));
      await using health = start(process.execPath, asked);
      return (await health.waitForExit()).code;
    };
    expect(await healthOf(metrics)).toBe(0);
    expect(await healthOf('http://127.0.0.1:1')).toBe(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('nobody is root in the image', () => {
  expect(IMAGE).toMatch(/useradd --system --uid (\d+) [^\n]*\bcap\b/);
  expect(IMAGE.indexOf('\nUSER cap\n')).toBeGreaterThan(IMAGE.lastIndexOf('\nRUN '));
});
