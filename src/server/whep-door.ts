import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type CapError, type ErrorCode, once, toCapError } from '../core/index.js';
import {
  readFragment,
  readOffer,
  type StreamTable,
  ufragOf,
  type WebRtcPeer,
  type WebRtcPeers,
} from '../session/index.js';
import { type HttpDoor, streamFor } from './http-door.js';

const MAX_BODY_BYTES = 64 << 10;
const OFFER_TYPE = 'application/sdp';
const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

const STATUS: Readonly<Partial<Record<ErrorCode, ContentfulStatusCode>>> = {
  CAP_USAGE: 400,
  CAP_CLOSED: 404,
};

/** A peer that came by WHEP, until it leaves. */
interface WhepSession {
  readonly peer: WebRtcPeer;
  readonly etag: string;
  /** Of the offer: another one would be an ICE restart. */
  readonly ufrag: string | undefined;
  /** Who may end it. */
  readonly owner: string | undefined;
}

/**
 * WHEP (draft-ietf-wish-whep): `POST /whep/<mount>` with an offer answers it, and the session that it makes takes
 * candidates by PATCH and ends by DELETE.
 */
export function whepDoor(streams: StreamTable, peers: WebRtcPeers): HttpDoor {
  const sessions = new Map<string, WhepSession>();
  const dropped = ({ stream }: { stream: Parameters<WebRtcPeers['drop']>[0] }): void => void peers.drop(stream);
  streams.on('removed', dropped);

  async function open(context: Context): Promise<Response> {
    const served = streamFor(context, streams, `/${context.req.param('mount')}`);
    if (!served) return context.text('no such stream', 404);
    if (typeOf(context) !== OFFER_TYPE) return context.text(`an offer is ${OFFER_TYPE}`, 415);
    let peer: WebRtcPeer;
    let offer: ReturnType<typeof readOffer>;
    try {
      offer = readOffer(await context.req.text());
      if (offer.formats.length === 0) {
        return context.text('the stream is H.264, and the offer has none with packetization-mode=1', 422);
      }
      peer = await peers.open(served.stream, offer);
    } catch (error) {
      return refuse(context, toCapError(error));
    }
    const id = randomUUID();
    const etag = `"${ufragOf(peer.description) ?? id}"`;
    sessions.set(id, { peer, etag, ufrag: ufragOf(offer.sdp), owner: context.get('user')?.name });
    peer.on('ended', () => sessions.delete(id));
    return context.body(peer.description, 201, {
      'Content-Type': OFFER_TYPE,
      Location: `/whep-sessions/${id}`,
      ETag: etag,
      'Accept-Patch': FRAGMENT_TYPE,
    });
  }

  function ownSession(context: Context): WhepSession | undefined {
    const session = sessions.get(context.req.param('id') ?? '');
    return session?.owner === context.get('user')?.name ? session : undefined;
  }

  async function trickle(context: Context): Promise<Response> {
    const session = ownSession(context);
    if (!session) return context.text('no such session', 404);
    if (typeOf(context) !== FRAGMENT_TYPE) return context.text(`candidates are ${FRAGMENT_TYPE}`, 415);
    const { ufrag, candidates } = readFragment(await context.req.text());
    if (ufrag === undefined) return context.text('the fragment has no a=ice-ufrag', 400);
    const expected = context.req.header('if-match');
    if (ufrag !== session.ufrag || expected === '*') return context.text('ICE restarts are not supported', 422);
    if (expected !== undefined && expected !== session.etag) return context.text('another ICE session', 412);
    try {
      for (const candidate of candidates) session.peer.addCandidate(candidate);
    } catch (error) {
      return context.text(toCapError(error).message, 400);
    }
    return context.body(null, 204);
  }

  function leave(context: Context): Response {
    const session = ownSession(context);
    if (!session) return context.text('no such session', 404);
    session.peer.leave();
    return context.body(null, 200);
  }

  const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (context) => context.text('too long', 413) });
  const routes = new Hono()
    .get('/api/webrtc', (context) => context.json(peers.stats, 200, { 'Cache-Control': 'no-store' }))
    .options('/whep/:mount{.+}', (context) =>
      context.body(null, 204, { Allow: 'OPTIONS, POST', 'Accept-Post': OFFER_TYPE }),
    )
    .post('/whep/:mount{.+}', limit, open)
    .all('/whep/:mount{.+}', (context) => context.text('POST an offer', 405, { Allow: 'OPTIONS, POST' }))
    .options('/whep-sessions/:id', (context) =>
      context.body(null, 204, { Allow: 'OPTIONS, PATCH, DELETE', 'Accept-Patch': FRAGMENT_TYPE }),
    )
    .patch('/whep-sessions/:id', limit, trickle)
    .delete('/whep-sessions/:id', leave)
    .all('/whep-sessions/:id', (context) =>
      context.text('PATCH candidates, or DELETE', 405, { Allow: 'OPTIONS, PATCH, DELETE' }),
    );

  const close = once(async () => {
    streams.off('removed', dropped);
    await peers.close();
  });
  return { routes, close };
}

function refuse(context: Context, error: CapError): Response {
  const status = STATUS[error.code] ?? 503;
  if (status === 503) context.header('Retry-After', '1');
  return context.text(error.hint ? `${error.message} (${error.hint})` : error.message, status);
}

function typeOf(context: Context): string | undefined {
  return context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
}
