import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const fromHere = (path) => new URL(`../${path}`, import.meta.url);

/** Exit status of a second Ctrl-C, as shells give it for a process that SIGINT ended. */
const INTERRUPTED = 130;
const STOP_TIMEOUT_MS = 1800;

/**
 * The signal that ends a command. Listening starts before anything else is loaded, so that an early
 * Ctrl-C ends it as cleanly as a late one. The second one does not wait, and neither does a stop that hangs.
 *
 * @param {() => boolean} isLimited whether a stop that takes long is one that hangs
 */
function stopOnSignals(isLimited) {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort();
      if (isLimited()) setTimeout(() => process.exit(0), STOP_TIMEOUT_MS).unref();
    });
  }
  return controller.signal;
}

/** The first thing that is not built yet, or undefined. */
function findUnbuilt(entry) {
  if (!existsSync(fromHere(entry))) return 'cap-gateway is not compiled';
  if (!existsSync(fromHere('build/Release/cap_native.node'))) return "cap-gateway's native addon is not built";
  return undefined;
}

/** npm 12 installs without running install scripts, so an installed package may have to be built by hand. */
function buildCommand() {
  if (existsSync(fromHere('tsconfig.build.json'))) return 'npm run setup';
  return `node ${fileURLToPath(fromHere('scripts/install-native.mjs'))}`;
}

/**
 * Runs a command of this package: its module exports `main(args, stop): Promise<exitCode>`, and perhaps
 * `boundsItsStop(args)`, of commands that need longer than others.
 *
 * @param {string} entry the compiled module, relative to the package
 */
export async function launch(entry) {
  const args = process.argv.slice(2);
  let boundsItsStop = () => false;
  const stop = stopOnSignals(() => !boundsItsStop(args));
  const unbuilt = findUnbuilt(entry);
  if (unbuilt !== undefined) {
    process.stderr.write(`${unbuilt}; run: ${buildCommand()}\n`);
    process.exitCode = 3;
    return;
  }
  const program = await import(fromHere(entry).href);
  if (stop.aborted) return;
  boundsItsStop = program.boundsItsStop ?? boundsItsStop;
  process.exitCode = await program.main(args, stop);
  // Nothing is left to do. If something was left open, better a late end than none.
  setTimeout(() => process.exit(), STOP_TIMEOUT_MS).unref();
}
