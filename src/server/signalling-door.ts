import { Hono } from 'hono';
import { type WebSocket, WebSocketServer } from 'ws';
import { once, toCapError } from '../core/index.js';
import { readOffer, type ServedStream, type StreamTable, type WebRtcPeer, type WebRtcPeers } from '../session/index.js';
import { type HttpDoor, maySee } from './http-door.js';

const MAX_MESSAGE_BYTES = 64 << 10;
const MAX_SOCKETS = 100;
/** Who has not made an offer by then is let go. */
const OFFER_MS = 10_000;

/** What either side says: the shapes are those of a browser's RTCSessionDescription and RTCIceCandidate. */
type Message =
  | { readonly type: 'offer' | 'answer'; readonly sdp: string }
  | { readonly type: 'candidate'; readonly candidate: string; readonly sdpMid: string }
  | { readonly type: 'bye'; readonly reason?: string }
  | { readonly type: 'error'; readonly message: string };

/** WebSocket signalling at `/ws/<mount>`, for who would rather have that than WHEP: the same peers, one a socket. */
export function signallingDoor(streams: StreamTable, peers: WebRtcPeers): HttpDoor {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  return {
    routes: new Hono(),
    upgrade(request, socket, head, user) {
      const [, mount] = /^\/ws(\/[^?]+)/.exec(request.url ?? '') ?? [];
      const served = mount === undefined ? undefined : streams.get(decoded(mount));
      if (!served || !maySee(user, served.path) || sockets.clients.size >= MAX_SOCKETS) return false;
      sockets.handleUpgrade(request, socket, head, (client) => serve(client, served, peers));
      return true;
    },
    close: once(async () => {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    }),
  };
}

function serve(client: WebSocket, { stream }: ServedStream, peers: WebRtcPeers): void {
  let peer: WebRtcPeer | undefined;
  let offered = false;
  const say = (message: Message): void => {
    if (client.readyState === client.OPEN) client.send(JSON.stringify(message));
  };
  const end = (message: Message): void => {
    say(message);
    client.close();
  };
  const tooLate = setTimeout(() => end({ type: 'bye', reason: 'no offer came' }), OFFER_MS);

  async function open(sdp: string): Promise<void> {
    clearTimeout(tooLate);
    offered = true;
    peer = await peers.open(stream, readOffer(sdp));
    peer.on('ended', (reason) => end({ type: 'bye', reason }));
    // The socket was closed while the peer was made.
    if (client.readyState !== client.OPEN) return peer.leave();
    say({ type: 'answer', sdp: peer.description });
  }

  async function take(message: Message): Promise<void> {
    if (message.type === 'offer' && !offered) await open(message.sdp);
    else if (message.type === 'candidate') peer?.addCandidate({ candidate: message.candidate, mid: message.sdpMid });
    else if (message.type === 'bye') client.close();
    else throw new Error('expected an offer first, then candidates or bye');
  }

  client.on('message', (data) => {
    const message = parse(String(data));
    if (!message) return end({ type: 'error', message: 'expected JSON: an offer, a candidate or bye' });
    take(message).catch((error) => end({ type: 'error', message: toCapError(error).message }));
  });
  client.on('error', () => client.terminate()); // a frame that is too long, or none
  client.on('close', () => {
    clearTimeout(tooLate);
    peer?.leave();
  });
}

function parse(text: string): Message | undefined {
  try {
    const { type, sdp, candidate, sdpMid } = JSON.parse(text);
    if (type === 'offer' && typeof sdp === 'string') return { type, sdp };
    if (type === 'candidate' && typeof candidate === 'string')
      return { type, candidate, sdpMid: String(sdpMid ?? '0') };
    return type === 'bye' ? { type } : undefined;
  } catch {
    return undefined;
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
