import { CapError } from '../core/index.js';
import { CaptureSession, repairSound } from '../session/index.js';
import { KeptRecording } from './kept-recording.js';
import type { CaptureCalls } from './worker-calls.js';
import { gatewayLogger, serveGateway } from './worker-process.js';

// A process of the gateway: captures and encodes one source. See worker.ts, which supervises it.
let session: CaptureSession | undefined;
let recording: KeptRecording | undefined;

const calls: CaptureCalls = {
  async open({ publish = [], whipToken, record, ...options }, socketName) {
    const logger = gatewayLogger(gateway);
    // What this worker's predecessor left when it died would lead the application past us.
    if (options.audio?.app !== undefined) await repairSound();
    session = await CaptureSession.open({ ...options, logger });
    session.on('failed', async (error) => {
      await gateway.failed(error);
      await recording?.close().catch(() => {}); // it has said what is wrong with it
      process.exit(1);
    });
    session.sendTo(socketName);
    for (const url of publish) session.publish(url, { whipToken });
    if (record) recording = new KeptRecording(session, record, logger);
    const { label, picture, audio, stats } = session;
    return { label, picture, audio, rate: stats.rate };
  },
  stats() {
    if (!session) throw new CapError('CAP_INTERNAL', 'nothing is captured yet');
    const recorded = recording?.stats;
    return recorded ? { ...session.stats, recorded: [recorded] } : session.stats;
  },
  setRate: (rate) => session?.setRate(rate),
};

const gateway = serveGateway(calls, async () => {
  await recording?.close();
  await session?.close();
});
