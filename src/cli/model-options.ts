import { type Command, Option } from 'commander';
import { unexpected } from '../core/index.js';
import {
  type AdaptorOptions,
  AnswerMemory,
  DEFAULT_PROMPT,
  type ModelOptions,
  PROVIDERS,
  readSchema,
  type SamplerOptions,
} from '../session/index.js';
import { duration, integer, oneOf } from './parse-options.js';

/** The options that say which model looks, at what and how. */
export interface ModelFlags {
  readonly provider: readonly string[];
  readonly model?: string;
  readonly baseUrl?: string;
  readonly api?: NonNullable<AdaptorOptions['api']>;
  readonly detail?: NonNullable<AdaptorOptions['detail']>;
  readonly prompt?: string;
  readonly system?: string;
  readonly schema?: string;
  readonly memory?: number;
  readonly maxTokens?: number;
  readonly timeout?: number;
  readonly protocol: 'tcp' | 'udp';
  readonly tlsFingerprint?: string;
  readonly tlsCa?: string;
  readonly tlsInsecure?: true;
  readonly json?: true;
  readonly verbose?: true;
}

/** Who looks, for commands that know nothing of the picture, too. */
export function addProviderOptions(command: Command): Command {
  const names = PROVIDERS.map((provider) => provider.name);
  const keys = PROVIDERS.filter((provider) => provider.keyVariable);
  return command
    .addOption(
      new Option('--provider <name>', `who looks: ${names.join(', ')}`)
        .argParser((text) => text.split(',').map(oneOf('--provider', names)))
        .default(['local'], 'local'),
    )
    .option('--model <name>', "the provider's model")
    .option('--base-url <url>', 'address of a server with the same interface')
    .addOption(
      new Option('--api <name>', 'which interface of OpenAI (default: responses)').choices(['responses', 'chat']),
    )
    .addHelpText(
      'after',
      `\nProviders:\n${PROVIDERS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join('\n')}\n` +
        `\nKeys come from the environment: ${keys.map((provider) => provider.keyVariable).join(', ')}`,
    );
}

export function addModelOptions(command: Command): Command {
  const details = ['low', 'high', 'auto', 'original'] as const;
  return addProviderOptions(command)
    .option('--prompt <text>', `what to ask about the picture (default: "${DEFAULT_PROMPT}")`)
    .option('--system <text>', 'what to tell the model about its task as a whole')
    .option('--schema <file>', 'have every answer be JSON by the JSON Schema in this file')
    .addOption(new Option('--detail <level>', 'how closely to look, where the provider has a choice').choices(details))
    .option('--max-tokens <n>', 'most tokens of an answer', integer('--max-tokens', 1, 1_000_000))
    .option('--timeout <time>', 'longest wait for an answer (default: 5m)', duration('--timeout', 100))
    .option('--protocol <tcp|udp>', 'how to receive the stream', oneOf('--protocol', ['tcp', 'udp']), 'tcp')
    .option('--tls-fingerprint <sha256:…>', 'for rtsps://, take this certificate and no other')
    .option('--tls-ca <file>', 'for rtsps://, trust the authorities in this file (PEM)')
    .option('--tls-insecure', 'for rtsps://, take any certificate: others may read along')
    .option('--json', 'print one JSON object per answer')
    .option('-v, --verbose', 'say more on standard error')
    .addHelpText('after', '\nA login: in the address, or CAP_RTSP_USER and CAP_RTSP_PASSWORD in the environment');
}

/** @throws CAP_USAGE when several providers are named */
export function toModel(flags: ModelFlags): ModelOptions {
  const { model, fallbacks } = toModels(flags);
  if (fallbacks.length === 0) return model;
  throw unexpected('--provider', 'one name', flags.provider.join(','), 'only cap watch goes on with another one');
}

type ProviderFlags = Pick<ModelFlags, 'provider' | 'model' | 'baseUrl' | 'api' | 'detail'>;

/** The options of a model are those of the first provider; the others have their own defaults. */
export function toModels({ provider: [provider, ...others], ...flags }: ProviderFlags) {
  return { model: modelOf(provider, flags), fallbacks: others.map((name): ModelOptions => ({ provider: name })) };
}

/** The options of one provider. */
export function modelOf(
  provider: string | undefined,
  { model, baseUrl, api, detail }: Pick<ModelFlags, 'model' | 'baseUrl' | 'api' | 'detail'>,
): ModelOptions {
  return {
    provider,
    ...(model === undefined ? {} : { model }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(api === undefined ? {} : { api }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** How the stream is received. A login in the environment is seen by nobody else. */
export function toSampler({ protocol, tlsFingerprint, tlsCa, tlsInsecure }: ModelFlags): SamplerOptions {
  const { CAP_RTSP_USER: user, CAP_RTSP_PASSWORD: password } = process.env;
  return { protocol, user, password, tls: { fingerprint: tlsFingerprint, caFile: tlsCa, insecure: tlsInsecure } };
}

/** The part of the options that goes with each look. */
export async function toLook({ prompt, system, schema, memory, maxTokens, timeout }: ModelFlags) {
  return {
    ...(prompt === undefined ? {} : { prompt }),
    ...(system === undefined ? {} : { system }),
    ...(schema === undefined ? {} : { schema: await readSchema(schema) }),
    ...(memory === undefined ? {} : { memory: new AnswerMemory(memory) }),
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
}
