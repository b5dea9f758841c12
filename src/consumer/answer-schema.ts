import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import draft7 from 'ajv/dist/refs/json-schema-draft-07.json' with { type: 'json' };
import formats from 'ajv-formats';
import { CapError } from '../core/index.js';
import type { AnswerSchema } from './adaptor.js';

/** What became of an answer that should be JSON: its value, or one line that says what is wrong with it. */
export type ParsedAnswer = { readonly data: unknown } | { readonly problem: string };

/** A model that gets one thing wrong often gets it wrong everywhere; the first few say it all. */
const MAX_PROBLEMS = 5;
const compiled = new WeakMap<AnswerSchema, ValidateFunction>();

/**
 * Compiles a schema of the drafts 2020-12 or 07. Throws CAP_USAGE for what is none, and for one whose root is
 * not an object: no provider takes another.
 */
export function checkSchema(schema: AnswerSchema): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  if (typeof schema !== 'object' || schema === null || schema.type !== 'object') {
    throw new CapError('CAP_USAGE', 'the schema does not describe an object', {
      hint: 'its "type" has to be "object"',
    });
  }
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  ajv.addMetaSchema(draft7);
  formats.default(ajv);
  try {
    const validate = ajv.compile(schema);
    compiled.set(schema, validate);
    return validate;
  } catch (error) {
    throw new CapError('CAP_USAGE', `the schema is not valid: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads an answer as JSON, also out of a code fence, and holds it against the schema. */
export function parseAnswer(text: string, schema: AnswerSchema): ParsedAnswer {
  const validate = checkSchema(schema);
  let data: unknown;
  try {
    data = JSON.parse(text.replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, ''));
  } catch (error) {
    return { problem: `it is not JSON: ${(error as Error).message}` };
  }
  if (validate(data)) return { data };
  return { problem: (validate.errors ?? []).slice(0, MAX_PROBLEMS).map(sentence).join('; ') };
}

function sentence({ instancePath, message, params }: ErrorObject): string {
  const extra: unknown = params.additionalProperty;
  const which = typeof extra === 'string' ? ` ("${extra}")` : '';
  return `${instancePath || 'the answer'} ${message ?? 'is wrong'}${which}`;
}
