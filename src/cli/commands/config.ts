import type { Command } from 'commander';
import { createStreamLogger } from '../../core/index.js';
import { DEFAULT_CONFIG, readGatewayConfig } from '../config/gateway-config.js';

/** Adds `cap config check`: whether `cap serve` would take a configuration. */
export function registerConfig(program: Command): void {
  program
    .command('config')
    .description('look at a configuration of cap serve')
    .command('check')
    .description('say what is wrong with it, with the line; opens nothing')
    .argument('[file]', 'configuration (docs/configuration.md)', DEFAULT_CONFIG)
    .action(async (path: string) => {
      const { mounts } = await readGatewayConfig(path, createStreamLogger());
      process.stdout.write(`${path} is right: ${mounts.map((mount) => mount.path).join(', ')}\n`);
    });
}
