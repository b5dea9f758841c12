import { existsSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TextReader } from '../../src/consumer/ocr/page-reader.js';
import { openTextReader } from '../../src/consumer/ocr/process-reader.js';
import { type CompiledSources, compileSources } from '../support/compiled-sources.js';
import { shareOfWords, textPage } from '../support/frames.js';

const page = textPage({ width: 800, height: 300, maxLines: 3 });
let sources: CompiledSources;
let reader: TextReader;
let image: Buffer;

beforeAll(async () => {
  sources = await compileSources(['core', 'consumer']);
  reader = await openTextReader(sources.file('consumer/ocr/reader-process.ts'));
  image = await sharp(Buffer.from(page.svg)).png().toBuffer();
});
afterAll(async () => {
  await reader.close();
  await sources[Symbol.asyncDispose]();
});

/** Process ids of this process's children, which are none but the reader's. */
function children(): string[] {
  const listed = readFileSync(`/proc/self/task/${process.pid}/children`, 'ascii').trim();
  return listed === '' ? [] : listed.split(' ');
}

async function share(): Promise<number> {
  const lines = await reader.read(image);
  return shareOfWords(page.lines, lines.map((line) => line.text).join(' '));
}

test('01 nothing is started before the first page, and one process reads them all', async () => {
  expect(children()).toEqual([]);
  expect(await Promise.all([share(), share()])).toEqual([1, 1]);
  expect(children()).toHaveLength(1);
});

test('02 an error in the process is an error here', async () => {
  await expect(reader.read(Buffer.from('no picture'))).rejects.toMatchObject({ code: 'CAP_INTERNAL' });
  expect(await share()).toBe(1);
});

test('03 a process that dies fails its page, and the next page has a new one', async () => {
  const [pid] = children();
  const reading = reader.read(image);
  process.kill(Number(pid), 'SIGKILL');
  await expect(reading).rejects.toThrow('the text reader ended: SIGKILL');
  expect(await share()).toBe(1);
  expect(children()).not.toContain(pid);
});

test('04 close ends the process in the middle of a page', async () => {
  const [pid] = children();
  const reading = reader.read(image);
  const rejected = expect(reading).rejects.toMatchObject({ code: 'CAP_CLOSED' });
  await Promise.all([reader.close(), reader.close()]);
  await rejected;
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  await expect(reader.read(image)).rejects.toMatchObject({ code: 'CAP_CLOSED' });
});
