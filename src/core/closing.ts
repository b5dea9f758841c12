/** Whatever owns something that must be let go. `close` is idempotent and never rejects twice. */
export interface Closable {
  close(): Promise<void>;
}

/** Makes `close` idempotent: every call returns the first call's promise. */
export function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}

/** Closes in order, all of them, and then throws the first error if there was one. */
export async function closeAll(owned: readonly (Closable | undefined)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const item of owned) {
    try {
      await item?.close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
