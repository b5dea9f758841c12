import type { Command } from 'commander';
import { type CapError, createStreamLogger, type Logger, toCapError } from '../../core/index.js';
import { Gateway, gatewayHealth, gatewayMetrics } from '../../gateway/index.js';
import { type MetricsServer, type MountRow, startMetricsServer } from '../../server/index.js';
import { DEFAULT_CONFIG, type MetricsOptions, readGatewayConfig } from '../config/gateway-config.js';
import { errorText } from '../error-text.js';
import { openControl, stopThisProcess } from '../open-control.js';
import { oneOf } from '../parse-options.js';

interface Flags {
  readonly config: string;
  readonly logFormat: 'text' | 'json';
  readonly verbose?: true;
}

/** Adds `cap serve`: every mount of a configuration file, until it is stopped. */
export function registerServe(program: Command, stop: AbortSignal): void {
  program
    .command('serve')
    .description('serve the mounts of a configuration file; SIGHUP reads it again')
    .option('--config <file>', 'configuration (docs/configuration.md)', DEFAULT_CONFIG)
    .option('--log-format <format>', 'text or json', oneOf('--log-format', ['text', 'json']), 'text')
    .option('-v, --verbose', 'say more on standard error')
    .action((flags: Flags) => serve(flags, stop));
}

async function serve({ config, logFormat, verbose }: Flags, stop: AbortSignal): Promise<void> {
  const logger = createStreamLogger({ level: verbose ? 'debug' : 'info', json: logFormat === 'json' });
  const { metrics: metricsOptions, ...options } = await readGatewayConfig(config, logger);
  await using gateway = await Gateway.open({ ...options, logger });
  tellEvents(gateway, logger);
  await using _control = await openControl(
    {
      urls: () => gateway.paths.flatMap((path) => gateway.urls(path)),
      readers: () => gateway.readers(),
      kick: (id) => gateway.kick(id),
      mounts: () => mountRows(gateway),
      stop: stopThisProcess,
    },
    logger,
  );
  await using metrics = await serveMetrics(gateway, metricsOptions);
  printAddresses(gateway);
  if (metrics) process.stdout.write(`metrics at ${metrics.url}\n`);
  const reload = new Reloading(gateway, config, logger);
  // The launcher takes a SIGHUP for a stop, as of a terminal that is closed; a daemon's is a wish for a reload.
  process.removeAllListeners('SIGHUP').on('SIGHUP', () => reload.request());
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  await reload.finished;
}

async function serveMetrics(gateway: Gateway, where: MetricsOptions | undefined): Promise<MetricsServer | undefined> {
  if (!where) return undefined;
  const registry = await gatewayMetrics(gateway);
  return startMetricsServer({ ...where, registry, health: () => gatewayHealth(gateway) });
}

async function mountRows(gateway: Gateway): Promise<MountRow[]> {
  const { mounts } = await gateway.status();
  return mounts.map(({ capture: _, error, ...row }) => ({ ...row, error: error && errorText(error) }));
}

/** Reads the configuration again, one time after the other. */
class Reloading {
  readonly #gateway: Gateway;
  readonly #config: string;
  readonly #logger: Logger;
  finished: Promise<void> = Promise.resolve();

  constructor(gateway: Gateway, config: string, logger: Logger) {
    this.#gateway = gateway;
    this.#config = config;
    this.#logger = logger;
  }

  request(): void {
    this.finished = this.finished.then(() => this.#reload());
  }

  async #reload(): Promise<void> {
    try {
      await this.#gateway.reload(await readGatewayConfig(this.#config, this.#logger));
      this.#logger.info(`${this.#config} was read again`);
      printAddresses(this.#gateway);
    } catch (error) {
      this.#logger.error(`not reloaded: ${errorText(toCapError(error))}`);
    }
  }
}

function printAddresses(gateway: Gateway): void {
  if (gateway.httpUrl) process.stdout.write(`${gateway.httpUrl}\n`);
  for (const url of gateway.paths.flatMap((path) => gateway.urls(path))) process.stdout.write(`${url}\n`);
}

function tellEvents(gateway: Gateway, logger: Logger): void {
  /** A source that stays away is told of once, not at each try. */
  const told = new Map<string, string>();
  gateway.on('interrupted', (path, error: CapError) => {
    const text = errorText(error);
    if (told.get(path) === text) return;
    told.set(path, text);
    logger.warn(text, { mount: path });
  });
  gateway.on('resumed', (path) => {
    told.delete(path);
    void gateway.status().then(({ mounts }) => {
      const mount = mounts.find((status) => status.path === path);
      if (mount?.label) logger.info(`${mount.label}, ${mount.picture}`, { mount: path });
    });
  });
  gateway.on('doorsDied', (error) => logger.error(errorText(error)));
}
