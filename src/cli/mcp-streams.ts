import { CapError, type Logger, redact } from '../core/index.js';
import { LiveStream } from '../mcp/index.js';
import { CaptureView, type DisplayChoice, Sampler, type SamplerOptions } from '../session/index.js';
import { type CaptureFlags, toEncoder, toScaling, toSource } from './capture-options.js';
import { toRedaction } from './redact-options.js';

const MOST_STREAMS = 8;
const LINGER_MS = 5000;

/** The streams at addresses, named by the ends of their paths. @throws CAP_USAGE */
export function remoteStreams(
  urls: readonly string[],
  { linger = LINGER_MS }: CaptureFlags,
  sampler: SamplerOptions,
  logger: Logger,
): LiveStream[] {
  if (urls.length > MOST_STREAMS) throw new CapError('CAP_USAGE', `${MOST_STREAMS} streams at most`);
  const names = new Set<string>();
  return urls.map((url) => {
    expectStreamUrl(url);
    const name = freeName(nameOf(url), names);
    names.add(name);
    const open = async (): Promise<Sampler> => new Sampler(url, { ...sampler, retryFirstConnection: false, logger });
    return new LiveStream({ name, label: redact(url), open, lingerMs: linger, logger });
  });
}

/** This machine's screen, or what else the capture options say. @throws CAP_USAGE */
export function ownStream(flags: CaptureFlags, logger: Logger): LiveStream {
  const { window, monitor, fps, linger } = flags;
  if (window === true || monitor === 'all') {
    const option = window === true ? '--window without a name' : '--monitor all';
    throw new CapError('CAP_USAGE', `${option} cannot be used with cap mcp`, {
      hint: 'cap sources lists what there is',
    });
  }
  const source = toSource(flags, window);
  const options = {
    source,
    scaling: toScaling(flags),
    redaction: toRedaction(flags),
    encoder: toEncoder(flags, false),
    fps,
    lingerMs: linger,
    logger,
  };
  const name = source.kind === 'screen' && window !== undefined ? 'window' : source.kind;
  return new LiveStream({
    name,
    label: window === undefined ? `${name} of this machine` : `window ${window}`,
    open: (signal) => CaptureView.open({ ...options, signal }),
    logger,
  });
}

/** Monitors and windows are told of where the whole screen is shown anyway; of a part, or with masks, they are private. */
export function listedDisplay(flags: CaptureFlags): DisplayChoice | undefined {
  const { source = { kind: 'screen' }, window, region, monitor, share, displayServer, display } = flags;
  if (toRedaction(flags)) return undefined;
  const isPart = [window, region, monitor, share].some((value) => value !== undefined);
  return source.kind !== 'screen' || isPart || displayServer === 'portal' ? undefined : { displayServer, display };
}

function expectStreamUrl(url: string): void {
  // The sampler checks it too, but only when somebody looks.
  if (!/^rtsps?:\/\/[^/]/.test(url) || !URL.canParse(url)) {
    throw new CapError('CAP_USAGE', `expected an rtsp:// URL for the stream, received "${redact(url)}"`, {
      hint: 'without one, cap mcp captures this screen',
    });
  }
}

const nameOf = (url: string): string => /([\w.-]+)\/?$/.exec(new URL(url).pathname)?.[1] ?? 'stream';

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) if (!taken.has(`${name}-${number}`)) return `${name}-${number}`;
}
