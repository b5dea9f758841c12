#!/usr/bin/env node
// npm runs this after the package was installed: it builds the native addon. In a clone it does
// nothing, for there the set-up builds it, after it installed the system packages.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMissing, instructions } from './setup/managers.mjs';
import { buildNative } from './setup/native-build.mjs';
import { checkNode } from './setup/node-version.mjs';
import { findMissing } from './setup/probe.mjs';
import { REQUIREMENTS } from './setup/requirements.mjs';
import { report, SetupError } from './setup/setup-error.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The list names everything that running needs too, so that one installation is enough. */
function checkLibraries() {
  const missing = findMissing(REQUIREMENTS.filter(({ stage }) => stage !== 'test'));
  if (!missing.some(({ stage }) => stage === 'build')) return;
  throw new SetupError(
    'cap-gateway needs these system packages before it can be installed:',
    `${describeMissing(missing)}\n${instructions(missing, 'the npm install command again')}`,
  );
}

if (!existsSync(join(root, 'tsconfig.build.json'))) {
  try {
    checkNode();
    checkLibraries();
    buildNative(root);
  } catch (error) {
    report(error);
  }
}
