import { SetupError } from './setup-error.mjs';

const OLDEST = [20, 9];

/** @param {string} version as in process.versions.node */
export function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new SetupError(
    `Node ${OLDEST.join('.')} or newer is needed; this is Node ${version}.`,
    'Install one from https://nodejs.org/en/download and run the command again.',
  );
}
