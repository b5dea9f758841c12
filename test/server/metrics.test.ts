import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommands, startCap, startStream } from '../support/cap.js';
import { FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import type { RunningProcess } from '../support/process.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { WhepClient } from '../support/whep-client.js';

let provider: FakeProvider;
beforeAll(async () => {
  await buildCommands();
  provider = await FakeProvider.start();
});
afterAll(() => provider.close());

type Samples = ReadonlyMap<string, number>;

/** The samples of Prometheus' text format: `name{labels}` to value. */
async function scrape(url: string): Promise<Samples> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

async function metricsUrl(command: RunningProcess, descriptor: 1 | 2): Promise<string> {
  const [, url = ''] = await command.waitForOutput(/^metrics at (http:\S+)$/m, 20_000, descriptor);
  return url;
}

function value(samples: Samples, name: string): number {
  const found = samples.get(name);
  if (found === undefined) throw new Error(`no ${name} in ${[...samples.keys()].join(', ')}`);
  return found;
}

test('of a capture: frames, key frames, bytes, encoder time and readers', async () => {
  const { cap, url } = await startStream('--metrics-port', '0');
  await using _cap = cap;
  const metrics = await metricsUrl(cap, 1);
  expect(value(await scrape(metrics), 'cap_rtsp_readers{protocol="tcp"}')).toBe(0);
  const player = await RtspPlayer.overTcp(url);
  await player.waitForUnits(30);
  const first = await scrape(metrics);
  await player.waitForUnits(10);
  const second = await scrape(metrics);
  for (const name of ['cap_frames_captured_total', 'cap_frames_encoded_total']) {
    expect(value(first, name)).toBeGreaterThanOrEqual(30);
    expect(value(second, name)).toBeGreaterThanOrEqual(value(first, name) + 9);
  }
  expect(value(second, 'cap_frames_encoded_total')).toBeLessThanOrEqual(value(second, 'cap_frames_captured_total'));
  // One for the start and one for the reader.
  expect(value(first, 'cap_key_frames_total')).toBeGreaterThanOrEqual(2);
  const received = player.units.reduce((sum, unit) => sum + unit.data.length, 0);
  expect(value(second, 'cap_encoded_bytes_total')).toBeGreaterThan(received / 2);
  const meanMs =
    (value(second, 'cap_capture_to_encoded_seconds_total') * 1000) / value(second, 'cap_frames_encoded_total');
  expect(meanMs).toBeGreaterThan(0);
  expect(meanMs).toBeLessThan(1000);
  expect(value(second, 'cap_rtsp_readers{protocol="tcp"}')).toBe(1);
  expect(value(second, 'cap_rtsp_readers{protocol="udp"}')).toBe(0);
  expect(value(second, 'cap_rtsp_readers_joined_total')).toBe(1);
  for (const name of ['readers_dropped', 'readers_refused', 'logins_failed', 'readers_cut_off', 'frames_dropped']) {
    expect(value(second, `cap_rtsp_${name}_total`)).toBe(0);
  }
  await player.teardown();
});

test('of HTTP: its readers by door, and failed logins', async () => {
  const args = ['--http', '--http-port', '0', '--source', 'test', '--size', '320x240', '--metrics-port', '0'];
  await using cap = startCap(args, { env: { CAP_AUTH: 'ann:geheim77' } });
  const metrics = await metricsUrl(cap, 1);
  const [url] = await cap.waitForOutput(/^http:\S+$/m);
  const headers = { authorization: `Basic ${Buffer.from('ann:geheim77').toString('base64')}` };
  await fetch(`${url}/`, { headers: { authorization: 'Basic YTpi' } });
  const ts = new AbortController();
  await fetch(`${url}/ts/cap.ts`, { headers, signal: ts.signal });
  await using viewer = await WhepClient.create();
  const { session } = await viewer.post(`${url}/whep/cap`, headers);
  const readers = async () => {
    const samples = await scrape(metrics);
    return ['webrtc', 'ts'].map((door) => value(samples, `cap_http_readers{door="${door}"}`));
  };
  await expect.poll(readers).toEqual([1, 1]);
  const samples = await scrape(metrics);
  expect(value(samples, 'cap_http_logins_failed_total')).toBe(1);
  expect(value(samples, 'cap_webrtc_peers_joined_total')).toBe(1);
  expect(value(samples, 'cap_webrtc_peers_refused_total')).toBe(0);
  await fetch(session, { method: 'DELETE', headers });
  ts.abort();
  await expect.poll(readers).toEqual([0, 0]);
});

test('of a watch: frames by outcome, ages, latencies and tokens, which add up', async () => {
  const { cap, url } = await startStream();
  await using _cap = cap;
  const model = ['--provider', 'anthropic', '--base-url', provider.origin, '--every', '50ms'];
  const args = ['watch', url, ...model, '--metrics-port', '0'];
  await using watch = startCap(args, { env: { ANTHROPIC_API_KEY: FAKE_KEY } });
  const metrics = await metricsUrl(watch, 2);
  await watch.waitForOutput(/(\(frame [\s\S]*){4}/);
  const samples = await scrape(metrics);
  const outcome = (name: string) => value(samples, `cap_watch_frames_total{outcome="${name}"}`);
  const answered = outcome('answered');
  expect(answered).toBeGreaterThanOrEqual(4);
  expect([outcome('failed'), outcome('stale'), outcome('skipped'), outcome('aborted')]).toEqual([0, 0, 0, 0]);
  expect(value(samples, 'cap_frames_sampled_total')).toBeGreaterThanOrEqual(answered + outcome('superseded'));
  const tokens = (kind: string) => value(samples, `cap_tokens_total{provider="anthropic",kind="${kind}"}`);
  expect(tokens('input')).toBe(110 * answered);
  expect(tokens('output')).toBe(FAKE_DELTAS.length * answered);
  expect(tokens('estimated')).toBeGreaterThan(0);
  for (const name of ['cap_frame_age_seconds', 'cap_answer_latency_seconds']) {
    expect(value(samples, `${name}_count{provider="anthropic"}`)).toBe(answered);
    expect(value(samples, `${name}_sum{provider="anthropic"}`)).toBeGreaterThan(0);
    expect(value(samples, `${name}_bucket{le="+Inf",provider="anthropic"}`)).toBe(answered);
  }
  expect(value(samples, 'cap_frame_age_seconds_sum{provider="anthropic"}') / answered).toBeLessThan(5);
});

test('only GET /metrics is answered', async () => {
  const { cap } = await startStream('--metrics-port', '0');
  await using _cap = cap;
  const url = await metricsUrl(cap, 1);
  expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  expect((await fetch(new URL('/', url))).status).toBe(404);
  expect((await fetch(`${url}?again`)).status).toBe(200);
});
