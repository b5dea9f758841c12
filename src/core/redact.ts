const PATTERNS: readonly [RegExp, string][] = [
  // user:password@ in a URL, up to the last @ of the host; the user name stays, it tells which account failed.
  [/([a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*):[^\s/"']*@/gi, '$1:***@'],
  // Provider keys by their published prefixes: OpenAI and Anthropic (sk-), Google (AIza).
  [/\b(sk-)[A-Za-z0-9_-]{8,}/g, '$1***'],
  [/\b(AIza)[A-Za-z0-9_-]{10,}/g, '$1***'],
  // Of Digest, everything: user, nonce and response let one try passwords at leisure.
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?digest\s)[^\r\n]*/gi, '$1***'],
  // A line of a user file: with the hash one can log in.
  [/\b([\w.@-]+:cap:)[0-9a-f]{32}\b/gi, '$1***'],
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:bearer|basic|digest)?\s*)[^\s"',]+/gi, '$1***'],
  [/\b((?:x-)?(?:api|goog-api)[-_]?key["']?\s*[:=]\s*["']?)[^\s"',&]+/gi, '$1***'],
  [/\b((?:token|password|passwd|secret)["']?\s*[:=]\s*["']?)[^\s"',&]+/gi, '$1***'],
];

const secrets = new Set<string>();

/** Has `secret` replaced wherever `redact` sees it, whatever its form. Values under 6 characters are ignored. */
export function registerSecret(secret: string | undefined): void {
  if (secret && secret.length >= 6) secrets.add(secret);
}

/** Takes credentials out of a text that leaves the process: the one place that knows how. */
export function redact(text: string): string {
  let out = text;
  for (const secret of secrets) out = out.replaceAll(secret, '***');
  for (const [pattern, replacement] of PATTERNS) out = out.replace(pattern, replacement);
  return out;
}
