import type { Command } from 'commander';
import { CapError, type Logger } from '../core/index.js';
import { PUBLISH_FORMS, parsePublishTarget } from '../session/index.js';

export interface PublishFlags {
  readonly publish?: readonly string[];
}

/** Each has a connection and some threads of its own. */
const MOST_SERVERS = 8;

export function addPublishOption(command: Command): Command {
  const forms = PUBLISH_FORMS.join(', ');
  return command.option('--publish <url...>', `push the stream to ${forms}; with a secret in it better $CAP_PUBLISH`);
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
