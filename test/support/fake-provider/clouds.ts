import type { AdaptorOptions } from '../../../src/consumer/index.js';

/** How the fake provider is reached as each of the providers. */
export interface FakeCloud {
  /** For the names of tests. */
  readonly title: string;
  readonly name: string;
  readonly model: string;
  readonly keyVariable: string;
  /** Added to the server's origin. */
  readonly basePath: string;
  readonly api?: NonNullable<AdaptorOptions['api']>;
  /** How often the provider's SDK asks again by itself. */
  readonly retries: 0 | 2;
  /** @default true */
  readonly reportsCache?: false;
  /** It takes neither a system prompt nor history nor a schema. @default true */
  readonly converses?: false;
}

export const FAKE_CLOUDS: readonly FakeCloud[] = [
  {
    title: 'openai',
    name: 'openai',
    model: 'gpt-5.6-luna',
    keyVariable: 'OPENAI_API_KEY',
    basePath: '/v1',
    retries: 2,
  },
  {
    title: 'openai by chat',
    name: 'openai',
    model: 'gpt-5.6-luna',
    keyVariable: 'OPENAI_API_KEY',
    basePath: '/openai/v1',
    api: 'chat',
    retries: 2,
  },
  {
    title: 'openai-compatible',
    name: 'openai-compatible',
    model: 'Qwen/Qwen3-VL-8B-Instruct',
    keyVariable: 'OPENAI_COMPATIBLE_API_KEY',
    basePath: '/v1',
    retries: 2,
  },
  {
    title: 'anthropic',
    name: 'anthropic',
    model: 'claude-haiku-5-5',
    keyVariable: 'ANTHROPIC_API_KEY',
    basePath: '',
    retries: 2,
  },
  {
    title: 'gemini',
    name: 'gemini',
    model: 'gemini-3.8-flash',
    keyVariable: 'GEMINI_API_KEY',
    basePath: '',
    retries: 0,
  },
  {
    title: 'qwen',
    name: 'qwen',
    model: 'qwen3-vl-flash',
    keyVariable: 'DASHSCOPE_API_KEY',
    basePath: '/compatible-mode/v1',
    retries: 2,
  },
  {
    title: "qwen of one's own",
    name: 'qwen',
    model: 'Qwen/Qwen3-VL-8B-Instruct',
    keyVariable: 'DASHSCOPE_API_KEY',
    basePath: '/v1',
    retries: 2,
  },
  {
    title: 'deepseek-ocr',
    name: 'deepseek-ocr',
    model: 'deepseek-ai/DeepSeek-OCR',
    keyVariable: 'DEEPSEEK_OCR_API_KEY',
    basePath: '/deepseek-ocr/v1',
    retries: 2,
    converses: false,
  },
  {
    title: 'ollama',
    name: 'ollama',
    model: 'qwen3-vl:8b',
    keyVariable: 'OLLAMA_API_KEY',
    basePath: '',
    retries: 0,
    reportsCache: false,
  },
];

/** The options of a command that reaches it. */
export function cloudArguments({ name, model, api, basePath }: FakeCloud, origin: string): string[] {
  const base = ['--provider', name, '--base-url', `${origin}${basePath}`, '--model', model];
  return api === undefined ? base : [...base, '--api', api];
}
