import { join } from 'node:path';
import { type RunningProcess, start } from '../../test/support/process.js';
import { projectRoot } from '../../test/support/programs.js';
import { type Holdings, StressedCap } from './stressed-cap.js';

/** Sessions of one client process: the first half says goodbye, the others are there when the process is killed. */
export const SESSIONS_EACH = 40;
/** How many client processes come and go at a time. */
const AT_ONCE = 3;

export interface SessionsOptions {
  readonly sessions: number;
  readonly onRound?: (sessions: number, holdings: Holdings) => void;
}

export interface SessionsReport {
  readonly sessions: number;
  /** Of these, those whose client was killed. */
  readonly killed: number;
  readonly before: Holdings;
  readonly after: Holdings;
}

/**
 * Short sessions that join and leave at the same time, over TCP and UDP, half of them ended by killing their client.
 * @throws when the gateway ends, does not serve a reader any more, or counts readers that have left
 */
export async function shortSessions({ sessions, onRound }: SessionsOptions): Promise<SessionsReport> {
  await using cap = await StressedCap.start();
  const clients = Math.ceil(sessions / SESSIONS_EACH);
  let begun = 0;
  const come = async (until: number): Promise<void> => {
    while (begun < until) {
      begun += 1;
      await oneClient(cap.rtspUrl, begun % 2 === 0 ? 'tcp' : 'udp');
    }
  };
  const round = async (until: number): Promise<Holdings> => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => come(until)));
    await cap.expectWell();
    const holdings = await cap.holdings();
    onRound?.(begun * SESSIONS_EACH, holdings);
    return holdings;
  };
  const step = Math.ceil(clients / (clients < 100 ? 4 : 40));
  const before = await round(Math.max(step, Math.ceil(clients / 4)));
  let after = before;
  while (begun < clients) after = await round(Math.min(clients, begun + step));
  return { sessions: begun * SESSIONS_EACH, killed: (begun * SESSIONS_EACH) / 2, before, after };
}

async function oneClient(url: string, protocol: 'tcp' | 'udp'): Promise<void> {
  const args = [join(projectRoot, 'build/js/benchmarks/stress/client.js'), url, protocol, `${SESSIONS_EACH}`];
  await using client: RunningProcess = start(process.execPath, args);
  await client.waitForOutput(/^playing$/m, 60_000);
  client.signal('SIGKILL');
  await client.exited;
}
