// This example shows how to
// 1. connect to a stream and take its newest frame, again and again,
// 2. read what its producer says about it (docs/sei.md), and how old it is,
// 3. end when the stream cannot be reached, or on Ctrl-C.
//
//   node examples/read-metadata.mjs rtsp://127.0.0.1:8554/cap
import { CapError, formatRegion, formatSize, frameAgeMs, Sampler } from 'cap-gateway';

const [url = 'rtsp://127.0.0.1:8554/cap'] = process.argv.slice(2);

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const sampler = new Sampler(url, { connectTimeoutMs: 5000 });
let afterSequence = -1;
try {
  while (!stop.signal.aborted) {
    const frame = await sampler.next({ afterSequence, signal: stop.signal });
    afterSequence = frame.sequence;
    describe(frame);
  }
} catch (error) {
  if (error instanceof CapError) {
    console.error(`${error.code}: ${error.message}${error.hint ? ` (${error.hint})` : ''}`);
    process.exitCode = error.exitCode;
  } else if (!stop.signal.aborted) throw error;
} finally {
  await sampler.close();
}

/** @param {import('cap-gateway').Frame} frame */
function describe(frame) {
  const { metadata } = frame;
  if (!metadata) {
    console.log(`frame ${frame.sequence}, ${formatSize(frame)}: no metadata, another producer`);
    return;
  }
  const { frameNumber, source, plan, damage } = metadata;
  const changed = damage ? damage.map(formatRegion).join(' ') || 'nothing' : 'unknown';
  const age = frameAgeMs(frame)?.toFixed(1);
  console.log(`frame ${frameNumber}, ${age} ms old, ${formatSize(source)} by ${plan}, changed: ${changed}`);
}
