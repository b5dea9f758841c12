// This example shows how to
// 1. capture and encode once,
// 2. record that into an MP4, which plays even if this process is killed,
// 3. serve the same coded pictures over RTSP, and read the counters.
//
//   node examples/record-and-stream.mjs out.mp4 [port]
import { once } from 'node:events';
import { CaptureSession } from 'cap-gateway';

const [path = 'out.mp4', port = '8554'] = process.argv.slice(2);

const interrupted = once(process, 'SIGINT');
const session = await CaptureSession.open({
  source: process.env.DISPLAY ? { kind: 'screen' } : { kind: 'test' },
  encoder: { crf: 20, gopSeconds: 2 },
});
const recorder = await session.record(path);
recorder.on('failed', (error) => console.error(error.message));
const server = await session.serveRtsp('/cap', { port: Number(port) });
console.log(`${server.url('/cap')} and ${recorder.path}`);

await interrupted;
await session.close(); // finishes the file, too
const { framesEncoded, keyFrames, captureToEncodedMs } = session.stats;
console.log(
  `${framesEncoded} frames, ${keyFrames} of them key frames, ${captureToEncodedMs.toFixed(1)} ms from capture`,
);
console.log(`${recorder.stats.delivered} frames recorded`);
