import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CapError, type Logger, toCapError } from '../core/index.js';
import { PUBLISH_FORMS, parsePublishTarget } from '../session/index.js';

export interface PublishFlags {
  readonly publish?: readonly string[];
  readonly whipTokenFile?: string;
}

/** Each has a connection and some threads of its own. */
const MOST_SERVERS = 8;

export function addPublishOption(command: Command): Command {
  const forms = PUBLISH_FORMS.join(', ');
  return command
    .option('--publish <url...>', `push the stream to ${forms}; with a secret in it better $CAP_PUBLISH`)
    .option('--whip-token-file <file>', 'the bearer token for WHIP servers; or $CAP_WHIP_TOKEN');
}

/** The token that WHIP servers are sent, where there is one. @throws CAP_USAGE */
export function whipTokenFor(urls: readonly string[], { whipTokenFile: file }: PublishFlags): string | undefined {
  const any = urls.some((url) => url.startsWith('whip+'));
  if (file === undefined) return any ? process.env.CAP_WHIP_TOKEN || undefined : undefined;
  if (!any) throw new CapError('CAP_USAGE', '--whip-token-file is for a WHIP server', { hint: 'add --publish' });
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new CapError('CAP_USAGE', `cannot read the token in ${file}: ${toCapError(cause).message}`, { cause });
  }
  // What a header may hold (RFC 6750).
  if (!/^[\w.~+/-]{1,4096}=*$/.test(token)) throw new CapError('CAP_USAGE', `expected a bearer token in ${file}`);
  return token;
}

/** The addresses that $CAP_PUBLISH and the command line name. @throws CAP_USAGE */
export function publishedTo({ publish = [] }: PublishFlags, logger: Logger): string[] {
  if (publish.some((url) => parsePublishTarget(url).label !== url)) {
    logger.warn('a secret in the address after --publish can be seen in the list of processes: use CAP_PUBLISH');
  }
  return checkPublish([...publish, ...(process.env.CAP_PUBLISH ?? '').split(/\s+/).filter(Boolean)]);
}

/** @throws CAP_USAGE */
export function checkPublish(urls: readonly string[]): string[] {
  for (const url of urls) parsePublishTarget(url);
  const twice = urls.find((url, index) => urls.indexOf(url) !== index);
  if (twice !== undefined) {
    throw new CapError('CAP_USAGE', `--publish names ${parsePublishTarget(twice).label} twice`);
  }
  if (urls.length > MOST_SERVERS) {
    throw new CapError('CAP_USAGE', `--publish names ${urls.length} servers`, { hint: `${MOST_SERVERS} are the most` });
  }
  return [...urls];
}
