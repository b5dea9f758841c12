import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './process.js';

const PACKAGES = {
  clock_window: ['x11'],
  clock_reader: ['gstreamer-1.0', 'gstreamer-app-1.0', 'gstreamer-video-1.0'],
  flash_and_beep: ['x11', 'libpulse-simple'],
  image_window: ['x11'],
  painter: ['x11'],
  patch_window: ['x11'],
  record_server: ['gstreamer-1.0', 'gstreamer-rtsp-server-1.0'],
  peer_server: ['gstreamer-1.0', 'gstreamer-rtsp-server-1.0'],
} as const;

export type ProgramName = keyof typeof PACKAGES;

/** The folder of package.json. */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The path of one of the measuring programs in benchmarks/programs, compiled first when it is not up to date. */
export function program(name: ProgramName): Promise<string> {
  const building = built.get(name) ?? build(name);
  built.set(name, building);
  return building;
}

const built = new Map<ProgramName, Promise<string>>();

async function build(name: ProgramName): Promise<string> {
  const sources = join(projectRoot, 'benchmarks', 'programs');
  const folder = join(projectRoot, 'build', 'bench');
  const target = join(folder, name);
  const newest = Math.max(...readdirSync(sources).map((file) => statSync(join(sources, file)).mtimeMs));
  if (existsSync(target) && statSync(target).mtimeMs > newest) return target;
  mkdirSync(folder, { recursive: true });
  const { stdout } = await run('pkg-config', ['--cflags', '--libs', ...PACKAGES[name]]);
  const flags = stdout.trim().split(/\s+/);
  const partial = `${target}.${process.pid}`;
  await run('cc', ['-std=gnu11', '-O2', '-Wall', '-o', partial, join(sources, `${name}.c`), ...flags]);
  renameSync(partial, target); // at once, for whoever builds the same at the same time
  return target;
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('no package.json above this file');
  return findRoot(parent);
}
