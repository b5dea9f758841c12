import { CapError, expectKnownKeys, type Logger, unexpected } from '../core/index.js';
import type { Adaptor } from './adaptor.js';
import type { CloudOptions } from './adaptors/cloud.js';
import { IMAGE_DETAILS, type ImageDetail } from './tokens/formula.js';

/** What a provider is opened with. What it has no use for is ignored. */
export interface AdaptorOptions {
  /** @default the provider's `defaultModel` */
  readonly model?: string;
  /** @default the environment variable that the provider names */
  readonly apiKey?: string;
  /** Address of a server with the provider's interface, such as `http://127.0.0.1:11434/v1`. */
  readonly baseUrl?: string;
  /** How closely the model looks, where the provider offers a choice. @default 'high' */
  readonly detail?: ImageDetail;
  readonly logger?: Logger;
}

/** A row of PROVIDERS: what a provider needs, and how it is opened. */
export interface Provider {
  readonly name: string;
  /** One line for a list of providers. */
  readonly summary: string;
  /** Undefined where the user has to choose. */
  readonly defaultModel?: string;
  /** The environment variable that holds the key; undefined where none is needed. */
  readonly keyVariable?: string;
  readonly keyRequired: boolean;
  readonly baseUrlRequired: boolean;
  /** Loads the provider's packages; nothing of them is loaded before. */
  open(options: AdaptorOptions): Promise<Adaptor>;
}

const OPTION_NAMES = ['model', 'apiKey', 'baseUrl', 'detail', 'logger'];

/** Every provider, in the order in which they are listed. */
export const PROVIDERS: readonly Provider[] = [
  {
    name: 'local',
    summary: 'reads the text on this machine: no key, nothing leaves it',
    defaultModel: 'pp-ocrv4',
    keyRequired: false,
    baseUrlRequired: false,
    async open({ model, detail, baseUrl, logger }) {
      refuseForLocal({ model: model === this.defaultModel ? undefined : model, detail, baseUrl });
      const { localAdaptor } = await import('./adaptors/local.js');
      return localAdaptor(logger ? { logger } : {});
    },
  },
  {
    name: 'openai',
    summary: 'OpenAI, Responses API',
    defaultModel: 'gpt-5.6-luna',
    keyVariable: 'OPENAI_API_KEY',
    keyRequired: true,
    baseUrlRequired: false,
    async open(options) {
      const { openAiAdaptor } = await import('./adaptors/openai.js');
      return openAiAdaptor(cloudOptions(this, options));
    },
  },
  {
    name: 'openai-compatible',
    summary: 'any Chat Completions server: vLLM, Ollama, llama.cpp, LM Studio',
    keyVariable: 'OPENAI_COMPATIBLE_API_KEY',
    keyRequired: false,
    baseUrlRequired: true,
    async open(options) {
      const { openAiCompatibleAdaptor } = await import('./adaptors/openai-compatible.js');
      const { baseUrl = '' } = options;
      return openAiCompatibleAdaptor({ ...cloudOptions(this, options), baseUrl });
    },
  },
  {
    name: 'anthropic',
    summary: 'Anthropic, Messages API',
    defaultModel: 'claude-haiku-5-5',
    keyVariable: 'ANTHROPIC_API_KEY',
    keyRequired: true,
    baseUrlRequired: false,
    async open(options) {
      const { anthropicAdaptor } = await import('./adaptors/anthropic.js');
      return anthropicAdaptor(cloudOptions(this, options));
    },
  },
];

/**
 * Opens a provider by its name. The key comes from `apiKey` or the environment, never from a command line,
 * where every user of the machine could read it.
 */
export async function openAdaptor(name: string, options: AdaptorOptions = {}): Promise<Adaptor> {
  const provider = PROVIDERS.find((candidate) => candidate.name === name);
  if (!provider) throw unexpected('provider', `one of ${PROVIDERS.map((known) => known.name).join(', ')}`, name);
  expectKnownKeys('an adaptor', options, OPTION_NAMES);
  if (options.detail !== undefined && !IMAGE_DETAILS.includes(options.detail)) {
    throw unexpected('detail', `one of ${IMAGE_DETAILS.join(', ')}`, options.detail);
  }
  checkBaseUrl(provider, options.baseUrl);
  return provider.open(options);
}

/** The local reader has one model, which reads all there is, and asks nobody. */
function refuseForLocal(options: Readonly<Record<string, unknown>>): void {
  const idle = Object.entries(options).find(([, value]) => value !== undefined);
  if (idle) {
    throw new CapError('CAP_USAGE', `the provider local takes no ${idle[0]}`, { hint: 'name another with --provider' });
  }
}

function checkBaseUrl(provider: Provider, baseUrl: string | undefined): void {
  if (baseUrl === undefined) {
    if (!provider.baseUrlRequired) return;
    throw new CapError('CAP_USAGE', `the provider ${provider.name} needs a base URL`, {
      hint: 'for Ollama on this machine: http://127.0.0.1:11434/v1',
    });
  }
  if (!/^https?:\/\/[^/]/.test(baseUrl) || !URL.canParse(baseUrl))
    throw unexpected('baseUrl', 'an http(s) URL', baseUrl);
}

function cloudOptions(provider: Provider, options: AdaptorOptions): CloudOptions {
  const model = options.model ?? provider.defaultModel;
  if (!model)
    throw new CapError('CAP_USAGE', `the provider ${provider.name} needs a model`, {
      hint: 'name one that the server has',
    });
  const apiKey = options.apiKey ?? (provider.keyVariable ? process.env[provider.keyVariable] : undefined);
  if (!apiKey && provider.keyRequired) {
    throw new CapError('CAP_PROVIDER_AUTH', `there is no API key for ${provider.name}`, {
      hint: `set the environment variable ${provider.keyVariable}`,
    });
  }
  const { baseUrl, detail, logger } = options;
  return {
    model,
    // Servers without keys ignore it, but the SDK insists on having one.
    apiKey: apiKey || 'none',
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(detail === undefined ? {} : { detail }),
    ...(logger === undefined ? {} : { logger }),
  };
}
