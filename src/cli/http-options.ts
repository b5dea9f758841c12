import type { Command } from 'commander';
import { integer } from './parse-options.js';

/** The options that say where and for whom HTTP is served. */
export interface HttpFlags {
  readonly http?: true;
  readonly httpPort?: number;
  readonly allowOrigin?: readonly string[];
}

export function addHttpOptions(command: Command): Command {
  return command
    .option('--http-port <port>', '0 for a free one (default: 8889)', integer('--http-port', 0, 65535))
    .option('--allow-origin <url...>', 'web sites whose pages may use it, besides its own');
}

/** The first of the options beside --http that was given. */
export function givenHttpOption({ httpPort, allowOrigin }: HttpFlags): string | undefined {
  if (httpPort !== undefined) return '--http-port';
  return allowOrigin && '--allow-origin';
}

export function toHttp(host: string | undefined, { httpPort, allowOrigin }: HttpFlags) {
  return { host, port: httpPort, allowedOrigins: allowOrigin };
}
