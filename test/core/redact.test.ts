import { expect, test } from 'vitest';
import { redact, registerSecret } from '../../src/core/index.js';

test.each([
  ['rtsp://ann:geheim77@camera/x', 'rtsp://ann:***@camera/x'],
  ['rtsps://ann:ge:heim@77@camera/x', 'rtsps://ann:***@camera/x'],
  ['Authorization: Basic YW5uOmdlaGVpbTc3', 'Authorization: Basic ***'],
  [
    'Authorization: Digest username="ann", nonce="1", response="0123456789abcdef0123456789abcdef"',
    'Authorization: Digest ***',
  ],
  ['bad line ann:cap:0123456789abcdef0123456789abcdef:/cap', 'bad line ann:cap:***:/cap'],
  ['password=geheim77&x=1', 'password=***&x=1'],
])('%s is written as %s', (text, safe) => {
  expect(redact(text)).toBe(safe);
});

test('a registered secret is taken out wherever it stands', () => {
  registerSecret('wonder land');
  expect(redact('said "wonder land" twice: wonder land')).toBe('said "***" twice: ***');
});
