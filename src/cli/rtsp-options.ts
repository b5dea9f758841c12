import type { Command } from 'commander';
import { CapError, type Logger } from '../core/index.js';
import {
  fingerprintOf,
  parseLogin,
  type RtspServer,
  type RtspServerOptions,
  type RtspTlsOptions,
  type RtspUser,
  readTlsIdentity,
  readUserFile,
  selfSignedIdentity,
} from '../session/index.js';
import { integer } from './parse-options.js';

/** The options that say where the stream is served, to whom and how. */
export interface RtspFlags {
  readonly rtspPort?: number;
  readonly host?: string;
  readonly auth?: readonly string[];
  readonly authFile?: string;
  readonly tls?: true;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly rtspsPort?: number;
  readonly maxReaders?: number;
}

export function addRtspOptions(command: Command): Command {
  const repeated = (value: string, before: readonly string[] = []): string[] => [...before, value];
  return command
    .option('--rtsp-port <port>', '0 for a free one (default: 8554; with TLS none)', integer('--rtsp-port', 0, 65535))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--auth-file <file>', 'let only its users read: see `cap user`')
    .option('--auth <user:password>', 'the same for one user; other programs can see it: better $CAP_AUTH', repeated)
    .option('--tls', 'serve rtsps:// with a certificate of its own, made when there is none yet')
    .option('--tls-cert <file>', 'serve rtsps:// with this certificate (PEM)')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--rtsps-port <port>', '0 for a free one (default: 8322)', integer('--rtsps-port', 0, 65535))
    .option('--max-readers <n>', 'refuse more readers than that', integer('--max-readers', 1, 1000));
}

/** The first of these options that was given. */
export function givenRtspOption(flags: RtspFlags): string | undefined {
  const { rtspPort, host, authFile, auth, tls, tlsCert, tlsKey, rtspsPort, maxReaders } = flags;
  const all = {
    '--rtsp-port': rtspPort,
    '--host': host,
    '--auth-file': authFile,
    '--auth': auth,
    '--tls': tls,
    '--tls-cert': tlsCert,
    '--tls-key': tlsKey,
    '--rtsps-port': rtspsPort,
    '--max-readers': maxReaders,
  };
  return Object.entries(all).find(([, value]) => value !== undefined)?.[0];
}

/** @throws CAP_USAGE for files that cannot be used and options that miss each other */
export async function toRtsp(flags: RtspFlags, logger: Logger): Promise<RtspServerOptions> {
  const { host, rtspPort, maxReaders } = flags;
  return { host, port: rtspPort, maxReaders, users: await usersOf(flags, logger), tls: await tlsOf(flags, logger) };
}

async function usersOf({ auth = [], authFile }: RtspFlags, logger: Logger): Promise<RtspUser[]> {
  const { CAP_AUTH: fromEnvironment } = process.env;
  if (auth.length > 0) {
    logger.warn('the password after --auth can be seen in the list of processes: use --auth-file or CAP_AUTH');
  }
  const users = [
    ...(authFile === undefined ? [] : await readUserFile(authFile, logger)),
    ...(fromEnvironment ? [parseLogin('CAP_AUTH', fromEnvironment)] : []),
    ...auth.map((text) => parseLogin('--auth', text)),
  ];
  if (authFile !== undefined && users.length === 0) {
    // An empty file must not open the stream to everybody.
    throw new CapError('CAP_USAGE', `${authFile} has no users`, {
      hint: 'cap user add adds one',
    });
  }
  const names = users.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new CapError('CAP_USAGE', `the user ${twice} is given twice`);
  return users;
}

async function tlsOf(flags: RtspFlags, logger: Logger): Promise<RtspTlsOptions | undefined> {
  const { tls, tlsCert, tlsKey, rtspsPort: port } = flags;
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { ...(await readTlsIdentity(tlsCert, tlsKey, logger)), port };
  }
  if (tlsCert !== undefined || tlsKey !== undefined) {
    const [given, missing] = tlsCert !== undefined ? ['--tls-cert', '--tls-key'] : ['--tls-key', '--tls-cert'];
    throw new CapError('CAP_USAGE', `${given} needs ${missing}`, { hint: 'or --tls alone, for one made here' });
  }
  if (tls) return { ...(await selfSignedIdentity()), port };
  if (port !== undefined) throw new CapError('CAP_USAGE', '--rtsps-port is for TLS', { hint: 'add --tls' });
  return undefined;
}

/** Prints where the streams are, what a client may pin, and what the network can do with them. */
export function announceRtsp(
  server: RtspServer,
  paths: readonly string[],
  tls: RtspTlsOptions | undefined,
  logger: Logger,
) {
  for (const path of paths) for (const url of server.urls(path)) process.stdout.write(`${url}\n`);
  if (tls) process.stdout.write(`certificate ${fingerprintOf(tls)}\n`);
  if (server.exposure) logger.warn(server.exposure);
}
