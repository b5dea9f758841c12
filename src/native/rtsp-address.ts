import { CapError } from '../core/index.js';
import { whyUnreachable } from './why-unreachable.js';

/** An RTSP address without its user and password: in rtspsrc's location they would show in GStreamer's error texts. */
export interface RtspAddress {
  readonly address: string;
  readonly user: string;
  readonly password: string;
}

/** Whether it is an `rtsp://` or `rtsps://` URL with a host. */
export function isRtspUrl(url: string): boolean {
  return /^rtsps?:\/\/[^\s/]+/.test(url) && URL.canParse(url);
}

/** A password with an @ that should have been written as %40 ends at the last one. */
export function splitRtspUrl(url: string): RtspAddress {
  const match = /^(rtsps?:\/\/)([^/\s]*)@(.*)$/.exec(url);
  if (!match) return { address: url, user: '', password: '' };
  const [, scheme = '', credentials = '', rest = ''] = match;
  const [user = '', ...password] = credentials.split(':');
  return { address: scheme + rest, user: decoded(user), password: decoded(password.join(':')) };
}

/** A % that introduces nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** rtspsrc's properties for an address. */
export function rtspProperties({ address, user, password }: RtspAddress, protocol: 'tcp' | 'udp') {
  return { location: address, protocols: protocol, ...(user ? { 'user-id': user, 'user-pw': password } : {}) };
}

/** In words, what GStreamer keeps in its debug text or does not know. Never rejects. */
export async function explainRtspFailure(error: CapError, address: string): Promise<CapError> {
  const debug = error.cause instanceof Error ? error.cause.message : '';
  const text = `${error.message} ${debug}`;
  // "Forbidden (403)"; the place in GStreamer's source, `gstrtspsrc.c(403)`, looks alike.
  const status = Number(/(?<!\.c)\((\d{3})\)/.exec(text)?.[1]);
  const shown = /untrusted certificate (sha256:[0-9a-f]+)/.exec(text)?.[1];
  if (shown !== undefined) {
    return new CapError('CAP_TLS_UNTRUSTED', `the server's certificate is not trusted: it is ${shown}`, {
      hint: 'if it is the right one, pin it with --tls-fingerprint, or that of a source with --source-fingerprint',
      cause: error,
    });
  }
  if (status === 401 || /Unauthorized/i.test(text)) {
    return new CapError('CAP_AUTH_FAILED', 'the server wants a user name and password, or refuses those given', {
      hint: 'set CAP_RTSP_USER and CAP_RTSP_PASSWORD, or put them in the address: rtsp://user:password@host/path',
      cause: error,
    });
  }
  if (status === 403) {
    return new CapError('CAP_AUTH_FAILED', 'the user may not read what is at that path', {
      hint: 'ask who runs the server for the path',
      cause: error,
    });
  }
  const reason = await inWords(status, text, address);
  return reason === undefined ? error : new CapError('CAP_STREAM_UNAVAILABLE', reason, { cause: error });
}

async function inWords(status: number, text: string, address: string): Promise<string | undefined> {
  if (status === 453) return 'the server has as many readers as it takes';
  if (status === 503) return 'the server takes nobody from here for a while';
  if (status === 404 || /Not Found/i.test(text)) return 'the server has no stream at that path';
  if (/Parse error/i.test(text)) return 'what listens there does not speak RTSP';
  if (/Failed to connect/i.test(text)) return whyUnreachable(address);
  return undefined;
}
