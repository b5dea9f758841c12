import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { seededRandom } from '../../test/support/prng.js';
import { WhepClient } from '../../test/support/whep-client.js';
import { type Dialogue, dialogues } from './dialogues.js';
import { mutate, type Random } from './mutation.js';
import { type Holdings, StressedCap } from './stressed-cap.js';

/** How many connections speak at a time. */
const AT_ONCE = 24;
/** How often the gateway is asked whether it is still well: each time it must come to rest first. */
const checkEvery = (requests: number): number => Math.max(10_000, Math.ceil(requests / 25));
/** What is not answered by then was not understood as a request. */
const PATIENCE_MS = 25;

export interface FuzzOptions {
  readonly requests: number;
  readonly seed?: number;
  /** Under AddressSanitizer. @default false */
  readonly sanitize?: boolean;
  readonly onCheck?: (requests: number, holdings: Holdings) => void;
}

export interface FuzzReport {
  readonly requests: number;
  readonly connections: number;
  /** Requests that got an answer, by the first digit of its status. */
  readonly answers: Readonly<Record<string, number>>;
  readonly before: Holdings;
  readonly after: Holdings;
}

/**
 * Speaks to a gateway in mutated dialogues of real clients, over RTSP and HTTP, on many connections at a time.
 * @throws when the gateway ends, reports a memory error, does not serve a reader any more, or keeps readers that left
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { requests, seed = 1, sanitize = false, onCheck } = options;
  const every = checkEvery(requests);
  const random = seededRandom(seed);
  await using cap = await StressedCap.start({ sanitize });
  await using ports = await UdpPorts.open();
  await using viewer = await WhepClient.create();
  const spoken = dialogues({ ...cap, offer: viewer.offer, udpPorts: ports.numbers });
  const answers: Record<string, number> = {};
  let sent = 0;
  let connections = 0;
  const speak = async (until: number): Promise<void> => {
    while (sent < until) {
      const dialogue = spoken[random.below(spoken.length)];
      if (!dialogue) continue;
      connections += 1;
      const said = await converse(dialogue, random, answers);
      sent += said;
    }
  };
  const round = async (until: number): Promise<Holdings> => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => speak(until)));
    await cap.expectWell();
    const holdings = await cap.holdings();
    onCheck?.(sent, holdings);
    return holdings;
  };
  // What is opened once and kept, such as pools of threads, is there after the first requests.
  const before = await round(Math.min(every, Math.ceil(requests / 4)));
  let after = before;
  while (sent < requests) after = await round(Math.min(requests, sent + every));
  return { requests: sent, connections, answers, before, after };
}

/** Says a dialogue, in most of its requests changed, and hangs up in one of the ways in which clients do. */
async function converse(dialogue: Dialogue, random: Random, answers: Record<string, number>): Promise<number> {
  const socket = connect({ port: dialogue.port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined); // a reset is an answer, too
  const names = { SESSION: '1', LOCATION: '/whep-sessions/1' };
  let heard = '';
  let wake = (): void => undefined;
  socket.on('data', (data) => {
    heard = data.toString('latin1');
    names.SESSION = /^Session: *([^;\r]+)/im.exec(heard)?.[1] ?? names.SESSION;
    names.LOCATION = /^Location: *(\S+)/im.exec(heard)?.[1] ?? names.LOCATION;
    const status = /^(?:RTSP|HTTP)\/1\.[01] (\d)/m.exec(heard)?.[1];
    if (status !== undefined) answers[`${status}xx`] = (answers[`${status}xx`] ?? 0) + 1;
    wake();
  });
  socket.on('close', () => wake());
  let sent = 0;
  for (const request of dialogue.requests) {
    if (socket.destroyed) break;
    const whole = request.replace(/SESSION|LOCATION/g, (name) => names[name as keyof typeof names]);
    const bytes = Buffer.from(whole, 'latin1');
    socket.write(random.below(5) === 0 ? bytes : mutate(bytes, random));
    sent += 1;
    if (random.below(8) === 0) continue; // without waiting for an answer
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, PATIENCE_MS);
    });
  }
  await hangUp(socket, random);
  return sent;
}

async function hangUp(socket: Socket, random: Random): Promise<void> {
  if (socket.destroyed) return;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const way = random.below(3);
  if (way === 0) socket.end();
  if (way === 1) socket.resetAndDestroy();
  if (way !== 1) setTimeout(() => socket.destroy(), PATIENCE_MS);
  await closed;
}

/** Two ports that take whatever is sent to them. */
class UdpPorts implements AsyncDisposable {
  readonly numbers: readonly [number, number];
  readonly #sockets: readonly UdpSocket[];

  private constructor(sockets: readonly [UdpSocket, UdpSocket]) {
    this.#sockets = sockets;
    this.numbers = [sockets[0].address().port, sockets[1].address().port];
  }

  static async open(): Promise<UdpPorts> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    for (const socket of sockets) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    return new UdpPorts([...sockets]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
  }
}
