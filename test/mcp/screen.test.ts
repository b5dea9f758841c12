import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPageReader, type TextReader } from '../../src/consumer/ocr/page-reader.js';
import { buildCommands } from '../support/cap.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { shareOfWords, textPage } from '../support/frames.js';
import { connectMcp, imagesOf, said, TRANSPORTS, textOf } from '../support/mcp.js';
import { type PictureWindow, showPicture } from '../support/screen.js';

const PAGE = textPage({ width: 1280, height: 720, fontPx: 24, maxLines: 8 });
const POPUP = { widthPx: 200, heightPx: 120 };

let display: TestDisplay;
let page: PictureWindow;
let reader: TextReader;

beforeAll(async () => {
  await buildCommands();
  display = await startDisplay({ widthPx: 1280, heightPx: 720 });
  const rgb = await sharp(Buffer.from(PAGE.svg)).removeAlpha().raw().toBuffer();
  page = await showPicture(display, { widthPx: 1280, heightPx: 720, rgb });
  reader = await openPageReader();
});
afterAll(async () => {
  await reader?.close();
  await page?.close();
  await display?.close();
});

/** A dialog, as it were, at the top left. */
const popUp = (): Promise<PictureWindow> =>
  showPicture(display, { ...POPUP, rgb: Buffer.alloc(POPUP.widthPx * POPUP.heightPx * 3, 40) });

describe.each(TRANSPORTS)('over %s', (transport) => {
  const connect = (...args: readonly string[]) => connectMcp(transport, ['--display', display.name, ...args]);

  test('every tool says that it changes nothing, and list_sources what there is', async () => {
    await using mcp = await connect();
    const { tools } = await mcp.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'list_sources',
      'look',
      'wait_for_change',
      'read_text',
      'watch',
      'ask_past',
    ]);
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true)).toEqual([]);
    const { structuredContent } = await mcp.call('list_sources');
    expect(structuredContent).toMatchObject({
      streams: [{ name: 'screen', resource: 'cap://screen/newest', captured: false }],
      monitors: [{ place: '1280x720+0+0' }],
    });
    expect(structuredContent).toHaveProperty('windows');
  });

  test('look shows a picture in which the text can be read', async () => {
    await using mcp = await connect();
    const answer = await mcp.call('look');
    const [image] = imagesOf(answer);
    const found = await reader.read(image ?? Buffer.alloc(0));
    expect(shareOfWords(PAGE.lines, found.map(({ text }) => text).join(' '))).toBeGreaterThan(0.9);
    expect(textOf(answer)).toMatch(
      /^\n?frame \d+, \d+ ms old · 1280x720 of all in a picture of 1280x720 · ~1196 tokens · \d+ KiB$/,
    );
  });

  test('look shows a region at its full size, and all of it smaller, as it is told', async () => {
    await using mcp = await connect();
    const widthOf = async (args: Record<string, unknown>) =>
      (await sharp(imagesOf(await mcp.call('look', args))[0]).metadata()).width;
    // Whole patches of 28 pixels are what this client's model pays for; others are made to fit them.
    expect(await widthOf({ region: '560x196+40+30' })).toBe(560);
    for (const [args, most] of [
      [{ preset: 'p4' }, 640],
      [{ max_edge: 320 }, 320],
      [{ region: '640x360+0+0', preset: 'p4', max_edge: 160 }, 160],
    ] as const) {
      const width = await widthOf(args);
      expect(width).toBeLessThanOrEqual(most);
      expect(width).toBeGreaterThan(most - 2 * 28);
    }
  });

  test('look finds the size at which the text stays legible', { timeout: 180_000 }, async () => {
    await using mcp = await connect();
    const answer = await mcp.call('look', { preset: 'auto', region: '1280x120+0+0' });
    const { width = 0 } = await sharp(imagesOf(answer)[0]).metadata();
    expect(width).toBeLessThan(1000);
    expect(textOf(answer)).toMatch(/ KiB · p\d+(_\d+)?, (9[5-9]|100) % of its text legible$/);
  });

  test('read_text says where the lines stand in the whole picture, also those of a region', async () => {
    await using mcp = await connect();
    const whole = (await mcp.call('read_text')).structuredContent as {
      lines: { text: string; x: number; y: number }[];
    };
    expect(whole.lines[0]?.x).toBeGreaterThan(30);
    expect(whole.lines[0]?.x).toBeLessThan(50);
    const second = (await mcp.call('read_text', { region: '1240x36+20+64' })).structuredContent as typeof whole;
    expect(second.lines).toHaveLength(1);
    expect(Math.abs((second.lines[0]?.y ?? 0) - (whole.lines[1]?.y ?? 0))).toBeLessThan(5);
  });

  test('wait_for_change tells of a window that is drawn meanwhile, and where', async () => {
    await using mcp = await connect();
    await mcp.call('look');
    const waiting = mcp.call('wait_for_change', { timeout_seconds: 30, show: 'changed' });
    await using _window = await popUp();
    const change = await waiting;
    expect(textOf(change)).toMatch(/^changed after \d+\.\d s: 208x128\+0\+0\n/);
    const { width, height } = await sharp(imagesOf(change)[0]).metadata();
    expect({ width, height }).toEqual({ width: 208, height: 128 });
  });

  test('wait_for_change tells what changed since the last look, also between the calls', async () => {
    await using mcp = await connect();
    await mcp.call('look');
    await using _window = await popUp();
    const change = await mcp.call('wait_for_change', { timeout_seconds: 30, show: 'none' });
    expect(textOf(change)).toMatch(/^changed after \d+\.\d s: 208x128\+0\+0$/);
    expect(imagesOf(change)).toEqual([]);
  });

  test('wait_for_change is not moved by another part of the screen, and ends in time', async () => {
    await using mcp = await connect();
    await mcp.call('look');
    await using _window = await popUp();
    const change = await mcp.call('wait_for_change', { timeout_seconds: 1, region: '400x200+600+400' });
    expect(textOf(change)).toBe('nothing changed in 1 s');
  });

  test('a subscriber hears that the newest picture is another, and reads it', async () => {
    await using mcp = await connect('--linger', '100ms');
    const uri = 'cap://screen/newest';
    const updated = new Promise<string>((resolve) =>
      mcp.client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri)),
    );
    await mcp.client.subscribeResource({ uri });
    // The first picture is what others are compared with.
    await mcp.client.readResource({ uri });
    await using _window = await popUp();
    expect(await updated).toBe(uri);
    const { contents } = await mcp.client.readResource({ uri });
    expect(contents).toMatchObject([{ uri, mimeType: 'image/jpeg' }]);
    await mcp.client.unsubscribeResource({ uri });
    await said(mcp, /capture rests/);
  });

  test('nothing is captured before the first look, nor when nobody has looked for a while', async () => {
    await using mcp = await connect('--linger', '100ms');
    for (let round = 1; round <= 2; round += 1) {
      await mcp.call('look');
      await said(mcp, new RegExp(`(capture rests[\\s\\S]*){${round}}`));
    }
  });

  test('a wait that is cancelled lets go of the capture', async () => {
    await using mcp = await connect('--linger', '100ms');
    const cancel = new AbortController();
    await mcp.call('look');
    await said(mcp, /capture rests/);
    const waiting = mcp.call('wait_for_change', { timeout_seconds: 60 }, { signal: cancel.signal });
    await said(mcp, /capture goes on/);
    cancel.abort();
    await expect(waiting).rejects.toThrow();
    await said(mcp, /capture goes on[\s\S]*capture rests/);
  });

  test('an error is one line with a hint, and the next call works', async () => {
    await using mcp = await connect();
    const failed = async (name: string, args: Record<string, unknown>) => {
      const answer = await mcp.call(name, args);
      expect(answer.isError).toBe(true);
      return textOf(answer);
    };
    expect(await failed('look', { region: '640x360+1000+0' })).toBe(
      'expected a region such as 640x360+100+50 within 1280x720 for region, received "640x360+1000+0"',
    );
    expect(await failed('look', { stream: 'door' })).toBe('expected one of screen for stream, received "door"');
    expect(await failed('look', { preset: '../../etc/passwd' })).toMatch(/^expected the name of a preset/);
    expect(await failed('look', { zoom: 2 })).toContain('zoom');
    expect(await failed('ask_past', { question: 'Why?', minutes: 1 })).not.toBe('');
    expect((await mcp.call('look')).isError).toBeFalsy();
  });
});

test('a display that is not there is an error of the tool, not the end of the server', async () => {
  await using mcp = await connectMcp('stdio', ['--display', ':999']);
  const answer = await mcp.call('look');
  expect(answer.isError).toBe(true);
  expect(textOf(answer)).toMatch(/:999/);
  expect((await mcp.call('list_sources')).structuredContent).toMatchObject({
    problem: expect.stringContaining(':999'),
  });
  expect((await mcp.client.listTools()).tools).toHaveLength(6);
});
