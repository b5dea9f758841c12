export { readFragment, readOffer, ufragOf } from './offer.js';
export type { PeerEnd, WebRtcPeer } from './peer.js';
export * from './peers.js';
