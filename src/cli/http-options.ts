import type { Command } from 'commander';
import { CapError, unexpected } from '../core/index.js';
import type { HttpOptions } from '../server/index.js';
import type { RtspServerOptions } from '../session/index.js';
import { integer } from './parse-options.js';

/** The options that say where and for whom HTTP is served. */
export interface HttpFlags {
  readonly http?: true;
  readonly httpPort?: number;
  readonly httpPlain?: true;
  readonly allowOrigin?: readonly string[];
  readonly webrtcPorts?: readonly [number, number];
  readonly maxPeers?: number;
}

export function addHttpOptions(command: Command): Command {
  return command
    .option('--http-port <port>', '0 for a free one (default: 8889)', integer('--http-port', 0, 65535))
    .option('--http-plain', 'HTTP without TLS also where RTSP has it: for a proxy on this machine')
    .option('--allow-origin <url...>', 'web sites whose pages may use it, besides its own')
    .option('--webrtc-ports <first-last>', 'UDP ports for WebRTC, one a viewer (default: any)', portRange)
    .option('--max-peers <number>', 'viewers by WebRTC at a time (default: 32)', integer('--max-peers', 1, 1000));
}

/** The first of the options beside --http that was given. */
export function givenHttpOption(flags: HttpFlags): string | undefined {
  const { httpPort, httpPlain, allowOrigin, webrtcPorts, maxPeers } = flags;
  if (httpPort !== undefined) return '--http-port';
  if (httpPlain) return '--http-plain';
  if (webrtcPorts !== undefined) return '--webrtc-ports';
  if (maxPeers !== undefined) return '--max-peers';
  return allowOrigin && '--allow-origin';
}

/** RTSP's users and certificate are HTTP's, too. @throws CAP_USAGE */
export function toHttp(flags: HttpFlags, rtsp: Pick<RtspServerOptions, 'host' | 'users' | 'tls'>): HttpOptions {
  const { httpPort, httpPlain, allowOrigin, webrtcPorts, maxPeers } = flags;
  if (httpPlain && !rtsp.tls) {
    throw new CapError('CAP_USAGE', '--http-plain is for where there is TLS', { hint: 'leave it out' });
  }
  return {
    host: rtsp.host,
    port: httpPort,
    allowedOrigins: allowOrigin,
    users: rtsp.users,
    tls: httpPlain ? undefined : rtsp.tls,
    webrtc: { udpPorts: webrtcPorts, maxPeers },
  };
}

function portRange(value: string): readonly [number, number] {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(value)?.map(Number) ?? [];
  if (first === undefined || last === undefined || first < 1024 || last < first || last > 65_535) {
    throw unexpected('--webrtc-ports', 'two ports from 1024 to 65535, such as 50000-50100', value);
  }
  return [first, last];
}
