import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCap } from './cap.js';
import type { TestDisplay } from './display.js';
import { type Recorded, readRecorded } from './recorded-file.js';

/** What is recorded when the process is killed. */
export const KILL_CASES = ['a moving picture', 'a still screen'] as const;
export type KillCase = (typeof KILL_CASES)[number];

export interface Kill {
  /** From the last thing that the newest file shows to the kill. */
  readonly lostMs: number;
  /** Each of which plays to its end. */
  readonly files: number;
  /** Pictures that are in no file, or in two. */
  readonly missing: number;
}

const SEGMENT = '2s';

/**
 * Has `cap` record into segments of two seconds, kills it (SIGKILL) some time after the first file has come, and looks
 * at what is left. Throws when a file does not play.
 * @param display a still one
 */
export async function killRecording(what: KillCase, display: TestDisplay, afterMs: number): Promise<Kill> {
  const folder = mkdtempSync(join(tmpdir(), 'cap-kill-'));
  const names = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.mp4'));
  const source =
    what === 'a still screen'
      ? ['--display', display.name, '--keep-alive', '1s']
      : ['--source', 'test', '--size', '320x240'];
  try {
    const output = ['--record', join(folder, '%Y%m%d-%H%M%S.mp4'), '--segment-time', SEGMENT];
    await using cap = startCap(['--rtsp', '--rtsp-port', '0', ...source, ...output]);
    while (names().length === 0) {
      if (cap.ended) throw new Error(`nothing was recorded\n${cap.stderr}`);
      await sleep(10);
    }
    await sleep(afterMs);
    const killedMs = Date.now();
    cap.signal('SIGKILL');
    await cap.waitForExit();
    const files: Recorded[] = [];
    for (const name of names().sort()) files.push(await readRecorded(join(folder, name)));
    const numbers = files.flatMap(({ captured }) => captured.map(({ frameNumber }) => frameNumber));
    const [first = 0] = numbers;
    const missing = numbers.filter((number, index) => number !== first + index).length;
    return { lostMs: killedMs - (files.at(-1)?.playsUntilMs ?? 0), files: files.length, missing };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
