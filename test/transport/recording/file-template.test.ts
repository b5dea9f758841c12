import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileTemplate } from '../../../src/transport/recording/file-template.js';
import { Retention } from '../../../src/transport/recording/retention.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-template-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const AT = new Date(2026, 1, 3, 4, 5, 6);

/** Writes a file of so many bytes that is so old. */
function put(name: string, bytes = 1000, ageMs = 0): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.alloc(bytes));
  const time = (Date.now() - ageMs) / 1000;
  utimesSync(path, time, time);
  return path;
}

test.each([
  ['out.mp4', 'out.mp4'],
  ['{mount}/%Y-%m-%d/%H-%M-%S.mp4', 'lab-door/2026-02-03/04-05-06.mp4'],
  ['100%%.mp4', '100%.mp4'],
  ['%s.m4v', `${AT.getTime() / 1000}.m4v`],
])('%s is named %s', (template, name) => {
  expect(relative(folder, new FileTemplate(join(folder, template), 'lab-door').pathAt(AT))).toBe(name);
});

test('a name that is taken gets a number', () => {
  expect(new FileTemplate('a/%s.b.mp4').pathAt(new Date(7000), 2)).toMatch(/\/a\/7\.b_2\.mp4$/);
});

test.each(['%Q.mp4', '%', '{name}.mp4', '{mount.mp4', 'rec/%Y/../../x.mp4', 'rec/%Y//x.mp4', 'rec/%Y/./x.mp4'])(
  '%s is refused',
  (template) => {
    expect(() => new FileTemplate(template)).toThrow(expect.objectContaining({ code: 'CAP_USAGE' }));
  },
);

test('a mount cannot lead out of the folder', () => {
  for (const mount of ['..', '.', 'a/../..']) {
    expect(() => new FileTemplate('rec/{mount}/%s.mp4', mount)).toThrow(/stays in its folder/);
  }
});

test.each(['%Y-%m-%d.mp4', 'out.mp4', '%H-%M-%S.mp4', '{mount}-%Y%m%d-%H%M.mp4'])(
  '%s tells no segments apart',
  (name) => {
    expect(() => new FileTemplate(name).requireDistinct()).toThrow(/does not tell one segment from the next/);
  },
);

test('only files of that name are found and removed, the oldest first, and folders that are empty then', async () => {
  const template = new FileTemplate(join(folder, 'desk/%Y-%m-%d/%H-%M-%S.mp4'));
  const own = [
    put('desk/2026-02-01/10-00-00.mp4', 1000, 9000),
    put('desk/2026-02-02/10-00-00.mp4', 1000, 8000),
    put('desk/2026-02-02/10-00-00_2.mp4', 1000, 7000),
    put('desk/2026-02-02/10-01-00.mp4', 1000, 6000),
  ];
  const others = [
    put('desk/2026-02-02/10-00-00.mp4.bak', 1000, 20_000),
    put('desk/2026-02-02/holiday.mp4', 1000, 20_000),
    put('desk/notes/10-00-00.mp4', 1000, 20_000),
    put('door/2026-02-02/10-00-00.mp4', 1000, 20_000),
    put('desk/10-00-00.mp4', 1000, 20_000),
  ];
  const elsewhere = put('elsewhere/10-00-00.mp4', 1000, 30_000);
  symlinkSync(dirname(elsewhere), join(folder, 'desk/2026-02-03'));
  symlinkSync(elsewhere, join(folder, 'desk/2026-02-02/11-00-00.mp4'));
  expect((await template.files()).map(({ path }) => path)).toEqual(own);

  const bySize = new Retention(template, { retainBytes: 2500 }, () => false);
  expect(await bySize.sweep()).toEqual(own.slice(0, 2));
  const byTime = new Retention(template, { retainMs: 6500 }, () => false);
  expect(await byTime.sweep()).toEqual(own.slice(2, 3));
  const all = new Retention(template, { retainMs: 1 }, (path) => path === own[3]);
  expect(await all.sweep()).toEqual([]); // it is being written
  for (const path of [...others, elsewhere]) expect(existsSync(path)).toBe(true);
  expect(existsSync(dirname(own[0] ?? ''))).toBe(false);
});

test('nothing is removed unless it is asked for', async () => {
  const template = new FileTemplate(join(folder, '%s.mp4'));
  put('1.mp4', 1000, 1e9);
  expect(await new Retention(template, {}, () => false).sweep()).toEqual([]);
});

test('what a killed process left before it played is removed once it is old', async () => {
  const template = new FileTemplate(join(folder, '%s.mp4'));
  const [old, young] = [put('1.mp4.part', 10, 120_000), put('2.mp4.part', 10)];
  await new Retention(template, {}, () => false).removeAbandoned();
  expect(existsSync(old)).toBe(false);
  expect(existsSync(young)).toBe(true);
});
