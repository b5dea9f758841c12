import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * Stands between VLC and an RTSP server, for VLC builds without live555, such as Debian's. Those still play RTSP with
 * `--demux=avformat --avformat-format=rtsp`, where libavformat opens a connection of its own, but only after their
 * SAT>IP module could open the same url, and that one asks for the path `/stream=0` which no other server has.
 * The relay answers the SAT>IP connection, known by its starting with SETUP, and sends it the few packets without which
 * VLC would not let libavformat try. It passes all other connections on untouched.
 */
export async function relayForVlc(url: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    return socket;
  };
  const server = createServer((client) => {
    keep(client).once('data', (first) => {
      if (first.toString('latin1').startsWith('SETUP')) {
        answerSatIp(client, first);
        client.once('close', sendSatIpPackets(first));
        client.on('data', (request) => answerSatIp(client, request));
        return;
      }
      const upstream = keep(connect(Number(target.port || 554), target.hostname));
      upstream.write(first);
      client.pipe(upstream).pipe(client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  const login = target.username === '' ? '' : `${target.username}:${target.password}@`;
  return { url: `${target.protocol}//${login}127.0.0.1:${address.port}${target.pathname}${target.search}`, close };
}

/** Sends RTP packets of empty MPEG-TS to the ports that a SETUP names; returns what ends it. */
function sendSatIpPackets(setUp: Buffer): () => void {
  const port = Number(/client_port=(\d+)/i.exec(setUp.toString('latin1'))?.[1]);
  const tsPacket = Buffer.alloc(188, 0xff);
  tsPacket.set([0x47, 0x1f, 0xff, 0x10]);
  const packet = Buffer.concat([Buffer.from([0x80, 33]), Buffer.alloc(10), ...Array<Buffer>(7).fill(tsPacket)]);
  const socket = createSocket('udp4');
  let sequence = 0;
  const timer = setInterval(() => {
    sequence = (sequence + 1) % 2 ** 16; // VLC drops a repeated one
    packet.writeUInt16BE(sequence, 2);
    socket.send(Buffer.from(packet), port, '127.0.0.1');
  }, 10);
  return () => {
    clearInterval(timer);
    socket.close();
  };
}

function answerSatIp(client: Socket, data: Buffer): void {
  const request = data.toString('latin1');
  const header = (name: string) => new RegExp(`^${name}:\\s*(.+?)\\r?$`, 'im').exec(request)?.[1] ?? '';
  const transport = header('Transport') ? [`Transport: ${header('Transport')};server_port=9-10`] : [];
  const lines = ['RTSP/1.0 200 OK', `CSeq: ${header('CSeq')}`, 'Session: relay', ...transport];
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
}
