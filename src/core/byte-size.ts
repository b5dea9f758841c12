const UNIT_BYTES: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Parses `500M`, `1.5G`, as disks are sold: 1000 to the next unit. Whole bytes; undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d{1,7}(?:\.\d{1,3})?)([KMGT])B?$/.exec(text);
  return match ? Math.round(Number(match[1]) * (UNIT_BYTES[match[2] ?? ''] ?? 0)) : undefined;
}
