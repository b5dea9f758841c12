import { join } from 'node:path';
import { type Painter, startPainter } from '../../test/support/painter.js';
import { run } from '../../test/support/process.js';
import type { ResizableDisplay } from '../../test/support/resizable-display.js';
import { RtspClient } from '../../test/support/rtsp-client.js';
import { showPicture } from '../../test/support/screen.js';
import type { Subject } from './subject.js';

/** An hour of use has as many rounds as it has minutes. */
export const ROUNDS_PER_HOUR = 60;

/** What somebody does at a desktop in a minute, done as fast as it goes. */
const DRAWS = 300;
const POINTER_MOVES = DRAWS / 3;
/** Less than a frame apart, at the rate of subject.mjs: nearly each draw is a frame of its own. */
const DRAW_INTERVAL_MS = 7;
const READER_PACKETS = 50;
const RECORDING_EVERY = 3;
const RESIZE_EVERY = 3;
const MODES = [
  [1024, 768],
  [1280, 720],
  [800, 600],
] as const;

/** One round after the other of what happens on a desktop that is captured. */
export class Activity implements AsyncDisposable {
  readonly #display: ResizableDisplay;
  readonly #subject: Subject;
  readonly #painter: Painter;
  readonly #folder: string;
  #round = 0;

  private constructor(display: ResizableDisplay, subject: Subject, painter: Painter, folder: string) {
    this.#display = display;
    this.#subject = subject;
    this.#painter = painter;
    this.#folder = folder;
  }

  static async start(display: ResizableDisplay, subject: Subject, folder: string): Promise<Activity> {
    return new Activity(display, subject, await startPainter(display), folder);
  }

  /** For people: what an hour of it is. */
  static readonly hour =
    `${DRAWS * ROUNDS_PER_HOUR} draws and window changes, ${POINTER_MOVES * ROUNDS_PER_HOUR} pointer moves, ` +
    `${ROUNDS_PER_HOUR} readers, ${ROUNDS_PER_HOUR} windows captured until they close, ` +
    `${ROUNDS_PER_HOUR / RECORDING_EVERY} recordings, ${ROUNDS_PER_HOUR / RESIZE_EVERY} changes of the screen's mode`;

  async round(): Promise<void> {
    this.#round += 1;
    const records = this.#round % RECORDING_EVERY === 0;
    // The same file again: what is watched is the process, not the disk.
    if (records) await this.#subject.tell(`record ${join(this.#folder, 'out.mp4')}`);
    await Promise.all([this.#painter.steady(this.#round, DRAWS, DRAW_INTERVAL_MS), this.#read(), this.#watchWindow()]);
    if (records) await this.#subject.tell('recorded');
    if (this.#round % RESIZE_EVERY === 1) {
      const [width, height] = MODES[Math.floor(this.#round / RESIZE_EVERY) % MODES.length] ?? MODES[0];
      await this.#display.resize(width, height);
    }
  }

  /** A reader joins, takes some packets and leaves; every other one without a word. */
  async #read(): Promise<void> {
    await using client = await RtspClient.open(this.#subject.url);
    let packets = 0;
    const taken = new Promise<void>((resolve) => {
      client.onPacket(() => {
        packets += 1;
        if (packets >= READER_PACKETS) resolve();
      });
    });
    const session = await client.play('RTP/AVP/TCP;unicast;interleaved=0-1');
    await taken;
    if (this.#round % 2 === 0) await client.request('TEARDOWN', { headers: { Session: session } });
  }

  /** A window opens, is captured, moves, changes its size and closes; every other one while it is captured. */
  async #watchWindow(): Promise<void> {
    const window = await showPicture(this.#display, grey(300, 200));
    try {
      const { id } = window;
      await this.#subject.tell(`window ${id}`);
      await run('xdotool', ['windowmove', id, '50', '60', 'windowsize', id, '320', '240'], { env: this.#display.env });
      if (this.#round % 2 === 0) await window.close();
      await this.#subject.tell('forget');
    } finally {
      await window.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#painter[Symbol.asyncDispose]();
  }
}

function grey(widthPx: number, heightPx: number) {
  return { widthPx, heightPx, rgb: new Uint8Array(widthPx * heightPx * 3).fill(128) };
}
