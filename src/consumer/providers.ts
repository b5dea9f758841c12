import { CapError, expectKnownKeys, type Logger, unexpected } from '../core/index.js';
import type { Adaptor } from './adaptor.js';
import type { CloudOptions } from './adaptors/cloud.js';
import type { OpenAiApi } from './adaptors/openai.js';
import { IMAGE_DETAILS, type ImageDetail } from './tokens/formula.js';

/** What a provider is opened with. What it has no use for is ignored. */
export interface AdaptorOptions {
  /** @default the provider's `defaultModel` */
  readonly model?: string;
  /** @default the environment variable that the provider names */
  readonly apiKey?: string;
  /** Address of a server with the provider's interface, such as `http://127.0.0.1:11434/v1`. */
  readonly baseUrl?: string;
  /** Which of OpenAI's interfaces; no other provider has a choice. @default 'responses' */
  readonly api?: OpenAiApi;
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

const OPTION_NAMES = ['model', 'apiKey', 'baseUrl', 'api', 'detail', 'logger'];
const OPENAI_APIS: readonly OpenAiApi[] = ['responses', 'chat'];

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
    summary: 'OpenAI, Responses API (or --api chat)',
    defaultModel: 'gpt-5.6-luna',
    keyVariable: 'OPENAI_API_KEY',
    keyRequired: true,
    baseUrlRequired: false,
    async open(options) {
      const { openAiAdaptor } = await import('./adaptors/openai.js');
      return openAiAdaptor({ ...cloudOptions(this, options), ...(options.api ? { api: options.api } : {}) });
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
  {
    name: 'gemini',
    summary: 'Google Gemini',
    defaultModel: 'gemini-3.8-flash',
    keyVariable: 'GEMINI_API_KEY',
    keyRequired: true,
    baseUrlRequired: false,
    async open(options) {
      const { geminiAdaptor } = await import('./adaptors/gemini.js');
      return geminiAdaptor(cloudOptions(this, options));
    },
  },
  {
    name: 'qwen',
    summary: "Qwen-VL: Alibaba's Model Studio, or a server of your own with --base-url",
    defaultModel: 'qwen3-vl-flash',
    keyVariable: 'DASHSCOPE_API_KEY',
    keyRequired: true,
    baseUrlRequired: false,
    async open(options) {
      const { isModelStudio, qwenAdaptor } = await import('./adaptors/qwen.js');
      const needsKey = isModelStudio(options.baseUrl);
      return qwenAdaptor(cloudOptions({ ...this, keyRequired: needsKey }, options));
    },
  },
  {
    name: 'deepseek-ocr',
    summary: 'DeepSeek-OCR behind vLLM: the text of the screen as Markdown',
    defaultModel: 'deepseek-ai/DeepSeek-OCR',
    keyVariable: 'DEEPSEEK_OCR_API_KEY',
    keyRequired: false,
    baseUrlRequired: true,
    async open(options) {
      const { deepSeekOcrAdaptor } = await import('./adaptors/deepseek-ocr.js');
      const { baseUrl = '' } = options;
      return deepSeekOcrAdaptor({ ...cloudOptions(this, options), baseUrl });
    },
  },
  {
    name: 'ollama',
    summary: 'Ollama, its own interface, on this machine unless --base-url says otherwise',
    defaultModel: 'qwen3-vl:8b',
    keyVariable: 'OLLAMA_API_KEY',
    keyRequired: false,
    baseUrlRequired: false,
    async open(options) {
      const { ollamaAdaptor } = await import('./adaptors/ollama.js');
      return ollamaAdaptor(cloudOptions(this, options));
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
  checkApi(name, options.api);
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

function checkApi(name: string, api: OpenAiApi | undefined): void {
  if (api === undefined) return;
  if (name !== 'openai') {
    throw new CapError('CAP_USAGE', `the provider ${name} has one interface`, { hint: 'leave out --api' });
  }
  if (!OPENAI_APIS.includes(api)) throw unexpected('api', `one of ${OPENAI_APIS.join(', ')}`, api);
}

function checkBaseUrl(provider: Provider, baseUrl: string | undefined): void {
  if (baseUrl === undefined) {
    if (!provider.baseUrlRequired) return;
    throw new CapError('CAP_USAGE', `the provider ${provider.name} needs a base URL`, {
      hint:
        provider.name === 'deepseek-ocr'
          ? "vLLM's is http://127.0.0.1:8000/v1"
          : "Ollama's is http://127.0.0.1:11434/v1",
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
