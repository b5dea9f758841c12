import { expect, test } from 'vitest';
import { PLATFORM_SCREENS, platformScreenSource } from '../../src/producer/platform-screen.js';

const demand = { fps: 30, asItIs: false };
const region = { x: 10, y: 20, width: 640, height: 480 };

test.each([
  ['darwin', {}, 'avfvideosrc name=source capture-screen=true', { 'capture-screen-cursor': 'true' }],
  [
    'darwin',
    { monitor: '2', cursor: false },
    'avfvideosrc name=source capture-screen=true',
    { 'capture-screen-cursor': 'false', 'device-index': '1' },
  ],
  [
    'darwin',
    { region },
    'avfvideosrc name=source capture-screen=true',
    {
      'capture-screen-cursor': 'true',
      'screen-crop-x': '10',
      'screen-crop-y': '20',
      'screen-crop-width': '640',
      'screen-crop-height': '480',
    },
  ],
  ['win32', {}, 'd3d11screencapturesrc name=source ! d3d11download', { 'show-cursor': 'true' }],
  [
    'win32',
    { monitor: '1', region },
    'd3d11screencapturesrc name=source ! d3d11download',
    {
      'show-cursor': 'true',
      'monitor-index': '0',
      'crop-x': '10',
      'crop-y': '20',
      'crop-width': '640',
      'crop-height': '480',
    },
  ],
] as const)('%s %j', (platform, options, launch, source) => {
  expect(PLATFORM_SCREENS[platform]?.elements(options)).toEqual({ launch, properties: { source } });
});

test('X11 has a source of its own', () => {
  expect(PLATFORM_SCREENS.linux).toBeUndefined();
});

test.each(['darwin', 'win32'] as const)('%s refuses what its element has no property for', (platform) => {
  const row = PLATFORM_SCREENS[platform];
  if (!row) throw new Error('not in the table');
  for (const options of [{ window: 'Terminal' }, { display: ':0' }, { keepAliveMs: 100 }]) {
    expect(() => platformScreenSource(row, options, demand)).toThrow(expect.objectContaining({ code: 'CAP_USAGE' }));
  }
  expect(() => row.elements({ monitor: 'LEFT' })).toThrow(/expected a monitor's number/);
});

test('an element that is not installed is a missing dependency', async () => {
  const row = PLATFORM_SCREENS.darwin;
  if (!row) throw new Error('not in the table');
  await expect(platformScreenSource(row, {}, demand)).rejects.toMatchObject({ code: 'CAP_DEPENDENCY_MISSING' });
});
