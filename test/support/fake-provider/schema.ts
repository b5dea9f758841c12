import { expectObject, type Json, type Refusal } from './refusal.js';

type Refuse = (message: string) => Refusal;

/** What structured outputs of OpenAI (strict) and Anthropic ask of every object in a schema. */
export function expectClosedObjects(schema: unknown, allRequired: boolean, refuse: Refuse): void {
  if (Array.isArray(schema)) {
    for (const part of schema) expectClosedObjects(part, allRequired, refuse);
    return;
  }
  if (typeof schema !== 'object' || schema === null) return;
  const { type, properties = {}, required = [], additionalProperties } = schema as Json;
  if (type === 'object') {
    if (additionalProperties !== false) throw refuse("'additionalProperties' is required to be false");
    const missing = Object.keys(properties as Json).filter((name) => !(required as string[]).includes(name));
    if (allRequired && missing.length > 0) throw refuse(`'required' has to list ${missing.join(', ')}`);
  }
  for (const part of Object.values(schema)) expectClosedObjects(part, allRequired, refuse);
}

/** Keywords that a provider's grammar cannot hold an answer to. */
export function refuseKeywords(schema: unknown, keywords: readonly string[], refuse: Refuse): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (keywords.includes(key) && typeof value !== 'object')
      throw refuse(`For this type, property '${key}' is not supported`);
    refuseKeywords(value, keywords, refuse);
  }
}

export function expectSchema(value: unknown, what: string, refuse: Refuse): Json {
  const schema = expectObject(value, what, refuse);
  if (schema.type !== 'object') throw refuse(`${what}: schema must have type 'object'`);
  return schema;
}
