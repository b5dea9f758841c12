import { setTimeout as sleep } from 'node:timers/promises';
import type { Rect, Size } from '../../src/core/index.js';
import { seededRandom } from '../../test/support/prng.js';
import type { Desktop } from './desktop.js';
import { DOCUMENT, lineRect, TERMINAL, write } from './page.js';
import { drawSvg, type Pixels } from './pixels.js';
import { beginWordsAnew, newFact, newPage } from './words.js';

/** What happens on the screen for a while. */
export interface Scene {
  readonly name: string;
  readonly title: string;
  /** Of the time of a whole run. */
  readonly share: number;
  /** Minutes of it in the hour that the totals are told for. */
  readonly minutesAnHour: number;
  play(desktop: Desktop, untilMs: number): Promise<void>;
}

const SEED = 4;
let random = seededRandom(SEED);
const below = (limit: number): number => random.below(limit);
const PAGE: Rect = { x: 0, y: 40, width: 1920, height: 1040 };
const BAR: Rect = { x: 0, y: 0, width: 1920, height: 40 };
const STATUS: Rect = { x: 60, y: 940, width: 900, height: 28 };
/** After a scene has begun, and before it ends. */
const SETTLED_MS = 3000;
/** Of a character in the terminal. */
const MONO_PX = 10.84;
/** So many characters of a command come at once, so that there is a moment when it is there. */
const LAST_WORD = 4;

/** Of the video, before it begins anew. */
const PICTURES = 48;

const wait = (ms: number): Promise<void> => sleep(ms);
/** Neither in step with a sampler nor random from run to run. */
const jitter = (): number => below(900);

async function bar(desktop: Desktop, text: string): Promise<void> {
  await write(desktop, BAR, [text], { ink: '#ffffff', paper: '#30475e' });
}

async function page(desktop: Desktop, title: string, lines = 30): Promise<void> {
  await bar(desktop, title);
  await write(desktop, PAGE, newPage(lines), DOCUMENT);
}

/** One line of a status that changes from time to time. */
async function statuses(desktop: Desktop, untilMs: number, everyMs: number): Promise<void> {
  await wait(SETTLED_MS);
  while (performance.now() + SETTLED_MS < untilMs) {
    const fact = newFact();
    await desktop.change(STATUS, fact, () => write(desktop, STATUS, [fact], DOCUMENT));
    await wait(everyMs + jitter());
  }
}

async function rest(untilMs: number): Promise<void> {
  await wait(Math.max(0, untilMs - performance.now()));
}

async function still(desktop: Desktop, untilMs: number): Promise<void> {
  await page(desktop, 'Reading');
  await rest(untilMs);
}

/** A command a dozen seconds: it is typed, and answers in two lines. */
async function typing(desktop: Desktop, untilMs: number): Promise<void> {
  await bar(desktop, 'Terminal');
  await write(desktop, PAGE, ['Last login: Friday'], TERMINAL);
  await wait(SETTLED_MS);
  for (let line = 1; performance.now() + 8000 < untilMs; line += 3) {
    const command = `$ ./track ${newFact().toLowerCase()}`;
    const at = lineRect(PAGE, line);
    const typed = command.length - LAST_WORD;
    for (let length = 2; length <= typed; length += 1) {
      await write(desktop, at, [command.slice(0, length)], TERMINAL);
      await wait(60 + below(120));
    }
    const end = { ...at, x: Math.floor(12 + typed * MONO_PX), width: Math.ceil(LAST_WORD * MONO_PX) };
    await desktop.change(end, command, () => write(desktop, at, [command], TERMINAL), at);
    await wait(500 + jitter());
    const answer = [newFact(), newFact()];
    const below_ = lineRect(PAGE, line + 1, 2);
    await desktop.change(below_, answer.join(' '), () => write(desktop, below_, answer, TERMINAL));
    await wait(4000 + jitter());
  }
  await rest(untilMs);
}

/** Another page every six seconds, scrolled once. */
async function browsing(desktop: Desktop, untilMs: number): Promise<void> {
  await bar(desktop, 'Browser');
  while (performance.now() + 6000 < untilMs) {
    const lines = newPage(40);
    for (const from of [0, 10]) {
      const shown = lines.slice(from, from + 30);
      const show = (): Promise<void> => write(desktop, PAGE, shown, DOCUMENT);
      await desktop.change(lineRect(PAGE, 0, 30), shown[0], show, lineRect(PAGE, 0));
      await wait(2600 + jitter());
    }
  }
  await rest(untilMs);
}

/** A dialog that is there for a second. */
async function dialogs(desktop: Desktop, untilMs: number): Promise<void> {
  await page(desktop, 'Editor');
  await wait(SETTLED_MS);
  while (performance.now() + 5000 < untilMs) {
    const rect = { x: 500 + 2 * below(200), y: 300 + 2 * below(150), width: 620, height: 180 };
    const under = desktop.copy(rect);
    const fact = newFact();
    await desktop.change(rect, fact, () =>
      write(desktop, rect, ['', fact, '', 'OK    Cancel'], { ink: '#000000', paper: '#e9e4d8' }),
    );
    await wait(1000);
    await desktop.change(rect, undefined, () => desktop.put(rect, under));
    await wait(4500 + jitter());
  }
  await rest(untilMs);
}

/** A clock ticks each second; a line changes now and then. */
async function clock(desktop: Desktop, untilMs: number): Promise<void> {
  await page(desktop, 'Desk');
  const ticking = async (): Promise<void> => {
    for (let second = 0; performance.now() + 1000 < untilMs; second += 1) {
      const time = new Date(36_000_000 + 1000 * second).toISOString().slice(11, 19);
      await write(desktop, { x: 1760, y: 0, width: 160, height: 40 }, [time], { ink: '#ffffff', paper: '#30475e' });
      await wait(1000);
    }
  };
  await Promise.all([ticking(), statuses(desktop, untilMs, 9000)]);
  await rest(untilMs);
}

/** A camera that pans over a pattern, and a ball in front of it. */
function picture(size: Size, index: number): Promise<Pixels> {
  const turn = index / PICTURES;
  const stripes = Array.from({ length: 40 }, (_, stripe) => {
    const x = ((stripe * 24 + turn * 960) % 960) - 240;
    return `<path d="M${x} 0l14 0l120 270l-14 0z" fill="hsl(${stripe * 27},60%,${30 + (stripe % 5) * 10}%)"/>`;
  });
  const [x, y] = [240 + 160 * Math.cos(2 * Math.PI * turn), 135 + 80 * Math.sin(4 * Math.PI * turn)];
  const ball = `<circle cx="${x}" cy="${y}" r="34" fill="#f4f1de"/>`;
  return drawSvg(size, `<rect width="100%" height="100%" fill="#335577"/>${stripes.join('')}${ball}`);
}

/** A video plays in a corner; a line changes now and then. */
async function video(desktop: Desktop, untilMs: number): Promise<void> {
  await page(desktop, 'Desk with a video');
  const rect = { x: 1420, y: 780, width: 480, height: 270 };
  const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, index) => picture(rect, index)));
  const playing = async (): Promise<void> => {
    for (let index = 0; performance.now() + 200 < untilMs; index += 1) {
      const shown = pictures[index % PICTURES];
      if (shown) await desktop.put(rect, shown);
      await wait(70);
    }
  };
  await Promise.all([playing(), statuses(desktop, untilMs, 9000)]);
  await rest(untilMs);
}

export const SCENES: readonly Scene[] = [
  { name: 'still', title: 'a page that stands still', share: 4, minutesAnHour: 42, play: still },
  { name: 'typing', title: 'typing in a terminal', share: 1, minutesAnHour: 6, play: typing },
  { name: 'browsing', title: 'browsing', share: 1, minutesAnHour: 4, play: browsing },
  { name: 'dialogs', title: 'dialogs of one second', share: 1, minutesAnHour: 2, play: dialogs },
  { name: 'clock', title: 'a ticking clock', share: 1, minutesAnHour: 3, play: clock },
  { name: 'video', title: 'a video in a corner', share: 1, minutesAnHour: 3, play: video },
];

/** The same scenes as from the start. */
export function beginScenesAnew(): void {
  random = seededRandom(SEED);
  beginWordsAnew();
}
