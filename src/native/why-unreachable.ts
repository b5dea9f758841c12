import { connect } from 'node:net';

const TIMEOUT_MS = 2000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'rtsp:': 554,
  'rtsps:': 322,
  'rtmp:': 1935,
  'http:': 80,
  'https:': 443,
};

/**
 * Why no connection to a server comes about, in words; undefined when one does now. GStreamer says
 * only "Could not open resource" for a wrong port, a wrong host and a server that is down.
 */
export function whyUnreachable(url: string): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const at = `${hostname}:${port || DEFAULT_PORTS[protocol]}`;
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port || DEFAULT_PORTS[protocol]) });
    const done = (reason: string | undefined): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.unref();
    socket.setTimeout(TIMEOUT_MS, () => done(`${at} does not answer`));
    socket.once('connect', () => done(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => done(inWords(error.code, hostname, at)));
  });
}

function inWords(code: string | undefined, host: string, at: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${at}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host ${host} is not known`;
    default:
      return `${at} cannot be reached${code ? ` (${code})` : ''}`;
  }
}
