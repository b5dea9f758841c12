import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Sampler, type SamplerOptions } from '../../src/consumer/index.js';
import { fingerprintOf, selfSignedIdentity, type TlsIdentity } from '../../src/transport/index.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { RtspClient } from '../support/rtsp-client.js';
import { RtspPlayer } from '../support/rtsp-player.js';

let folder: string;
let identity: TlsIdentity;
let capture: ServedCapture;
let secureUrl: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-tls-'));
  identity = await selfSignedIdentity(folder);
  capture = await serveCapture({ rtsp: { port: 0, tls: { ...identity, port: 0 } } });
  secureUrl = capture.server.urls('/cap')[1] ?? '';
});
afterAll(async () => {
  await capture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const certificateOf = () => ({ certificate: identity.certificate });

test('the certificate is kept, for its owner alone, and shown again', async () => {
  expect(await selfSignedIdentity(folder)).toEqual(identity);
  expect(statSync(join(folder, 'self-signed.pem')).mode & 0o777).toBe(0o600);
  const elsewhere = join(folder, 'other');
  expect(fingerprintOf(await selfSignedIdentity(elsewhere))).not.toBe(fingerprintOf(identity));
});

test('the serial number is one that every parser takes, whatever the random part', () => {
  // Longer than one byte, DER wants neither a first byte of zero before a small second one nor a negative number.
  expect(new X509Certificate(identity.certificate).serialNumber).toMatch(/^01[0-9A-F]{30}$/);
});

test('plain and TLS readers share a server, each at its port', async () => {
  expect(secureUrl).toMatch(/^rtsps:\/\/127\.0\.0\.1:\d+\/cap$/);
  await using plain = await RtspPlayer.overTcp(capture.url);
  await using secure = await RtspPlayer.overTcp(secureUrl, certificateOf());
  await Promise.all([plain.waitForUnits(10), secure.waitForUnits(10)]);
  expect(capture.server.stats.readers.map(({ protocol }) => protocol)).toEqual(['tcp', 'tls']);
  const sent = new Set(plain.units.map((unit) => unit.data.toString('base64')));
  expect(secure.units.filter((unit) => sent.has(unit.data.toString('base64'))).length).toBeGreaterThan(3);
  await plain.teardown();
  await secure.teardown();
});

test('nothing older than TLS 1.2 is spoken, and nothing plain on the TLS port', async () => {
  const port = capture.server.tlsPort ?? 0;
  const offer = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
    const limits = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const socket = connect({ host: '127.0.0.1', port, ca: identity.certificate, ...limits });
    return once(socket, 'secureConnect')
      .then(
        () => socket.getProtocol(),
        () => 'refused',
      )
      .finally(() => socket.destroy());
  };
  expect([await offer('TLSv1'), await offer('TLSv1.1')]).toEqual(['refused', 'refused']);
  expect([await offer('TLSv1.2'), await offer('TLSv1.3')]).toEqual(['TLSv1.2', 'TLSv1.3']);
  const plain = connectTcp(port, '127.0.0.1');
  plain.write('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n');
  plain.on('error', () => undefined);
  const heard: Buffer[] = [];
  plain.on('data', (data) => heard.push(data));
  await new Promise((resolve) => plain.once('close', resolve)); // it may be reset
  expect(Buffer.concat(heard).toString('latin1')).not.toContain('RTSP');
});

test('clients that begin a handshake and say no more hold nobody up', async () => {
  const port = capture.server.tlsPort ?? 0;
  const silent = Array.from({ length: 5 }, () => connectTcp(port, '127.0.0.1'));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  // The head of a handshake record, without what it announces.
  for (const socket of silent.slice(1)) socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
  await using plain = await RtspPlayer.overTcp(capture.url);
  await using secure = await RtspPlayer.overTcp(secureUrl, certificateOf());
  await Promise.all([plain.waitForUnits(5), secure.waitForUnits(5)]);
  for (const socket of silent) socket.destroy();
});

test('media never leaves the encrypted connection', async () => {
  await using client = await RtspClient.open(secureUrl, certificateOf());
  const setUp = (Transport: string) =>
    client.request('SETUP', { headers: { Transport }, url: `${secureUrl}/stream=0` });
  expect((await setUp('RTP/AVP;unicast;client_port=40000-40001')).status).toBe(461);
  const either = await setUp('RTP/AVP;unicast;client_port=40000-40001, RTP/AVP/TCP;unicast;interleaved=0-1');
  expect(either.status).toBe(200);
  expect(either.headers.get('transport')).toMatch(/^RTP\/AVP\/TCP;.*interleaved=0-1/);
});

test('a slow TLS reader is taken off the stream and put back, a stuck one is closed', async () => {
  const size = { width: 1280, height: 720 };
  await using busy = await serveCapture({
    source: { kind: 'test', size, pattern: 'noise' },
    rtsp: { port: 0, maxStallMs: 3000, tls: { ...identity, port: 0 } },
  });
  const url = busy.server.urls('/cap')[1] ?? '';
  const left: string[] = [];
  busy.server.on('readerLeft', (_reader, reason) => left.push(reason));
  await using slow = await RtspPlayer.overTcp(url, certificateOf());
  await slow.waitForUnits(5);
  slow.client.stopReading();
  await vi.waitFor(() => expect(busy.server.stats.cutOffs).toBe(1), { timeout: 20_000 });
  slow.client.resumeReading();
  await vi.waitFor(() => expect(busy.server.stats.readers[0]?.behind).toBe(false), { timeout: 20_000 });
  await slow.waitForUnits(5);
  slow.client.stopReading();
  await vi.waitFor(() => expect(left).toEqual(['stalled']), { timeout: 30_000 });
});

const sample = async (url: string, options: SamplerOptions) => {
  await using sampler = new Sampler(url, { connectTimeoutMs: 10_000, retryFirstConnection: false, ...options });
  const { width, height } = await sampler.next();
  return `${width}x${height}`;
};

test('the sampler takes the certificate that is pinned, or of an authority that is named', async () => {
  const caFile = join(folder, 'self-signed.pem');
  for (const tls of [{ fingerprint: fingerprintOf(identity) }, { caFile }, { insecure: true }]) {
    expect(await sample(secureUrl, { tls })).toBe('320x240');
  }
});

test('a camera behind TLS is pulled when its certificate is pinned, and refused otherwise', async () => {
  const source = { kind: 'rtsp', url: secureUrl } as const;
  await using downstream = await serveCapture({ source: { ...source, tls: { fingerprint: fingerprintOf(identity) } } });
  expect(downstream.session.passesOn).toBe(true);
  await using player = await RtspPlayer.overTcp(downstream.url);
  await player.waitForUnits(5);
  await expect(serveCapture({ source })).rejects.toMatchObject({ code: 'CAP_TLS_UNTRUSTED' });
});

test('the sampler refuses any other', async () => {
  const other = await selfSignedIdentity(join(folder, 'other'));
  const refusals = [{}, { fingerprint: fingerprintOf(other) }, { caFile: join(folder, 'other', 'self-signed.pem') }];
  for (const tls of refusals) {
    await expect(sample(secureUrl, { tls })).rejects.toMatchObject({ code: 'CAP_TLS_UNTRUSTED' });
  }
});
