import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AccessUnit, AccessUnitReader } from './access-units.js';
import { eventually } from './eventually.js';
import { type ConnectionOptions, RtspClient } from './rtsp-client.js';

/** A reader of an RTSP stream that keeps the access units it gets, undecoded. */
export class RtspPlayer implements AsyncDisposable {
  readonly client: RtspClient;
  readonly session: string;
  readonly units: readonly AccessUnit[];
  readonly #reader: AccessUnitReader;

  private constructor(client: RtspClient, session: string, units: readonly AccessUnit[], reader: AccessUnitReader) {
    this.client = client;
    this.session = session;
    this.units = units;
    this.#reader = reader;
  }

  /** Plays over the RTSP connection itself. */
  static async overTcp(url: string, options: ConnectionOptions = {}): Promise<RtspPlayer> {
    const client = await RtspClient.open(url, options);
    const reader = new AccessUnitReader();
    const units: AccessUnit[] = [];
    client.onPacket((packet, channel) => {
      const unit = channel === 0 ? reader.push(packet) : undefined;
      if (unit) units.push(unit);
    });
    return new RtspPlayer(client, await client.play('RTP/AVP/TCP;unicast;interleaved=0-1'), units, reader);
  }

  /** Access units that came in part only. */
  get incompleteUnits(): number {
    return this.#reader.incomplete;
  }

  /** Resolves when `count` more access units have come. */
  async waitForUnits(count: number, timeoutMs = 20_000): Promise<void> {
    const goal = this.units.length + count;
    const check = (): void => {
      if (this.units.length < goal) throw new Error(`${goal - this.units.length} of ${count} access units are missing`);
    };
    await eventually(check, { timeoutMs });
  }

  async teardown(): Promise<void> {
    await this.client.request('TEARDOWN', { headers: { Session: this.session } });
    await this.client.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client.destroy();
  }
}

/** A UDP reader that only counts packets, and never sends an RTCP report. */
export class SilentUdpPlayer implements AsyncDisposable {
  packets = 0;
  readonly client: RtspClient;
  readonly #sockets: readonly Socket[];

  private constructor(client: RtspClient, sockets: readonly Socket[]) {
    this.client = client;
    this.#sockets = sockets;
    sockets[0]?.on('message', () => {
      this.packets += 1;
    });
  }

  static async open(url: string): Promise<SilentUdpPlayer> {
    const sockets = [createSocket('udp4'), createSocket('udp4')];
    for (const socket of sockets) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    const player = new SilentUdpPlayer(await RtspClient.open(url), sockets);
    const ports = sockets.map((socket) => socket.address().port).join('-');
    await player.client.play(`RTP/AVP;unicast;client_port=${ports}`);
    return player;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.client.destroy();
  }
}
