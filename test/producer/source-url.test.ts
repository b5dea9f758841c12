import { describe, expect, test } from 'vitest';
import { CapError } from '../../src/core/index.js';
import { parseSource, SOURCE_FORMS } from '../../src/producer/index.js';

describe('parseSource', () => {
  test.each([
    ['screen', { kind: 'screen' }],
    ['test', { kind: 'test' }],
    ['test://clock', { kind: 'test', pattern: 'clock' }],
    ['test://text/', { kind: 'test', pattern: 'text' }],
    ['test://noise', { kind: 'test', pattern: 'noise' }],
    ['file:///films/a%20b.mp4', { kind: 'file', path: '/films/a b.mp4', loop: false }],
    ['file:///films/a.mp4?loop', { kind: 'file', path: '/films/a.mp4', loop: true }],
    ['v4l2:///dev/video0', { kind: 'v4l2', device: '/dev/video0' }],
    ['rtsp://u:p@cam:554/live?x=1', { kind: 'rtsp', url: 'rtsp://u:p@cam:554/live?x=1' }],
    ['rtsps://cam/live', { kind: 'rtsp', url: 'rtsps://cam/live' }],
  ])('%s', (text, source) => {
    expect(parseSource(text)).toEqual(source);
  });

  test.each([
    'sceen',
    '',
    'http://example.org/a.mp4',
    'test://snow',
    'test://clock?x',
    'file:///a.mp4?loops',
    'file://host/a.mp4',
    'file:///',
    'v4l2:///etc/passwd',
    'v4l2://dev/video0',
    'rtsp:///path',
  ])('refuses "%s" with an example of what it takes', (text) => {
    expect(() => parseSource(text)).toThrow(CapError);
    expect(() => parseSource(text)).toThrow(expect.objectContaining({ code: 'CAP_USAGE' }));
  });

  test('keeps a password out of the error', () => {
    expect(() => parseSource('rtmp://me:geheim77@cam/live')).toThrow(/^(?!.*geheim77)/s);
  });

  test('reads each form that it names as an example', () => {
    for (const form of SOURCE_FORMS) expect(parseSource(form.replace(/\|.*/, ''))).toBeDefined();
  });
});
