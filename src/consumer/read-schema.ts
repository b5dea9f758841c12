import { readFile } from 'node:fs/promises';
import { CapError } from '../core/index.js';
import type { AnswerSchema } from './adaptor.js';

/** Reads a JSON Schema, and refuses one that no answer could be held against, before anything is connected. */
export async function readSchema(path: string): Promise<AnswerSchema> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CapError('CAP_USAGE', `the schema ${path} cannot be read: ${error.code ?? error.message}`);
  });
  // Only who asks for a schema pays for the validator.
  const { checkSchema } = await import('./answer-schema.js');
  let schema: AnswerSchema;
  try {
    schema = JSON.parse(text) as AnswerSchema;
  } catch (error) {
    throw new CapError('CAP_USAGE', `the schema ${path} is not JSON: ${(error as Error).message}`);
  }
  checkSchema(schema);
  return schema;
}
