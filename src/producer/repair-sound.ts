import { describeSoundServer } from '../native/index.js';
import { abandonedRoutes, closeRoute } from './sound-route.js';

/** What a capture that was killed had left in the sound server, and is gone now. */
export interface SoundRepair {
  /** Names of the null sinks that were removed. */
  readonly removed: readonly string[];
  /** Names of the applications whose sound plays on an output again, one for each stream. */
  readonly putBack: readonly string[];
}

/**
 * Removes the null sinks of captures that were killed, and puts the applications that were led through them back to the
 * default output. What belongs to a capture that runs is left alone.
 * @throws CAP_DEPENDENCY_MISSING when there is no sound server
 */
export async function repairSound(): Promise<SoundRepair> {
  const server = await describeSoundServer();
  const removed: string[] = [];
  const putBack: string[] = [];
  for (const route of abandonedRoutes(server)) {
    const streams = await closeRoute(server, route);
    putBack.push(...streams.map(({ application, binary }) => application || binary));
    removed.push(route.sink);
  }
  return { removed, putBack };
}
