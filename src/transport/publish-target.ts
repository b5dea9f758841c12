import { CapError, isLoopback, redact, registerSecret, unexpected } from '../core/index.js';
import { explainRtspFailure, isRtspUrl, rtspProperties, splitRtspUrl, whyUnreachable } from '../native/index.js';
import type { PublishConnection } from './publish-connection.js';
import { PublishPipeline, type PublishPipelineOptions } from './publish-pipeline.js';
import type { AccessUnitStream } from './shared-stream.js';
import { WhipConnection } from './whip-connection.js';

/** A server that a stream is pushed to, and how. */
export interface PublishTarget {
  /** For logs: what is secret in the address is left out. */
  readonly label: string;
  /** What its user should know before anything is sent. */
  readonly warning?: string | undefined;
  /** @throws CAP_DEPENDENCY_MISSING */
  connect(stream: AccessUnitStream): PublishConnection;
}

/** What does not belong into an address. */
export interface PublishSecrets {
  /** For WHIP servers: sent as a bearer token. */
  readonly whipToken?: string | undefined;
}

interface Scheme {
  readonly example: string;
  /** Undefined for an address that it does not understand. */
  read(text: string, secrets: PublishSecrets): PublishTarget | undefined;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  rtsp: { example: 'rtsp://user:password@host/path', read: readRtsp },
  rtmp: { example: 'rtmp://host/app/key', read: readRtmp },
  srt: { example: 'srt://host:9000?streamid=publish:path', read: readSrt },
  'whip+http': { example: 'whip+http://host/path', read: readWhip },
  'whip+https': { example: 'whip+https://host/path', read: readWhip },
};

/** How servers to publish to are named, for help texts. */
export const PUBLISH_FORMS: readonly string[] = Object.values(SCHEMES).map(({ example }) => example);

/** @throws CAP_USAGE */
export function parsePublishTarget(text: string, secrets: PublishSecrets = {}): PublishTarget {
  const scheme = SCHEMES[/^([a-z+]+):\/\//.exec(text)?.[1] ?? ''];
  const target = scheme?.read(text, secrets);
  if (target) return target;
  const forms = scheme ? `an address such as ${scheme.example}` : 'the URL of a server';
  throw unexpected('--publish', forms, redact(text), scheme ? undefined : `such as ${PUBLISH_FORMS.join(', ')}`);
}

function readRtsp(text: string): PublishTarget | undefined {
  if (!isRtspUrl(text)) return undefined;
  const address = splitRtspUrl(text);
  registerSecret(address.password);
  const label = address.address.replace(/\?.*$/, '');
  return pushedBy(label, {
    explain: (error) => explainRtspFailure(error, label),
    // Its own buffer of two seconds would be added to every picture's age.
    launch: 'rtspclientsink name=out latency=0',
    properties: { out: rtspProperties(address, 'tcp') },
  });
}

/** The last part of the path is the stream key, which is what lets one publish. */
function readRtmp(text: string): PublishTarget | undefined {
  const match = /^(rtmp:\/\/)(?:([^/@\s]*)@)?([^/@\s]+)(\/[^/\s]+)+\/([^/\s]+)$/.exec(text);
  if (!match || !URL.canParse(text)) return undefined;
  const [, scheme = '', credentials = '', host = '', , key = ''] = match;
  for (const secret of [credentials.split(':')[1], key]) registerSecret(secret);
  const label = `${scheme}${host}${new URL(text).pathname.replace(/\/[^/]*$/, '')}`;
  return pushedBy(label, {
    explain: async (error) => {
      const reason = await whyUnreachable(`${scheme}${host}`);
      return reason === undefined ? error : new CapError('CAP_STREAM_UNAVAILABLE', reason, { cause: error });
    },
    launch: 'flvmux streamable=true ! rtmp2sink name=out sync=false async=false',
    properties: { out: { location: text } },
  });
}

function readSrt(text: string): PublishTarget | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname || url.port === '' || (url.searchParams.get('mode') ?? 'caller') !== 'caller') return undefined;
  for (const key of ['passphrase', 'streamid']) registerSecret(url.searchParams.get(key) ?? undefined);
  return pushedBy(`srt://${url.host}`, {
    explain: async (cause) =>
      new CapError('CAP_STREAM_UNAVAILABLE', `nothing answers at ${url.host}, or it refuses the passphrase or stream`, {
        cause,
      }),
    // Reconnecting is ours, so that it is counted and said.
    launch: 'mpegtsmux alignment=0 ! srtsink name=out sync=false async=false auto-reconnect=false',
    properties: { out: { uri: text } },
    joinLists: true,
  });
}

/** A token in the address would be in the list of processes. */
function readWhip(text: string, { whipToken }: PublishSecrets): PublishTarget | undefined {
  const address = text.slice('whip+'.length);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url?.hostname || url.username !== '' || url.password !== '') return undefined;
  registerSecret(whipToken);
  const label = `whip+${url.origin}${url.pathname}`;
  const seen = url.protocol === 'http:' && whipToken !== undefined && !isLoopback(url.hostname);
  return {
    label,
    warning: seen ? `the network can see the token for ${label}: whip+https:// would hide it` : undefined,
    connect: (stream) => new WhipConnection(url, whipToken, stream),
  };
}

const pushedBy = (label: string, pipeline: PublishPipelineOptions): PublishTarget => ({
  label,
  connect: (stream) => new PublishPipeline(pipeline, stream),
});
