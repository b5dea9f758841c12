import { PORTAL_CURSORS, PORTAL_SOURCES, PortalSession, SHARED_KINDS } from '../native/index.js';
import { sessionBusAddress } from './session-bus.js';

export { pipewireVersion } from '../native/index.js';

/** What the desktop's portal can share, for people. @throws CAP_DISPLAY_UNAVAILABLE */
export async function describePortal(): Promise<string> {
  const session = await PortalSession.open(sessionBusAddress());
  const { version, sourceTypes, cursorModes } = session.abilities;
  await session.close();
  const kinds = SHARED_KINDS.filter((kind) => sourceTypes & PORTAL_SOURCES[kind]);
  const cursor = cursorModes & PORTAL_CURSORS.embedded ? 'with the cursor' : 'without the cursor';
  // Tokens, by which the next session need not ask, came with version 4.
  const asks = version >= 4 ? 'asks once' : 'asks each time';
  return `version ${version}, shares ${kinds.join(', ') || 'nothing'} ${cursor}, ${asks}`;
}
