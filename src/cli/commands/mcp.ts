import { type Command, Option } from 'commander';
import { CapError, createStreamLogger, isLoopback, type Logger, registerSecret } from '../../core/index.js';
import type { Screens } from '../../mcp/index.js';
import { type AdaptorOptions, PROVIDERS, type SamplerOptions } from '../../session/index.js';
import { addCaptureOptions, type CaptureFlags } from '../capture-options.js';
import { modelOf } from '../model-options.js';
import { type Address, address, oneOf } from '../parse-options.js';

interface Flags extends CaptureFlags {
  readonly http?: Address | true;
  readonly remember?: true;
  readonly clientModel?: string;
  readonly provider: string;
  readonly model?: string;
  readonly baseUrl?: string;
  readonly detail?: NonNullable<AdaptorOptions['detail']>;
  readonly tlsFingerprint?: string;
  readonly tlsCa?: string;
  readonly tlsInsecure?: true;
  readonly verbose?: true;
}

const DEFAULT_ADDRESS: Address = { host: '127.0.0.1', port: 8890 };
const LEAST_TOKEN_CHARACTERS = 16;

/** Adds `cap mcp`: streams as tools of the Model Context Protocol. */
export function registerMcp(program: Command, stop: AbortSignal): void {
  const names = PROVIDERS.map(({ name }) => name);
  const details = ['low', 'high', 'auto', 'original'] as const;
  const command = program
    .command('mcp')
    .description('let the model of an MCP client look at the screen, or at streams')
    .argument('[urls...]', 'rtsp:// addresses of streams; without one, this machine is captured as the options say');
  const captureOptions = [...addCaptureOptions(command).options];
  command
    .option(
      '--http [host:port]',
      'serve streamable HTTP instead of standard input (default: 127.0.0.1:8890)',
      address('--http'),
    )
    .option('--remember', 'look all the time while a client is there, so that ask_past knows all that changed')
    .option('--client-model <name>', 'the model that the client has (default: by the name of the client)')
    .option(
      '--provider <name>',
      `who answers watch and ask_past: ${names.join(', ')}`,
      oneOf('--provider', names),
      'local',
    )
    .option('--model <name>', "the provider's model")
    .option('--base-url <url>', 'address of a server with the same interface')
    .addOption(new Option('--detail <level>', 'how closely to look, where the provider has a choice').choices(details))
    .option('--tls-fingerprint <sha256:…>', 'for rtsps://, take this certificate and no other')
    .option('--tls-ca <file>', 'for rtsps://, trust the authorities in this file (PEM)')
    .option('--tls-insecure', 'for rtsps://, take any certificate: others may read along')
    .option('-v, --verbose', 'say more on standard error')
    .addHelpText(
      'after',
      '\nCAP_MCP_TOKEN in the environment is what clients of --http must show as a bearer token' +
        '\nA login of a stream: in its address, or CAP_RTSP_USER and CAP_RTSP_PASSWORD in the environment',
    )
    .action((urls: readonly string[], flags: Flags) => {
      refuseIdleOptions(command, captureOptions, urls.length > 0);
      return mcp(urls, flags, { stop, version: program.version() ?? '' });
    });
}

interface Run {
  readonly stop: AbortSignal;
  readonly version: string;
}

async function mcp(urls: readonly string[], flags: Flags, { stop, version }: Run): Promise<void> {
  const logger = createStreamLogger({ level: flags.verbose ? 'debug' : 'info' });
  // Loaded only here: no other command needs the SDK.
  const { clientModelOf, Screens, serveStdio } = await import('../../mcp/index.js');
  const { listedDisplay, ownStream, remoteStreams } = await import('../mcp-streams.js');
  const { remember, clientModel } = flags;
  if (clientModel !== undefined) clientModelOf(undefined, clientModel);
  const isRemote = urls.length > 0;
  await using screens = new Screens({
    streams: isRemote ? remoteStreams(urls, flags, toSampler(flags), logger) : [ownStream(flags, logger)],
    model: modelOf(flags.provider, flags),
    clientModel,
    remember,
    display: isRemote ? undefined : listedDisplay(flags),
    logger,
  });
  // What is wrong with the provider is told to the user, who reads this, not to the model.
  await screens.adaptor();
  if (flags.http === undefined) return await serveStdio(screens, version, stop);
  await serveHttp(screens, flags.http === true ? DEFAULT_ADDRESS : flags.http, { stop, version, logger });
}

async function serveHttp(screens: Screens, at: Address, run: Run & { readonly logger: Logger }): Promise<void> {
  const { stop, version, logger } = run;
  const [{ MCP_PATH, mcpDoor }, { HttpServer }] = await Promise.all([
    import('../../mcp/index.js'),
    import('../../server/http-server.js'),
  ]);
  const token = tokenFor(at.host);
  const door = mcpDoor(screens, { version, token });
  await using server = await HttpServer.open({ ...at, portOption: '--http', doors: [door] });
  if (!isLoopback(at.host)) logger.warn('the token and the pictures cross the network in the clear');
  process.stdout.write(`${server.url}${MCP_PATH}\n`);
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
}

/** Nobody on the network may look at a screen without having been told how. */
function tokenFor(host: string): string | undefined {
  const token = process.env.CAP_MCP_TOKEN || undefined;
  registerSecret(token);
  if (token !== undefined && token.length < LEAST_TOKEN_CHARACTERS) {
    throw new CapError('CAP_USAGE', `CAP_MCP_TOKEN has fewer than ${LEAST_TOKEN_CHARACTERS} characters`, {
      hint: 'make one with: openssl rand -hex 24',
    });
  }
  if (token === undefined && !isLoopback(host)) {
    throw new CapError('CAP_USAGE', `--http at ${host} would show the screen to the whole network`, {
      hint: 'set CAP_MCP_TOKEN in the environment to a secret that clients show, or listen at 127.0.0.1',
    });
  }
  return token;
}

/** A login in the environment is seen by nobody else. */
function toSampler({ tlsFingerprint, tlsCa, tlsInsecure }: Flags): SamplerOptions {
  const { CAP_RTSP_USER: user, CAP_RTSP_PASSWORD: password } = process.env;
  return { user, password, tls: { fingerprint: tlsFingerprint, caFile: tlsCa, insecure: tlsInsecure } };
}

/** No option is accepted that would do nothing. */
function refuseIdleOptions(command: Command, captureOptions: readonly Option[], isRemote: boolean): void {
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  const long = (option: Option): string => option.long ?? '';
  if (given.some((option) => long(option) === '--always-on')) {
    throw new CapError('CAP_USAGE', '--always-on is for streams that are served', { hint: 'use --remember' });
  }
  const idle = isRemote
    ? given.find((option) => captureOptions.includes(option) && long(option) !== '--linger')
    : given.find((option) => long(option).startsWith('--tls-'));
  if (!idle) return;
  throw isRemote
    ? new CapError('CAP_USAGE', `${long(idle)} is for what is captured here`, { hint: 'leave out it or the address' })
    : new CapError('CAP_USAGE', `${long(idle)} is for streams of servers`, { hint: 'name the address of one' });
}
