import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCommands, commandPath, runCap, streamUrl } from '../support/cap.js';
import { DamagedLink } from '../support/damaged-link.js';
import { type RunningProcess, run, start } from '../support/process.js';

const LINK_KBPS = 1500;
/** Every pixel changes, so that the stream is always as large as it may be. */
const NOISE = { source: 'test://noise', size: '320x240' };
const allowed = await DamagedLink.isAllowed();

let link: DamagedLink;
let folder: string;
beforeAll(buildCommands);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-quality-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function capAtServer(...args: string[]): RunningProcess {
  const [command, ...prefix] = link.atServer;
  const env = { XDG_RUNTIME_DIR: folder, DISPLAY: undefined };
  return start(command, [...prefix, process.execPath, commandPath('cap'), ...args], { env });
}

function readUdp(url: string): RunningProcess {
  const [command, ...prefix] = link.atReader;
  const input = ['-rtsp_transport', 'udp', '-i', url];
  return start(command, [...prefix, 'ffmpeg', '-v', 'error', '-nostdin', ...input, '-f', 'null', '-']);
}

interface Sample {
  readonly id: number;
  readonly connectedMs: number;
  readonly sentBytes: number;
  readonly report?: { readonly packetsLost: number; readonly highestSequence: number };
}

/** The sole reader, as the server knows it. */
async function sample(): Promise<Sample> {
  const { stdout } = await runCap(['readers', '--json'], { env: { XDG_RUNTIME_DIR: folder } });
  const [reader] = JSON.parse(stdout) as Sample[];
  if (!reader) throw new Error('nobody reads');
  return reader;
}

/** Looks at the reader once a period of the controller, so many times at most, until the last of them are as they should be. */
async function sampleUntil(most: number, isReached: (samples: readonly Sample[]) => boolean): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let number = 0; number < most; number++) {
    samples.push(await sample());
    if (isReached(samples)) return samples;
    await sleep(1000);
  }
  throw new Error(`not in ${most} periods: ${JSON.stringify(samples)}`);
}

const PERIODS = 6;
/** What was sent and lost over the last periods. */
function lately(samples: readonly Sample[]): { readonly kbps: number; readonly loss: number } | undefined {
  const [first, last] = [samples.at(-PERIODS), samples.at(-1)];
  if (!first?.report || !last?.report) return undefined;
  const packets = last.report.highestSequence - first.report.highestSequence;
  return {
    kbps: ((last.sentBytes - first.sentBytes) * 8) / (last.connectedMs - first.connectedMs),
    loss: packets > 0 ? (last.report.packetsLost - first.report.packetsLost) / packets : 1,
  };
}

/** The bitrates that were stepped to, as the log has them. */
const steps = (log: string): number[] =>
  [...log.matchAll(/readers get .*: (\d+) kbit\/s at \d+ fps from now on/g)].map(([, kbps]) => Number(kbps));

describe.skipIf(!allowed)('--quality auto on a damaged network', () => {
  beforeEach(async () => {
    link = await DamagedLink.open();
  });
  afterEach(() => link[Symbol.asyncDispose]());

  test('settles under what gets through, stays there, and climbs again', async () => {
    const host = ['--host', link.serverAddress, '--rtsp-port', '0'];
    const source = ['--source', NOISE.source, '--size', NOISE.size];
    await using cap = capAtServer('--rtsp', ...host, ...source, '-q', 'auto', '-v');
    const url = await streamUrl(cap);
    expect(cap.stdout).toContain('320x240 at 30 fps, 6000 kbit/s at most (auto)');
    await using reader = readUdp(url);
    await cap.waitForOutput(/reader joined/, 20_000, 2);
    await sampleUntil(20, (samples) => {
      const now = lately(samples);
      return now !== undefined && now.kbps > LINK_KBPS * 2 && now.loss === 0;
    });
    expect(steps(cap.stderr)).toEqual([]);

    await link.damage({ kbps: LINK_KBPS, lossPercent: 0.5 });
    const settled = await sampleUntil(30, (samples) => {
      const now = lately(samples);
      return now !== undefined && steps(cap.stderr).length > 0 && now.kbps < LINK_KBPS && now.loss < 0.02;
    });
    // It is not at the bottom for that: most of the way is used.
    expect(lately(settled)?.kbps).toBeGreaterThan(LINK_KBPS / 5);
    const before = steps(cap.stderr).length;
    const after = lately(await sampleUntil(12, (samples) => samples.length === 12));
    expect(after?.kbps).toBeLessThan(LINK_KBPS * 1.1);
    expect(after?.loss).toBeLessThan(0.1);
    // It tries for more, but not at every period.
    expect(steps(cap.stderr).length - before).toBeLessThanOrEqual(5);

    await link.repair();
    const most = steps(cap.stderr).at(-1) ?? 0;
    await sampleUntil(45, () => (steps(cap.stderr).at(-1) ?? 0) > Math.max(LINK_KBPS * 1.2, most * 1.2));
    // Whoever reads was never let go, and none of it was a restart.
    expect(reader.ended).toBe(false);
    expect((await sample()).id).toBe(1);
    expect(cap.stderr.match(/reader (joined|left)/g)).toEqual(['reader joined']);
  }, 180_000);

  test('of cap serve, all mounts go down together, and say so', async () => {
    const config = join(folder, 'cap.toml');
    const mount = `source = "${NOISE.source}"\nsize = "${NOISE.size}"\n`;
    writeFileSync(
      config,
      `[rtsp]\nhost = "${link.serverAddress}"\nport = 0\n[metrics]\nport = 0\n` +
        `[mounts.a]\n${mount}quality = "auto"\n[mounts.b]\n${mount}quality = "auto"\nmax-bitrate = 2000\n` +
        `[mounts.c]\n${mount}quality = "low"\n`,
    );
    await using cap = capAtServer('serve', '--config', config, '-v');
    const url = await streamUrl(cap);
    const [, metrics = ''] = await cap.waitForOutput(/^metrics at (http:\S+)$/m);
    await cap.waitForOutput(/ 320x240 .*mount=\/a/, 20_000, 2);
    await using _reader = readUdp(new URL('/a', url.replace(/^rtsp:/, 'http:')).href.replace(/^http:/, 'rtsp:'));
    await cap.waitForOutput(/reader joined/, 20_000, 2);
    const isWhole = (now = { kbps: 0, loss: 1 }): boolean => now.kbps > LINK_KBPS && now.loss < 0.05;
    await sampleUntil(20, (samples) => isWhole(lately(samples)));
    await link.damage({ kbps: LINK_KBPS, lossPercent: 0.5 });
    await cap.waitForOutput(/readers get too little/, 30_000, 2);
    const [command, ...prefix] = link.atServer;
    const { stdout } = await run(command, [...prefix, 'curl', '-sS', metrics]);
    const limit = (name: string): number =>
      Number(new RegExp(`cap_bitrate_limit_bits_per_second\\{mount="/${name}"\\} (\\d+)`).exec(stdout)?.[1]);
    expect(limit('a')).toBeLessThan(6_000_000);
    expect(limit('b')).toBeLessThan(2_000_000);
    expect(limit('a') / limit('b')).toBeCloseTo(3, 1);
    expect(limit('c')).toBe(1_000_000);
  }, 90_000);
});
