import { readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { CapError } from '../core/index.js';
import { type ControlRoute, controlFolder } from './control-server.js';

/** A gateway of this user that answers. */
export interface RunningGateway {
  readonly pid: number;
  readonly socketPath: string;
}

const TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 16 << 20;

/** The gateways that run. Sockets that nobody listens at any more are removed. */
export async function runningGateways(folder = controlFolder()): Promise<RunningGateway[]> {
  const names = await readdir(folder).catch(() => []);
  const found = names.flatMap((name) => {
    const pid = /^(\d{1,10})\.sock$/.exec(name)?.[1];
    return pid === undefined ? [] : [{ pid: Number(pid), socketPath: join(folder, name) }];
  });
  const alive = await Promise.all(found.map(answers));
  return found.filter((_, index) => alive[index]).sort((a, b) => a.pid - b.pid);
}

async function answers({ pid, socketPath }: RunningGateway): Promise<boolean> {
  try {
    await askGateway({ pid, socketPath }, 'GET', '/status');
    return true;
  } catch (error) {
    const { code } = (error as CapError).cause as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED') await rm(socketPath, { force: true });
    return false;
  }
}

/**
 * What a gateway answers; undefined when it knows of no such thing.
 * @throws CAP_STREAM_UNAVAILABLE when it does not answer
 */
export function askGateway(
  { pid, socketPath }: RunningGateway,
  method: ControlRoute['method'],
  path: string,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(new CapError('CAP_STREAM_UNAVAILABLE', `the gateway ${pid} does not answer: ${cause.message}`, { cause }));
    const asked = request({ socketPath, method, path, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('error', fail);
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER_BYTES) asked.destroy(new Error('its answer is too long'));
      });
      response.on('end', () => {
        const body = JSON.parse(text) as { error?: string };
        if (response.statusCode === 200) resolve(body);
        else if (response.statusCode === 404) resolve(undefined);
        else fail(new Error(body.error ?? `status ${response.statusCode}`));
      });
    });
    asked.once('timeout', () => asked.destroy(new Error('it takes too long')));
    asked.once('error', fail);
    asked.end();
  });
}
