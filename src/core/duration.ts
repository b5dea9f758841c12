const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `500ms`, `30s`, `1.5m`, `1h`, `7d` into whole milliseconds; returns undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text);
  return match ? Math.round(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0)) : undefined;
}
