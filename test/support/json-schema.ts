export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

const ANNOTATIONS = ['$schema', 'title', 'description'];

/** Says how `value` breaks `schema`, one line each. Knows the keywords below and throws for any other. */
export function schemaViolations(schema: JsonSchema, value: unknown, at = 'it'): string[] {
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    if (ANNOTATIONS.includes(keyword)) return [];
    const check = KEYWORDS[keyword];
    if (!check) throw new Error(`the validator does not know the schema keyword ${keyword}`);
    return check(wanted, value, at, schema);
  });
}

type Check = (wanted: unknown, value: unknown, at: string, schema: JsonSchema) => string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const rule = (holds: boolean, violation: string): string[] => (holds ? [] : [violation]);

const KEYWORDS: Readonly<Record<string, Check>> = {
  type: (wanted, value, at) => {
    const types: Readonly<Record<string, boolean>> = {
      object: isObject(value),
      string: typeof value === 'string',
      number: typeof value === 'number',
      integer: Number.isInteger(value),
    };
    return rule(types[String(wanted)] === true, `${at} is not of type ${wanted}`);
  },
  required: (wanted, value, at) =>
    (wanted as string[]).flatMap((key) => rule(!isObject(value) || key in value, `${at} lacks ${key}`)),
  properties: (wanted, value, at) =>
    Object.entries(wanted as Record<string, JsonSchema>).flatMap(([key, schema]) =>
      isObject(value) && key in value ? schemaViolations(schema, value[key], `${at}.${key}`) : [],
    ),
  additionalProperties: (wanted, value, at, schema) => {
    if (wanted !== false) throw new Error('the validator knows additionalProperties: false only');
    const known = Object.keys(schema.properties ?? {});
    return isObject(value)
      ? Object.keys(value).flatMap((key) => rule(known.includes(key), `${at} has the unknown ${key}`))
      : [];
  },
  pattern: (wanted, value, at) =>
    rule(typeof value !== 'string' || new RegExp(String(wanted), 'u').test(value), `${at} does not match ${wanted}`),
  enum: (wanted, value, at) => rule((wanted as unknown[]).includes(value), `${at} is none of ${wanted}`),
  not: (wanted, value, at) =>
    rule(schemaViolations(wanted as JsonSchema, value, at).length > 0, `${at} is what it must not be`),
  minimum: (wanted, value, at) =>
    rule(typeof value !== 'number' || value >= Number(wanted), `${at} is less than ${wanted}`),
  maximum: (wanted, value, at) =>
    rule(typeof value !== 'number' || value <= Number(wanted), `${at} is more than ${wanted}`),
};
