// The process that is watched: captures a display at a quarter of its pixels, serves it, and does what it is told
// on standard input, a line each, answered by "done N FRAMES", the second being those captured so far:
//
//   record FILE, recorded   begins and finishes a recording of the stream
//   window ID, forget       begins and ends another capture, of a window
//   settle                  collects garbage, so that what is left is meant to be
//   leak KIND               keeps something on purpose: memory, descriptors or threads
//
// usage: node --expose-gc subject.mjs DISPLAY
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { CaptureSession } from 'cap-gateway';

const display = process.argv[2];
const kept = [];
const LEAKS = {
  memory: () => Buffer.alloc(8e6, 1),
  descriptors: () => openSync('/dev/null'),
  threads: () => new Worker('setInterval(() => {}, 1000)', { eval: true }),
};

// More frames a second than anybody needs: an hour of them is to pass in minutes.
const options = { source: { kind: 'screen', display }, scaling: { preset: 'p4' }, fps: 120 };
const session = await CaptureSession.open(options);
const server = await session.serveRtsp('/cap', { port: 0 });
let recorder;
let window;

const ORDERS = {
  record: async (file) => {
    recorder = await session.record(file);
  },
  recorded: () => recorder.close(),
  window: async (id) => {
    window = await CaptureSession.open({ source: { kind: 'screen', display, window: id } });
  },
  forget: () => window.close(),
  settle: () => globalThis.gc(),
  leak: (kind) => kept.push(LEAKS[kind]()),
};

process.stdout.write(`ready ${server.url('/cap')}\n`);
let done = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const [order, argument] = line.split(' ');
  await ORDERS[order](argument);
  done += 1;
  process.stdout.write(`done ${done} ${session.stats.framesCaptured}\n`);
}
