import { type Span, spansOf } from './text-finder.js';

/*
 * Written for text that was read from a picture: a dash or underscore may have become a space, another dash or nothing,
 * I, l and 1 are alike, and a space may stand in the middle. So prefixes are loose, and less must follow them than a key
 * has. Every repetition is bounded or of one class, so that no text takes long.
 */
const SHAPES: readonly RegExp[] = [
  // OpenAI, Anthropic, OpenRouter, DeepSeek …
  /\b[s5]k ?[-–—_ ] ?(?:(?:proj|ant|or|live|test|svcacct|admin|lf)[-–—_ ])?[A-Za-z0-9_-]{8,}/gi,
  // Stripe
  /\b(?:[srp]k|rk|whsec)[_ -](?:(?:live|test)[_ -]?)?[A-Za-z0-9]{8,}/g,
  // AWS: access keys and what they are told apart by.
  /\bA(?:K[Il1|]A|S[Il1|]A|[Il1|]DA|ROA|G[PR]A|NPA|BIA|CCA)[A-Z0-9]{8,}/g,
  // Google
  /\bA[Il1|]za[A-Za-z0-9_-]{8,}/g,
  /\bya29\.[A-Za-z0-9_-]{8,}/g,
  /\bGOCSPX[-_ ]?[A-Za-z0-9_-]{8,}/g,
  // GitHub, GitLab, npm, PyPI, Hugging Face, Groq, xAI, Replicate, Perplexity, Shopify, DigitalOcean, Linear, Notion
  /\bg[hn][pousr][_ ]?[A-Za-z0-9]{10,}/g,
  /\b(?:github[_ ]pat|glpat|gldt|npm|pypi|hf|gsk|xai|r8|pplx|shp(?:at|ca|pa|ss)|do[opr][_ ]v1|lin[_ ]api|ntn|secret)[-_ ][A-Za-z0-9_-]{10,}/g,
  // Slack, SendGrid, Mailgun, Twilio, Telegram
  /\bx(?:ox[abeoprs]|app)[-–— ][A-Za-z0-9-]{8,}/g,
  /\bSG\.[A-Za-z0-9_-]{8,}/g,
  /\bkey[-_ ][0-9a-f]{16,}/g,
  /\b(?:AC|SK)[0-9a-f]{24,}/g,
  /\b\d{8,10}:AA[A-Za-z0-9_-]{20,}/g,
  /hooks\.slack\.com\/services\/\S{8,}/g,
  // JSON Web Tokens, whole or the beginning of one.
  /\beyJ[A-Za-z0-9_-]{8,}/g,
  // Azure and others, by name: AccountKey=…, password: …, API_KEY=…
  /\b[\w-]{0,40}(?:password|passwd|passphrase|secret|token|api[_ -]?key|access[_ -]?key|account[_ -]?key|private[_ -]?key)["']?\s?[:=]\s?["']?[^\s"']{6,}/gi,
  /\bBearer\s[A-Za-z0-9._~+/-]{12,}/g,
  // user:password@ in an address.
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{1,64}:[^\s/@]{1,256}@/gi,
];

/** Marks that enclose a PEM block; what stands between them is key material line by line. */
export const PEM_BEGIN = /-{2,5} ?BEGIN [A-Z ]{0,40}(?:PRIVATE KEY|CERTIFICATE|PGP)/;
export const PEM_END = /-{2,5} ?END [A-Z ]{0,40}(?:PRIVATE KEY|CERTIFICATE|PGP)/;

const TOKEN = /[A-Za-z0-9_+/=-]{20,}/g;

/** Keys and tokens: by their known prefixes, by the names before them, and long ones that are no words. */
export function findKeys(text: string): Span[] {
  const tokens = spansOf(text, [TOKEN]).filter(({ start, end }) => isRandom(text.slice(start, end)));
  return [...spansOf(text, [...SHAPES, new RegExp(PEM_BEGIN, 'g'), new RegExp(PEM_END, 'g')]), ...tokens];
}

/** Whether letters and digits, or upper and lower case, alternate as they do in no word, path or date. */
function isRandom(token: string): boolean {
  // Paths, whose parts are words.
  if (token.includes('/') && token.split('/').every((part) => /^(?:[a-z0-9_-]{0,24}|[A-Z][a-z]+)$/.test(part)))
    return false;
  const kinds = [...token]
    .filter((c) => /[A-Za-z0-9]/.test(c))
    .map((c) => (/\d/.test(c) ? 0 : /[a-z]/.test(c) ? 1 : 2));
  let changes = 0;
  for (const [index, kind] of kinds.entries()) if (index > 0 && kind !== kinds[index - 1]) changes += 1;
  return changes >= Math.max(5, kinds.length / 6) && (kinds.includes(0) || changes >= kinds.length / 3);
}
