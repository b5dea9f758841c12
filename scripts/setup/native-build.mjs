import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fingerprint, readStamp, writeStamp } from './stamp.mjs';
import { run, say } from './steps.mjs';

/**
 * Node's own headers, when they came with it (nodejs.org, nvm, NodeSource): with them the build
 * needs no network. Otherwise node-gyp fetches them.
 */
function headersOption() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

/**
 * Builds the native addon when its sources or the Node version changed since the last build.
 *
 * @param {string} root the package's folder
 */
export function buildNative(root) {
  const stamp = join(root, 'build/native.stamp');
  const wanted = fingerprint(root, ['native', 'binding.gyp'], [process.versions.modules, process.arch]);
  const isBuilt = existsSync(join(root, 'build/Release/cap_native.node'));
  if (isBuilt && readStamp(stamp) === wanted) return;
  say('Building the native addon');
  const nodeGyp = createRequire(join(root, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  const options = ['configure', 'build', '--jobs=max', ...headersOption()];
  run([process.execPath, nodeGyp, ...options], 'The native build', { cwd: root });
  writeStamp(stamp, wanted);
}
