import type { Command } from 'commander';
import { CapError } from '../core/index.js';
import { parseQueueAddress } from '../session/index.js';

/** `--queue` alone takes the address from the environment. */
export interface QueueFlags {
  readonly queue?: string | true;
}

export function addQueueOption(command: Command, summary: string): Command {
  return command.option(
    '--queue [url]',
    `${summary}: redis://host:6379/0 or rediss://…; with a password in $CAP_QUEUE_URL`,
  );
}

/** The address that the command line or the environment names. @throws CAP_USAGE */
export function queueUrl(queue: string | true): string {
  const url = queue === true ? process.env.CAP_QUEUE_URL : queue;
  if (url === undefined || url === '') {
    throw new CapError('CAP_USAGE', 'there is no address of a queue', {
      hint: 'write --queue redis://host:6379/0, or set CAP_QUEUE_URL',
    });
  }
  const { password } = parseQueueAddress(url, queue === true ? 'CAP_QUEUE_URL' : '--queue');
  if (queue !== true && password !== undefined) {
    throw new CapError('CAP_USAGE', 'a password after --queue can be seen in the list of processes', {
      hint: 'put the address into CAP_QUEUE_URL, and write --queue alone',
    });
  }
  return url;
}
