// The moving picture of a stream: connects, connects again, and says how old what it shows is.
import { CaptureClock } from './capture-clock.js';
import { play } from './whep.js';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
const FIRST_FRAME_MS = 8000;

export class Video {
  #element;
  #url;
  #clock;
  #session;
  #captured = new CaptureClock();
  #pauseMs = FIRST_PAUSE_MS;
  #timer;
  #generation = 0;
  #bytes = { count: 0, at: 0 };
  /** `performance.now()` when the newest frame was shown; undefined while there is none. */
  shownAt;
  /** Milliseconds from the capture of the newest frame to its display; undefined when the stream does not tell. */
  ageMs;

  constructor(element, url, clock) {
    this.#element = element;
    this.#url = url;
    this.#clock = clock;
    this.connect();
  }

  /** Anew, at once. */
  connect() {
    this.#drop();
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#open(this.#generation);
  }

  close() {
    this.#drop();
    this.#captured.close();
    this.#element.srcObject = null;
  }

  /** `{ kbps, fps }` since the last call; undefined while nothing comes. */
  async rate() {
    const reports = await this.#session?.connection.getStats();
    const video = [...(reports?.values() ?? [])].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    if (!video || this.shownAt === undefined) return undefined;
    const before = this.#bytes;
    this.#bytes = { count: video.bytesReceived, at: video.timestamp };
    const elapsed = video.timestamp - before.at;
    const kbps = ((video.bytesReceived - before.count) * 8) / elapsed;
    return { kbps: before.at > 0 && elapsed > 0 ? Math.max(0, kbps) : 0, fps: video.framesPerSecond ?? 0 };
  }

  async #open(generation) {
    const isOld = () => generation !== this.#generation;
    this.#timer = setTimeout(() => isOld() || this.#retry(), FIRST_FRAME_MS);
    try {
      await this.#captured.ready;
      const session = await play(this.#url, {
        onReceiver: (receiver) => this.#prepare(receiver),
        onTrack: (track) => this.#show(track, isOld),
        onEnd: () => isOld() || this.#retry(),
      });
      if (isOld()) session.close();
      else this.#session = session;
    } catch {
      if (!isOld()) this.#retry();
    }
  }

  #retry() {
    this.#drop();
    const generation = this.#generation;
    this.#timer = setTimeout(() => generation === this.#generation && this.#open(generation), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #drop() {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#session?.close();
    this.#session = undefined;
    this.#bytes = { count: 0, at: 0 };
    this.shownAt = undefined;
    this.ageMs = undefined;
  }

  #prepare(receiver) {
    // Nothing is held back for smoothness: what is shown is to be of now.
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    this.#captured.read(receiver);
  }

  #show(track, isOld) {
    if (isOld()) return;
    this.#element.srcObject = new MediaStream([track]);
    const onFrame = (now, frame) => {
      if (isOld()) return;
      clearTimeout(this.#timer);
      this.#pauseMs = FIRST_PAUSE_MS;
      this.shownAt = now;
      const captured = this.#captured.capturedAt(frame.rtpTimestamp);
      this.ageMs = captured === undefined ? undefined : this.#clock.at(frame.expectedDisplayTime) - captured;
      this.#element.requestVideoFrameCallback(onFrame);
    };
    this.#element.requestVideoFrameCallback(onFrame);
  }
}
