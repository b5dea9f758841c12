// This example shows how to
// 1. capture a region of the screen (a test picture where there is no display),
// 2. scale it to a preset,
// 3. serve it over RTSP, and see who comes and goes.
//
//   node examples/stream-region.mjs [port]      then: ffplay rtsp://127.0.0.1:8554/cap
import { once } from 'node:events';
import { CaptureSession, formatSize } from 'cap-gateway';

const port = Number(process.argv[2] ?? 8554);
const region = { x: 0, y: 0, width: 640, height: 480 };
const interrupted = once(process, 'SIGINT');
const session = await CaptureSession.open({
  source: process.env.DISPLAY ? { kind: 'screen', region } : { kind: 'test' },
  scaling: { preset: 'p4' },
  fps: 30,
});
session.on('resized', (source, plan) => console.log(`now ${formatSize(source)}, sent as ${formatSize(plan.canvas)}`));
session.on('failed', (error) => {
  console.error(error.message, error.hint ?? '');
  process.exit(error.exitCode);
});

const server = await session.serveRtsp('/cap', { port });
server.on('readerJoined', ({ peer, protocol }) => console.log(`${peer} reads over ${protocol}`));
server.on('readerLeft', ({ peer }, reason) => console.log(`${peer} left: ${reason}`));
console.log(`${session.label}, sent as ${formatSize(session.plan.canvas)}`);
console.log(server.url('/cap'));

await interrupted;
await session.close();
