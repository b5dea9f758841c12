import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_PROMPT, type Frame, type FrameSource, fitFrame, Watch, type WatchOptions } from 'cap-gateway';
import { differenceHash } from './difference-hash.js';
import { RecordingAdaptor, type Sent } from './recording-adaptor.js';

/** A way of choosing what a model is shown of a stream. */
export interface Method {
  readonly name: string;
  readonly title: string;
  start(source: FrameSource): Running;
}

/** A method at work. */
export interface Running {
  readonly sent: readonly Sent[];
  stop(): Promise<void>;
}

/** What `cap watch` is told: quick enough for two seconds. */
const QUICK: WatchOptions = { everyMs: 1000, gate: { settleMs: 300, settleMaxMs: 1500 } };

export const METHODS: readonly Method[] = [
  { name: 'fixed', title: '1 frame a second', start: (source) => sample(source, 1) },
  { name: 'dhash-1', title: 'dHash, 1 look a second', start: (source) => sample(source, 1, hashGate()) },
  { name: 'dhash-5', title: 'dHash, 5 looks a second', start: (source) => sample(source, 5, hashGate()) },
  { name: 'cap', title: 'cap', start: (source) => watch(source, QUICK) },
  { name: 'cap-deltas', title: 'cap --deltas', start: (source) => watch(source, { ...QUICK, deltas: {} }) },
];

function watch(source: FrameSource, options: WatchOptions): Running {
  const adaptor = new RecordingAdaptor();
  const watching = new Watch(source, adaptor, options);
  return { sent: adaptor.sent, stop: () => watching.close() };
}

type Gate = (frame: Frame) => Promise<boolean>;

/** Whether a single bit has changed since what was sent last: no threshold lets more changes through. */
function hashGate(): Gate {
  let last: bigint | undefined;
  return async (frame) => {
    const hash = await differenceHash(frame);
    const isNew = hash !== last;
    last = hash;
    return isNew;
  };
}

/** Looks at the newest frame so often, and sends it whole where the gate lets it through. */
function sample(source: FrameSource, looksASecond: number, gate: Gate = async () => true): Running {
  const adaptor = new RecordingAdaptor();
  const stopping = new AbortController();
  const { signal } = stopping;
  let last: { readonly frame: Frame; readonly images: Sent['images'] } | undefined;
  const run = async (): Promise<void> => {
    for (let dueMs = performance.now(); ; dueMs += 1000 / looksASecond) {
      await sleep(Math.max(0, dueMs - performance.now()), undefined, { signal });
      const frame = await source.next({ signal });
      if (!(await gate(frame))) continue;
      // What is the same is sent again, but not encoded again.
      const same = last && (last.frame.sequence === frame.sequence || last.frame.data.equals(frame.data));
      const images = same && last ? last.images : (await fitFrame(frame, adaptor)).images;
      last = { frame, images };
      adaptor.record(images, DEFAULT_PROMPT);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    sent: adaptor.sent,
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
