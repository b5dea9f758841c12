import { fileURLToPath } from 'node:url';
import { redact, unexpected } from '../core/index.js';
import type { SourceOptions } from './sources.js';
import { TEST_PATTERNS, type TestPattern } from './test-source.js';

interface Scheme {
  readonly example: string;
  read(url: URL, text: string): SourceOptions | undefined;
}

/** What each scheme names; `read` gives undefined for an address that it does not understand. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  'test:': { example: `test://${TEST_PATTERNS.join('|')}`, read: readTest },
  'file:': { example: 'file:///home/me/film.mp4?loop', read: readFile },
  'v4l2:': { example: 'v4l2:///dev/video0', read: readV4l2 },
  'rtsp:': { example: 'rtsp://user:password@host/path', read: readRtsp },
  'rtsps:': { example: 'rtsps://host/path', read: readRtsp },
};

/** How sources are named, for help texts. */
export const SOURCE_FORMS: readonly string[] = [
  'screen',
  'test',
  ...Object.values(SCHEMES).map((scheme) => scheme.example),
];

/** The source that `screen`, `test` or a URL names. @throws CAP_USAGE */
export function parseSource(text: string): SourceOptions {
  if (text === 'screen' || text === 'test') return { kind: text };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url && SCHEMES[url.protocol];
  if (!scheme) {
    throw unexpected(
      'the source',
      'screen, test or a URL',
      redact(text),
      `such as ${SOURCE_FORMS.slice(2).join(', ')}`,
    );
  }
  const source = scheme.read(url, text);
  if (!source) throw unexpected('the source', `an address such as ${scheme.example}`, redact(text));
  return source;
}

function readTest({ host, pathname, search }: URL): SourceOptions | undefined {
  const pattern = TEST_PATTERNS.find((name) => name === host);
  return pattern && (pathname === '' || pathname === '/') && search === '' ? test(pattern) : undefined;
}

const test = (pattern: TestPattern): SourceOptions => ({ kind: 'test', pattern });

function readFile(url: URL): SourceOptions | undefined {
  if (url.host !== '' || url.pathname.length < 2 || !['', '?loop'].includes(url.search)) return undefined;
  return { kind: 'file', path: fileURLToPath(url), loop: url.search === '?loop' };
}

function readV4l2({ host, pathname, search }: URL): SourceOptions | undefined {
  if (host !== '' || search !== '' || !pathname.startsWith('/dev/')) return undefined;
  return { kind: 'v4l2', device: decodeURIComponent(pathname) };
}

function readRtsp({ host }: URL, text: string): SourceOptions | undefined {
  return host === '' ? undefined : { kind: 'rtsp', url: text };
}
