import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { clockId, fnv1a64, monotonicNowNs, wallNowUs } from '../../src/core/clock.js';

test('fnv1a64 gives the published values', () => {
  const hash = (text: string): string => fnv1a64(Buffer.from(text)).toString(16);
  expect([hash(''), hash('a'), hash('foobar')]).toEqual(['cbf29ce484222325', 'af63dc4c8601ec8c', '85944171f73967e8']);
});

test('clockId is the hash of the 36 characters of the boot id, without the line end', () => {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'ascii').trim();
  expect(bootId).toHaveLength(36);
  expect(clockId()).toBe(fnv1a64(Buffer.from(bootId)));
});

test('monotonicNowNs is the same clock in every process', () => {
  const before = monotonicNowNs();
  const other = BigInt(
    execFileSync(process.execPath, ['-p', 'String(process.hrtime.bigint())'], { encoding: 'ascii' }),
  );
  expect(other).toBeGreaterThan(before);
  expect(monotonicNowNs()).toBeGreaterThan(other);
});

test('wallNowUs agrees with Date.now', () => {
  expect(Math.abs(Number(wallNowUs()) / 1000 - Date.now())).toBeLessThan(1000);
});
