import { setPriority } from 'node:os';
import { toCapError } from '../../core/index.js';
import { openPageReader } from './page-reader.js';
import type { ReadAnswer, ReadRequest } from './process-reader.js';

// Runs in a process of its own: see process-reader.ts, which ends it.
// Reading may wait; what is captured and encoded at the same time may not.
setPriority(10);
const reader = openPageReader();
// The first request reports it.
reader.catch(() => {});
let previous: Promise<void> = Promise.resolve();

process.on('message', (request: ReadRequest) => {
  previous = previous.then(() => answer(request));
});
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
// Ctrl-C reaches every process of the terminal; the parent decides what it means.
process.on('SIGINT', () => {});

async function answer({ id, image, part }: ReadRequest): Promise<void> {
  try {
    const lines = await (await reader).read(image, part);
    send({ id, lines });
  } catch (error) {
    const { message, code, hint } = toCapError(error);
    send({ id, error: { message, code, hint } });
  }
}

function send(message: ReadAnswer): void {
  if (process.connected) process.send?.(message);
}
