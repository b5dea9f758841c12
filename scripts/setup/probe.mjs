import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @import { Requirement } from './requirements.mjs' */

const INCLUDE_FOLDERS = ['/usr/include', '/usr/local/include'];

export function hasCommand(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

function hasModule(name) {
  return spawnSync('pkg-config', ['--exists', name]).status === 0;
}

/** GStreamer's plugin folders; undefined while its development files are missing. */
function pluginFolders() {
  const answer = spawnSync('pkg-config', ['--variable=pluginsdir', 'gstreamer-1.0'], { encoding: 'utf8' });
  const extra = (process.env.GST_PLUGIN_PATH ?? '').split(delimiter);
  return [answer.stdout?.trim() ?? '', ...extra].filter((folder) => folder !== '');
}

/**
 * The requirements that this machine does not meet. It looks at files only, so that a set-up with
 * nothing to do stays quick: asking GStreamer itself costs seconds on its first run.
 *
 * @param {readonly Requirement[]} requirements
 * @returns {Requirement[]}
 */
export function findMissing(requirements) {
  const folders = pluginFolders();
  const hasPlugin = (name) => folders.some((folder) => existsSync(join(folder, `libgst${name}.so`)));
  const hasHeader = (name) => INCLUDE_FOLDERS.some((folder) => existsSync(join(folder, name)));
  const isMet = {
    command: ({ names }) => names.every(hasCommand),
    module: ({ names }) => names.every(hasModule),
    header: ({ names }) => names.every(hasHeader),
    plugin: ({ names }) => names.every(hasPlugin),
    file: ({ names }) => names.some((path) => existsSync(path)),
  };
  return requirements.filter((requirement) => !isMet[requirement.kind](requirement));
}
