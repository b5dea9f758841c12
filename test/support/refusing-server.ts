import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface RefusingServer extends AsyncDisposable {
  readonly port: number;
  /** The Authorization headers that came. */
  readonly authorizations: readonly string[];
}

/** An RTSP server that wants a user name and password and takes none. */
export async function startRefusingServer(): Promise<RefusingServer> {
  const sockets = new Set<Socket>();
  const authorizations: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const request = data.toString('latin1');
      const cseq = /^CSeq:\s*(\d+)/im.exec(request)?.[1] ?? '0';
      authorizations.push(...[...request.matchAll(/^Authorization:\s*(.+?)\r?$/gim)].map((match) => match[1] ?? ''));
      const answer = request.startsWith('OPTIONS')
        ? '200 OK\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN'
        : '401 Unauthorized\r\nWWW-Authenticate: Basic realm="camera"';
      socket.write(`RTSP/1.0 ${answer}\r\nCSeq: ${cseq}\r\n\r\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    authorizations,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
