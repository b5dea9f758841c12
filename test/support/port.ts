import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Listens on a TCP port of the loopback address, by default a free one; `close()` it when done. */
export async function occupyPort(wanted = 0): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return { port: address.port, server };
}

/** A TCP port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { port, server } = await occupyPort();
  server.close();
  await once(server, 'close');
  return port;
}
