import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Adaptor, AnswerMemory, look, openAdaptor } from '../../src/consumer/index.js';
import { FAKE_CLOUDS, type FakeCloud } from '../support/fake-provider/clouds.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { svgFrame, textPage } from '../support/frames.js';

let server: FakeProvider;
const opened: Adaptor[] = [];

beforeAll(async () => {
  server = await FakeProvider.start();
});
afterAll(() => server.close());
afterEach(async () => {
  for (const adaptor of opened.splice(0)) await adaptor.close();
  server.reset();
});

const CONVERSING = FAKE_CLOUDS.filter(({ converses }) => converses !== false);
const SCHEMA = {
  type: 'object',
  properties: { app: { type: 'string' }, errors: { type: 'integer', minimum: 0 } },
  required: ['app', 'errors'],
  additionalProperties: false,
};
const GOOD = '{"app":"terminal","errors":2}';

async function open({ name, model, api, basePath }: FakeCloud): Promise<Adaptor> {
  const baseUrl = `${server.origin}${basePath}`;
  const adaptor = await openAdaptor(name, { model, apiKey: FAKE_KEY, baseUrl, ...(api ? { api } : {}) });
  opened.push(adaptor);
  return adaptor;
}

function answerWith(...texts: readonly string[]): void {
  server.script(...texts.map((text) => ({ kind: 'answer', deltas: [text.slice(0, 5), text.slice(5)] }) as const));
}

describe.each(CONVERSING)('$title', (cloud) => {
  test('answers by the schema, which it is told in its own way', async () => {
    answerWith(GOOD);
    const shown: string[] = [];
    const answer = await (await open(cloud)).ask({
      prompt: 'What runs?',
      images: [],
      schema: SCHEMA,
      onText: (text) => shown.push(text),
    });
    expect(answer.data).toEqual({ app: 'terminal', errors: 2 });
    expect(shown).toEqual([GOOD]);
    expect(JSON.stringify(server.requests[0]?.body)).toContain('"required":["app","errors"]');
  });

  test('is told once what is wrong, with the picture, and both requests are counted', async () => {
    answerWith('{"app":"terminal","errors":"two"}', GOOD);
    const frame = await svgFrame(textPage({ width: 64, height: 48 }).svg);
    const { data, reportedTokens } = await look(frame, await open(cloud), { prompt: 'What runs?', schema: SCHEMA });
    expect(data).toEqual({ app: 'terminal', errors: 2 });
    expect(reportedTokens).toMatchObject({ inputTokens: 220, outputTokens: 4 });
    const [, repair] = server.requests;
    expect(repair?.images).toHaveLength(1);
    expect(repair?.prompt).toContain('/errors must be integer');
    expect(JSON.stringify(repair?.body)).toContain('\\"two\\"');
  });

  test('fails with CAP_ANSWER_INVALID when the second answer is wrong, too', async () => {
    answerWith('I see a terminal.', '{"app":"terminal"}');
    const asked = (await open(cloud)).ask({ prompt: 'What runs?', images: [], schema: SCHEMA });
    await expect(asked).rejects.toMatchObject({
      code: 'CAP_ANSWER_INVALID',
      message: "the answer does not satisfy the schema: the answer must have required property 'errors'",
    });
    expect(server.requests).toHaveLength(2);
  });

  test('remembers as many answers as it was told to, without their pictures', async () => {
    const adaptor = await open(cloud);
    const memory = new AnswerMemory(2);
    const frame = await svgFrame(textPage({ width: 64, height: 48 }).svg);
    for (const [index, text] of ['alpha', 'beta', 'gamma', 'delta'].entries()) {
      answerWith(`${text} seen`);
      await look(frame, adaptor, { prompt: `Question ${index}`, memory });
    }
    const last = server.requests.at(-1);
    const sent = JSON.stringify(last?.body);
    expect(['alpha', 'beta', 'gamma', 'delta'].map((text) => sent.includes(`${text} seen`))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(sent.indexOf('Question 1')).toBeLessThan(sent.indexOf('beta seen'));
    expect(sent.indexOf('beta seen')).toBeLessThan(sent.indexOf('Question 2'));
    expect(last?.images).toHaveLength(1);
    expect(memory.history.map(({ answer }) => answer)).toEqual(['gamma seen', 'delta seen']);
  });
});

describe('the schema', () => {
  const ask = async (schema: object, text: string, name = 'openai') => {
    server.reset();
    answerWith(text, text);
    const cloud = FAKE_CLOUDS.find((one) => one.name === name);
    if (!cloud) throw new Error(name);
    const answered = await (await open(cloud)).ask({ prompt: 'What?', images: [], schema: schema as typeof SCHEMA });
    return { ...answered, format: JSON.stringify(server.requests[0]?.body) };
  };

  test('is strict for OpenAI where it can be, and not where OpenAI would refuse it', async () => {
    expect((await ask(SCHEMA, GOOD)).format).toContain('"strict":true');
    expect((await ask({ ...SCHEMA, additionalProperties: true }, GOOD)).format).toContain('"strict":false');
    const nested = {
      type: 'object',
      properties: { list: { type: 'array', items: { ...SCHEMA, required: [] } } },
      required: ['list'],
      additionalProperties: false,
    };
    expect((await ask(nested, '{"list":[]}')).format).toContain('"strict":false');
  });

  test('is checked whole, also where the provider takes a part of it', async () => {
    await expect(ask(SCHEMA, '{"app":"terminal","errors":-1}', 'anthropic')).rejects.toThrow('/errors must be >= 0');
    await expect(
      ask({ type: 'object', properties: { at: { type: 'string', format: 'date' } } }, '{"at":"today"}'),
    ).rejects.toThrow('/at must match format "date"');
    await expect(ask(SCHEMA, '{"app":"a","errors":1,"more":1}')).rejects.toThrow('("more")');
  });

  test('may be of draft 07, and its answer in a code fence', async () => {
    const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', ...SCHEMA };
    expect((await ask(draft7, `\`\`\`json\n${GOOD}\n\`\`\``)).data).toEqual({ app: 'terminal', errors: 2 });
  });

  test.each([
    [{ type: 'array' }, 'does not describe an object'],
    [{ type: 'object', properties: { a: { type: 'text' } } }, 'is not valid'],
    [{ type: 'object', $schema: 'http://json-schema.org/draft-03/schema#' }, 'is not valid'],
  ])('%o is refused before anything is asked', async (schema, message) => {
    const before = server.attempts;
    const cloud = FAKE_CLOUDS[0];
    if (!cloud) throw new Error('no cloud');
    const asked = (await open(cloud)).ask({ prompt: 'What?', images: [], schema });
    await expect(asked).rejects.toMatchObject({ code: 'CAP_USAGE', message: expect.stringContaining(message) });
    expect(server.attempts).toBe(before);
  });
});

test.each([{ schema: SCHEMA }, { history: [] }])('the local reader refuses %o', async (conversation) => {
  const adaptor = await openAdaptor('local');
  opened.push(adaptor);
  await expect(adaptor.ask({ prompt: 'x', images: [], ...conversation })).rejects.toMatchObject({ code: 'CAP_USAGE' });
});

test.each([0, 101, 1.5])('a memory of %d is refused', (capacity) => {
  expect(() => new AnswerMemory(capacity)).toThrow('a whole number from 1 to 100 for memory');
});
