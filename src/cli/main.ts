import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { registerCapture } from './commands/capture.js';
import { registerConfig } from './commands/config.js';
import { registerDescribe } from './commands/describe.js';
import { registerDoctor } from './commands/doctor.js';
import { registerMcp } from './commands/mcp.js';
import { registerPresets } from './commands/presets.js';
import { registerReaders } from './commands/readers.js';
import { registerRepair } from './commands/repair.js';
import { registerReplay } from './commands/replay.js';
import { registerServe } from './commands/serve.js';
import { registerSources } from './commands/sources.js';
import { registerStatus } from './commands/status.js';
import { registerUser } from './commands/user.js';
import { registerWatch } from './commands/watch.js';
import { registerWorker } from './commands/worker.js';
import { run } from './run.js';

/** Runs `cap`. Resolves to the exit code; `stop` ends a command that runs until it is told. */
export function main(args: readonly string[], stop: AbortSignal): Promise<number> {
  const program = new Command('cap')
    .description('Stream or record a screen for vision-language models, and have them look at it')
    .version(packageVersion(), '-V, --version')
    .enablePositionalOptions()
    .showSuggestionAfterError();
  registerCapture(program, stop);
  registerDescribe(program, stop);
  registerWatch(program, stop);
  registerWorker(program, stop);
  registerMcp(program, stop);
  registerReplay(program, stop);
  registerServe(program, stop);
  registerConfig(program);
  registerSources(program);
  registerPresets(program);
  registerReaders(program);
  registerStatus(program);
  registerUser(program, stop);
  registerDoctor(program);
  registerRepair(program);
  return run(program, args);
}

/** Whether a command bounds by itself how long it takes to stop: what a worker has under way has been paid for. */
export const boundsItsStop = ([command]: readonly string[]): boolean => command === 'worker';

function packageVersion(): string {
  const url = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}
