import { Command } from 'commander';
import { type Closable, closeAll, formatSize, toCapError } from '../core/index.js';
import { type Answer, CaptureSession, type RtspServer, WatchSession } from '../session/index.js';
import { answerSummary } from './answer-printer.js';
import { duration } from './parse-options.js';
import { run } from './run.js';
import { untilStopped } from './until-stopped.js';
import { startVirtualScreen } from './virtual-screen.js';

interface Flags {
  readonly duration: number;
}

/** Runs the demo: a screen, streamed over RTSP, read back over RTSP, its words in the terminal. */
export function main(args: readonly string[], stop: AbortSignal): Promise<number> {
  const program = new Command('npm run demo --')
    .description('Stream a screen over RTSP and read it back with the local reader')
    .option('-d, --duration <time>', 'how long, such as 20s', duration('--duration', 1000), 20_000)
    .action((flags: Flags) => demo(flags, stop));
  return run(program, args);
}

async function demo(flags: Flags, stop: AbortSignal): Promise<void> {
  const owned: Closable[] = [];
  const own = <T extends Closable>(item: T): T => {
    owned.unshift(item);
    return item;
  };
  try {
    const display = await findScreen(own);
    if (stop.aborted) return;
    const capture = own(await CaptureSession.open({ source: { kind: 'screen', display } }));
    const server = await serve(capture);
    const url = server.url('/cap');
    print(`Capturing ${capture.label} once, encoding it once (${formatSize(capture.plan.canvas)}, H.264)`);
    print(`Serving ${url}`);
    print(`  to watch it: vlc ${url}`);
    print('Reading the stream over RTSP with the local reader: no key, nothing leaves this machine');
    print('The first look takes a few seconds …\n');
    if (stop.aborted) return;
    const watching = own(await WatchSession.open(url, { watch: { everyMs: 1500 } }));
    const totals = listen(watching);
    await Promise.race([untilStopped(capture, stop, flags.duration), watching.watch.finished.then(throwIf)]);
    await watching.watch.close();
    print(summary(capture, watching, totals));
  } finally {
    await closeAll(owned);
  }
}

/** The display there is, or a virtual one. */
async function findScreen(own: <T extends Closable>(item: T) => T): Promise<string> {
  const present = process.env.DISPLAY;
  if (present) return present;
  const screen = own(await startVirtualScreen(1280, 720));
  print(`There is no display: started a virtual one, ${screen.display}, with a terminal on it`);
  return screen.display;
}

/** At the usual port, or at a free one when it is taken. */
async function serve(capture: CaptureSession): Promise<RtspServer> {
  try {
    return await capture.serveRtsp('/cap');
  } catch (error) {
    if (toCapError(error).code !== 'CAP_PORT_UNAVAILABLE') throw error;
    return capture.serveRtsp('/cap', { port: 0 });
  }
}

interface Totals {
  readonly ages: number[];
  tokens: number;
}

function listen({ watch }: WatchSession): Totals {
  const totals: Totals = { ages: [], tokens: 0 };
  let known = new Set<string>();
  watch.on('answered', (answer) => {
    if (answer.frameAgeMs !== undefined) totals.ages.push(answer.frameAgeMs);
    totals.tokens += answer.estimatedTokens;
    const lines = answer.text.split('\n').filter((line) => line.trim() !== '');
    printLook(answer, known, lines);
    known = new Set(lines);
  });
  return totals;
}

/** All lines at first, then those that were not there before. */
function printLook(answer: Answer, known: ReadonlySet<string>, lines: readonly string[]): void {
  const fresh = lines.filter((line) => !known.has(line));
  if (fresh.length === 0) return;
  print(`${new Date().toTimeString().slice(0, 8)}  ${answerSummary(answer)}`);
  for (const line of fresh) print(`    ${known.size > 0 ? 'new: ' : ''}${line}`);
}

function summary(capture: CaptureSession, { watch }: WatchSession, { ages, tokens }: Totals): string {
  const { seen, answered } = watch.counts();
  const { framesCaptured, framesEncoded, encodedBytes } = capture.stats;
  const sorted = ages.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  return [
    '',
    `captured ${framesCaptured} frames, encoded ${framesEncoded} of them once, ${Math.round(encodedBytes / 1024)} KiB`,
    `received ${seen} frames, sent ${answered} of them to the reader, ${tokens} tokens`,
    `age of a frame when it was sent: ${median === undefined ? 'unknown' : `${Math.round(median)} ms`} (median; a still screen sends one a second)`,
  ].join('\n');
}

function throwIf(error: Error | undefined): void {
  if (error) throw error;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
