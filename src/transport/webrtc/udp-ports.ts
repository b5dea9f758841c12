import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { CapError } from '../../core/index.js';

/**
 * The UDP ports that peers may take, one each. Every port is tried before it is given away.
 */
export class UdpPorts {
  readonly #address: string | undefined;
  readonly #range: readonly [first: number, last: number];
  readonly #taken = new Set<number>();

  constructor(address: string | undefined, range: readonly [first: number, last: number]) {
    this.#address = address;
    this.#range = range;
  }

  /** @throws CAP_PORT_UNAVAILABLE when none is free */
  async take(): Promise<number> {
    const [first, last] = this.#range;
    for (let port = first; port <= last; port += 1) {
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port, this.#address)) return port;
      this.#taken.delete(port);
    }
    throw new CapError('CAP_PORT_UNAVAILABLE', `no UDP port from ${first} to ${last} is free`, {
      hint: 'allow more with --webrtc-ports',
    });
  }

  giveBack(port: number): void {
    this.#taken.delete(port);
  }
}

function isFree(port: number, address: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address !== undefined && isIPv6(address) ? 'udp6' : 'udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
}
