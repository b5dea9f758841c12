/**
 * Whether OpenAI's strict mode takes a schema: every object in it lists all its properties as required and
 * allows no others. The mode guarantees the form of the answer, and refuses any other schema.
 */
export function isStrictSchema(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrictSchema);
  if (typeof schema !== 'object' || schema === null) return true;
  const { type, properties, required, additionalProperties } = schema as Readonly<Record<string, unknown>>;
  if (type === 'object') {
    const names = Object.keys((properties as object | undefined) ?? {});
    const listed = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => listed.includes(name))) return false;
  }
  return Object.values(schema).every(isStrictSchema);
}
