import { type ChatResponse, type Message, Ollama } from 'ollama';
import { type AdaptorAnswer, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS } from '../adaptor.js';
import { CloudAdaptor, type CloudOptions, cutOff, noText } from './cloud.js';

const PROVIDER = 'ollama';
const DEFAULT_HOST = 'http://127.0.0.1:11434';
/** What Ollama makes room for by itself; beyond it the beginning of a prompt is dropped without a word. */
const DEFAULT_CONTEXT = 4096;
/** Characters to a token, low rather than high. */
const CHARS_PER_TOKEN = 3;

/** Ollama through its own interface, streamed as NDJSON. The key is for servers behind a login, such as ollama.com. */
export function ollamaAdaptor(options: CloudOptions): CloudAdaptor {
  const adaptor: CloudAdaptor = new CloudAdaptor(
    {
      provider: PROVIDER,
      vendor: 'open-weights',
      keyVariable: 'OLLAMA_API_KEY',
      send: (request, signal) => {
        const imageTokens = request.images.reduce((sum, image) => sum + adaptor.imageCost(image).tokens, 0);
        return send(clientOf(options, signal), options.model, request, imageTokens);
      },
    },
    options,
  );
  return adaptor;
}

/** One client a request: the SDK's own abort does not reach a model that is still being loaded. */
function clientOf({ baseUrl = DEFAULT_HOST, apiKey }: CloudOptions, signal: AbortSignal): Ollama {
  return new Ollama({
    host: baseUrl,
    ...(apiKey === 'none' ? {} : { headers: { authorization: `Bearer ${apiKey}` } }),
    fetch: async (input, init) => {
      const response = await fetch(input, { ...init, signal });
      // Looked at here, since the SDK drops the headers and writes to standard output.
      if (!response.ok) throw await refusalOf(response);
      return response;
    },
  });
}

async function send(
  client: Ollama,
  model: string,
  request: AdaptorRequest,
  imageTokens: number,
): Promise<AdaptorAnswer> {
  const { maxOutputTokens = DEFAULT_MAX_OUTPUT_TOKENS, schema } = request;
  const messages = messagesOf(request);
  const characters = messages.reduce((sum, { content }) => sum + content.length, JSON.stringify(schema ?? '').length);
  const needed = imageTokens + Math.ceil(characters / CHARS_PER_TOKEN) + maxOutputTokens;
  const stream = await client.chat({
    model,
    messages,
    stream: true,
    ...(schema === undefined ? {} : { format: schema }),
    options: { num_predict: maxOutputTokens, ...contextFor(needed) },
  });
  let text = '';
  try {
    for await (const chunk of stream) {
      const { content } = chunk.message;
      text += content;
      if (content !== '') request.onText?.(content);
      if (chunk.done) return answerOf(text, chunk);
    }
  } catch (error) {
    throw streamError(error);
  }
  throw cutOff(PROVIDER);
}

function messagesOf({ system, history = [], prompt, images }: AdaptorRequest): Message[] {
  return [
    ...(system === undefined ? [] : [{ role: 'system', content: system }]),
    ...history.flatMap((exchange) => [
      { role: 'user', content: exchange.prompt },
      { role: 'assistant', content: exchange.answer },
    ]),
    { role: 'user', content: prompt, ...(images.length === 0 ? {} : { images: images.map(({ data }) => data) }) },
  ];
}

/** In powers of two, since another size has the model loaded again. */
function contextFor(tokens: number): { num_ctx?: number } {
  return tokens <= DEFAULT_CONTEXT ? {} : { num_ctx: 2 ** Math.ceil(Math.log2(tokens)) };
}

function answerOf(text: string, last: ChatResponse): AdaptorAnswer {
  if (text === '')
    throw noText(PROVIDER, last.done_reason === 'length' ? 'all output tokens were used' : 'the model wrote nothing');
  const { prompt_eval_count: inputTokens = 0, eval_count: outputTokens } = last;
  return { text, model: last.model, usage: { inputTokens, outputTokens } };
}

async function refusalOf(response: Response): Promise<Error> {
  const body = await response.text();
  let message = body.slice(0, 300) || response.statusText;
  try {
    message = String((JSON.parse(body) as { error?: unknown }).error ?? message);
  } catch {
    // A proxy's page; its text is the message.
  }
  return Object.assign(new Error(`${response.status} ${message}`), {
    status: response.status,
    headers: response.headers,
  });
}

/** The SDK throws plain errors: its own about a stream that ended early, and what the server said in the middle. */
function streamError(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  if (error.message.startsWith('Did not receive done')) return cutOff(PROVIDER);
  return Object.assign(error, { type: 'server_error' });
}
