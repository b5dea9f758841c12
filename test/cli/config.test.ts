import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readGatewayConfig } from '../../src/cli/config/gateway-config.js';
import { silentLogger } from '../../src/core/index.js';
import { selfSignedIdentity } from '../../src/session/index.js';
import { buildCommands, runCap } from '../support/cap.js';

const folder = mkdtempSync(join(tmpdir(), 'cap-config-'));
const file = join(folder, 'cap.toml');
beforeAll(buildCommands);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string): ReturnType<typeof readGatewayConfig> {
  writeFileSync(file, text);
  return readGatewayConfig(file, silentLogger);
}

test('keys are the options of the command, and mean the same', async () => {
  expect(
    await read(`
[rtsp]
host = "127.0.0.2"
port = 0
[mounts."lab/desk"]
display = ":7"
region = "640x480+10+20"
cursor = false
keep-alive = "5s"
redact = ["100,50,300x200", "40x30+1+2"]
redact-window = ["1Password"]
redact-text = ["keys,cards", "/a,b/"]
redact-strict = true
scale-preset = "p4"
fps = 15
quality = "low"
hwencode = false
[mounts]
clock = { source = "test://clock", gundam = true, max-crops = 6 }
`),
  ).toMatchObject({
    rtsp: { host: '127.0.0.2', port: 0 },
    mounts: [
      {
        path: '/lab/desk',
        source: {
          kind: 'screen',
          display: ':7',
          region: { x: 10, y: 20, width: 640, height: 480 },
          cursor: false,
          keepAliveMs: 5000,
        },
        scaling: { preset: 'p4' },
        redaction: {
          windows: ['1Password'],
          texts: ['keys', 'cards', '/a,b/'],
          strict: true,
          regions: [
            { x: 100, y: 50, width: 300, height: 200 },
            { x: 1, y: 2, width: 40, height: 30 },
          ],
        },
        quality: 'low',
        encoder: { hardware: false },
        fps: 15,
      },
      { path: '/clock', source: { kind: 'test', pattern: 'clock' }, scaling: { gundam: true, maxCrops: 6 } },
    ],
  });
});

test.each([
  ['[mounts.a]\n\nfsp = 3', '3: unknown key "fsp"'],
  ['[mounts.a]\nfps = 500', '2: expected a whole number from 1 to 120 for fps'],
  ['[mounts.a]\nfps = 1.5', '2: expected a whole number from 1 to 120 for fps'],
  ['[mounts.a]\nfps = [1]', '2: expected a text or a number for fps'],
  ['[mounts.a]\ncursor = "no"', '2: expected true or false for cursor'],
  ['[mounts.a]\nredact = ["1,2,3"]', '1: expected x,y,w,h such as 100,50,1280,720 for redact'],
  ['[mounts.a]\ngundam = 1', '2: expected true or false for gundam'],
  ['[mounts.a]\nsource = "gopher://x"', '2: expected screen, test or a URL for the source'],
  ['[mounts.a]\nmonitor = "all"', '2: a mount has one monitor'],
  ['[mounts.a]\ngundam = true\nscale-preset = "p4"', '1: gundam and scale-preset exclude each other'],
  ['[mounts.a]\nscale-preset = "p5"', '1: unknown scale preset "p5"'],
  ['[mounts.a]\nsource = "test"\nwindow = "x"', '1: window is for source screen'],
  ['[mounts."../a b"]', '1: expected a path such as desk or lab/door for a mount'],
  ['[mounts]\na = 1', '2: expected a table for a, such as [mounts.a]'],
  ['[mounts.a]\n[rtps]\nport = 1', '2: unknown table "rtps"'],
  ['[mounts.a]\n[rtsp]\nport = 99999', '3: expected a whole number from 0 to 65535 for port'],
  ['[rtsp]\nport = 1', '1: there is no mount'],
  ['[mounts.a]\n[rtsp]\nauth = "a:b"', '3: '],
  ['[mounts.a]\n[rtsp]\nauth-file = "/nonexistent"', '2: '],
  ['[mounts.a]\n[http]\nallow-origin = "x"', '3: expected a list of texts for allow-origin'],
  ['', '1: there is no mount'],
  ['[mounts.a]\nrecord = "x.mp4"', '2: expected a table for record, such as [mounts.a.record]'],
  ['[mounts.a.record]\nsegment-time = "10m"', '1: there is no file in [mounts.a.record]'],
  ['[mounts.a.record]\nfile = "x.mp4"\nsegment-time = "10m"', '2: the name '],
  ['[mounts.a.record]\nfile = "x.avi"', '2: expected a file ending in .mp4'],
  ['[mounts.a.record]\nfile = "%s.mp4"\non-change = 7', '3: expected a duration such as 30s, 2m or 1h, 1000 ms at'],
  ['[mounts.a.record]\nfile = "%s.mp4"\n[mounts.b.record]\nfile = "%s.mp4"', '4: /a and /b record into the same files'],
  ['[mounts.a]\nfps =\n', '3: '],
  ['[mounts.a]\nfps = 1\nfps = 2', '3: '],
  ['[mounts.a\n', '2: '],
])('%j is refused with its place', async (text, message) => {
  await expect(read(text)).rejects.toThrow(`${file}:${message}`);
});

test('a mount is recorded as its table says', async () => {
  const { mounts } = await read(`[mounts."lab/door"]
source = "test"
[mounts."lab/door".record]
file = "{mount}/%s.mp4"
segment-time = "10m"
segment-size = "500M"
retain-time = "7d"
retain-size = "20G"
on-change = true
pre-roll = "5s"
`);
  expect(mounts[0]?.record).toEqual({
    file: '{mount}/%s.mp4',
    mount: 'lab-door',
    segmentMs: 600_000,
    segmentBytes: 5e8,
    retainMs: 7 * 86_400_000,
    retainBytes: 2e10,
    onChangeMs: 10_000,
    preRollMs: 5000,
  });
});

test('a file that is not there, is a folder, is too large or is no text is refused in one line', async () => {
  await expect(readGatewayConfig(join(folder, 'none.toml'), silentLogger)).rejects.toThrow(
    /cannot read .*none\.toml: ENOENT/,
  );
  await expect(readGatewayConfig(folder, silentLogger)).rejects.toThrow(/cannot read .*EISDIR/);
  await expect(read(`#${'x'.repeat(1 << 20)}`)).rejects.toThrow('larger than 1 MiB');
  writeFileSync(file, Buffer.from([0xff, 0xfe, 0x00]));
  await expect(readGatewayConfig(file, silentLogger)).rejects.toThrow(/cannot read/);
  expect((await runCap(['serve', '--config', join(folder, 'none.toml')])).code).toBe(2);
});

test('logins, TLS and limits', async () => {
  const users = join(folder, 'users');
  writeFileSync(users, `ann:cap:${'0'.repeat(32)}:/a\n`, { mode: 0o600 });
  const { certificate, key } = await selfSignedIdentity(join(folder, 'tls'));
  const [cert, secret] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, certificate);
  writeFileSync(secret, key, { mode: 0o600 });
  const tls = `tls-cert = "${cert}"\ntls-key = "${secret}"\nrtsps-port = 0`;
  const config = await read(
    `[rtsp]\nauth-file = "${users}"\nmax-readers = 9\n${tls}\n[mounts.a]\nsource = "test"\nmax-readers = 2\n`,
  );
  expect(config).toMatchObject({
    rtsp: { users: [{ name: 'ann', paths: ['/a'] }], maxReaders: 9, tls: { certificate, key, port: 0 } },
    mounts: [{ path: '/a', maxReaders: 2 }],
  });
  await expect(read(`[mounts.a]\n[rtsp]\ntls-cert = "${cert}"\n`)).rejects.toThrow('tls-cert needs tls-key');
  await expect(read('[mounts.a]\n[rtsp]\nauth-file = "none"\n')).rejects.toThrow('cannot read the users in none');
});

test('the example of the documentation is right', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
  writeFileSync(file, /```toml\n(.*?)```/s.exec(page)?.[1] ?? '');
  expect(await runCap(['config', 'check', file])).toEqual({
    code: 0,
    stdout: `${file} is right: /desk, /lab/clock, /hall, /door\n`,
    stderr: '',
  });
});
