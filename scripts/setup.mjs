#!/usr/bin/env node
// Makes a clone ready: system packages, npm packages, native addon, compiled TypeScript. Does only
// what is missing, and says nothing when nothing is. `--for test` adds what the tests need.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { detectManager } from './setup/managers.mjs';
import { buildNative } from './setup/native-build.mjs';
import { installNodeModules } from './setup/node-modules.mjs';
import { checkNode } from './setup/node-version.mjs';
import { REQUIREMENTS } from './setup/requirements.mjs';
import { report, SetupError } from './setup/setup-error.mjs';
import { installSystemPackages } from './setup/system.mjs';
import { buildTypeScript } from './setup/typescript-build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const STAGES = { run: ['build', 'run'], test: ['build', 'run', 'test'] };

function parseStages() {
  const { values } = parseArgs({ options: { for: { type: 'string', default: 'run' } } });
  const stages = STAGES[values.for];
  if (stages === undefined) throw new SetupError(`Unknown value of --for: ${values.for}`, 'It takes run or test.');
  return stages;
}

try {
  checkNode();
  const stages = parseStages();
  const again = process.env.npm_lifecycle_event;
  const manager = detectManager() ?? 'apt';
  installSystemPackages(
    REQUIREMENTS.filter(({ stage, packages }) => stages.includes(stage) && packages[manager] !== ''),
    again === undefined ? 'npm run setup' : `npm run ${again}`,
  );
  installNodeModules(root);
  buildNative(root);
  buildTypeScript(root);
} catch (error) {
  report(error);
}
