import {
  type Content,
  type GenerateContentConfig,
  type GenerateContentResponse,
  GoogleGenAI,
  MediaResolution,
  type Part,
  PartMediaResolutionLevel,
} from '@google/genai';
import {
  type AdaptorAnswer,
  type AdaptorRequest,
  DEFAULT_MAX_OUTPUT_TOKENS,
  type EncodedImage,
  type TokenUsage,
} from '../adaptor.js';
import type { ImageDetail } from '../tokens/formula.js';
import { CloudAdaptor, type CloudOptions, cutOff, noText } from './cloud.js';
import { geminiError } from './gemini-error.js';

const PROVIDER = 'gemini';

/** The models up to 2.5 have one setting for all pictures of a request. */
const ONE_SETTING = /gemini-[12]/;

const LEVELS: Readonly<Record<Exclude<ImageDetail, 'auto'>, PartMediaResolutionLevel>> = {
  low: PartMediaResolutionLevel.MEDIA_RESOLUTION_LOW,
  high: PartMediaResolutionLevel.MEDIA_RESOLUTION_HIGH,
  original: PartMediaResolutionLevel.MEDIA_RESOLUTION_ULTRA_HIGH,
};

/** Google's Gemini through `generateContent`, streamed. */
export function geminiAdaptor(options: CloudOptions): CloudAdaptor {
  const client = new GoogleGenAI({
    apiKey: options.apiKey,
    // Whatever the environment says: the key is one of the Developer API.
    vertexai: false,
    ...(options.baseUrl === undefined ? {} : { httpOptions: { baseUrl: options.baseUrl } }),
  });
  const { detail = 'high', model } = options;
  return new CloudAdaptor(
    {
      provider: PROVIDER,
      vendor: 'google',
      keyVariable: 'GEMINI_API_KEY',
      send: (request, signal) =>
        send(client, model, detail, request, signal).catch((error: unknown) => {
          throw geminiError(error);
        }),
    },
    options,
  );
}

async function send(
  client: GoogleGenAI,
  model: string,
  detail: ImageDetail,
  request: AdaptorRequest,
  signal: AbortSignal,
): Promise<AdaptorAnswer> {
  const stream = await client.models.generateContentStream({
    model,
    contents: contentsOf(request, ONE_SETTING.test(model) ? undefined : detail),
    config: {
      ...configOf(request),
      ...(ONE_SETTING.test(model) && detail === 'low' ? { mediaResolution: MediaResolution.MEDIA_RESOLUTION_LOW } : {}),
      abortSignal: signal,
    },
  });
  let text = '';
  let last: GenerateContentResponse | undefined;
  let finish: string | undefined;
  for await (const chunk of stream) {
    const delta = textOf(chunk);
    text += delta;
    if (delta !== '') request.onText?.(delta);
    finish = chunk.candidates?.[0]?.finishReason ?? chunk.promptFeedback?.blockReason ?? finish;
    last = chunk;
  }
  if (finish === undefined) throw cutOff(PROVIDER);
  if (text === '')
    throw noText(PROVIDER, finish === 'MAX_TOKENS' ? 'all output tokens were used' : finish.toLowerCase());
  return { text, model: last?.modelVersion ?? model, ...usageOf(last) };
}

function contentsOf({ history = [], images, prompt }: AdaptorRequest, detail: ImageDetail | undefined): Content[] {
  return [
    ...history.flatMap((exchange): Content[] => [
      { role: 'user', parts: [{ text: exchange.prompt }] },
      { role: 'model', parts: [{ text: exchange.answer }] },
    ]),
    { role: 'user', parts: [...images.map((image) => imagePart(image, detail)), { text: prompt }] },
  ];
}

function imagePart({ data, mediaType }: EncodedImage, detail: ImageDetail | undefined): Part {
  return {
    inlineData: { mimeType: mediaType, data: data.toString('base64') },
    ...(detail === undefined || detail === 'auto' ? {} : { mediaResolution: { level: LEVELS[detail] } }),
  };
}

function configOf({ system, schema, maxOutputTokens }: AdaptorRequest): GenerateContentConfig {
  return {
    maxOutputTokens: maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
    ...(system === undefined ? {} : { systemInstruction: system }),
    ...(schema === undefined ? {} : { responseMimeType: 'application/json', responseJsonSchema: schema }),
  };
}

/** The answer without what the model thought. */
function textOf(chunk: GenerateContentResponse): string {
  const parts = chunk.candidates?.[0]?.content?.parts ?? [];
  return parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
}

function usageOf(last: GenerateContentResponse | undefined): { usage?: TokenUsage } {
  const usage = last?.usageMetadata;
  if (!usage) return {};
  const cachedTokens = usage.cachedContentTokenCount;
  return {
    usage: {
      inputTokens: usage.promptTokenCount ?? 0,
      outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
      ...(cachedTokens ? { cachedTokens } : {}),
    },
  };
}
